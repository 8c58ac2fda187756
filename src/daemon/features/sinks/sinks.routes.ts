import { listSinks } from '../../../shared/api/sinks.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { Sink } from './sink.ts'

export function bindSinks(binder: EndpointBinder, sinks: Sink[]): void {
  binder.bind(listSinks, () => ({ items: sinks.map((sink) => sink.describe()) }))
}

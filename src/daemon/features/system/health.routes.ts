import { getLiveness, getMetrics, getReadiness } from '../../../shared/api/system.ts'
import type { Clock } from '../../clock.ts'
import { AppError } from '../../errors.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { StoreMonitor } from './system.service.ts'

/** What machines ask: numbers, and whether the program is alive and of use. */
export function bindHealth(
  binder: EndpointBinder,
  deps: { scrape: () => Promise<string>; storeMonitor: StoreMonitor; clock: Clock; isStopping: () => boolean }
): void {
  binder.bindStream(getMetrics, async (_, { response }) => {
    response.type('text/plain; version=0.0.4').send(await deps.scrape())
  })
  binder.bind(getLiveness, () => ({ status: 'alive' as const }))
  binder.bind(getReadiness, async () => {
    if (deps.isStopping()) throw new AppError('shutting_down')
    const { reachable, writable, problem } = await deps.storeMonitor.read(deps.clock.nowMs())
    if (!reachable) throw new AppError('store_unreachable', { problem })
    if (!writable) throw new AppError('store_full')
    return { status: 'ready' as const }
  })
}

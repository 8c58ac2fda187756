import { getField } from '../../../shared/api/field.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { FieldRepository } from './field.repository.ts'
import type { FieldBoard } from './field-board.ts'

export function bindField(binder: EndpointBinder, deps: { board: FieldBoard; repository: FieldRepository }): void {
  binder.bind(getField, () => ({
    lanes: deps.board.listLanes(),
    flights: deps.repository.listFlights(),
    refusedSignIns: deps.board.listRefusedSignIns()
  }))
}

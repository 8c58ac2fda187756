import { getField } from '../../../shared/api/field.ts'
import type { Database } from '../../db/database.ts'
import type { Feature } from '../../feature.ts'
import { FieldRepository } from './field.repository.ts'
import { FieldBoard, type FieldBoardDeps } from './field-board.ts'

export interface FieldFeature extends Feature {
  board: FieldBoard
}

/** What the controllers do today, as people see it: a lane for each, and their flights. */
export function createField(deps: Omit<FieldBoardDeps, 'repository'> & { db: Database }): FieldFeature {
  const repository = new FieldRepository(deps.db)
  const board = new FieldBoard({ ...deps, repository })
  return {
    board,
    bind: (binder) =>
      binder.bind(getField, () => ({
        lanes: board.listLanes(),
        flights: repository.listFlights(),
        refusedSignIns: board.listRefusedSignIns()
      })),
    start: () => board.start(),
    stop: async () => board.stop()
  }
}

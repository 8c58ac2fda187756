import { getTiering } from '../../../shared/api/tiering.ts'
import type { Database } from '../../db/database.ts'
import type { Feature } from '../../feature.ts'
import { goneSignal } from '../../http/gone-signal.ts'
import { TieringRepository } from './tiering.repository.ts'
import { TieringService, type TieringServiceDeps } from './tiering.service.ts'

export interface TieringFeature extends Feature {
  /** See `TieringService`. */
  review: TieringService['review']
  belongsAt: TieringService['belongsAt']
}

/** The archive: a prefix in the store for bytes that are seldom needed. */
export function createTiering(
  deps: Omit<TieringServiceDeps, 'repository'> & { db: Database; storeKind: string }
): TieringFeature {
  const service = new TieringService({ ...deps, repository: new TieringRepository(deps.db, deps.storeKind) })
  return {
    review: (assetId) => service.review(assetId),
    belongsAt: (blob, key) => service.belongsAt(blob, key),
    bind: (binder) => binder.bind(getTiering, (_, { response }) => service.report(goneSignal(response))),
    upkeep: [{ name: 'bytes for the archive', run: (signal) => service.run(signal) }]
  }
}

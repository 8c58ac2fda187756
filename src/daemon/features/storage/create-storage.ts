import { getStorage, listDamagedAssets, startScrub } from '../../../shared/api/storage.ts'
import type { Database } from '../../db/database.ts'
import { pageFrom, unknownCursor } from '../../db/page.ts'
import type { Feature } from '../../feature.ts'
import { StorageRepository } from './storage.repository.ts'
import { type StorageDeps, StorageService } from './storage.service.ts'

export interface StorageFeature extends Feature {
  /** What all assets come to, also those in the bin. */
  kept(): { assetTotal: number; assetBytes: number }
}

/** What people are told of the store: how much fits, what is damaged, and whether every file was checked. */
export function createStorage(deps: Omit<StorageDeps, 'repository'> & { db: Database }): StorageFeature {
  const repository = new StorageRepository(deps.db)
  const service = new StorageService({ ...deps, repository })
  return {
    kept: () => repository.kept(),
    bind(binder) {
      binder.bind(getStorage, () => service.read())
      binder.bind(startScrub, () => service.startScrub())
      binder.bind(listDamagedAssets, ({ query: { cursor, limit } }) => {
        const found = repository.listDamaged(placeOf(cursor), limit + 1)
        const { items, nextCursor } = pageFrom(found, limit, ({ takenAtMs, id }) => `${takenAtMs}.${id}`)
        return { items: items.map(({ takenAtMs: _, ...asset }) => asset), nextCursor }
      })
    }
  }
}

/** What a cursor stands for; without one, before everything. Throws `invalid_request`. */
function placeOf(cursor: string | undefined): { takenAtMs: number; id: string } {
  if (cursor === undefined) return { takenAtMs: Number.MIN_SAFE_INTEGER, id: '' }
  const [, takenAtMs, id] = /^(-?\d{1,15})\.([0-9a-z]{26})$/.exec(cursor) ?? []
  if (takenAtMs === undefined || id === undefined) throw unknownCursor()
  return { takenAtMs: Number(takenAtMs), id }
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AssetSummary } from '../../../shared/api/assets.ts'
import { findSimilar } from '../../../shared/api/similar.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Feature } from '../../feature.ts'
import type { PerceptualHash } from '../../media/perceptual-hash.ts'
import { isInScope, type WorkspaceScope } from '../../workspace-scope.ts'
import { HashIndex } from './hash-index.ts'
import { HashesRepository } from './hashes.repository.ts'

export interface SimilarDeps {
  db: Database
  getSummary: (assetId: string) => AssetSummary
}

export interface SimilarFeature extends Feature {
  /** Remembers what an asset looks like (null: like nothing in particular). Call it in the transaction that shows its previews. */
  note(assetId: string, hash: PerceptualHash | null): void
  /** Call it in the transaction that deletes the asset. */
  forget(assetId: string): void
}

const LOOKS_AT_ONCE = 500

/** Finds assets that look alike. */
export function createSimilar({ db, getSummary }: SimilarDeps): SimilarFeature {
  const repository = new HashesRepository(db)
  const index = new HashIndex(repository)

  async function likest(
    assetId: string,
    hash: PerceptualHash,
    query: { maxDistance: number; limit: number; scope: WorkspaceScope }
  ): Promise<{ asset: AssetSummary; distance: number }[]> {
    const found: { asset: AssetSummary; distance: number }[] = []
    let looks = 0
    for (const [distance, numbers] of (await index.search(hash, query.maxDistance)).entries())
      for (const number of numbers) {
        if (found.length === query.limit) return found
        if (++looks % LOOKS_AT_ONCE === 0) await nextTurn()
        const owner = repository.findAsset(number)
        if (!owner || owner.assetId === assetId || !isInScope(query.scope, owner.workspaceId)) continue
        found.push({ asset: getSummary(owner.assetId), distance })
      }
    return found
  }

  return {
    note(assetId, hash) {
      if (hash) repository.put(assetId, hash)
      else repository.delete(assetId)
    },
    forget: (assetId) => repository.delete(assetId),
    bind: (binder) =>
      binder.bind(findSimilar, async ({ params: { assetId }, query }, { caller }) => {
        if (!repository.exists(assetId)) throw new AppError('asset_not_found', { assetId })
        const hash = repository.find(assetId)
        if (!hash) return { isComparable: false, items: [] }
        return { isComparable: true, items: await likest(assetId, hash, { ...query, scope: caller.workspaceIds }) }
      })
  }
}

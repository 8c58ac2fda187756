import { setImmediate as pause } from 'node:timers/promises'
import type { BulkAction, BulkResult } from '../../../shared/api/asset-changes.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { ChangesService } from './changes.service.ts'

export interface BulkChangesDeps {
  db: Database
  changes: ChangesService
  /** To the bin, unless several strong references hold it; false when it is there already. */
  binAsset: (assetId: string) => boolean
  /** Back from the bin; false when it is not there. */
  restoreAsset: (assetId: string) => boolean
  /** From the bin for good. */
  purgeAsset: (assetId: string) => void
}

/** Assets changed in one transaction. Others have their turn in between. */
const AT_ONCE = 20

/** Does the same with many assets, each by itself. */
export class BulkChanges {
  readonly #deps: BulkChangesDeps

  constructor(deps: BulkChangesDeps) {
    this.#deps = deps
  }

  /** What came of each asset, in the order of the request; `assertMayUse` throws for those that the caller may not know of. */
  async run(action: BulkAction, assertMayUse: (assetId: string) => void): Promise<BulkResult[]> {
    const results: BulkResult[] = []
    for (let from = 0; from < action.assetIds.length; from += AT_ONCE) {
      const batch = action.assetIds.slice(from, from + AT_ONCE)
      results.push(...this.#deps.db.transaction(() => batch.map((assetId) => this.#try(action, assetId, assertMayUse))))
      await pause()
    }
    return results
  }

  #try(action: BulkAction, assetId: string, assertMayUse: (assetId: string) => void): BulkResult {
    try {
      assertMayUse(assetId)
      // What is refused halfway leaves nothing.
      const isChanged = this.#deps.db.transaction(() => this.#act(action, assetId))
      return { assetId, outcome: isChanged ? 'changed' : 'unchanged' }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return { assetId, outcome: 'refused', code: error.code }
    }
  }

  #act(action: BulkAction, assetId: string): boolean {
    const { changes, binAsset, restoreAsset, purgeAsset } = this.#deps
    switch (action.action) {
      case 'delete':
        return binAsset(assetId)
      case 'restore':
        return restoreAsset(assetId)
      case 'purge':
        purgeAsset(assetId)
        return true
      case 'tag':
        return changes.update(assetId, { tags: { add: action.add, remove: action.remove } })
      case 'moderate':
        return changes.update(assetId, { moderation: action.moderation })
    }
  }
}

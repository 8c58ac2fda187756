import type { AssetDetail, AssetSummary } from '../../../shared/api/assets.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { type AssetsRepository, summaryFromRow } from './assets.repository.ts'

const SHOWN_EVENTS = 100

export interface AssetsServiceDeps {
  db: Database
  clock: Clock
  outbox: Outbox
  queue: JobQueue
  repository: AssetsRepository
  /** Makes controllers free to upload the file again; runs inside the binning transaction. */
  forgetUploads: (assetId: string) => void
  /** Takes that back; runs inside the restoring transaction. */
  rememberUploads: (assetId: string) => void
}

export class AssetsService {
  readonly #deps: AssetsServiceDeps

  constructor(deps: AssetsServiceDeps) {
    this.#deps = deps
  }

  /** Throws `asset_not_found`. */
  getDetail(assetId: string): AssetDetail {
    const { repository, queue, outbox } = this.#deps
    return {
      ...repository.getDetail(assetId),
      jobs: queue.listForAsset(assetId),
      events: outbox.readFor(assetId, SHOWN_EVENTS).map(({ seq, type, at, data }) => ({ seq, type, at, data }))
    }
  }

  /**
   * Moves an asset to the bin; again is harmless. With `guard`, refuses while more than one strong reference holds it:
   * `asset_in_use` with the list. Throws `asset_not_found`.
   */
  bin(assetId: string, options: { guard: boolean }): AssetSummary {
    const { db, repository, outbox, clock } = this.#deps
    return db.transaction(() => {
      const row = repository.get(assetId)
      if (row.state !== 'binned') {
        const strong = repository.listReferences(assetId).filter((reference) => reference.kind === 'strong')
        if (options.guard && strong.length > 1) throw new AppError('asset_in_use', { references: strong })
        repository.moveToBin(assetId, clock.nowMs())
        this.#deps.forgetUploads(assetId)
        outbox.append('asset.binned', assetId)
      }
      return summaryFromRow(repository.get(assetId))
    })
  }

  /** Brings an asset back as it was. Throws `asset_not_found`, `asset_not_binned`. */
  restore(assetId: string): AssetSummary {
    const { db, repository, outbox, clock } = this.#deps
    return db.transaction(() => {
      const row = repository.get(assetId)
      if (row.state !== 'binned') throw new AppError('asset_not_binned', { state: row.state })
      repository.takeFromBin(assetId, clock.nowMs())
      this.#deps.rememberUploads(assetId)
      outbox.append('asset.restored', assetId)
      return summaryFromRow(repository.get(assetId))
    })
  }
}

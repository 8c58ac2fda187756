import type { AssetDetail } from '../../../shared/api/assets.ts'
import { isoFromMs } from '../../clock.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import type { WorkspaceScope } from '../../workspace-scope.ts'
import type { AssetsRepository } from './assets.repository.ts'
import type { ChangesRepository } from './changes.repository.ts'

const SHOWN_EVENTS = 100

export interface AssetsServiceDeps {
  outbox: Outbox
  queue: JobQueue
  repository: AssetsRepository
  changes: ChangesRepository
  /** The oldest references of an asset. */
  listReferences: (assetId: string) => AssetDetail['references']
}

export class AssetsService {
  readonly #deps: AssetsServiceDeps

  constructor(deps: AssetsServiceDeps) {
    this.#deps = deps
  }

  /** Throws `asset_not_found`. */
  getDetail(assetId: string, scope: WorkspaceScope): AssetDetail {
    const { repository, changes, queue, outbox, listReferences } = this.#deps
    const detail = repository.getDetail(assetId, scope)
    const { moderatedAtMs, ...notes } = changes.find(assetId)!
    return {
      ...detail,
      ...notes,
      moderatedAt: moderatedAtMs === null ? null : isoFromMs(moderatedAtMs),
      references: listReferences(assetId),
      jobs: queue.listForAsset(assetId),
      events: outbox.readFor(assetId, SHOWN_EVENTS).map(({ seq, type, at, data }) => ({ seq, type, at, data }))
    }
  }
}

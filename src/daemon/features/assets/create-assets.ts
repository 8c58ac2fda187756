import type { AssetChanges, Verdict } from '../../../shared/api/asset-changes.ts'
import type { AssetDetail } from '../../../shared/api/assets.ts'
import type { Feature } from '../../feature.ts'
import type { WorkspaceScope } from '../../workspace-scope.ts'
import { AssetSearch } from './asset-search.ts'
import type { AssetsRepository } from './assets.repository.ts'
import { bindAssets } from './assets.routes.ts'
import { AssetsService, type AssetsServiceDeps } from './assets.service.ts'
import { BulkChanges, type BulkChangesDeps } from './bulk-changes.ts'
import { ChangesRepository } from './changes.repository.ts'
import { ChangesService, type ChangesServiceDeps } from './changes.service.ts'
import { tidyNames } from './tidy-names.ts'

type Deps = Omit<AssetsServiceDeps & ChangesServiceDeps & BulkChangesDeps, 'changes'>

export interface AssetsDeps extends Deps {
  repository: AssetsRepository
}

export interface AssetsFeature extends Feature {
  /** Writes a judgement on an asset's content down. Throws `asset_not_found`. */
  judge(assetId: string, verdict: Verdict): void
  /** See `ChangesService.update`. */
  update(assetId: string, changes: AssetChanges): void
  /** See `AssetsService.getDetail`. */
  getDetail(assetId: string, scope: WorkspaceScope): AssetDetail
}

/** The catalogue: finding assets, showing one, and changing what is said about it. */
export function createAssets(deps: AssetsDeps): AssetsFeature {
  const changes = new ChangesRepository(deps.db)
  const service = new AssetsService({ ...deps, changes })
  const changesService = new ChangesService({ ...deps, changes })
  return {
    upkeep: [{ name: 'the index of names', run: (signal) => tidyNames(deps.db, signal) }],
    judge: (assetId, verdict) => void changesService.update(assetId, { moderation: verdict }),
    update: (assetId, wanted) => void changesService.update(assetId, wanted),
    getDetail: (assetId, scope) => service.getDetail(assetId, scope),
    bind: (binder) =>
      bindAssets(binder, {
        repository: deps.repository,
        search: new AssetSearch(deps.db),
        service,
        changes: changesService,
        bulk: new BulkChanges({ ...deps, changes: changesService })
      })
  }
}

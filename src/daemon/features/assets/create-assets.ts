import type { Clock } from '../../clock.ts'
import type { Feature } from '../../feature.ts'
import { AssetSearch } from './asset-search.ts'
import type { AssetsRepository } from './assets.repository.ts'
import { bindAssets } from './assets.routes.ts'
import { AssetsService, type AssetsServiceDeps } from './assets.service.ts'
import { ChangesRepository } from './changes.repository.ts'
import { ChangesService, type ChangesServiceDeps } from './changes.service.ts'

export interface AssetsDeps extends Omit<AssetsServiceDeps, 'changes'>, Omit<ChangesServiceDeps, 'changes'> {
  clock: Clock
  repository: AssetsRepository
}

/** The catalogue: finding assets, showing one, and changing what is said about it. */
export function createAssets(deps: AssetsDeps): Feature {
  const changes = new ChangesRepository(deps.db)
  const service = new AssetsService({ ...deps, changes })
  const changesService = new ChangesService({ ...deps, changes })
  return {
    bind: (binder) =>
      bindAssets(binder, {
        repository: deps.repository,
        search: new AssetSearch(deps.db),
        service,
        changes: changesService
      })
  }
}

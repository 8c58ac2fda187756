import { changeAssets, moderateAsset, updateAsset } from '../../../shared/api/asset-changes.ts'
import { getAsset, listAssetFacets, listAssets } from '../../../shared/api/assets.ts'
import { AppError } from '../../errors.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { goneSignal } from '../../http/gone-signal.ts'
import type { AssetSearch } from './asset-search.ts'
import type { AssetsRepository } from './assets.repository.ts'
import type { AssetsService } from './assets.service.ts'
import type { BulkChanges } from './bulk-changes.ts'
import type { ChangesService } from './changes.service.ts'

export function bindAssets(
  binder: EndpointBinder,
  deps: {
    repository: AssetsRepository
    search: AssetSearch
    service: AssetsService
    changes: ChangesService
    bulk: BulkChanges
  }
): void {
  binder.bind(listAssets, ({ query }, { caller, response }) =>
    deps.search.list(query, caller.workspaceIds, goneSignal(response))
  )
  binder.bind(listAssetFacets, (_, { caller }) => deps.repository.facets(caller.workspaceIds))
  binder.bind(getAsset, ({ params }, { caller }) => deps.service.getDetail(params.assetId, caller.workspaceIds))
  binder.bind(updateAsset, ({ params, body }, { caller }) => {
    deps.changes.update(params.assetId, body)
    return deps.service.getDetail(params.assetId, caller.workspaceIds)
  })
  binder.bind(moderateAsset, ({ params, body }) => {
    deps.changes.update(params.assetId, { moderation: body })
    return body
  })
  binder.bind(changeAssets, async ({ body }, { caller, assertInScope }) => {
    if (body.action === 'purge' && caller.role !== 'admin') throw new AppError('forbidden', { needs: 'admin' })
    return { results: await deps.bulk.run(body, (assetId) => assertInScope({ assetId })) }
  })
}

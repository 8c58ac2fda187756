import { getAsset, listAssetFacets, listAssets } from '../../../shared/api/assets.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { AssetsRepository } from './assets.repository.ts'
import type { AssetsService } from './assets.service.ts'

export function bindAssets(
  binder: EndpointBinder,
  deps: { repository: AssetsRepository; service: AssetsService }
): void {
  binder.bind(listAssets, ({ query }) => deps.repository.list(query))
  binder.bind(listAssetFacets, () => deps.repository.facets())
  binder.bind(getAsset, ({ params }) => deps.service.getDetail(params.assetId))
}

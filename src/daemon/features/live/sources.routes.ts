import {
  closeWhep,
  createSource,
  deleteSource,
  disableSource,
  enableSource,
  getHlsFile,
  getLiveSnapshot,
  getMediaServer,
  getSource,
  getSourceStatus,
  isPreviewReady,
  listSources,
  openWhep,
  previewSource,
  replacePublishKey,
  trickleWhep,
  updateSource
} from '../../../shared/api/sources.ts'
import { createStreamAsset, getAssetStreamStatus, previewAsset } from '../../../shared/api/stream-assets.ts'
import { pageFrom } from '../../db/page.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { MediaServer } from '../../mediamtx/media-server.ts'
import { readinessOf } from './readiness.ts'
import type { Snapshots } from './snapshots.ts'
import type { SourceViews } from './source-views.ts'
import type { SourcesRepository } from './sources.repository.ts'
import type { SourcesService } from './sources.service.ts'
import type { StreamAssets } from './stream-assets.service.ts'
import type { StreamProxy } from './stream-proxy.ts'

export interface SourcesRoutesDeps {
  service: SourcesService
  repository: SourcesRepository
  views: SourceViews
  server: MediaServer
  proxy: StreamProxy
  snapshots: Snapshots
  assets: StreamAssets
}

export function bindSources(binder: EndpointBinder, deps: SourcesRoutesDeps): void {
  const { service, repository, views, server, proxy, snapshots, assets } = deps
  const empty = undefined

  binder.bind(listSources, async ({ query }, context) => {
    const found = repository.list({ ...query, limit: query.limit + 1 }, context.caller.workspaceIds)
    const { items, nextCursor } = pageFrom(found, query.limit, ({ id }) => id)
    return { items: await views.ofAll(items, context, query), nextCursor, server: server.state() }
  })
  binder.bind(createSource, async ({ body }, context) => views.of(await service.create(body), context))
  binder.bind(getSource, async ({ params, query }, context) => {
    const [view] = await views.ofAll([service.get(params.sourceId)], context, query)
    return view!
  })
  binder.bind(updateSource, async ({ params, body }, context) =>
    views.of(await service.update(params.sourceId, body), context)
  )
  binder.bind(deleteSource, async ({ params, query }) => {
    await service.delete(params.sourceId, query.recordings)
    snapshots.forget(params.sourceId)
    return empty
  })
  binder.bind(enableSource, async ({ params }, context) =>
    views.of(await service.setEnabled(params.sourceId, true), context)
  )
  binder.bind(disableSource, async ({ params }, context) =>
    views.of(await service.setEnabled(params.sourceId, false), context)
  )
  binder.bind(getSourceStatus, ({ params }) => service.statusOf(service.get(params.sourceId)))
  binder.bind(previewSource, ({ params }, context) => views.previewOf(service.get(params.sourceId), context))
  binder.bind(isPreviewReady, async ({ params }) => {
    const source = service.get(params.sourceId)
    return readinessOf(source, await service.statusOf(source))
  })
  binder.bind(replacePublishKey, async ({ params }, context) =>
    views.of(await service.replacePublishKey(params.sourceId), context)
  )
  binder.bind(getMediaServer, () => server.state())

  binder.bindStream(getLiveSnapshot, async ({ params }, { response }) => {
    const snapshot = await snapshots.latest(service.get(params.sourceId))
    response.setHeader('cache-control', 'private, no-cache')
    if (!snapshot) return void response.status(204).end()
    response.setHeader('last-modified', new Date(snapshot.takenAtMs).toUTCString())
    response.type('image/jpeg').end(snapshot.jpeg)
  })
  binder.bindStream(getHlsFile, ({ params }, context) =>
    proxy.sendHls(service.get(params.sourceId), params.file, context)
  )
  binder.bindStream(openWhep, ({ params }, context) => proxy.openWhep(service.get(params.sourceId), context))
  binder.bind(trickleWhep, async ({ params }, context) => {
    await proxy.trickle(service.get(params.sourceId), params.session, context)
    return empty
  })
  binder.bind(closeWhep, async ({ params }) => {
    await proxy.closeWhep(service.get(params.sourceId), params.session)
    return empty
  })

  binder.bind(createStreamAsset, ({ body }, { caller }) => assets.create(body, caller.workspaceIds))
  binder.bind(previewAsset, ({ params }, context) =>
    views.previewOf(assets.sourceOf(params.assetId, context.caller.workspaceIds), context)
  )
  binder.bind(getAssetStreamStatus, ({ params }, { caller }) =>
    service.statusOf(assets.sourceOf(params.assetId, caller.workspaceIds))
  )
}

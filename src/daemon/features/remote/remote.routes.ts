import {
  cacheRemoteMedia,
  deleteRemoteMedia,
  getRemoteContent,
  getRemoteMedia,
  listRemoteMedia
} from '../../../shared/api/remote.ts'
import { pageFrom } from '../../db/page.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { sendObject } from '../../http/send-object.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { mediaHeaders } from '../delivery/media-headers.ts'
import { type RemoteRepository, viewOf } from './remote.repository.ts'
import type { RemoteService } from './remote.service.ts'

export function bindRemote(
  binder: EndpointBinder,
  { service, repository, store }: { service: RemoteService; repository: RemoteRepository; store: ObjectStore }
): void {
  binder.bind(cacheRemoteMedia, ({ body }) => viewOf(service.request(body)))
  binder.bind(listRemoteMedia, ({ query }, { caller }) => {
    const found = repository.list({ ...query, limit: query.limit + 1 }, caller.workspaceIds)
    const { items, nextCursor } = pageFrom(found, query.limit, ({ id }) => id)
    return { items: items.map(viewOf), nextCursor }
  })
  binder.bind(getRemoteMedia, ({ params }) => viewOf(service.get(params.taskId)))
  binder.bindStream(getRemoteContent, async ({ params }, context) => {
    const { name, file } = service.open(params.taskId)
    const { contentType, headers } = mediaHeaders({ name, mimeType: file.mimeType }, { download: false })
    await sendObject(
      store,
      {
        key: file.key,
        storeEtag: file.storeEtag,
        etag: `"${file.sha256}"`,
        lastModifiedMs: file.fetchedAtMs,
        sizeBytes: file.sizeBytes,
        contentType,
        cacheControl: 'private, no-cache',
        headers
      },
      context
    )
  })
  binder.bind(deleteRemoteMedia, ({ params }) => {
    service.drop(params.taskId)
    return undefined
  })
}

import { pipeline } from 'node:stream/promises'
import { getThumbnail } from '../../../shared/api/assets.ts'
import { AppError } from '../../errors.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { matchesEtag } from '../../http/byte-range.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import type { RenditionsService } from './renditions.service.ts'

/** Serves previews, negotiated by Accept. */
export function bindRenditions(binder: EndpointBinder, deps: { service: RenditionsService; store: ObjectStore }): void {
  binder.bindStream(getThumbnail, async ({ params, query }, { request, response }) => {
    const { assetId, sizePx } = params
    const rendition = await deps.service.find(assetId, sizePx, request.headers.accept)
    const etag = `"${rendition.format}-${rendition.createdAtMs.toString(36)}-${rendition.sizeBytes.toString(36)}"`
    response.setHeader('etag', etag)
    response.setHeader('vary', 'accept')
    response.setHeader(
      'cache-control',
      query.v === undefined ? 'private, max-age=600' : 'private, max-age=31536000, immutable'
    )
    if (matchesEtag(request.headers['if-none-match'], etag)) {
      response.status(304).end()
      return
    }
    response.setHeader('content-type', `image/${rendition.format}`)
    response.setHeader('content-length', rendition.sizeBytes)
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    try {
      const { stream } = await deps.store.getStream(rendition.key)
      await pipeline(stream, response)
    } catch (error) {
      if (response.destroyed) return // the viewer left
      response.removeHeader('content-length')
      if (!(error instanceof ObjectStoreError) || error.code !== 'NotFound') throw error
      deps.service.healLost(assetId, sizePx, rendition)
      throw new AppError('rendition_not_available', { preview: 'pending', previewProblem: null }, { cause: error })
    }
  })
}

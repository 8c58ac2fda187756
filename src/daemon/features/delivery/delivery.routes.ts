import type { IncomingHttpHeaders } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'
import { getMedia } from '../../../shared/api/assets.ts'
import { AppError } from '../../errors.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import { contentDisposition, matchesEtag, parseByteRange } from '../../http/byte-range.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { AssetBytes } from '../assets/assets-bytes.ts'

/** Types a browser may show in place; anything else (HTML, SVG, scripts) is only ever downloaded. */
const SHOWN_IN_PLACE = /^(image\/(jpeg|png|webp|avif|gif|heic|tiff)|video\/|audio\/|application\/pdf$)/

/** Serves original bytes: whole, by range, or 304. */
export function bindDelivery(
  binder: EndpointBinder,
  deps: { store: ObjectStore; findBytes: (assetId: string) => AssetBytes }
): void {
  binder.bindStream(getMedia, async ({ params, query }, { request, response }) => {
    const bytes = deps.findBytes(params.assetId)
    const etag = `"${bytes.sha256 ?? bytes.etag}"`
    const shown = !query.download && SHOWN_IN_PLACE.test(bytes.mimeType)
    response.setHeader('etag', etag)
    response.setHeader('accept-ranges', 'bytes')
    response.setHeader('cache-control', 'private, no-cache')
    response.setHeader('content-security-policy', "sandbox; default-src 'none'")
    if (matchesEtag(request.headers['if-none-match'], etag)) {
      response.status(304).end()
      return
    }
    const range = requestedRange(request.headers, etag, bytes.sizeBytes)
    if (range === 'unsatisfiable') {
      response.setHeader('content-range', `bytes */${bytes.sizeBytes}`)
      throw new AppError('range_not_satisfiable', { sizeBytes: bytes.sizeBytes })
    }
    response.setHeader('content-disposition', contentDisposition(shown ? 'inline' : 'attachment', bytes.name))
    response.setHeader('content-type', shown ? bytes.mimeType : 'application/octet-stream')
    if (request.method === 'HEAD') {
      response.setHeader('content-length', bytes.sizeBytes)
      response.end()
      return
    }
    const { stream, sizeBytes } = await deps.store.getStream(bytes.key, {
      ...(range ? { range } : {}),
      ifMatch: bytes.etag
    })
    response.setHeader('content-length', sizeBytes)
    if (range) {
      response.status(206)
      response.setHeader('content-range', `bytes ${range.start}-${range.end}/${bytes.sizeBytes}`)
    }
    await sendAll(stream, response)
  })
}

/** A range counts only for the version the client already holds part of (If-Range, RFC 9110 §13.1.5). */
function requestedRange(headers: IncomingHttpHeaders, etag: string, sizeBytes: number) {
  const ifRange = headers['if-range']
  if (ifRange !== undefined && ifRange !== etag) return undefined
  return parseByteRange(headers.range, sizeBytes)
}

/** A viewer who leaves in the middle is no error; a store that breaks off is. */
async function sendAll(stream: NodeJS.ReadableStream, response: Response): Promise<void> {
  try {
    await pipeline(stream, response)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE' || !response.destroyed) throw error
  }
}

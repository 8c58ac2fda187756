import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { AppError } from '../errors.ts'
import { type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'
import { parseByteRange } from './byte-range.ts'
import { judgePreconditions, rangeCounts, type Validators } from './preconditions.ts'
import { ReaderGoneError, sendOpened } from './send-opened.ts'

const LEFT: ReadonlySet<string | undefined> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_UNABLE_TO_PIPE'])

/** An object as an answer shows it. */
export interface Representation extends Validators {
  key: string
  /** The one version of the object that it is, by the store's mark. */
  storeEtag?: string
  sizeBytes: number
  contentType: string
  cacheControl: string
  /** Further headers. */
  headers?: Record<string, string>
}

/**
 * Answers a GET or HEAD with an object of the store: whole, one range of it, 304, or nothing but the headers (RFC 9110 §13, §14).
 * Throws `precondition_failed`, `range_not_satisfiable`, `asset_damaged` when the object is not that version any more, and
 * `ObjectStoreError`.
 */
export async function sendObject(
  store: ObjectStore,
  representation: Representation,
  { request, response }: { request: Request; response: Response }
): Promise<void> {
  const { etag, lastModifiedMs, sizeBytes, contentType, cacheControl, headers = {} } = representation
  response.setHeader('etag', etag)
  response.setHeader('last-modified', new Date(lastModifiedMs).toUTCString())
  response.setHeader('accept-ranges', 'bytes')
  response.setHeader('cache-control', cacheControl)
  // Also on a 304: caches replace what they keep of an answer with it (RFC 9111 §3.2).
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  const verdict = judgePreconditions(request.headers, representation)
  if (verdict === 'failed') throw new AppError('precondition_failed')
  if (verdict === 'not_modified') {
    response.status(304).end()
    return
  }
  // A range is defined for GET alone (RFC 9110 §14.2).
  const isRanged = request.method === 'GET' && rangeCounts(request.headers, representation)
  const range = isRanged ? parseByteRange(request.headers.range, sizeBytes) : undefined
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${sizeBytes}`)
    throw new AppError('range_not_satisfiable', { sizeBytes })
  }
  response.setHeader('content-type', contentType)
  response.setHeader('content-length', range ? range.end - range.start + 1 : sizeBytes)
  if (range) {
    response.status(206)
    response.setHeader('content-range', `bytes ${range.start}-${range.end}/${sizeBytes}`)
  }
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  await sendBytes(store, representation, range, response)
}

/** Its length was announced already: fewer or more bytes would spoil the connection for what follows on it. */
const anotherVersion = (key: string) => new ObjectStoreError('PreconditionFailed', `${key} is another version by now.`)

async function sendBytes(
  store: ObjectStore,
  { key, storeEtag, sizeBytes }: Representation,
  range: { start: number; end: number } | undefined,
  response: Response
): Promise<void> {
  const version = storeEtag === undefined ? {} : { ifMatch: storeEtag }
  try {
    const object = await store.open(key, version)
    if (object === null) {
      const { stat, stream } = await store.getStream(key, { ...version, ...(range && { range }) })
      if (stat.sizeBytes !== sizeBytes) {
        stream.destroy()
        throw anotherVersion(key)
      }
      await pipeline(stream, response)
      return
    }
    try {
      if (object.sizeBytes !== sizeBytes) throw anotherVersion(key)
      await sendOpened(object, range ?? { start: 0, end: sizeBytes - 1 }, response)
    } finally {
      object.close()
    }
  } catch (error) {
    // A viewer who leaves in the middle is no error; a store that breaks off is.
    const hasLeft = response.destroyed && LEFT.has((error as NodeJS.ErrnoException).code)
    if (hasLeft || error instanceof ReaderGoneError) return
    for (const header of ['content-length', 'content-range']) response.removeHeader(header)
    if (error instanceof ObjectStoreError && error.code === 'PreconditionFailed')
      throw new AppError('asset_damaged', { damage: 'bytes_changed' }, { cause: error })
    throw error
  }
}

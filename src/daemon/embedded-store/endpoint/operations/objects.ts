import { type ByteRange, type ObjectHandle, type ObjectInfo, StorageError } from '../../engine/storage-engine.ts'
import { checksumResponseHeaders } from '../checksums.ts'
import { invalidArgument, S3Error } from '../s3-error.ts'
import type { ServedStorage } from '../served-storage.ts'
import { assertSupportedHeaders, objectHeaders, quoted, storedPart, writePrecondition } from './object-headers.ts'
import { type Operation, type OperationContext, onObject } from './operation.ts'

import { isNotModified, requestedRange } from './read-conditions.ts'

/** What is no longer is read before it is answered: that spares a stream, and damage becomes an error instead of a short body. */
const ONE_PIECE_BYTES = 64 * 1024

export const putObject: Operation = {
  name: 'PutObject',
  method: 'PUT',
  level: 'object',
  body: 'object',
  access: onObject('s3:PutObject'),
  async handle({ engine, bucket, key, headers, receiveObject }) {
    assertSupportedHeaders(headers)
    const stored = storedPart(headers)
    const precondition = writePrecondition(headers)
    const { writer, checksumAlgorithm } = await receiveObject({
      part: null,
      async beforeBody() {
        if (precondition !== undefined) await engine.checkPrecondition(bucket, key, precondition)
      }
    })
    const info = await engine.putObject({ bucket, key, body: writer, ...stored, checksumAlgorithm, precondition })
    return { status: 200, headers: { etag: quoted(info.etag), ...checksumResponseHeaders(info.checksum) } }
  }
}

export const getObject: Operation = {
  name: 'GetObject',
  method: 'GET',
  level: 'object',
  optional: ['partNumber'],
  body: 'none',
  access: onObject('s3:GetObject'),
  async handle(context) {
    assertSupportedHeaders(context.headers)
    const handle = await context.engine.openObject(context.bucket, context.key)
    let isHandedOn = false
    try {
      const { range = { start: 0, end: handle.info.sizeBytes - 1 }, ...response } = describeRead(context, handle.info)
      if (response.status === 304) return response
      const sizeBytes = range.end - range.start + 1
      if (sizeBytes <= ONE_PIECE_BYTES) return { ...response, body: await readPiece(handle, range.start, sizeBytes) }
      isHandedOn = handle.isLocal
      return { ...response, body: handle.isLocal ? { object: handle, range } : handle.read(range) }
    } finally {
      if (!isHandedOn) handle.close()
    }
  }
}

async function readPiece(handle: ObjectHandle, start: number, sizeBytes: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(sizeBytes)
  for (let done = 0; done < sizeBytes; ) done += await handle.readAt(piece.subarray(done), start + done)
  return piece
}

export const headObject: Operation = {
  name: 'HeadObject',
  method: 'HEAD',
  level: 'object',
  optional: ['partNumber'],
  body: 'none',
  access: onObject('s3:GetObject'),
  async handle(context) {
    assertSupportedHeaders(context.headers)
    const { status, headers } = describeRead(context, await context.engine.headObject(context.bucket, context.key))
    return { status, headers }
  }
}

export const deleteObject: Operation = {
  name: 'DeleteObject',
  method: 'DELETE',
  level: 'object',
  body: 'none',
  access: onObject('s3:DeleteObject'),
  async handle({ engine, bucket, key, headers }) {
    assertSupportedHeaders(headers)
    await deleteIfMatching(engine, bucket, key, headers.get('if-match'))
    return { status: 204 }
  }
}

/** Deletes a key, if it still holds the given version. That it is gone already is success, also with a condition. */
export async function deleteIfMatching(
  engine: ServedStorage,
  bucket: string,
  key: string,
  ifMatch: string | undefined
): Promise<void> {
  try {
    await engine.deleteObject(bucket, key, ifMatch === undefined ? undefined : { ifMatch })
  } catch (error) {
    if (!(error instanceof StorageError && error.code === 'NoSuchKey')) throw error
  }
}

type ReadDescription = { status: number; headers: Record<string, string>; range: ByteRange | undefined }

/** Status, headers and range that GET and HEAD share. */
function describeRead({ headers, query }: OperationContext, info: ObjectInfo): ReadDescription {
  if (isNotModified(headers, info)) {
    const { etag = '', 'last-modified': lastModified = '' } = objectHeaders(info)
    return { status: 304, headers: { etag, 'last-modified': lastModified }, range: undefined }
  }
  const part = requestedPart(query.get('partNumber'), info)
  const range = part === undefined ? requestedRange(headers, info) : part.range
  const described: Record<string, string> = { ...objectHeaders(info), ...responseOverrides(query), ...part?.headers }
  described['content-length'] = String(range === undefined ? info.sizeBytes : range.end - range.start + 1)
  if (range !== undefined) described['content-range'] = `bytes ${range.start}-${range.end}/${info.sizeBytes}`
  // A checksum of the whole object beside some of its bytes makes SDKs report corruption.
  if (headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' && (range === undefined || part !== undefined))
    Object.assign(described, checksumResponseHeaders(part === undefined ? info.checksum : part.checksum))
  return { status: range === undefined ? 200 : 206, headers: described, range }
}

type RequestedPart = {
  range: ByteRange | undefined
  headers: Record<string, string>
  checksum: ObjectInfo['checksum']
}

/** The bytes of one uploaded part. An object written by a single PUT has exactly part 1. */
function requestedPart(value: string | undefined, info: ObjectInfo): RequestedPart | undefined {
  if (value === undefined) return undefined
  const number = parsePartNumber(value)
  if (info.parts === null) {
    if (number !== 1) throw new S3Error('InvalidPartNumber')
    const range = info.sizeBytes === 0 ? undefined : { start: 0, end: info.sizeBytes - 1 }
    return { range, headers: {}, checksum: info.checksum }
  }
  const index = info.parts.findIndex((part) => part.number === number)
  const found = info.parts[index]
  // No range names zero bytes, and none at all would be answered with the whole object.
  if (found === undefined || (found.sizeBytes === 0 && info.sizeBytes > 0)) throw new S3Error('InvalidPartNumber')
  const start = info.parts.slice(0, index).reduce((sum, part) => sum + part.sizeBytes, 0)
  const checksum =
    info.checksum === null || found.checksum === null
      ? null
      : { algorithm: info.checksum.algorithm, type: info.checksum.type, value: found.checksum }
  return {
    range: found.sizeBytes === 0 ? undefined : { start, end: start + found.sizeBytes - 1 },
    headers: { 'x-amz-mp-parts-count': String(info.parts.length) },
    checksum
  }
}

/** @throws S3Error InvalidArgument unless it is a whole number from 1 to 10 000 */
export function parsePartNumber(value: string): number {
  const number = /^\d{1,5}$/.test(value) ? Number(value) : 0
  if (number < 1 || number > 10_000)
    throw invalidArgument('partNumber', value, 'Part number must be an integer between 1 and 10000, inclusive.')
  return number
}

const OVERRIDES = {
  'response-content-type': 'content-type',
  'response-content-language': 'content-language',
  'response-expires': 'expires',
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding'
} as const

/** Headers the signed query replaces in the answer. */
function responseOverrides(query: OperationContext['query']): Record<string, string> {
  const overrides: Record<string, string> = {}
  for (const [parameter, header] of Object.entries(OVERRIDES)) {
    const value = query.get(parameter)
    if (value === undefined) continue
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not get into a header
    if (/[\u0000-\u001f\u007f]/.test(value)) throw invalidArgument(parameter, value)
    overrides[header] = Buffer.from(value, 'utf8').toString('latin1')
  }
  return overrides
}

/** Refuses a version id: there is one version of everything, called `null`. */
export function assertNullVersion(versionId: string | undefined): void {
  if (versionId !== undefined && versionId !== 'null' && versionId !== '')
    throw invalidArgument('versionId', versionId, 'Invalid version id specified.')
}

import {
  type ObjectInfo,
  STORED_HEADERS,
  type StoredHeaders,
  type UserMetadata,
  type WritePrecondition
} from '../../engine/storage-engine.ts'
import type { Headers } from '../headers.ts'
import { S3Error, type S3ErrorCode } from '../s3-error.ts'

const METADATA_PREFIX = 'x-amz-meta-'
const MAX_METADATA_BYTES = 2048
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream'

/** Request headers that ask for something this store does not do. They are refused: ignoring one would break a promise. */
const UNSUPPORTED: readonly [pattern: RegExp, code: S3ErrorCode][] = [
  [/^x-amz-(copy-source-)?server-side-encryption/, 'NotImplemented'],
  [/^x-amz-(tagging|website-redirect-location|write-offset-bytes)$/, 'NotImplemented'],
  [/^x-amz-object-lock-/, 'NotImplemented'],
  [/^x-amz-if-match-/, 'NotImplemented'],
  [/^x-amz-grant-/, 'AccessControlListNotSupported']
]

/**
 * @throws S3Error NotImplemented, InvalidStorageClass, AccessControlListNotSupported for headers that ask for encryption,
 *   locks, tags, another storage class or shared access
 */
export function assertSupportedHeaders(headers: Headers): void {
  for (const name of headers.keys())
    for (const [pattern, code] of UNSUPPORTED)
      if (pattern.test(name)) throw new S3Error(code, { fields: { Header: name } })
  const storageClass = headers.get('x-amz-storage-class')
  if (storageClass !== undefined && storageClass !== 'STANDARD')
    throw new S3Error('InvalidStorageClass', { fields: { StorageClassRequested: storageClass.slice(0, 64) } })
  assertPrivateAcl(headers)
  if (headers.get('x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true') throw new S3Error('NotImplemented')
}

/** @throws S3Error AccessControlListNotSupported unless the ACL header is absent or means "owner only" */
export function assertPrivateAcl(headers: Headers): void {
  const acl = headers.get('x-amz-acl')
  if (acl !== undefined && acl !== 'private' && acl !== 'bucket-owner-full-control')
    throw new S3Error('AccessControlListNotSupported')
}

/**
 * The representation headers and user metadata a write stores with an object, values byte-exact.
 * @throws S3Error MetadataTooLarge
 */
export function storedPart(headers: Headers): { headers: StoredHeaders; metadata: UserMetadata } {
  const stored: StoredHeaders = {}
  for (const name of STORED_HEADERS) {
    const value = name === 'content-encoding' ? contentEncoding(headers) : headers.get(name)
    if (value !== undefined && value !== '') stored[name] = value
  }
  stored['content-type'] ??= DEFAULT_CONTENT_TYPE
  const metadata: UserMetadata = {}
  let sizeBytes = 0
  for (const [name, value] of headers) {
    if (!name.startsWith(METADATA_PREFIX)) continue
    const shortName = name.slice(METADATA_PREFIX.length)
    sizeBytes += shortName.length + value.length
    metadata[shortName] = value
  }
  if (sizeBytes > MAX_METADATA_BYTES)
    throw new S3Error('MetadataTooLarge', {
      fields: { Size: String(sizeBytes), MaxSizeAllowed: String(MAX_METADATA_BYTES) }
    })
  return { headers: stored, metadata }
}

/** `aws-chunked` describes the transfer, not the object. */
function contentEncoding(headers: Headers): string | undefined {
  const value = headers.get('content-encoding')
  if (value === undefined || !/aws-chunked/i.test(value)) return value
  const rest = value.split(',').map((coding) => coding.trim())
  return rest.filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked').join(', ')
}

/** The conditional headers of a write, or undefined when it is unconditional. */
export function writePrecondition(headers: Headers): WritePrecondition | undefined {
  const ifMatch = headers.get('if-match')
  const ifNoneMatch = headers.get('if-none-match')
  return ifMatch === undefined && ifNoneMatch === undefined ? undefined : { ifMatch, ifNoneMatch }
}

/** What GET and HEAD tell about an object, apart from ranges and checksums. */
export function objectHeaders(info: ObjectInfo): Record<string, string> {
  const headers: Record<string, string> = {
    etag: quoted(info.etag),
    'last-modified': new Date(info.lastModifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
    ...info.headers
  }
  for (const [name, value] of Object.entries(info.metadata)) headers[METADATA_PREFIX + name] = value
  return headers
}

export function quoted(etag: string): string {
  return `"${etag}"`
}

/** ISO 8601 with milliseconds, as XML answers show times. */
export function xmlTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

import { assertBucketName, assertObjectKey } from '../engine/names.ts'
import { S3Error } from './s3-error.ts'

const MAX_TARGET_LENGTH = 8 * 1024

/** The request target exactly as received, with its query decoded once. */
export interface RequestTarget {
  /** Path as sent, still percent-encoded; starts with `/`. */
  readonly rawPath: string
  readonly query: QueryParameters
}

/** Decoded query parameters, each name at most once, in the order sent. A parameter without `=` has the value `''`. */
export type QueryParameters = ReadonlyMap<string, string>

/**
 * Splits `req.url` at the first `?` and decodes the query (`+` is a space there).
 * @throws S3Error InvalidURI for a target that is not in origin form, longer than 8 KiB, holds `#` or a bad escape;
 *   InvalidArgument when a parameter is given twice, so that no two readers of the query can disagree.
 */
export function parseRequestTarget(rawTarget: string): RequestTarget {
  if (!rawTarget.startsWith('/'))
    throw new S3Error('InvalidURI', { message: 'The request target must start with "/".' })
  if (rawTarget.length > MAX_TARGET_LENGTH)
    throw new S3Error('InvalidURI', { message: 'The request target is too long.' })
  if (rawTarget.includes('#'))
    throw new S3Error('InvalidURI', { message: 'The request target must not hold a fragment.' })
  const mark = rawTarget.indexOf('?')
  const rawPath = mark < 0 ? rawTarget : rawTarget.slice(0, mark)
  return { rawPath, query: mark < 0 ? new Map() : parseQuery(rawTarget.slice(mark + 1)) }
}

function parseQuery(rawQuery: string): QueryParameters {
  const query = new Map<string, string>()
  for (const piece of rawQuery.split('&')) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    const name = decodeQueryComponent(equals < 0 ? piece : piece.slice(0, equals))
    const value = equals < 0 ? '' : decodeQueryComponent(piece.slice(equals + 1))
    if (query.has(name))
      throw new S3Error(name.startsWith('X-Amz-') ? 'AuthorizationQueryParametersError' : 'InvalidArgument', {
        message: 'A query parameter must not be given more than once.',
        fields: { ArgumentName: name.slice(0, 256) }
      })
    query.set(name, value)
  }
  return query
}

function decodeQueryComponent(text: string): string {
  return percentDecode(text.replaceAll('+', ' '))
}

/**
 * Decodes `%XX` escapes as strict UTF-8; every other character stands for itself.
 * @throws S3Error InvalidURI for a bad escape, an overlong form, invalid UTF-8 or a raw non-ASCII character
 */
export function percentDecode(text: string): string {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7e) throw new S3Error('InvalidURI')
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new S3Error('InvalidURI', { message: 'The URI holds a bad percent-encoding.', cause })
  }
}

/** Encodes as SigV4 wants it: everything but `A-Za-z0-9-._~` becomes upper-case `%XX` of its UTF-8 bytes. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** What a path names, decoded and with valid names. */
export type ResourceName =
  | { readonly level: 'service' }
  | { readonly level: 'bucket'; readonly bucket: string }
  | { readonly level: 'object'; readonly bucket: string; readonly key: string }

/**
 * Reads a path-style resource name: first segment bucket, the rest key. `/bucket` and `/bucket/` are the same bucket.
 * @throws S3Error InvalidURI; StorageError InvalidBucketName, KeyTooLong, InvalidKey
 */
export function parseResourceName(rawPath: string): ResourceName {
  const slash = rawPath.indexOf('/', 1)
  const bucket = percentDecode(slash < 0 ? rawPath.slice(1) : rawPath.slice(1, slash))
  const key = slash < 0 ? '' : percentDecode(rawPath.slice(slash + 1))
  if (bucket === '' && key === '') return { level: 'service' }
  assertBucketName(bucket)
  if (key === '') return { level: 'bucket', bucket }
  assertObjectKey(key)
  return { level: 'object', bucket, key }
}

import { etagListMatches } from '../../engine/etags.ts'
import type { ByteRange, ObjectInfo } from '../../engine/storage-engine.ts'
import type { Headers } from '../headers.ts'
import { S3Error } from '../s3-error.ts'

/**
 * Judges the conditional headers of a read in the order of RFC 9110 §13.2.2.
 * @param prefix `''`, or `x-amz-copy-source-` for the conditions of a copy
 * @returns whether the client's copy is still current (304 on a read)
 * @throws S3Error PreconditionFailed
 */
export function isNotModified(headers: Headers, info: ObjectInfo, prefix = ''): boolean {
  const header = (name: string) => headers.get(prefix + name)
  const modifiedSeconds = Math.floor(info.lastModifiedMs / 1000)
  const seconds = (date: string | undefined) => (date === undefined ? Number.NaN : Date.parse(date) / 1000)

  const ifMatch = header('if-match')
  if (ifMatch !== undefined && !etagListMatches(ifMatch, info.etag)) throw failed('If-Match', prefix)
  const unmodifiedSince = seconds(header('if-unmodified-since'))
  if (ifMatch === undefined && modifiedSeconds > unmodifiedSince) throw failed('If-Unmodified-Since', prefix)
  const ifNoneMatch = header('if-none-match')
  // Here, unlike for writes, a weak tag matches too (RFC 9110 §13.1.2).
  if (ifNoneMatch !== undefined) return etagListMatches(ifNoneMatch.replaceAll('W/"', '"'), info.etag)
  return modifiedSeconds <= seconds(header('if-modified-since'))
}

function failed(condition: string, prefix: string): S3Error {
  return new S3Error('PreconditionFailed', { fields: { Condition: prefix + condition } })
}

/**
 * The one byte range a read asks for (RFC 9110 §14.2), cut to the object; undefined when the whole object is to be sent, which
 * is also the answer to a malformed or multiple range.
 * @throws S3Error InvalidRange (416, with `Content-Range: bytes *` + size) when no byte of the object is in the range
 */
export function requestedRange(headers: Headers, info: ObjectInfo): ByteRange | undefined {
  const value = headers.get('range')
  const match = /^bytes=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*$/.exec(value ?? '')
  if (match === null || !rangeStillApplies(headers.get('if-range'), info)) return undefined
  const [, first, last, suffix] = match
  const size = info.sizeBytes
  const start = first === undefined ? Math.max(0, size - Number(suffix)) : Number(first)
  const end = last === undefined || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== undefined && last !== '' && Number(last) < Number(first)) return undefined
  if (start >= size || Number(suffix) === 0) throw unsatisfiable(value ?? '', size)
  return { start, end }
}

function rangeStillApplies(ifRange: string | undefined, info: ObjectInfo): boolean {
  if (ifRange === undefined) return true
  if (ifRange.includes('"')) return etagListMatches(ifRange, info.etag)
  return Math.floor(info.lastModifiedMs / 1000) === Date.parse(ifRange) / 1000
}

function unsatisfiable(range: string, sizeBytes: number): S3Error {
  return new S3Error('InvalidRange', {
    fields: { RangeRequested: range.slice(0, 128), ActualObjectSize: String(sizeBytes) },
    headers: { 'content-range': `bytes */${sizeBytes}` }
  })
}

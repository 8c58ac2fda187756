import type { GetObjectCommandOutput, HeadObjectCommandOutput } from '@aws-sdk/client-s3'
import type { ObjectStat } from './object-store.ts'
import { fromS3Error } from './s3-errors.ts'

/** What a HEAD or GET answer says about the object. */
export function toStat(key: string, output: HeadObjectCommandOutput | GetObjectCommandOutput): ObjectStat {
  const { ContentLength, ETag, LastModified, ContentType, Metadata, ChecksumSHA256 } = output
  // A composite value (`…-N`) is a digest of digests.
  const wholeDigest = ChecksumSHA256 !== undefined && !ChecksumSHA256.includes('-')
  return {
    key,
    sizeBytes: ContentLength ?? 0,
    etag: unquote(ETag),
    lastModifiedMs: LastModified?.getTime() ?? 0,
    contentType: ContentType ?? 'binary/octet-stream',
    metadata: Metadata ?? {},
    sha256: wholeDigest ? Buffer.from(ChecksumSHA256, 'base64').toString('hex') : null
  }
}

/** Size of the whole object, also in the answer to a range read. */
export function totalSize({ ContentRange, ContentLength = 0 }: GetObjectCommandOutput): number {
  const total = /\/(\d+)$/.exec(ContentRange ?? '')?.[1]
  return total === undefined ? ContentLength : Number(total)
}

/** A header of any answer; null when it has none. `name` in lower case. */
export function headerOf(response: unknown, name: string): string | null {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return null
  const { headers } = response
  if (typeof headers !== 'object' || headers === null) return null
  const value: unknown = Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1]
  return typeof value === 'string' ? value : null
}

/** An ETag without its quotes. */
export const unquote = (etag: string | undefined) => (etag ?? '').replaceAll('"', '')
/** A hex digest as checksum headers want it. */
export const toBase64 = (hex: string | undefined) =>
  hex === undefined ? undefined : Buffer.from(hex, 'hex').toString('base64')

/** Runs SDK calls; what they raise comes out as `ObjectStoreError`. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw fromS3Error(error)
  }
}

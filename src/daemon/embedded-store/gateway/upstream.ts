import { Readable } from 'node:stream'
import {
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client
} from '@aws-sdk/client-s3'
import { unquote } from '../../object-store/s3-answers.ts'
import { fromS3Error } from '../../object-store/s3-errors.ts'
import {
  type BodyDigests,
  type ByteRange,
  type ChecksumAlgorithm,
  type ObjectChecksum,
  type ObjectInfo,
  StorageError,
  type StoredHeaders,
  type UserMetadata
} from '../engine/storage-engine.ts'
import { fromUpstream, isNameless } from './upstream-errors.ts'

/** The bucket behind the gateway. */
export type Upstream = { s3: S3Client; bucket: string; takesChecksums: boolean; takesConditions: boolean }

/** Runs calls of the store behind; what it answers comes out as `StorageError`, an outage as `StoreOffline` (503). */
export async function asked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw fromUpstream(error)
  }
}

/** The object; null when there is none. A HEAD answer cannot tell that from a missing bucket, so the bucket is asked after. */
export async function findObject(upstream: Upstream, key: string): Promise<ObjectInfo | null> {
  const { s3, bucket } = upstream
  return asked(async () => {
    try {
      return infoOf(
        bucket,
        key,
        await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }))
      )
    } catch (error) {
      if (fromS3Error(error).code === 'NotFound') {
        await assertBucket(upstream)
        return null
      }
      throw isNameless(error) ? await namedRefusal(upstream, key, error) : error
    }
  })
}

async function assertBucket({ s3, bucket }: Upstream): Promise<void> {
  await s3.send(new HeadBucketCommand({ Bucket: bucket })).catch((cause: unknown) => {
    // Somebody who may use its objects need not have the right to look at it.
    if (fromS3Error(cause).code !== 'AccessDenied')
      throw new StorageError('StoreOffline', 'The bucket behind the gateway is not there.', {}, { cause })
  })
}

/** Why a HEAD was refused: answers to a GET have names. */
async function namedRefusal({ s3, bucket }: Upstream, key: string, nameless: unknown): Promise<unknown> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: 'bytes=0-0' }))
    if (Body instanceof Readable) Body.destroy()
    return nameless
  } catch (error) {
    return error
  }
}

/** The bytes of this version; another one in its place is `PreconditionFailed`. */
export async function bytesOf(
  { s3, bucket }: Upstream,
  { key, etag }: ObjectInfo,
  range?: ByteRange
): Promise<Readable> {
  const Range = range && `bytes=${range.start}-${range.end}`
  const { Body } = await asked(() =>
    s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: `"${etag}"`, Range }))
  )
  if (!(Body instanceof Readable)) throw new StorageError('StoreOffline', 'The store behind answered without a body.')
  return Body
}

const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const satisfies ChecksumAlgorithm[]

function infoOf(bucket: string, key: string, output: HeadObjectCommandOutput): ObjectInfo {
  const checksum = checksumOf(output)
  const headers: StoredHeaders = {}
  const stored = {
    'content-type': output.ContentType,
    'content-encoding': output.ContentEncoding,
    'content-language': output.ContentLanguage,
    'content-disposition': output.ContentDisposition,
    'cache-control': output.CacheControl,
    expires: output.ExpiresString
  } as const
  for (const [name, value] of Object.entries(stored))
    if (value !== undefined) headers[name as keyof StoredHeaders] = value
  return {
    bucket,
    key,
    sizeBytes: output.ContentLength ?? 0,
    etag: unquote(output.ETag),
    lastModifiedMs: output.LastModified?.getTime() ?? 0,
    headers,
    metadata: output.Metadata ?? {},
    checksum,
    sha256: checksum?.algorithm === 'SHA256' && checksum.type === 'FULL_OBJECT' ? hexOf(checksum.value) : null,
    // How large its parts were is not told; it reads as one.
    parts: null
  }
}

function checksumOf(output: HeadObjectCommandOutput): ObjectChecksum | null {
  for (const algorithm of ALGORITHMS) {
    const value = output[`Checksum${algorithm}`]
    if (value !== undefined) return { algorithm, type: value.includes('-') ? 'COMPOSITE' : 'FULL_OBJECT', value }
  }
  return null
}

const hexOf = (base64: string) => Buffer.from(base64, 'base64').toString('hex')

/** Stored headers and metadata, as the SDK takes them. */
export function representation(headers: StoredHeaders = {}, metadata: UserMetadata = {}) {
  const { expires } = headers
  return {
    ContentType: headers['content-type'],
    ContentEncoding: headers['content-encoding'],
    ContentLanguage: headers['content-language'],
    ContentDisposition: headers['content-disposition'],
    CacheControl: headers['cache-control'],
    Expires: expires !== undefined && !Number.isNaN(Date.parse(expires)) ? new Date(expires) : undefined,
    Metadata: metadata
  }
}

/** What protects a body on its way, as the SDK takes it; sent along so that the store behind checks it, too. */
export function protection({ takesChecksums }: Upstream, { md5, checksums }: BodyDigests, wanted?: ChecksumAlgorithm) {
  const algorithm = wanted ?? 'SHA256'
  return {
    ContentMD5: md5 === null ? undefined : Buffer.from(md5, 'hex').toString('base64'),
    ...(takesChecksums && { [`Checksum${algorithm}`]: checksums[algorithm] })
  }
}

import { assertBucketName, assertObjectKey } from '../../engine/names.ts'
import type { CopySource, ObjectInfo } from '../../engine/storage-engine.ts'
import { type Headers, headerText } from '../headers.ts'
import { percentDecode, percentEncode } from '../request-target.ts'
import { invalidArgument, S3Error } from '../s3-error.ts'
import { assertNullVersion } from './objects.ts'
import type { OperationContext, RequiredAccess, S3Request } from './operation.ts'
import { isNotModified } from './read-conditions.ts'

const MAX_COPY_BYTES = 5 * 1024 ** 3
const HEADER = 'x-amz-copy-source'

/**
 * The object named by `x-amz-copy-source`: `bucket/key` with or without a leading slash, percent-encoded once (some clients also
 * encode the slashes), perhaps followed by `?versionId=null`.
 * @throws S3Error InvalidArgument; StorageError for names that cannot exist
 */
export function parseCopySource(headers: Headers): { bucket: string; key: string } {
  const value = headerText(headers.get(HEADER) ?? '')
  const [path = '', versionId] = value.split('?versionId=')
  assertNullVersion(versionId)
  const name = decodeSource(path).replace(/^\//, '')
  const slash = name.indexOf('/')
  if (slash < 1 || slash === name.length - 1)
    throw invalidArgument(HEADER, value, 'Copy source must name a source bucket and key.')
  const source = { bucket: name.slice(0, slash), key: name.slice(slash + 1) }
  assertBucketName(source.bucket)
  assertObjectKey(source.key)
  return source
}

/** Raw non-ASCII characters stand for themselves here; everything else is decoded exactly once. */
function decodeSource(path: string): string {
  return percentDecode(path.replace(/[^\u0020-\u007e]+/gu, percentEncode))
}

/** Reading the source and writing the target, each with its own resource. */
export function copyAccess(request: S3Request): RequiredAccess[] {
  const source = parseCopySource(request.headers)
  return [
    { action: 's3:PutObject', resource: `${request.bucket}/${request.key}` },
    { action: 's3:GetObject', resource: `${source.bucket}/${source.key}` }
  ]
}

/**
 * Looks at the source of a copy and judges the `x-amz-copy-source-if-*` conditions; the returned source is pinned to the version
 * that was judged.
 * @throws S3Error PreconditionFailed, InvalidRequest (larger than 5 GiB), AccessDenied (another owner than expected)
 */
export async function judgeCopySource(
  { engine, headers }: OperationContext,
  sizeOf: (info: ObjectInfo) => number
): Promise<{ source: CopySource; info: ObjectInfo }> {
  const { bucket, key } = parseCopySource(headers)
  const expectedOwner = headers.get('x-amz-source-expected-bucket-owner')
  if (expectedOwner !== undefined && (await engine.headBucket(bucket)).owner !== expectedOwner)
    throw new S3Error('AccessDenied')
  const info = await engine.headObject(bucket, key)
  if (isNotModified(headers, info, `${HEADER}-`)) throw new S3Error('PreconditionFailed')
  if (sizeOf(info) > MAX_COPY_BYTES)
    throw new S3Error('InvalidRequest', {
      message: 'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120'
    })
  return { source: { bucket, key, etag: info.etag }, info }
}

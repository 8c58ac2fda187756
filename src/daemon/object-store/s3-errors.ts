import { ObjectStoreError, type ObjectStoreErrorCode } from './object-store.ts'

/** Error codes of S3, STS and the servers that imitate them. */
const BY_NAME: Record<string, ObjectStoreErrorCode> = {
  NoSuchKey: 'NotFound',
  NotFound: 'NotFound',
  // A missing bucket is a broken set-up, not a missing object: it must never be taken for absence.
  NoSuchBucket: 'Protocol',
  AccessDenied: 'AccessDenied',
  Forbidden: 'AccessDenied',
  InvalidAccessKeyId: 'AccessDenied',
  InvalidClientTokenId: 'AccessDenied',
  SignatureDoesNotMatch: 'AccessDenied',
  PreconditionFailed: 'PreconditionFailed',
  ConditionalRequestConflict: 'Conflict',
  OperationAborted: 'Conflict',
  // An upload in parts that somebody else ended, not an object that is missing.
  NoSuchUpload: 'Conflict',
  SlowDown: 'Throttled',
  TooManyRequests: 'Throttled',
  ServiceUnavailable: 'Throttled',
  InsufficientStorage: 'StorageFull',
  XMinioStorageFull: 'StorageFull',
  XMinioAdminBucketQuotaExceeded: 'StorageFull',
  QuotaExceeded: 'StorageFull',
  RequestTimeTooSkewed: 'ClockSkew',
  ExpiredToken: 'CredentialsExpired',
  InvalidToken: 'CredentialsExpired',
  InvalidTokenId: 'CredentialsExpired',
  BadDigest: 'ChecksumMismatch',
  InvalidDigest: 'ChecksumMismatch',
  XAmzContentSHA256Mismatch: 'ChecksumMismatch',
  NotImplemented: 'Unsupported',
  InvalidArgument: 'InvalidArgument',
  InvalidRequest: 'InvalidArgument',
  EntityTooLarge: 'InvalidArgument',
  InvalidRange: 'InvalidArgument',
  KeyTooLongError: 'InvalidArgument',
  XMinioInvalidObjectName: 'InvalidArgument'
}

const BY_STATUS: Record<number, ObjectStoreErrorCode> = {
  403: 'AccessDenied',
  404: 'NotFound',
  409: 'Conflict',
  412: 'PreconditionFailed',
  416: 'InvalidArgument',
  429: 'Throttled',
  500: 'Unreachable',
  501: 'Unsupported',
  502: 'Unreachable',
  503: 'Throttled',
  504: 'Unreachable',
  507: 'StorageFull'
}

/** What an SDK call raised, in the vocabulary of every driver. An error that is no answer of a server is `Unreachable`. */
export function fromS3Error(error: unknown): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error
  const { name, status, message } = describe(error)
  const code = BY_NAME[name] ?? (status === undefined ? 'Unreachable' : (BY_STATUS[status] ?? 'Protocol'))
  return new ObjectStoreError(code, `The object store answered ${name}${message && `: ${message}`}`, { cause: error })
}

/** Whether the server said that there is no such bucket; HEAD answers cannot say so. */
export function isMissingBucket(error: unknown): boolean {
  return describe(error).name === 'NoSuchBucket'
}

/** What the server called it, such as `SignatureDoesNotMatch`; for other errors their own name. */
export function errorName(error: unknown): string {
  return describe(error).name
}

/** The status of the answer; undefined when there was none. */
export function errorStatus(error: unknown): number | undefined {
  return describe(error).status
}

/** Whether the request was sent more than once, so that the last answer may come from what an earlier one did. */
export function wasRepeated(error: unknown): boolean {
  return (metadataOf(error, 'attempts') ?? 1) > 1
}

function describe(error: unknown): { name: string; status: number | undefined; message: string } {
  if (!(error instanceof Error)) return { name: 'UnknownError', status: undefined, message: String(error) }
  return { name: error.name, status: metadataOf(error, 'httpStatusCode'), message: error.message }
}

function metadataOf(error: unknown, name: 'httpStatusCode' | 'attempts'): number | undefined {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined
  const value: unknown = typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, name) : undefined
  return typeof value === 'number' ? value : undefined
}

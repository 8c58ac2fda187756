import type { ObjectStoreErrorCode } from '../../object-store/object-store.ts'
import { errorName, errorStatus, fromS3Error } from '../../object-store/s3-errors.ts'
import { StorageError, type StorageErrorCode } from '../engine/storage-engine.ts'

const BY_NAME: Record<string, StorageErrorCode> = {
  NoSuchKey: 'NoSuchKey',
  NoSuchUpload: 'NoSuchUpload',
  KeyTooLongError: 'KeyTooLong',
  EntityTooLarge: 'EntityTooLarge',
  EntityTooSmall: 'EntityTooSmall',
  InvalidPart: 'InvalidPart',
  InvalidPartOrder: 'InvalidPartOrder',
  InvalidRange: 'InvalidRange',
  InvalidArgument: 'InvalidKey',
  XMinioInvalidObjectName: 'InvalidKey'
}

const BY_CODE: Partial<Record<ObjectStoreErrorCode, StorageErrorCode>> = {
  PreconditionFailed: 'PreconditionFailed',
  StorageFull: 'StorageFull',
  ChecksumMismatch: 'BadDigest',
  Conflict: 'StoreOffline',
  Throttled: 'StoreOffline',
  ClockSkew: 'StoreOffline',
  CredentialsExpired: 'StoreOffline'
}

/** Refusals of the gateway itself, whatever it asks for, and those that pass. */
const TROUBLE = new Set([
  'AccountProblem',
  'AllAccessDisabled',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'IncompleteBody',
  'InvalidAccessKeyId',
  'InvalidBucketName',
  'InvalidClientTokenId',
  'InvalidRegion',
  'InvalidSecurity',
  'NotSignedUp',
  'RequestExpired',
  'RequestTimeout',
  'SignatureDoesNotMatch',
  'UserDisable',
  'UserSuspended'
])
const TROUBLE_STATUS = new Set([401, 404, 407, 408, 409, 425, 429])

/**
 * What the store behind answered, for the client in front. A refusal of this one request is told as such: asked again, it would come
 * again. Everything else is trouble between the gateway and its store, `StoreOffline` (503): clients shall try again.
 */
export function fromUpstream(error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const known = fromS3Error(error)
  const name = errorName(known.cause)
  const code = BY_NAME[name] ?? BY_CODE[known.code] ?? refusal(name, errorStatus(known.cause)) ?? 'StoreOffline'
  // Its own words may name accounts and roles, which clients have no business with; of an outage they are told nothing.
  const message = code === 'StoreOffline' ? known.message : `The store behind the gateway answered ${name}.`
  return new StorageError(code, message, {}, { cause: error })
}

/** Whether it is a refusal that does not say what it is: an answer without a body, or one of a proxy on the way. */
export function isNameless(error: unknown): boolean {
  const status = errorStatus(error) ?? 0
  return NAMELESS.has(errorName(error)) && status >= 400 && status < 500
}

/** As the SDK calls what has no name. */
const NAMELESS = new Set(['Unknown', 'UnknownError', 'NotFound', 'Forbidden', 'BadRequest'])

function refusal(name: string, status: number | undefined): StorageErrorCode | null {
  // Proxies have such a limit, too.
  if (status === 413) return 'EntityTooLarge'
  if (status === undefined || status < 400 || status >= 500) return null
  if (NAMELESS.has(name) || TROUBLE.has(name) || TROUBLE_STATUS.has(status)) return null
  return status === 403 ? 'AccessDenied' : 'InvalidRequest'
}

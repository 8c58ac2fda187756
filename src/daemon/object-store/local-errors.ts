import { StorageError, type StorageErrorCode } from '../embedded-store/engine/storage-engine.ts'
import { ObjectStoreError, type ObjectStoreErrorCode } from './object-store.ts'

// A missing bucket is a broken set-up, not a missing object: it must never be taken for absence.
const CODES: Record<StorageErrorCode, ObjectStoreErrorCode> = {
  NoSuchBucket: 'Protocol',
  NoSuchKey: 'NotFound',
  NoSuchUpload: 'NotFound',
  InvalidBucketName: 'InvalidArgument',
  InvalidKey: 'InvalidArgument',
  KeyTooLong: 'InvalidArgument',
  BucketAlreadyExists: 'Conflict',
  BucketNotEmpty: 'Conflict',
  PreconditionFailed: 'PreconditionFailed',
  InvalidRange: 'InvalidArgument',
  InvalidPartNumber: 'InvalidArgument',
  InvalidPart: 'InvalidArgument',
  InvalidPartOrder: 'InvalidArgument',
  EntityTooSmall: 'InvalidArgument',
  InvalidSize: 'InvalidArgument',
  BadDigest: 'ChecksumMismatch',
  IncompleteBody: 'InvalidArgument',
  StorageFull: 'StorageFull',
  ReadOnly: 'Unreachable',
  ObjectDamaged: 'Damaged',
  IndexDamaged: 'Damaged',
  StoreLocked: 'Unreachable',
  StoreOffline: 'Unreachable',
  StoreClosed: 'Unreachable',
  AccessDenied: 'AccessDenied',
  EntityTooLarge: 'InvalidArgument',
  InvalidRequest: 'InvalidArgument'
}

/** Runs calls of the engine; what it refuses comes out as `ObjectStoreError`. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw fromStorageError(error)
  }
}

/** The engine's refusal in the vocabulary of every driver; anything else comes back as it is. */
export function fromStorageError(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error
  return new ObjectStoreError(CODES[error.code], error.message, { cause: error })
}

import { StorageError, type StorageErrorCode } from '../engine/storage-engine.ts'
import { S3Error, type S3ErrorCode } from './s3-error.ts'

const CODES: Record<StorageErrorCode, S3ErrorCode> = {
  NoSuchBucket: 'NoSuchBucket',
  NoSuchKey: 'NoSuchKey',
  NoSuchUpload: 'NoSuchUpload',
  InvalidBucketName: 'InvalidBucketName',
  InvalidKey: 'InvalidArgument',
  KeyTooLong: 'KeyTooLongError',
  BucketAlreadyExists: 'BucketAlreadyExists',
  BucketNotEmpty: 'BucketNotEmpty',
  PreconditionFailed: 'PreconditionFailed',
  InvalidRange: 'InvalidRange',
  InvalidPartNumber: 'InvalidArgument',
  InvalidPart: 'InvalidPart',
  InvalidPartOrder: 'InvalidPartOrder',
  EntityTooSmall: 'EntityTooSmall',
  InvalidSize: 'InvalidRequest',
  BadDigest: 'BadDigest',
  IncompleteBody: 'IncompleteBody',
  StorageFull: 'InsufficientStorage',
  ReadOnly: 'InternalError',
  ObjectDamaged: 'InternalError',
  IndexDamaged: 'InternalError',
  StoreLocked: 'ServiceUnavailable',
  StoreOffline: 'ServiceUnavailable',
  StoreClosed: 'ServiceUnavailable',
  AccessDenied: 'AccessDenied',
  EntityTooLarge: 'EntityTooLarge',
  InvalidRequest: 'InvalidRequest'
}

const FIELDS: Record<string, string> = {
  bucket: 'BucketName',
  key: 'Key',
  uploadId: 'UploadId',
  partNumber: 'PartNumber',
  etag: 'ETag',
  sizeBytes: 'ProposedSize',
  minSizeBytes: 'MinSizeAllowed'
}

/** Codes whose text says nothing a client could use, or more than it should see. */
const HIDDEN = new Set<S3ErrorCode>(['InternalError', 'ServiceUnavailable'])

/** What the client sees of anything that was thrown. Unknown failures become `InternalError` without a word about why. */
export function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error
  if (!(error instanceof StorageError)) return new S3Error('InternalError', { cause: error })
  const code = CODES[error.code]
  if (HIDDEN.has(code)) return new S3Error(code, { cause: error })
  const fields: Record<string, string> = {}
  for (const [name, value] of Object.entries(error.details)) {
    const field = FIELDS[name]
    if (field !== undefined) fields[field] = String(value)
  }
  return new S3Error(code, { message: error.message, fields, cause: error })
}

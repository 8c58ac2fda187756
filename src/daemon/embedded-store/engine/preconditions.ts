import { etagListMatches } from './etags.ts'
import { StorageError, type WritePrecondition } from './storage-engine.ts'

/**
 * Judges a write against what the key holds now (its etag, or null). Raises `NoSuchKey` for `If-Match` on nothing and
 * `PreconditionFailed` otherwise (RFC 9110 §13.1; S3 conditional writes).
 */
export function assertPrecondition(key: string, etag: string | null, condition: WritePrecondition | undefined): void {
  if (condition?.ifMatch !== undefined && !etagListMatches(condition.ifMatch, etag)) {
    if (etag === null) throw noSuchKey(key)
    throw preconditionFailed('If-Match')
  }
  if (condition?.ifNoneMatch !== undefined && etagListMatches(condition.ifNoneMatch, etag))
    throw preconditionFailed('If-None-Match')
}

export function preconditionFailed(condition: string): StorageError {
  return new StorageError('PreconditionFailed', 'At least one of the preconditions did not hold.', { condition })
}

export function noSuchKey(key: string): StorageError {
  return new StorageError('NoSuchKey', 'The specified key does not exist.', { key })
}

import type { Database } from '../../db/database.ts'
import {
  type ObjectStore,
  ObjectStoreError,
  type ObjectStoreErrorCode,
  type PutResult
} from '../../object-store/object-store.ts'
import type { BlobRow, BlobsRepository } from './blobs.repository.ts'
import type { IngestService } from './ingest.service.ts'
import { assertHere, isWhole } from './is-whole.ts'

export interface RelocateDeps {
  db: Database
  store: ObjectStore
  blobs: BlobsRepository
  ingest: IngestService
}

/** What a copy is refused with when its source was replaced, is gone, or cannot be reached; each can be wrong. */
const BLAMED_ON_SOURCE: ReadonlySet<ObjectStoreErrorCode> = new Set(['PreconditionFailed', 'NotFound', 'Unreachable'])

/**
 * Copies a blob's bytes to `key` and notes that they are kept there, unless the blob got another place meanwhile or `isWanted`
 * says no. `onSettled` runs in the same transaction; what to do about the former place is for the caller. Hold `key` quiet
 * around it. Raises `ObjectStoreError` while the store does not answer.
 */
export async function relocate(
  { db, store, blobs, ingest }: RelocateDeps,
  blob: BlobRow,
  key: string,
  signal: AbortSignal,
  { isWanted, onSettled }: { isWanted?: () => boolean; onSettled: (isMoved: boolean) => void }
): Promise<void> {
  const copied = await copyVersion(store, blob, key, signal)
  const stat = copied && (await store.head(key))
  if (copied && (stat?.etag !== copied.etag || stat.sizeBytes !== blob.sizeBytes))
    throw new Error(`the object store copied ${blob.key} to something else`)
  db.transaction(() => {
    const now = blobs.find(blob.id)
    if (!now || isWanted?.() === false) return
    const isSame = now.key === blob.key && now.etag === blob.etag
    if (isSame) {
      if (!copied) ingest.doubtBytes(blob.key)
      else if (blobs.isLost(blob.id)) ingest.markFound(blob, { key, etag: copied.etag })
      else blobs.setPlace(blob.id, { key, etag: copied.etag })
    }
    onSettled(isSame && copied !== null)
  })
}

/** Null when the version that was meant is not there any more. Raises `ObjectStoreError` while the store does not answer. */
async function copyVersion(
  store: ObjectStore,
  blob: BlobRow,
  key: string,
  signal: AbortSignal
): Promise<PutResult | null> {
  assertHere(store, blob)
  try {
    const copied = await store.copy(blob.key, key, { ifMatch: blob.etag, signal })
    // Not every store honours the condition, and an object copied in parts has another tag: then it is looked into.
    const isMeant =
      copied.etag === blob.etag ||
      (await isWhole(store, blob)) ||
      (await store.sha256Of(key, { signal })) === blob.sha256
    return isMeant ? copied : null
  } catch (error) {
    if (!(error instanceof ObjectStoreError && BLAMED_ON_SOURCE.has(error.code))) throw error
    if (!(await isWhole(store, blob))) return null
    // The store answers and has the object, yet does not copy it: this counts as an attempt.
    throw new Error(`the object store does not copy ${blob.key}: ${error.message}`, { cause: error })
  }
}

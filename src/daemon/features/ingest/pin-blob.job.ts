import type { Database } from '../../db/database.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import {
  type ObjectStore,
  ObjectStoreError,
  type ObjectStoreErrorCode,
  type PutResult
} from '../../object-store/object-store.ts'
import type { BlobRow, BlobsRepository } from './blobs.repository.ts'
import { isPinnedKey } from './guess-media-type.ts'
import { pinBlobJob } from './ingest.jobs.ts'
import type { IngestService } from './ingest.service.ts'
import { isWhole } from './is-whole.ts'

export interface PinDeps {
  db: Database
  store: ObjectStore
  blobs: BlobsRepository
  ingest: IngestService
}

/** What a copy is refused with when its source was replaced, is gone, or cannot be reached; each can be wrong. */
const BLAMED_ON_SOURCE: ReadonlySet<ObjectStoreErrorCode> = new Set(['PreconditionFailed', 'NotFound', 'Unreachable'])

/**
 * Brings the bytes that second copies are about to be removed for out of the controllers' reach. Whatever interrupts it, it
 * runs again, until the blob is kept at the copy or the copy is gone.
 */
export function bindPinBlobJob(deps: PinDeps): BoundJob {
  const { store, blobs, ingest } = deps
  return bindJob(pinBlobJob, ({ blobId, key }, { signal }) =>
    whenStoreAnswers(() =>
      ingest.whileQuiet(key, async () => {
        const blob = blobs.find(blobId)
        if (blob && !isPinnedKey(blob.key)) await pin(deps, blob, key, signal)
        if (blobs.list(key).length === 0) await store.delete(key)
      })
    )
  )
}

async function pin({ db, store, blobs, ingest }: PinDeps, blob: BlobRow, key: string, signal: AbortSignal) {
  const copied = await copyVersion(store, blob, key, signal)
  const stat = copied && (await store.head(key))
  if (copied && (stat?.etag !== copied.etag || stat.sizeBytes !== blob.sizeBytes))
    throw new Error(`the object store copied ${blob.key} to something else`)
  db.transaction(() => {
    const now = blobs.find(blob.id)
    if (!now) return
    // It may have got another place meanwhile; then the second copies are for the next job.
    if (now.key === blob.key && now.etag === blob.etag) {
      if (!copied) ingest.doubtBytes(blob.key)
      else if (blobs.isLost(blob.id)) ingest.markFound(blob, { key, etag: copied.etag })
      else blobs.setPlace(blob.id, { key, etag: copied.etag })
    }
    ingest.tidyUploads(blobs.listAssetIds(blob.id), blob)
  })
}

/** Null when the version that was meant is not there any more. Raises `ObjectStoreError` while the store does not answer. */
async function copyVersion(
  store: ObjectStore,
  blob: BlobRow,
  key: string,
  signal: AbortSignal
): Promise<PutResult | null> {
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

import type { Database } from '../../db/database.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { BlobRow, BlobsRepository } from './blobs.repository.ts'
import { isPinnedKey } from './guess-media-type.ts'
import { pinBlobJob } from './ingest.jobs.ts'
import type { IngestService } from './ingest.service.ts'
import { unlessReplaced } from './object-versions.ts'

export interface PinDeps {
  db: Database
  store: ObjectStore
  blobs: BlobsRepository
  ingest: IngestService
}

/**
 * Brings the bytes that second copies are about to be removed for out of the controllers' reach. Whatever interrupts it, it
 * runs again, until the blob is kept at the copy or the copy is gone.
 */
export function bindPinBlobJob(deps: PinDeps): BoundJob {
  const { store, blobs, ingest } = deps
  return bindJob(pinBlobJob, ({ blobId, key }) =>
    whenStoreAnswers(() =>
      ingest.whileQuiet(key, async () => {
        const blob = blobs.find(blobId)
        if (blob && !isPinnedKey(blob.key)) await pin(deps, blob, key)
        if (blobs.list(key).length === 0) await store.delete(key)
      })
    )
  )
}

async function pin({ db, store, blobs, ingest }: PinDeps, blob: BlobRow, key: string): Promise<void> {
  const copied = await unlessReplaced(() => store.copy(blob.key, key, { ifMatch: blob.etag }))
  const stat = copied && (await store.head(key))
  if (copied && (stat?.etag !== copied.etag || stat.sizeBytes !== blob.sizeBytes))
    throw new Error(`the object store copied ${blob.key} to something else`)
  db.transaction(() => {
    const now = blobs.find(blob.id)
    if (now?.key !== blob.key || now.etag !== blob.etag) return
    if (!copied) ingest.doubtBytes(blob.key)
    else if (blobs.isLost(blob.id)) ingest.markFound(blob, { key, etag: copied.etag })
    else blobs.setPlace(blob.id, { key, etag: copied.etag })
    ingest.tidyUploads(blobs.listAssetIds(blob.id), blob)
  })
}

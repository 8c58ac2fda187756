import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import { isPinnedKey, type ObjectKeys } from '../../object-keys.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { removeVersion, unlessReplaced } from '../../object-store/object-versions.ts'
import type { BlobsRepository } from './blobs.repository.ts'
import { discardObjectJob, pinBlobJob, tidyUploadJob } from './ingest.jobs.ts'
import type { IngestService } from './ingest.service.ts'
import { assertHere, isWhole } from './is-whole.ts'
import type { IngestedObject, UploadsRepository } from './uploads.repository.ts'

export interface TidyDeps {
  db: Database
  store: ObjectStore
  keys: ObjectKeys
  blobs: BlobsRepository
  uploads: UploadsRepository
  ingest: IngestService
  queue: JobQueue
  clock: Clock
}

/** Jobs that remove second copies after the rows no longer need them. Each looks again at what is true before it acts. */
export function bindTidyJobs(deps: TidyDeps): BoundJob[] {
  const { blobs, uploads, store, ingest } = deps
  return [
    bindJob(tidyUploadJob, ({ workspaceId, objectKey, etag }) =>
      whenStoreAnswers(() =>
        ingest.whileQuiet(objectKey, async () => {
          const object = uploads.findObject(workspaceId, objectKey, etag)
          if (!object) return
          if (object.state === 'forgotten') await removeForgotten(deps, object)
          else if (object.blob.key === objectKey) return
          else if (store.kind === 'local') await shareBytes(deps, object)
          else await removeDuplicate(deps, object)
        })
      )
    ),
    bindJob(discardObjectJob, ({ key, etag }) =>
      whenStoreAnswers(async () => {
        if (blobs.list(key).length === 0) await removeVersion(store, key, etag)
      })
    )
  ]
}

/** Makes the controller's key and the asset share one payload on disk; the controller still finds its object. */
async function shareBytes({ db, store, uploads }: TidyDeps, object: IngestedObject): Promise<void> {
  const { workspaceId, objectKey, etag, assetId, blob } = object
  assertHere(store, blob)
  if (blob.etag !== etag) {
    // Sent in parts of another size: the same bytes, another tag. Noted first, so that the copy is known when it appears.
    db.transaction(() => {
      uploads.putObject({ workspaceId, objectKey, etag: blob.etag, assetId, state: 'present' })
    })
  }
  const shared = await unlessReplaced(() =>
    store.copy(blob.key, objectKey, { ifMatch: blob.etag, targetIfMatch: etag })
  )
  if (shared && blob.etag !== etag) uploads.deleteObject(workspaceId, objectKey, etag)
}

/**
 * Removes an uploaded object whose bytes the asset has elsewhere: at a key of ours, because what a controller can overwrite
 * must not become the only copy. Every row says so before the object goes.
 */
async function removeDuplicate(deps: TidyDeps, object: IngestedObject): Promise<void> {
  const { db, store, keys, blobs, uploads, queue, clock } = deps
  const { workspaceId, objectKey, etag, blob } = object
  if (blobs.list(objectKey).some((other) => other.etag === etag)) return
  if (!(await isWhole(store, blob))) return keepDuplicate(deps, object)
  if (!isPinnedKey(blob.key)) {
    queue.enqueue(pinBlobJob, { blobId: blob.id, key: keys.pinned(blob.id, blob.key, clock.nowMs()) })
    return
  }
  const isStillSo = db.transaction(() => {
    const now = uploads.findObject(workspaceId, objectKey, etag)
    if (!now || now.state === 'forgotten' || now.blob.key !== blob.key) return false
    uploads.putObject({ ...now, state: 'moved' })
    uploads.setHeadKey(workspaceId, objectKey, blob.key)
    return true
  })
  if (isStillSo) await removeVersion(store, objectKey, etag)
}

/** The bytes that were to stay are lost, so the second copy takes their place. */
async function keepDuplicate({ db, store, uploads, ingest }: TidyDeps, object: IngestedObject): Promise<void> {
  const { workspaceId, objectKey, etag, blob } = object
  if (!(await isWhole(store, { key: objectKey, etag }))) return
  db.transaction(() => {
    const now = uploads.findObject(workspaceId, objectKey, etag)
    if (!now || now.state === 'forgotten' || now.blob.key !== blob.key || now.blob.etag !== blob.etag) return
    uploads.putObject({ ...now, state: 'present' })
    uploads.setHeadKey(workspaceId, objectKey, null)
    ingest.markFound(blob, { key: objectKey, etag })
  })
}

/** Removes the uploaded object of a deleted asset, once the asset's bytes do not live there any more. */
async function removeForgotten({ store, blobs, uploads }: TidyDeps, object: IngestedObject): Promise<void> {
  const { workspaceId, objectKey, etag, blob: bytes } = object
  assertHere(store, bytes)
  if (blobs.list(objectKey).some((blob) => blob.etag === etag)) return
  await removeVersion(store, objectKey, etag)
  uploads.deleteObject(workspaceId, objectKey, etag)
}

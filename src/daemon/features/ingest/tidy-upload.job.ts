import type { Database } from '../../db/database.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import type { BlobsRepository } from './blobs.repository.ts'
import { discardObjectJob, tidyUploadJob } from './ingest.jobs.ts'
import type { IngestService } from './ingest.service.ts'
import { isWhole } from './is-whole.ts'
import type { IngestedObject, UploadsRepository } from './uploads.repository.ts'

export interface TidyDeps {
  db: Database
  store: ObjectStore
  blobs: BlobsRepository
  uploads: UploadsRepository
  ingest: IngestService
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
  if (blob.etag !== etag) {
    // Sent in parts of another size: the same bytes, another tag. Noted first, so that the copy is known when it appears.
    db.transaction(() => {
      uploads.putObject({ workspaceId, objectKey, etag: blob.etag, assetId, state: 'present' })
    })
  }
  const isShared = await unlessReplaced(() =>
    store.copy(blob.key, objectKey, { ifMatch: blob.etag, targetIfMatch: etag })
  )
  if (isShared && blob.etag !== etag) uploads.deleteObject(workspaceId, objectKey, etag)
}

/** Removes an uploaded object whose bytes the asset has elsewhere. Every row says so before the object goes. */
async function removeDuplicate({ db, store, blobs, uploads }: TidyDeps, object: IngestedObject): Promise<void> {
  const { workspaceId, objectKey, etag, blob } = object
  if (blobs.list(objectKey).some((other) => other.etag === etag)) return
  if (!(await isWhole(store, blob))) return
  const isStillSo = db.transaction(() => {
    const now = uploads.findObject(workspaceId, objectKey, etag)
    if (!now || now.state === 'forgotten' || now.blob.key !== blob.key) return false
    uploads.putObject({ ...now, state: 'moved' })
    uploads.setHeadKey(workspaceId, objectKey, blob.key)
    return true
  })
  if (isStillSo) await removeVersion(store, objectKey, etag)
}

/** Removes the uploaded object of a deleted asset, unless the asset's bytes live there until it is purged. */
async function removeForgotten({ store, blobs, uploads }: TidyDeps, object: IngestedObject): Promise<void> {
  const { workspaceId, objectKey, etag } = object
  const isNeeded = blobs.list(objectKey).some((blob) => blob.etag === etag)
  if (!isNeeded) await removeVersion(store, objectKey, etag)
  uploads.deleteObject(workspaceId, objectKey, etag)
}

async function removeVersion(store: ObjectStore, key: string, etag: string): Promise<void> {
  // Not every store honours the condition, so look first.
  if ((await store.head(key))?.etag !== etag) return
  await unlessReplaced(() => store.delete(key, { ifMatch: etag }))
}

/** False when the object is no longer the version that was meant: then there is nothing to do for it. */
async function unlessReplaced(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof ObjectStoreError && (error.code === 'PreconditionFailed' || error.code === 'NotFound'))
      return false
    throw error
  }
}

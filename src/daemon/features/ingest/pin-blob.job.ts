import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import { isPinnedKey } from '../../object-keys.ts'
import { pinBlobJob } from './ingest.jobs.ts'
import { type RelocateDeps, relocate } from './relocate.ts'

/**
 * Brings the bytes that second copies are about to be removed for out of the controllers' reach. Whatever interrupts it, it
 * runs again, until the blob is kept at the copy or the copy is gone.
 */
export function bindPinBlobJob(deps: RelocateDeps): BoundJob {
  const { store, blobs, ingest } = deps
  return bindJob(pinBlobJob, ({ blobId, key }, { signal }) =>
    whenStoreAnswers(() =>
      ingest.whileQuiet(key, async () => {
        const blob = blobs.find(blobId)
        if (blob && !isPinnedKey(blob.key))
          await relocate(deps, blob, key, signal, {
            // Where it got another place meanwhile, the second copies are for the next job.
            onSettled: () => ingest.tidyUploads(blobs.listAssetIds(blob.id), blob)
          })
        if (blobs.list(key).length === 0) await store.delete(key)
      })
    )
  )
}

import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import { isPinnedKey } from '../../object-keys.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import type { BlobRow } from './blobs.repository.ts'
import { moveBlobJob } from './ingest.jobs.ts'
import { type RelocateDeps, relocate } from './relocate.ts'

export interface MoveDeps extends RelocateDeps {
  removals: ObjectRemovals
  /** Whether the bytes still belong at this key; asked again in the transaction that notes the new place. */
  belongsAt: (blob: BlobRow, key: string) => boolean
}

/** Links to the former place, signed by the store, stay good for so long at most. */
const FORMER_PLACE_MS = 86_400_000

/** Moves bytes between the archive and the other keys of ours. Whatever interrupts it, it runs again. */
export function bindMoveBlobJob(deps: MoveDeps): BoundJob {
  const { store, blobs, ingest, removals, belongsAt } = deps
  return bindJob(moveBlobJob, ({ blobId, key }, { signal }) =>
    whenStoreAnswers(() =>
      ingest.whileQuiet(key, async () => {
        const blob = blobs.find(blobId)
        if (blob && belongsAt(blob, key))
          await relocate(deps, blob, key, signal, {
            isWanted: () => belongsAt(blob, key),
            onSettled: (isMoved) => {
              if (!isMoved) return
              if (isPinnedKey(blob.key)) removals.request(blob.key, blob.etag, { afterMs: FORMER_PLACE_MS })
              else ingest.tidyUploads(blobs.listAssetIds(blob.id), blob)
            }
          })
        if (blobs.list(key).length === 0) await store.delete(key)
      })
    )
  )
}

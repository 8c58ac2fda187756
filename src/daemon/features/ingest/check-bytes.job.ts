import type { Database } from '../../db/database.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { BlobsRepository } from './blobs.repository.ts'
import { checkBytesJob } from './ingest.jobs.ts'
import type { IngestService } from './ingest.service.ts'
import { findLoss } from './is-whole.ts'

/** Brings what the store found out about an object into the catalogue: assets that lost their bytes say so and are wanted again. */
export function bindCheckBytesJob(deps: {
  db: Database
  store: ObjectStore
  blobs: BlobsRepository
  ingest: IngestService
}): BoundJob {
  const { db, store, blobs, ingest } = deps
  return bindJob(checkBytesJob, ({ key }) =>
    whenStoreAnswers(async () => {
      for (const blob of blobs.list(key)) {
        const loss = await findLoss(store, blob)
        if (loss === null) continue
        db.transaction(() => {
          // It may have been healed with bytes from elsewhere meanwhile.
          if (blobs.find(blob.id)?.key === key) ingest.markLost(blob, loss)
        })
      }
    })
  )
}

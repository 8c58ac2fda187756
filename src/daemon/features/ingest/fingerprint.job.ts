import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { Outbox } from '../../events/outbox.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import { isPinnedKey } from '../../object-keys.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { BlobRow, BlobsRepository } from './blobs.repository.ts'
import { fingerprintJob } from './ingest.jobs.ts'
import type { IngestService } from './ingest.service.ts'
import { assertHere, isDamaged, isWhole } from './is-whole.ts'

export interface FingerprintDeps {
  db: Database
  store: ObjectStore
  blobs: BlobsRepository
  ingest: IngestService
  outbox: Outbox
  clock: Clock
  /** Has the bytes of an asset moved if they belong elsewhere now; runs inside the merging transaction. */
  reviewPlace: (assetId: string) => void
}

/** Finds out what the bytes of a blob are, so that the same bytes are kept once, whoever sent them. */
export function bindFingerprintJob(deps: FingerprintDeps): BoundJob {
  return bindJob(fingerprintJob, ({ blobId }, { signal }) => whenStoreAnswers(() => fingerprint(deps, blobId, signal)))
}

async function fingerprint(deps: FingerprintDeps, blobId: string, signal: AbortSignal): Promise<void> {
  const { db, blobs, store, ingest } = deps
  const blob = blobs.find(blobId)
  if (!blob || blob.sha256 !== null) return
  assertHere(store, blob)
  const sha256 = await readSha256(store, blob, signal).catch((error: unknown) => {
    if (isDamaged(error)) return 'missing' as const
    throw error
  })
  if (sha256 === 'missing' || sha256 === 'changed') {
    const isMoved = db.transaction(() => {
      const now = blobs.find(blobId)
      if (now?.key !== blob.key || now.etag !== blob.etag) return true
      ingest.markLost(blob, sha256 === 'missing' ? 'bytes_missing' : 'bytes_changed')
      return false
    })
    return isMoved ? fingerprint(deps, blobId, signal) : undefined
  }
  // The elder may be merged or healed while the store is asked about it; then its new state is judged.
  for (let isSettled = false; !isSettled; ) {
    const elder = blobs.findBySha256(sha256)
    const elderIsWhole = elder !== undefined && (await isWhole(store, elder))
    isSettled = db.transaction(() => {
      const younger = blobs.find(blobId)
      if (!younger) return true
      const now = blobs.findBySha256(sha256)
      if (now?.id !== elder?.id || now?.key !== elder?.key) return false
      if (!elder) blobs.setSha256(blobId, sha256)
      else merge(deps, younger, elder, elderIsWhole)
      return true
    })
  }
}

/** The digest of exactly the version the blob stands for. */
async function readSha256(
  store: ObjectStore,
  blob: BlobRow,
  signal: AbortSignal
): Promise<string | 'missing' | 'changed'> {
  const stat = await store.head(blob.key)
  if (!stat) return 'missing'
  if (stat.etag !== blob.etag) return 'changed'
  if (stat.sha256 !== null) return stat.sha256
  const sha256 = await store.sha256Of(blob.key, { signal })
  const after = await store.head(blob.key)
  if (!after) return 'missing'
  return after.etag === blob.etag ? sha256 : 'changed'
}

/** Lets the assets of `blob` use `elder`, which has the same bytes, and has the second copy removed after the commit. */
function merge(deps: FingerprintDeps, blob: BlobRow, elder: BlobRow, elderIsWhole: boolean): void {
  const { blobs, outbox, ingest, clock, reviewPlace } = deps
  const assetIds = blobs.listAssetIds(blob.id)
  blobs.moveAssets(blob.id, elder.id, clock.nowMs())
  blobs.delete(blob.id)
  for (const assetId of assetIds) {
    outbox.append('asset.updated', assetId, { isDuplicate: true })
    reviewPlace(assetId)
  }
  if (!elderIsWhole) {
    ingest.markFound(elder, blob)
    return
  }
  // A key of ours is the better place, whoever was first.
  if (isPinnedKey(blob.key) && !isPinnedKey(elder.key)) {
    blobs.setPlace(elder.id, blob)
    ingest.tidyUploads(blobs.listAssetIds(elder.id), elder)
  } else ingest.tidyUploads(assetIds, blob)
}

import type { Clock } from '../../clock.ts'
import { isPinnedKey } from '../../object-keys.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import type { BlobRow, BlobsRepository } from './blobs.repository.ts'
import type { IngestService } from './ingest.service.ts'
import { isWhole } from './is-whole.ts'

/** Bytes that were just stored at a key of ours. */
export interface StoredBytes {
  /** Part of the key. */
  blobId: string
  key: string
  etag: string
  sizeBytes: number
  /** Hex. */
  sha256: string
}

export interface BlobKeeperDeps {
  store: ObjectStore
  blobs: BlobsRepository
  ingest: IngestService
  removals: ObjectRemovals
  clock: Clock
}

/** Keeps one blob for the same bytes. */
export class BlobKeeper {
  readonly #deps: BlobKeeperDeps

  constructor(deps: BlobKeeperDeps) {
    this.#deps = deps
  }

  /** The blob that has these bytes already, whole. Raises `ObjectStoreError`. */
  async findWhole(sha256: string): Promise<BlobRow | undefined> {
    const blob = this.#deps.blobs.findBySha256(sha256)
    return blob && (await isWhole(this.#deps.store, blob)) ? blob : undefined
  }

  /**
   * Takes new bytes in, or lets go of them where `known` (just found whole) has the same. Call it in the transaction that makes the
   * asset. Gives the blob to use.
   */
  keep(stored: StoredBytes, known: BlobRow | undefined): { blobId: string; isDuplicate: boolean } {
    const { blobs, ingest, removals, clock } = this.#deps
    const now = blobs.findBySha256(stored.sha256)
    if (!now) {
      const { blobId, key, etag, sizeBytes, sha256 } = stored
      blobs.insert({ id: blobId, key, etag, sizeBytes }, clock.nowMs())
      blobs.setSha256(blobId, sha256)
      return { blobId, isDuplicate: false }
    }
    const isKnownWhole = known?.id === now.id && known.key === now.key && known.etag === now.etag
    if (!isKnownWhole) {
      // Nobody knows whether its bytes are still there; the new ones are.
      ingest.markFound(now, stored)
      this.#letGo(now)
    } else if (isPinnedKey(now.key)) removals.request(stored.key, stored.etag)
    else {
      // What a controller can overwrite must not be the only copy.
      blobs.setPlace(now.id, stored)
      this.#letGo(now)
    }
    return { blobId: now.id, isDuplicate: true }
  }

  /** The place that a blob had before. Where a controller uploaded to it, it is the controller's object that is tidied. */
  #letGo(before: BlobRow): void {
    const { blobs, ingest, store } = this.#deps
    // What is in a store that is not connected stays as it is.
    if (before.store !== store.kind) return
    ingest.tidyUploads(blobs.listAssetIds(before.id), before)
  }
}

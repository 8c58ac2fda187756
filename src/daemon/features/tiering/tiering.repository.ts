import type { assetKinds } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'
import type { Tier } from '../../object-keys.ts'

/** What decides where the bytes of an asset belong. */
export interface TieredAsset {
  kind: (typeof assetKinds)[number]
  receivedAtMs: number
  isArchived: number
}

export interface StoredBlob {
  id: string
  key: string
  sizeBytes: number
  createdAtMs: number
}

/** Where a listing of blobs goes on. */
export interface BlobCursor {
  createdAtMs: number
  id: string
}

/** Blobs by where they are kept, and the assets that say where they belong. */
export class TieringRepository {
  readonly #db: Database
  readonly #storeKind: string

  constructor(db: Database, storeKind: string) {
    this.#db = db
    this.#storeKind = storeKind
  }

  /** The blob that an asset has. */
  findBlobOf(assetId: string): StoredBlob | undefined {
    return this.#db
      .prepare<unknown[], StoredBlob>(
        `SELECT blob.id, blob.key, blob.size_bytes AS sizeBytes, blob.created_at_ms AS createdAtMs FROM asset JOIN blob ON blob.id = blob_id
         WHERE asset.id = ?`
      )
      .get(assetId)
  }

  /** The assets outside the bin that have this blob. */
  listAssets(blobId: string): TieredAsset[] {
    return this.#db
      .prepare<unknown[], TieredAsset>(
        `SELECT kind, received_at_ms AS receivedAtMs, archived_at_ms IS NOT NULL AS isArchived FROM asset
         WHERE blob_id = ? AND binned_at_ms IS NULL`
      )
      .all(blobId)
  }

  /** Blobs kept in this tier that were made by `untilMs`, oldest first. */
  list(tier: Tier, untilMs: number, after: BlobCursor, limit: number): StoredBlob[] {
    return this.#db
      .prepare<unknown[], StoredBlob>(
        `SELECT id, key, size_bytes AS sizeBytes, created_at_ms AS createdAtMs FROM blob
         WHERE store = ? AND tier = ? AND created_at_ms <= ? AND (created_at_ms, id) > (?, ?)
         ORDER BY created_at_ms, id LIMIT ?`
      )
      .all(this.#storeKind, tier, untilMs, after.createdAtMs, after.id, limit)
  }
}

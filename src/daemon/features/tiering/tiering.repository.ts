import type { assetKinds } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'

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

/** Where a listing of blobs outside the archive goes on. */
export interface HotCursor {
  createdAtMs: number
  id: string
}

/** Blobs by where they are kept, and the assets that say where they belong. */
export class TieringRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
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

  /** Blobs outside the archive that were made by `untilMs`, oldest first. */
  listHot(untilMs: number, after: HotCursor, limit: number): StoredBlob[] {
    return this.#db
      .prepare<unknown[], StoredBlob>(
        `SELECT id, key, size_bytes AS sizeBytes, created_at_ms AS createdAtMs FROM blob
         WHERE (key < 'archive/' OR key >= 'archive0') AND created_at_ms <= ? AND (created_at_ms, id) > (?, ?)
         ORDER BY created_at_ms, id LIMIT ?`
      )
      .all(untilMs, after.createdAtMs, after.id, limit)
  }

  /** Blobs of one store in the archive, by key. */
  listCold(storeKind: string, afterKey: string, limit: number): Pick<StoredBlob, 'key' | 'sizeBytes'>[] {
    return this.#db
      .prepare<unknown[], Pick<StoredBlob, 'key' | 'sizeBytes'>>(
        `SELECT key, size_bytes AS sizeBytes FROM blob
         WHERE store = ? AND key > ? AND key >= 'archive/' AND key < 'archive0' ORDER BY key LIMIT ?`
      )
      .all(storeKind, afterKey, limit)
  }
}

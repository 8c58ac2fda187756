import type { Database } from '../../db/database.ts'

/** What is known of an asset that is about to go. */
export interface LastWords {
  workspaceId: string
  blobId: string
  name: string
  /** The key the bytes were uploaded to. */
  objectKey: string
  sizeBytes: number
  /** Hex; null when it was never computed. */
  sha256: string | null
}

/** An asset whose time may be over. */
export interface DueAsset {
  id: string
  sinceMs: number
  /** Of its bytes, when they go with it; else 0. */
  ownBytes: number
}

/** Where a listing by age goes on. */
export interface AgeCursor {
  sinceMs: number
  id: string
}

/** The bytes of an asset, unless another one keeps them. */
const ownBytes = (keeps = ''): string =>
  `CASE WHEN EXISTS (SELECT 1 FROM asset AS other WHERE other.blob_id = asset.blob_id AND other.id <> asset.id ${keeps})
   THEN 0 ELSE asset.size_bytes END AS ownBytes`

/** Assets by how long they have waited for a reference, or lain in the bin. */
export class LifecycleRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Assets that wait for a reference since `untilMs` or longer and that no temporary one holds at `nowMs`, by age. */
  listOrphans(untilMs: number, nowMs: number, after: AgeCursor, limit: number): DueAsset[] {
    return this.#db
      .prepare<unknown[], DueAsset>(
        `SELECT id, ${ownBytes()}, pending_since_ms AS sinceMs FROM asset
         WHERE state = 'pending_reference' AND pending_since_ms <= ? AND (pending_since_ms, id) > (?, ?)
           AND NOT EXISTS (SELECT 1 FROM reference WHERE asset_id = asset.id AND kind = 'temporary' AND expires_at_ms > ?)
         ORDER BY pending_since_ms, id LIMIT ?`
      )
      .all(untilMs, after.sinceMs, after.id, nowMs, limit)
  }

  /** Assets that are in the bin since `untilMs` or longer, by age. Bytes that several of them share count once. */
  listBinned(untilMs: number, after: AgeCursor, limit: number): DueAsset[] {
    return this.#db
      .prepare<unknown[], DueAsset>(
        `SELECT id, ${ownBytes('AND (other.binned_at_ms IS NULL OR other.binned_at_ms > ? OR other.id < asset.id)')},
                binned_at_ms AS sinceMs
         FROM asset WHERE binned_at_ms <= ? AND (binned_at_ms, id) > (?, ?) ORDER BY binned_at_ms, id LIMIT ?`
      )
      .all(untilMs, untilMs, after.sinceMs, after.id, limit)
  }

  findLastWords(assetId: string): LastWords | undefined {
    const row = this.#db
      .prepare<unknown[], Omit<LastWords, 'sha256'> & { sha256: Buffer | null }>(
        `SELECT workspace_id AS workspaceId, blob_id AS blobId, name, object_key AS objectKey, asset.size_bytes AS sizeBytes, sha256
         FROM asset JOIN blob ON blob.id = blob_id WHERE asset.id = ?`
      )
      .get(assetId)
    return row && { ...row, sha256: row.sha256?.toString('hex') ?? null }
  }

  /** Deletes the asset and its references. What else belongs to it must have been let go before. */
  deleteAsset(assetId: string): void {
    this.#db.prepare('DELETE FROM reference WHERE asset_id = ?').run(assetId)
    this.#db.prepare('DELETE FROM asset WHERE id = ?').run(assetId)
  }
}

import type { AccessPolicy } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'

/** An asset as far as handing out its bytes goes. */
export interface DeliveredAsset {
  id: string
  workspaceId: string
  name: string
  mimeType: string
  access: AccessPolicy
  ownerId: string | null
  cacheSeconds: number | null
  objectKey: string
  width: number | null
  height: number | null
  durationMs: number | null
  receivedAtMs: number
  binnedAtMs: number | null
  key: string
  /** The store's version mark, without quotes. */
  etag: string
  /** Hex; null until it is known. */
  sha256: string | null
  sizeBytes: number
  isQuarantined: boolean
}

type Row = Omit<DeliveredAsset, 'sha256' | 'isQuarantined'> & { sha256: Buffer | null; isQuarantined: number }

export class DeliveryRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  find(assetId: string): DeliveredAsset | undefined {
    const row = this.#db
      .prepare<unknown[], Row>(
        `SELECT asset.id, asset.workspace_id AS workspaceId, asset.name, asset.mime_type AS mimeType, asset.access,
                asset.created_by AS ownerId, asset.cache_seconds AS cacheSeconds, asset.received_at_ms AS receivedAtMs,
                asset.binned_at_ms AS binnedAtMs, asset.object_key AS objectKey, asset.width, asset.height,
                asset.duration_ms AS durationMs, blob.key, blob.etag, blob.sha256, blob.size_bytes AS sizeBytes,
                EXISTS (SELECT 1 FROM quarantine WHERE quarantine.sha256 = blob.sha256) AS isQuarantined
         FROM asset JOIN blob ON blob.id = asset.blob_id WHERE asset.id = ?`
      )
      .get(assetId)
    return row && { ...row, sha256: row.sha256?.toString('hex') ?? null, isQuarantined: row.isQuarantined === 1 }
  }

  setAccess(assetId: string, access: AccessPolicy, cacheSeconds: number | null, nowMs: number): void {
    this.#db
      .prepare('UPDATE asset SET access = ?, cache_seconds = ?, updated_at_ms = ? WHERE id = ?')
      .run(access, cacheSeconds, nowMs, assetId)
  }
}

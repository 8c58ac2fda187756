import type { AssetSummary } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'

/** An asset as far as judging it goes. Sizes are bytes, dimensions pixels, durations milliseconds. */
export interface ModeratedAsset {
  id: string
  workspaceId: string
  name: string
  kind: AssetSummary['kind']
  mimeType: string
  sizeBytes: number
  /** Hex; null until it is known. */
  sha256: string | null
  width: number | null
  height: number | null
  durationMs: number | null
  preview: AssetSummary['preview']
  moderation: AssetSummary['moderation']
  receivedAtMs: number
  binnedAtMs: number | null
}

export class ModerationRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  find(assetId: string): ModeratedAsset | undefined {
    const row = this.#db
      .prepare<unknown[], Omit<ModeratedAsset, 'sha256'> & { sha256: Buffer | null }>(
        `SELECT asset.id, workspace_id AS workspaceId, name, kind, mime_type AS mimeType, asset.size_bytes AS sizeBytes, sha256,
                width, height, duration_ms AS durationMs, preview, moderation, received_at_ms AS receivedAtMs,
                binned_at_ms AS binnedAtMs
         FROM asset JOIN blob ON blob.id = blob_id WHERE asset.id = ?`
      )
      .get(assetId)
    return row && { ...row, sha256: row.sha256?.toString('hex') ?? null }
  }
}

import type { AccessPolicy } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'
import type { ImageSize } from '../../media/image-size.ts'
import type { MediaType } from '../../media/sniff-media.ts'
import { scopeCondition, type WorkspaceScope } from '../../workspace-scope.ts'
import type { CaptureMoment } from '../ingest/capture-moment.ts'

export interface NewMedia {
  id: string
  workspaceId: string
  blobId: string
  objectKey: string
  name: string
  type: MediaType
  sizeBytes: number
  moment: CaptureMoment
  access: AccessPolicy
  /** Who uploads it, see `AuditActor`. */
  ownerId: string
}

/** An asset with the same bytes. */
export interface Twin {
  type: MediaType
  objectKey: string
  /** Null when it is not known, or the asset has none. */
  size: ImageSize | null
}

/** Assets that applications upload. */
export class MediaRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** What an asset of this workspace with these bytes is, unless it is somebody else's private one. */
  findTwin(workspaceId: string, blobId: string, actorId: string): Twin | null {
    const row = this.#db
      .prepare<unknown[], MediaType & { objectKey: string; widthPx: number | null; heightPx: number | null }>(
        `SELECT kind, mime_type AS mimeType, object_key AS objectKey, width AS widthPx, height AS heightPx
         FROM asset INDEXED BY asset_by_blob
         WHERE blob_id = ? AND workspace_id = ? AND (access <> 'private' OR created_by = ?) LIMIT 1`
      )
      .get(blobId, workspaceId, actorId)
    if (!row) return null
    const { kind, mimeType, objectKey, widthPx, heightPx } = row
    const size = widthPx === null || heightPx === null ? null : { widthPx, heightPx }
    return { type: { kind, mimeType }, objectKey, size }
  }

  /** Whether another asset in `scope` has the bytes of this one. */
  hasTwin(assetId: string, scope: WorkspaceScope): boolean {
    const { sql, values } = scopeCondition(scope, 'twin.workspace_id')
    return (
      this.#db
        .prepare(
          `SELECT 1 FROM asset JOIN asset AS twin ON twin.blob_id = asset.blob_id AND twin.id <> asset.id
           WHERE ${sql} AND asset.id = ? LIMIT 1`
        )
        .get(...values, assetId) !== undefined
    )
  }

  /** Hex; null when it is not known yet. */
  sha256Of(assetId: string): string | null {
    return (
      this.#db
        .prepare<unknown[], { sha256: Buffer | null }>(
          'SELECT sha256 FROM asset JOIN blob ON blob.id = blob_id WHERE asset.id = ?'
        )
        .get(assetId)
        ?.sha256?.toString('hex') ?? null
    )
  }

  /** Inserts an asset that nothing holds yet. */
  insert(media: NewMedia, nowMs: number): void {
    this.#db
      .prepare('INSERT INTO workspace (id, name, created_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
      .run(media.workspaceId, media.workspaceId, nowMs)
    this.#db
      .prepare(
        `INSERT INTO asset (id, workspace_id, blob_id, object_key, name, kind, mime_type, state, size_bytes, pending_since_ms,
                            source, taken_at_ms, taken_day, taken_zone_offset_min, taken_source, received_at_ms,
                            updated_at_ms, access, created_by)
         VALUES (?, ?, ?, ?, ?, ?, ?, 'pending_reference', ?, ?, 'upload', ?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run(
        media.id,
        media.workspaceId,
        media.blobId,
        media.objectKey,
        media.name,
        media.type.kind,
        media.type.mimeType,
        media.sizeBytes,
        nowMs,
        media.moment.takenAtMs,
        media.moment.takenDay,
        media.moment.zoneOffsetMin,
        media.moment.source,
        nowMs,
        nowMs,
        media.access,
        media.ownerId
      )
  }
}

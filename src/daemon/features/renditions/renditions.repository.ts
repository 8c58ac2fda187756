import type { AssetSummary, MediaProblem } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'
import type { ThumbnailFormat } from '../../media/make-thumbnails.ts'

/** An asset as far as making previews goes. */
export interface RenditionSource {
  kind: AssetSummary['kind']
  mimeType: string
  durationMs: number | null
  key: string
  etag: string
}

export interface StoredRendition {
  format: ThumbnailFormat
  key: string
  widthPx: number
  heightPx: number
  sizeBytes: number
  createdAtMs: number
}

/** Damage that only the store can tell; what the content looks like does not matter then. */
const BYTES_LOST = `('bytes_missing', 'bytes_changed')`

export class RenditionsRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  findSource(assetId: string): RenditionSource | undefined {
    return this.#db
      .prepare<unknown[], RenditionSource>(
        `SELECT kind, mime_type AS mimeType, duration_ms AS durationMs, blob.key, blob.etag
         FROM asset JOIN blob ON blob.id = asset.blob_id WHERE asset.id = ?`
      )
      .get(assetId)
  }

  /** Whether there is a preview, and if not, why. Undefined when there is no such asset. */
  findState(assetId: string): Pick<AssetSummary, 'preview' | 'previewProblem'> | undefined {
    return this.#db
      .prepare<unknown[], Pick<AssetSummary, 'preview' | 'previewProblem'>>(
        'SELECT preview, preview_problem AS previewProblem FROM asset WHERE id = ?'
      )
      .get(assetId)
  }

  /** The stored formats of one rendition. */
  list(assetId: string, name: string): StoredRendition[] {
    return this.#db
      .prepare<unknown[], StoredRendition>(
        `SELECT format, key, width AS widthPx, height AS heightPx, size_bytes AS sizeBytes, created_at_ms AS createdAtMs
         FROM rendition WHERE asset_id = ? AND name = ? ORDER BY format`
      )
      .all(assetId, name)
  }

  put(assetId: string, name: string, rendition: StoredRendition): void {
    this.#db
      .prepare(
        `INSERT INTO rendition (asset_id, name, format, key, width, height, size_bytes, created_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET key = excluded.key, width = excluded.width, height = excluded.height,
                                   size_bytes = excluded.size_bytes, created_at_ms = excluded.created_at_ms`
      )
      .run(
        assetId,
        name,
        rendition.format,
        rendition.key,
        rendition.widthPx,
        rendition.heightPx,
        rendition.sizeBytes,
        rendition.createdAtMs
      )
  }

  /** Forgets the formats of a rendition other than `format`: they show what the asset looked like before. */
  deleteOtherFormats(assetId: string, name: string, format: ThumbnailFormat): void {
    this.#db.prepare('DELETE FROM rendition WHERE asset_id = ? AND name = ? AND format <> ?').run(assetId, name, format)
  }

  delete(assetId: string, name: string, format: ThumbnailFormat): void {
    this.#db.prepare('DELETE FROM rendition WHERE asset_id = ? AND name = ? AND format = ?').run(assetId, name, format)
  }

  /** Whether a rendition of an asset that still exists is kept at this key (`renditions/{asset}/{file}`). */
  hasKey(key: string): boolean {
    const assetId = key.split('/')[1] ?? ''
    return this.#db.prepare('SELECT 1 FROM rendition WHERE asset_id = ? AND key = ?').get(assetId, key) !== undefined
  }

  deleteAll(assetId: string): void {
    this.#db.prepare('DELETE FROM rendition WHERE asset_id = ?').run(assetId)
  }

  setReady(
    assetId: string,
    found: { damage: MediaProblem | null; source: { widthPx: number; heightPx: number } },
    nowMs: number
  ): void {
    this.#db
      .prepare(
        `UPDATE asset SET preview = 'ready', preview_problem = NULL, width = coalesce(width, ?),
                          height = coalesce(height, ?), updated_at_ms = ?,
                          damage = CASE WHEN damage IN ${BYTES_LOST} THEN damage ELSE coalesce(?, damage) END
         WHERE id = ?`
      )
      .run(found.source.widthPx, found.source.heightPx, nowMs, found.damage, assetId)
  }

  setUnavailable(assetId: string, problem: MediaProblem, damage: MediaProblem | null, nowMs: number): void {
    this.#db
      .prepare(
        `UPDATE asset SET preview = 'unavailable', preview_problem = ?, updated_at_ms = ?,
                          damage = CASE WHEN damage IN ${BYTES_LOST} THEN damage ELSE coalesce(?, damage) END
         WHERE id = ?`
      )
      .run(problem, nowMs, damage, assetId)
  }

  /** Assets that have no preview only because there was no ffmpeg. */
  listWaitingForFfmpeg(): string[] {
    return this.#db
      .prepare<unknown[], { id: string }>(`SELECT id FROM asset WHERE preview_problem = 'ffmpeg_missing'`)
      .all()
      .map(({ id }) => id)
  }
}

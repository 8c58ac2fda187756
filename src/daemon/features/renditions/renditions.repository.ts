import type { AssetSummary, MediaProblem } from '../../../shared/api/assets.ts'
import type { RenditionName, RenditionProblem } from '../../../shared/api/renditions.ts'
import type { Database } from '../../db/database.ts'
import type { ThumbnailFormat } from '../../media/make-thumbnails.ts'
import { assetIdOfRendition } from '../../object-keys.ts'

/** An asset as far as making renditions of it goes. */
export interface RenditionSource {
  kind: AssetSummary['kind']
  mimeType: string
  durationMs: number | null
  widthPx: number | null
  heightPx: number | null
  preview: AssetSummary['preview']
  previewProblem: AssetSummary['previewProblem']
  videoCodec: string | null
  key: string
  etag: string
}

export type RenditionFormat = ThumbnailFormat | 'mp4' | 'm3u8'

export const contentTypes: Record<RenditionFormat, string> = {
  webp: 'image/webp',
  jpeg: 'image/jpeg',
  avif: 'image/avif',
  mp4: 'video/mp4',
  m3u8: 'application/vnd.apple.mpegurl'
}

export interface StoredRendition<Format extends RenditionFormat = RenditionFormat> {
  format: Format
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
        `SELECT kind, mime_type AS mimeType, duration_ms AS durationMs, width AS widthPx, height AS heightPx,
                preview, preview_problem AS previewProblem, capture_json ->> 'videoCodec' AS videoCodec,
                blob.key, blob.etag
         FROM asset JOIN blob ON blob.id = asset.blob_id WHERE asset.id = ?`
      )
      .get(assetId)
  }

  /** The stored formats of a preview picture. */
  listPictures(assetId: string, sizePx: number): StoredRendition<ThumbnailFormat>[] {
    return this.list(assetId, String(sizePx)) as StoredRendition<ThumbnailFormat>[]
  }

  /** The stored formats of one rendition. */
  list(assetId: string, name: string): StoredRendition[] {
    return this.listAll(assetId).filter((rendition) => rendition.name === name)
  }

  listAll(assetId: string): (StoredRendition & { name: string })[] {
    return this.#db
      .prepare<unknown[], StoredRendition & { name: string }>(
        `SELECT name, format, key, width AS widthPx, height AS heightPx, size_bytes AS sizeBytes,
                created_at_ms AS createdAtMs
         FROM rendition WHERE asset_id = ? ORDER BY name, format`
      )
      .all(assetId)
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

  /** Forgets the other formats of a picture: they show what the asset looked like before. */
  deleteOtherFormats(assetId: string, name: string, format: ThumbnailFormat): void {
    this.#db.prepare('DELETE FROM rendition WHERE asset_id = ? AND name = ? AND format <> ?').run(assetId, name, format)
  }

  delete(assetId: string, name: string, format: RenditionFormat): void {
    this.#db.prepare('DELETE FROM rendition WHERE asset_id = ? AND name = ? AND format = ?').run(assetId, name, format)
  }

  deleteFormats(assetId: string, name: RenditionName): void {
    this.#db.prepare('DELETE FROM rendition WHERE asset_id = ? AND name = ?').run(assetId, name)
  }

  /** Whether a rendition of an asset that still exists is kept at this key. */
  hasKey(key: string): boolean {
    const assetId = assetIdOfRendition(key)
    if (assetId === undefined) return false
    return this.#db.prepare('SELECT 1 FROM rendition WHERE asset_id = ? AND key = ?').get(assetId, key) !== undefined
  }

  deleteAll(assetId: string): void {
    this.#db.prepare('DELETE FROM rendition WHERE asset_id = ?').run(assetId)
    this.forgetProblems(assetId)
  }

  /** Why a rendition that somebody asked for cannot be had. */
  putProblem(assetId: string, name: RenditionName, problem: RenditionProblem): void {
    this.#db
      .prepare(
        `INSERT INTO rendition_problem (asset_id, name, problem) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET problem = excluded.problem`
      )
      .run(assetId, name, problem)
  }

  findProblem(assetId: string, name: RenditionName): RenditionProblem | null {
    return (
      this.#db
        .prepare<unknown[], { problem: RenditionProblem }>(
          'SELECT problem FROM rendition_problem WHERE asset_id = ? AND name = ?'
        )
        .get(assetId, name)?.problem ?? null
    )
  }

  /** What could not be made may be tried again: the bytes were looked at anew. */
  forgetProblems(assetId: string): void {
    this.#db.prepare('DELETE FROM rendition_problem WHERE asset_id = ?').run(assetId)
  }

  /** What could not be made only because there was no ffmpeg; forgets that it could not. */
  takeWaitingForFfmpeg(): { assetId: string; name: RenditionName }[] {
    return this.#db
      .prepare<unknown[], { assetId: string; name: RenditionName }>(
        `DELETE FROM rendition_problem WHERE problem = 'ffmpeg_missing' RETURNING asset_id AS assetId, name`
      )
      .all()
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

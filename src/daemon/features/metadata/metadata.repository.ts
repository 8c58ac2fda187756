import type { z } from 'zod'
import { type AssetSummary, captureDataSchema, type MediaProblem } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'
import type { Moment } from './choose-moment.ts'

/** Capture data, as far as one source tells it. */
export const captureFactsSchema = captureDataSchema.partial()
export type CaptureFacts = z.output<typeof captureFactsSchema>

/** What is known of an asset before its file is read. */
export interface MetadataSource {
  kind: AssetSummary['kind']
  mimeType: string
  key: string
  etag: string
  sizeBytes: number
  moment: Moment
  capture: CaptureFacts
  deviceId: string | null
}

export interface FoundMetadata {
  kind: AssetSummary['kind']
  mimeType: string
  moment: Moment
  widthPx: number | null
  heightPx: number | null
  durationMs: number | null
  capture: CaptureFacts
  deviceId: string | null
  damage: MediaProblem | null
}

interface SourceRow {
  kind: AssetSummary['kind']
  mime_type: string
  key: string
  etag: string
  size_bytes: number
  taken_at_ms: number
  taken_day: string
  taken_zone_offset_min: number | null
  taken_source: Moment['source']
  capture_json: string
  device_id: string | null
}

export class MetadataRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  findSource(assetId: string): MetadataSource | undefined {
    const row = this.#db
      .prepare<unknown[], SourceRow>(
        `SELECT kind, mime_type, taken_at_ms, taken_day, taken_zone_offset_min, taken_source, capture_json, device_id,
                blob.key, blob.etag, blob.size_bytes
         FROM asset JOIN blob ON blob.id = asset.blob_id WHERE asset.id = ?`
      )
      .get(assetId)
    if (!row) return undefined
    return {
      kind: row.kind,
      mimeType: row.mime_type,
      key: row.key,
      etag: row.etag,
      sizeBytes: row.size_bytes,
      moment: {
        takenAtMs: row.taken_at_ms,
        takenDay: row.taken_day,
        zoneOffsetMin: row.taken_zone_offset_min,
        source: row.taken_source
      },
      capture: captureFactsSchema.parse(JSON.parse(row.capture_json)),
      deviceId: row.device_id
    }
  }

  /** Writes what was found; what the file does not tell stays as it was. */
  update(assetId: string, found: FoundMetadata, nowMs: number): void {
    const { moment, capture } = found
    this.#db
      .prepare(
        `UPDATE asset SET kind = ?, mime_type = ?, taken_at_ms = ?, taken_day = ?, taken_zone_offset_min = ?,
                          taken_source = ?, width = coalesce(?, width), height = coalesce(?, height),
                          duration_ms = coalesce(?, duration_ms), latitude = coalesce(?, latitude), longitude = coalesce(?, longitude),
                          capture_json = ?, device_id = ?,
                          damage = CASE WHEN damage IN ('bytes_missing', 'bytes_changed') THEN damage
                                        ELSE coalesce(?, damage) END,
                          updated_at_ms = ?
         WHERE id = ?`
      )
      .run(
        found.kind,
        found.mimeType,
        moment.takenAtMs,
        moment.takenDay,
        moment.zoneOffsetMin,
        moment.source,
        found.widthPx,
        found.heightPx,
        found.durationMs,
        capture.latitude ?? null,
        capture.longitude ?? null,
        JSON.stringify(capture),
        found.deviceId,
        found.damage,
        nowMs,
        assetId
      )
  }
}

import type { CaptureData } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'
import { newId } from '../../ids.ts'
import { modelName } from '../../media/drone-models.ts'
import type { AssetKind } from '../../media/guess-media-type.ts'
import type { CaptureMoment } from './capture-moment.ts'
import type { UploadReport } from './upload-report.ts'

export interface NewAsset {
  id: string
  blobId: string
  kind: AssetKind
  mimeType: string
  sizeBytes: number
  deviceId: string | null
  flightId: string | null
  moment: CaptureMoment
  capture: Partial<CaptureData>
}

export interface NotedDrone {
  serial: string
  modelKey?: string | null
  payloadModelKey?: string | null
  /** In words, for when there is no key. */
  model?: string | null
}

/** What a person sees of an upload: the asset, its drone, its flight and its workspace. */
export class IngestRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  ensureWorkspace(workspaceId: string, nowMs: number): void {
    this.#db
      .prepare('INSERT INTO workspace (id, name, created_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
      .run(workspaceId, workspaceId, nowMs)
  }

  listWorkspaceIds(): string[] {
    return this.#db
      .prepare<unknown[], { id: string }>('SELECT id FROM workspace ORDER BY id')
      .all()
      .map((row) => row.id)
  }

  /** The drone with this serial number, which now was seen: made when it is new. Its model is best told by its key. */
  noteDevice(drone: NotedDrone, nowMs: number): string {
    const { serial, modelKey = null, payloadModelKey = null } = drone
    const model = modelKey === null ? (drone.model ?? 'Drone') : modelName(modelKey)
    return this.#db
      .prepare<unknown[], { id: string }>(
        `INSERT INTO device (id, serial, model_key, payload_model_key, name, first_seen_at_ms, last_seen_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (serial) DO UPDATE SET
           name = CASE WHEN model_key IS NULL AND excluded.model_key IS NOT NULL THEN excluded.name ELSE name END,
           model_key = coalesce(excluded.model_key, model_key),
           payload_model_key = coalesce(excluded.payload_model_key, payload_model_key),
           last_seen_at_ms = excluded.last_seen_at_ms
         RETURNING id`
      )
      .get(newId(nowMs), serial, modelKey, payloadModelKey, `${model} ${serial.slice(-4)}`, nowMs, nowMs)!.id
  }

  /** The mission of this group, made when it is new. */
  ensureFlight(workspaceId: string, groupId: string, name: string, nowMs: number): string {
    this.#db
      .prepare(
        `INSERT INTO flight (id, workspace_id, group_id, name, created_at_ms, updated_at_ms) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (workspace_id, group_id) DO UPDATE SET
           name = CASE WHEN name = group_id THEN excluded.name ELSE name END, updated_at_ms = excluded.updated_at_ms`
      )
      .run(newId(nowMs), workspaceId, groupId, name || groupId, nowMs, nowMs)
    return this.#db
      .prepare<unknown[], { id: string }>('SELECT id FROM flight WHERE workspace_id = ? AND group_id = ?')
      .get(workspaceId, groupId)!.id
  }

  /** Sets a mission's counters; the uploaded one never goes down, because reports may arrive out of order. */
  setFlightCounters(flightId: string, counters: { expected: number; uploaded: number }): void {
    this.#db
      .prepare('UPDATE flight SET expected_count = ?, uploaded_count = max(uploaded_count, ?) WHERE id = ?')
      .run(counters.expected, counters.uploaded, flightId)
  }

  /** Inserts the asset, active, with the strong reference that its workspace holds. */
  insertAsset(asset: NewAsset, report: UploadReport, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO asset (id, workspace_id, blob_id, object_key, name, path, kind, mime_type, state, size_bytes, ref_count,
                            device_id, flight_id, is_original, sub_file_type, taken_at_ms, taken_day,
                            taken_zone_offset_min, taken_source, received_at_ms, latitude, longitude, capture_json,
                            updated_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'active', ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run(
        asset.id,
        report.workspaceId,
        asset.blobId,
        report.objectKey,
        report.name,
        report.path,
        asset.kind,
        asset.mimeType,
        asset.sizeBytes,
        asset.deviceId,
        asset.flightId,
        report.isOriginal === null ? null : Number(report.isOriginal),
        report.subFileType,
        asset.moment.takenAtMs,
        asset.moment.takenDay,
        asset.moment.zoneOffsetMin,
        asset.moment.source,
        nowMs,
        report.latitude,
        report.longitude,
        JSON.stringify(asset.capture),
        nowMs
      )
    this.#db
      .prepare(
        `INSERT INTO reference (id, asset_id, kind, namespace, owner, created_at_ms) VALUES (?, ?, 'strong', 'pilot', ?, ?)`
      )
      .run(newId(nowMs), asset.id, report.workspaceId, nowMs)
  }

  /** Adds what a later report knows about an asset that was ingested without one. */
  completeAsset(
    assetId: string,
    report: UploadReport,
    found: { deviceId: string | null; flightId: string | null; moment: CaptureMoment },
    nowMs: number
  ): void {
    const { moment } = found
    this.#db
      .prepare(
        `UPDATE asset SET name = ?, path = ?, device_id = coalesce(?, device_id), flight_id = coalesce(?, flight_id),
                          is_original = coalesce(?, is_original), sub_file_type = coalesce(?, sub_file_type),
                          latitude = coalesce(latitude, ?), longitude = coalesce(longitude, ?), updated_at_ms = ?
         WHERE id = ?`
      )
      .run(
        report.name,
        report.path,
        found.deviceId,
        found.flightId,
        report.isOriginal === null ? null : Number(report.isOriginal),
        report.subFileType,
        report.latitude,
        report.longitude,
        nowMs,
        assetId
      )
    // What the file itself told is better than what the controller says.
    this.#db
      .prepare(
        `UPDATE asset SET taken_at_ms = ?, taken_day = ?, taken_zone_offset_min = ?, taken_source = ?
         WHERE id = ? AND taken_source IN ('name', 'received')`
      )
      .run(moment.takenAtMs, moment.takenDay, moment.zoneOffsetMin, moment.source, assetId)
  }
}

import type { CaptureData } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'
import { newId } from '../../ids.ts'
import { modelName } from '../../media/drone-models.ts'
import type { CaptureMoment } from './capture-moment.ts'
import type { AssetKind } from './guess-media-type.ts'
import type { UploadReport } from './upload-report.ts'

export interface BlobRow {
  id: string
  key: string
  etag: string
  sizeBytes: number
  /** Hex. */
  sha256: string | null
}

/** An ingested version of a controller's object with the asset it became and that asset's bytes. */
export interface IngestedObject {
  workspaceId: string
  objectKey: string
  etag: string
  state: 'present' | 'moved' | 'forgotten'
  assetId: string
  isLost: boolean
  blob: BlobRow
}

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

interface JoinedRow {
  workspace_id: string
  object_key: string
  etag: string
  state: IngestedObject['state']
  asset_id: string
  damage: string | null
  blob_id: string
  blob_key: string
  blob_etag: string
  size_bytes: number
  sha256: Buffer | null
}

const LOST = `('bytes_missing', 'bytes_changed')`
const BLOB_COLUMNS = `blob.id AS blob_id, blob.key AS blob_key, blob.etag AS blob_etag, blob.size_bytes, blob.sha256`
const OBJECT_SELECT = `
  SELECT pilot_object.workspace_id, pilot_object.object_key, pilot_object.etag, pilot_object.state,
         pilot_object.asset_id, asset.damage, ${BLOB_COLUMNS}
  FROM pilot_object JOIN asset ON asset.id = pilot_object.asset_id JOIN blob ON blob.id = asset.blob_id`

/** The rows an upload leaves behind. */
export class IngestRepository {
  readonly #db: Database
  readonly #storeKind: string

  constructor(db: Database, storeKind: string) {
    this.#db = db
    this.#storeKind = storeKind
  }

  ensureWorkspace(workspaceId: string, nowMs: number): void {
    this.#db
      .prepare('INSERT INTO workspace (id, name, created_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
      .run(workspaceId, workspaceId, nowMs)
  }

  /** The drone with this serial number, which now was seen. */
  noteDevice(report: UploadReport & { droneSerial: string }, nowMs: number): string {
    const { droneSerial, droneModelKey, payloadModelKey } = report
    const model = droneModelKey === null ? 'Drone' : modelName(droneModelKey)
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
      .get(
        newId(nowMs),
        droneSerial,
        droneModelKey,
        payloadModelKey,
        `${model} ${droneSerial.slice(-4)}`,
        nowMs,
        nowMs
      )!.id
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

  insertBlob(blob: Omit<BlobRow, 'sha256'>, nowMs: number): void {
    this.#db
      .prepare('INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)')
      .run(blob.id, this.#storeKind, blob.key, blob.sizeBytes, blob.etag, nowMs)
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

  findObject(workspaceId: string, objectKey: string, etag: string): IngestedObject | undefined {
    const row = this.#db
      .prepare<unknown[], JoinedRow>(
        `${OBJECT_SELECT} WHERE pilot_object.workspace_id = ? AND pilot_object.object_key = ? AND pilot_object.etag = ?`
      )
      .get(workspaceId, objectKey, etag)
    return row && objectFromRow(row)
  }

  /** The versions ingested from one key (`to` left out) or from the keys after `from` up to `to`. */
  listObjects(workspaceId: string, from: string, to?: string): IngestedObject[] {
    const condition =
      to === undefined ? 'pilot_object.object_key = ?' : 'pilot_object.object_key > ? AND pilot_object.object_key <= ?'
    return this.#db
      .prepare<unknown[], JoinedRow>(`${OBJECT_SELECT} WHERE pilot_object.workspace_id = ? AND ${condition}`)
      .all(workspaceId, from, ...(to === undefined ? [] : [to]))
      .map(objectFromRow)
  }

  listObjectsOfAsset(assetId: string): IngestedObject[] {
    return this.#db
      .prepare<unknown[], JoinedRow>(`${OBJECT_SELECT} WHERE pilot_object.asset_id = ?`)
      .all(assetId)
      .map(objectFromRow)
  }

  putObject(object: Pick<IngestedObject, 'workspaceId' | 'objectKey' | 'etag' | 'assetId' | 'state'>): void {
    this.#db
      .prepare(
        `INSERT INTO pilot_object (workspace_id, object_key, etag, asset_id, state) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET asset_id = excluded.asset_id, state = excluded.state`
      )
      .run(object.workspaceId, object.objectKey, object.etag, object.assetId, object.state)
  }

  deleteObject(workspaceId: string, objectKey: string, etag: string): void {
    this.#db
      .prepare('DELETE FROM pilot_object WHERE workspace_id = ? AND object_key = ? AND etag = ?')
      .run(workspaceId, objectKey, etag)
  }

  /** The asset a fingerprint stands for, with its bytes. */
  findFile(
    workspaceId: string,
    fingerprint: string
  ): { assetId: string; objectKey: string; isLost: boolean; blob: BlobRow } | undefined {
    const row = this.#db
      .prepare<unknown[], JoinedRow>(
        `SELECT pilot_file.object_key, pilot_file.asset_id, asset.damage, ${BLOB_COLUMNS}
         FROM pilot_file JOIN asset ON asset.id = pilot_file.asset_id JOIN blob ON blob.id = asset.blob_id
         WHERE pilot_file.workspace_id = ? AND fingerprint = ?`
      )
      .get(workspaceId, fingerprint)
    return (
      row && { assetId: row.asset_id, objectKey: row.object_key, isLost: isLost(row.damage), blob: blobFromRow(row) }
    )
  }

  /** Writes the row that makes later uploads of this file needless. */
  upsertFile(
    file: { report: UploadReport; fingerprint: string; assetId: string; headKey: string | null; isAdopted: boolean },
    nowMs: number
  ): void {
    const { report } = file
    this.#db
      .prepare(
        `INSERT INTO pilot_file (workspace_id, fingerprint, tiny_fingerprint, object_key, head_key, asset_id, is_adopted, name,
                                 path, drone_model_key, payload_model_key, raw_json, created_at_ms, updated_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (workspace_id, fingerprint) DO UPDATE SET
           tiny_fingerprint = coalesce(excluded.tiny_fingerprint, tiny_fingerprint),
           object_key = excluded.object_key, head_key = excluded.head_key, asset_id = excluded.asset_id,
           is_adopted = excluded.is_adopted, name = excluded.name, path = excluded.path,
           drone_model_key = excluded.drone_model_key, payload_model_key = excluded.payload_model_key,
           raw_json = excluded.raw_json, updated_at_ms = excluded.updated_at_ms`
      )
      .run(
        report.workspaceId,
        file.fingerprint,
        report.tinyFingerprint,
        report.objectKey,
        file.headKey,
        file.assetId,
        file.isAdopted ? 1 : 0,
        report.name,
        report.path,
        report.droneModelKey,
        report.payloadModelKey,
        report.rawJson,
        nowMs,
        nowMs
      )
  }

  /** Removes the guessed rows of an asset. True when there were any. */
  deleteAdoptedFiles(assetId: string): boolean {
    return this.#db.prepare('DELETE FROM pilot_file WHERE asset_id = ? AND is_adopted = 1').run(assetId).changes > 0
  }

  hasFiles(assetId: string): boolean {
    return this.#db.prepare('SELECT 1 FROM pilot_file WHERE asset_id = ?').get(assetId) !== undefined
  }

  deleteFilesOfAsset(assetId: string): void {
    this.#db.prepare('DELETE FROM pilot_file WHERE asset_id = ?').run(assetId)
  }

  /** Removes one row, unless it was changed to look elsewhere meanwhile. */
  deleteFile(fileId: number, headKey: string): boolean {
    return (
      this.#db
        .prepare('DELETE FROM pilot_file WHERE id = ? AND coalesce(head_key, object_key) = ?')
        .run(fileId, headKey).changes > 0
    )
  }

  /** Rows whose bytes are looked for at the keys after `from` up to `to`. */
  listFiles(workspaceId: string, from: string, to: string): { id: number; headKey: string }[] {
    return this.#db
      .prepare<unknown[], { id: number; headKey: string }>(
        `SELECT id, object_key AS headKey FROM pilot_file
         WHERE workspace_id = ? AND object_key > ? AND object_key <= ? AND head_key IS NULL`
      )
      .all(workspaceId, from, to)
  }

  /** From now on the bytes behind this reported key are looked for at `headKey` (null: at the key itself). */
  setHeadKey(workspaceId: string, objectKey: string, headKey: string | null): void {
    this.#db
      .prepare('UPDATE pilot_file SET head_key = ? WHERE workspace_id = ? AND object_key = ?')
      .run(headKey, workspaceId, objectKey)
  }

  findBlob(blobId: string): BlobRow | undefined {
    const row = this.#db.prepare<unknown[], JoinedRow>(`SELECT ${BLOB_COLUMNS} FROM blob WHERE id = ?`).get(blobId)
    return row && blobFromRow(row)
  }

  findBlobBySha256(sha256: string): BlobRow | undefined {
    const row = this.#db
      .prepare<unknown[], JoinedRow>(`SELECT ${BLOB_COLUMNS} FROM blob WHERE sha256 = ?`)
      .get(Buffer.from(sha256, 'hex'))
    return row && blobFromRow(row)
  }

  /** Blobs kept at one key, or (with `to`) at the keys after `from` up to `to`. */
  listBlobs(from: string, to?: string): BlobRow[] {
    return this.#db
      .prepare<unknown[], JoinedRow>(
        `SELECT ${BLOB_COLUMNS} FROM blob WHERE store = ? AND ${to === undefined ? 'key = ?' : 'key > ? AND key <= ?'}`
      )
      .all(this.#storeKind, from, ...(to === undefined ? [] : [to]))
      .map(blobFromRow)
  }

  setBlobSha256(blobId: string, sha256: string): void {
    this.#db.prepare('UPDATE blob SET sha256 = ? WHERE id = ?').run(Buffer.from(sha256, 'hex'), blobId)
  }

  /** The same bytes are now kept at another place. */
  setBlobPlace(blobId: string, place: { key: string; etag: string }): void {
    this.#db
      .prepare('UPDATE blob SET store = ?, key = ?, etag = ? WHERE id = ?')
      .run(this.#storeKind, place.key, place.etag, blobId)
  }

  deleteBlob(blobId: string): void {
    this.#db.prepare('DELETE FROM blob WHERE id = ?').run(blobId)
  }

  listAssetIdsOfBlob(blobId: string): string[] {
    return this.#db
      .prepare<unknown[], { id: string }>('SELECT id FROM asset WHERE blob_id = ? ORDER BY id')
      .all(blobId)
      .map((row) => row.id)
  }

  moveAssetsToBlob(fromBlobId: string, toBlobId: string, nowMs: number): void {
    this.#db
      .prepare('UPDATE asset SET blob_id = ?, updated_at_ms = ? WHERE blob_id = ?')
      .run(toBlobId, nowMs, fromBlobId)
  }

  /** Marks the assets of a blob as having lost their bytes (null: as whole again). Gives those that changed. */
  setBytesLost(blobId: string, damage: 'bytes_missing' | 'bytes_changed' | null, nowMs: number): string[] {
    const condition = damage === null ? `damage IN ${LOST}` : `(damage IS NULL OR damage NOT IN ${LOST})`
    return this.#db
      .prepare<unknown[], { id: string }>(
        `UPDATE asset SET damage = ?, updated_at_ms = ? WHERE blob_id = ? AND ${condition} RETURNING id`
      )
      .all(damage, nowMs, blobId)
      .map((row) => row.id)
  }

  isBlobLost(blobId: string): boolean {
    return (
      this.#db.prepare(`SELECT 1 FROM asset WHERE blob_id = ? AND damage IN ${LOST} LIMIT 1`).get(blobId) !== undefined
    )
  }

  listWorkspaceIds(): string[] {
    return this.#db
      .prepare<unknown[], { id: string }>('SELECT id FROM workspace ORDER BY id')
      .all()
      .map((row) => row.id)
  }
}

function objectFromRow(row: JoinedRow): IngestedObject {
  return {
    workspaceId: row.workspace_id,
    objectKey: row.object_key,
    etag: row.etag,
    state: row.state,
    assetId: row.asset_id,
    isLost: isLost(row.damage),
    blob: blobFromRow(row)
  }
}

function blobFromRow(row: JoinedRow): BlobRow {
  return {
    id: row.blob_id,
    key: row.blob_key,
    etag: row.blob_etag,
    sizeBytes: row.size_bytes,
    sha256: row.sha256?.toString('hex') ?? null
  }
}

function isLost(damage: string | null): boolean {
  return damage === 'bytes_missing' || damage === 'bytes_changed'
}

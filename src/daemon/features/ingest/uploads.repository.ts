import type { Database } from '../../db/database.ts'
import { BLOB_COLUMNS, type BlobColumns, type BlobRow, blobFromColumns, isLost } from './blobs.repository.ts'
import type { UploadReport } from './upload-report.ts'

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

interface ObjectRow extends BlobColumns {
  workspace_id: string
  object_key: string
  etag: string
  state: IngestedObject['state']
  asset_id: string
  damage: string | null
}

const OBJECT_SELECT = `
  SELECT pilot_object.workspace_id, pilot_object.object_key, pilot_object.etag, pilot_object.state,
         pilot_object.asset_id, asset.damage, ${BLOB_COLUMNS}
  FROM pilot_object JOIN asset ON asset.id = pilot_object.asset_id JOIN blob ON blob.id = asset.blob_id`

const SHELVED_COLUMNS = `asset_id, workspace_id, fingerprint, tiny_fingerprint, object_key, is_adopted, name, path, drone_model_key,
  payload_model_key, raw_json, created_at_ms, updated_at_ms`

const BLOB_KEY = '(SELECT blob.key FROM asset JOIN blob ON blob.id = blob_id WHERE asset.id = asset_id)'
/** The key at which the bytes behind a row of pilot_file are looked for; the same as in the look-ups of `PilotRepository`. */
const FILE_PLACE = {
  local: `CASE WHEN head_key IS NULL THEN object_key ELSE ${BLOB_KEY} END`,
  s3: BLOB_KEY
}

/** What controllers sent: the versions of their objects, and the fingerprints that need not be sent again. */
export class UploadsRepository {
  readonly #db: Database
  readonly #storeKind: 'local' | 's3'

  constructor(db: Database, storeKind: 'local' | 's3') {
    this.#db = db
    this.#storeKind = storeKind
  }

  findObject(workspaceId: string, objectKey: string, etag: string): IngestedObject | undefined {
    const row = this.#db
      .prepare<unknown[], ObjectRow>(
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
      .prepare<unknown[], ObjectRow>(`${OBJECT_SELECT} WHERE pilot_object.workspace_id = ? AND ${condition}`)
      .all(workspaceId, from, ...(to === undefined ? [] : [to]))
      .map(objectFromRow)
  }

  listObjectsOfAsset(assetId: string): IngestedObject[] {
    return this.#db
      .prepare<unknown[], ObjectRow>(`${OBJECT_SELECT} WHERE pilot_object.asset_id = ?`)
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

  /** Whether this version of an object was ingested, in any workspace. */
  hasObject(objectKey: string, etag: string): boolean {
    return (
      this.#db
        .prepare(
          'SELECT 1 FROM pilot_object WHERE workspace_id IN (SELECT id FROM workspace) AND object_key = ? AND etag = ?'
        )
        .get(objectKey, etag) !== undefined
    )
  }

  /** The asset a fingerprint stands for, with its bytes. */
  findFile(
    workspaceId: string,
    fingerprint: string
  ): { assetId: string; objectKey: string; isLost: boolean; blob: BlobRow } | undefined {
    const row = this.#db
      .prepare<unknown[], ObjectRow>(
        `SELECT pilot_file.object_key, pilot_file.asset_id, asset.damage, ${BLOB_COLUMNS}
         FROM pilot_file JOIN asset ON asset.id = pilot_file.asset_id JOIN blob ON blob.id = asset.blob_id
         WHERE pilot_file.workspace_id = ? AND fingerprint = ?`
      )
      .get(workspaceId, fingerprint)
    return (
      row && {
        assetId: row.asset_id,
        objectKey: row.object_key,
        isLost: isLost(row.damage),
        blob: blobFromColumns(row)
      }
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

  /** Forgets an asset's rows for good, those of the time before it was in the bin as well. */
  deleteFilesOfAsset(assetId: string): void {
    this.#db.prepare('DELETE FROM pilot_file WHERE asset_id = ?').run(assetId)
    this.#db.prepare('DELETE FROM shelved_file WHERE asset_id = ?').run(assetId)
  }

  /** Takes an asset's rows away so that its files are wanted again. Gives other assets that have such rows waiting. */
  shelveFiles(assetId: string): string[] {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO shelved_file (${SHELVED_COLUMNS})
         SELECT ${SHELVED_COLUMNS} FROM pilot_file WHERE asset_id = ?`
      )
      .run(assetId)
    this.#db.prepare('DELETE FROM pilot_file WHERE asset_id = ?').run(assetId)
    return this.#db
      .prepare<unknown[], { id: string }>(
        `SELECT DISTINCT other.asset_id AS id FROM shelved_file AS mine
         JOIN shelved_file AS other USING (workspace_id, fingerprint)
         JOIN asset ON asset.id = other.asset_id AND asset.state <> 'binned'
         WHERE mine.asset_id = ? AND other.asset_id <> mine.asset_id ORDER BY other.asset_id`
      )
      .all(assetId)
      .map((row) => row.id)
  }

  /**
   * Brings an asset's rows back, to be looked for where its bytes are now; those whose place another asset has taken stay
   * away.
   */
  unshelveFiles(assetId: string): void {
    this.#db
      .prepare(
        `INSERT INTO pilot_file (${SHELVED_COLUMNS}, head_key)
         SELECT ${SHELVED_COLUMNS}, (SELECT nullif(blob.key, shelved_file.object_key)
                                     FROM asset JOIN blob ON blob.id = blob_id WHERE asset.id = asset_id)
         FROM shelved_file WHERE asset_id = ? ON CONFLICT (workspace_id, fingerprint) DO NOTHING`
      )
      .run(assetId)
    this.#db
      .prepare(
        `DELETE FROM shelved_file WHERE asset_id = ? AND EXISTS (
           SELECT 1 FROM pilot_file WHERE pilot_file.workspace_id = shelved_file.workspace_id
             AND pilot_file.fingerprint = shelved_file.fingerprint AND pilot_file.asset_id = shelved_file.asset_id)`
      )
      .run(assetId)
  }

  /** Removes one row, unless its bytes are looked for elsewhere by now. */
  deleteFile(fileId: number, headKey: string): boolean {
    const sql = `DELETE FROM pilot_file WHERE id = ? AND ${FILE_PLACE[this.#storeKind]} = ?`
    return this.#db.prepare(sql).run(fileId, headKey).changes > 0
  }

  /** Rows whose bytes are looked for where they were uploaded, in the connected store at the keys after `from` up to `to`. */
  listFiles(workspaceId: string, from: string, to: string): { id: number; headKey: string }[] {
    return this.#db
      .prepare<unknown[], { id: number; headKey: string }>(
        `SELECT id, object_key AS headKey FROM pilot_file
         WHERE workspace_id = ? AND object_key > ? AND object_key <= ? AND head_key IS NULL
           AND (SELECT blob.store FROM asset JOIN blob ON blob.id = blob_id WHERE asset.id = asset_id) = ?`
      )
      .all(workspaceId, from, to, this.#storeKind)
  }

  /** From now on the bytes behind this reported key are looked for where they are kept, now `headKey` (null: at the key itself). */
  setHeadKey(workspaceId: string, objectKey: string, headKey: string | null): void {
    this.#db
      .prepare('UPDATE pilot_file SET head_key = ? WHERE workspace_id = ? AND object_key = ?')
      .run(headKey, workspaceId, objectKey)
  }
}

function objectFromRow(row: ObjectRow): IngestedObject {
  return {
    workspaceId: row.workspace_id,
    objectKey: row.object_key,
    etag: row.etag,
    state: row.state,
    assetId: row.asset_id,
    isLost: isLost(row.damage),
    blob: blobFromColumns(row)
  }
}

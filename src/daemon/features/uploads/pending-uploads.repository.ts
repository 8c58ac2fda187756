import { type UploadFields, uploadFieldsSchema } from '../../../shared/api/uploads.ts'
import type { Database } from '../../db/database.ts'

export interface PendingUpload {
  id: string
  state: 'open' | 'done'
  key: string
  sizeBytes: number
  fields: UploadFields
  /** Once it is done. */
  isDuplicate: boolean | null
  expiresAtMs: number
}

interface UploadRow {
  id: string
  state: PendingUpload['state']
  key: string
  size_bytes: number
  fields_json: string
  is_duplicate: number | null
  expires_at_ms: number
}

/** Uploads that take more than one call. */
export class PendingUploadsRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  insert(upload: Omit<PendingUpload, 'state' | 'isDuplicate'>, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO upload (id, state, key, size_bytes, fields_json, created_at_ms, expires_at_ms)
         VALUES (?, 'open', ?, ?, ?, ?, ?)`
      )
      .run(upload.id, upload.key, upload.sizeBytes, JSON.stringify(upload.fields), nowMs, upload.expiresAtMs)
  }

  find(uploadId: string): PendingUpload | undefined {
    const row = this.#db.prepare<unknown[], UploadRow>('SELECT * FROM upload WHERE id = ?').get(uploadId)
    return row && uploadFromRow(row)
  }

  /** Uploads whose time is over, the oldest first. */
  listExpired(nowMs: number, limit: number): PendingUpload[] {
    return this.#db
      .prepare<unknown[], UploadRow>('SELECT * FROM upload WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?')
      .all(nowMs, limit)
      .map(uploadFromRow)
  }

  setDone(uploadId: string, isDuplicate: boolean): void {
    this.#db
      .prepare(`UPDATE upload SET state = 'done', is_duplicate = ? WHERE id = ?`)
      .run(isDuplicate ? 1 : 0, uploadId)
  }

  delete(uploadId: string): void {
    this.#db.prepare('DELETE FROM upload WHERE id = ?').run(uploadId)
  }
}

function uploadFromRow(row: UploadRow): PendingUpload {
  return {
    id: row.id,
    state: row.state,
    key: row.key,
    sizeBytes: row.size_bytes,
    fields: uploadFieldsSchema.parse(JSON.parse(row.fields_json)),
    isDuplicate: row.is_duplicate === null ? null : row.is_duplicate === 1,
    expiresAtMs: row.expires_at_ms
  }
}

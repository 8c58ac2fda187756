import { z } from 'zod'
import { type UploadFields, uploadFieldsSchema } from '../../../shared/api/uploads.ts'
import type { Database } from '../../db/database.ts'

export interface PendingUpload {
  id: string
  state: 'open' | 'done'
  key: string
  sizeBytes: number
  fields: UploadFields
  /** When it comes in parts: the store's id, and the size of each part but the last. */
  parts: { storeUploadId: string; partSizeBytes: number } | null
  /** When it is sent from its beginning to its end: how far it is, and what the client said about it. */
  appended: { offsetBytes: number; metadata: Record<string, string | null> } | null
  /** Once it is done. */
  isDuplicate: boolean | null
  expiresAtMs: number
}

export type NewUpload = Omit<PendingUpload, 'state' | 'isDuplicate'>

interface UploadRow {
  id: string
  state: PendingUpload['state']
  key: string
  size_bytes: number
  fields_json: string
  store_upload_id: string | null
  part_size_bytes: number | null
  offset_bytes: number | null
  metadata_json: string | null
  is_duplicate: number | null
  expires_at_ms: number
}

export interface UploadedPart {
  number: number
  etag: string
  /** Hex. */
  sha256: string
}

const metadataSchema = z.record(z.string(), z.string().nullable())

/** Uploads that take more than one call. */
export class PendingUploadsRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  insert(upload: NewUpload, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO upload (id, state, key, size_bytes, fields_json, store_upload_id, part_size_bytes, offset_bytes,
                             metadata_json, created_at_ms, expires_at_ms)
         VALUES (?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run(
        upload.id,
        upload.key,
        upload.sizeBytes,
        JSON.stringify(upload.fields),
        upload.parts?.storeUploadId ?? null,
        upload.parts?.partSizeBytes ?? null,
        upload.appended?.offsetBytes ?? null,
        upload.appended ? JSON.stringify(upload.appended.metadata) : null,
        nowMs,
        upload.expiresAtMs
      )
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

  setExpiry(uploadId: string, expiresAtMs: number): void {
    this.#db.prepare('UPDATE upload SET expires_at_ms = ? WHERE id = ?').run(expiresAtMs, uploadId)
  }

  /** Notes a part that is durable, in the place of one it may have been before. */
  putPart(uploadId: string, part: UploadedPart): void {
    this.#db
      .prepare(
        `INSERT INTO upload_part (upload_id, number, etag, sha256) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET etag = excluded.etag, sha256 = excluded.sha256`
      )
      .run(uploadId, part.number, part.etag, Buffer.from(part.sha256, 'hex'))
  }

  /** The parts that are there, ascending. */
  listParts(uploadId: string): UploadedPart[] {
    return this.#db
      .prepare<unknown[], { number: number; etag: string; sha256: Buffer }>(
        'SELECT number, etag, sha256 FROM upload_part WHERE upload_id = ? ORDER BY number'
      )
      .all(uploadId)
      .map((row) => ({ ...row, sha256: row.sha256.toString('hex') }))
  }

  countParts(uploadId: string): number {
    return this.#db
      .prepare<unknown[], { n: number }>('SELECT count(*) AS n FROM upload_part WHERE upload_id = ?')
      .get(uploadId)!.n
  }

  setOffset(uploadId: string, offsetBytes: number): void {
    this.#db.prepare('UPDATE upload SET offset_bytes = ? WHERE id = ?').run(offsetBytes, uploadId)
  }

  setDone(uploadId: string, isDuplicate: boolean): void {
    this.#db
      .prepare(`UPDATE upload SET state = 'done', is_duplicate = ? WHERE id = ?`)
      .run(isDuplicate ? 1 : 0, uploadId)
  }

  delete(uploadId: string): void {
    this.#db.prepare('DELETE FROM upload_part WHERE upload_id = ?').run(uploadId)
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
    parts:
      row.store_upload_id === null || row.part_size_bytes === null
        ? null
        : { storeUploadId: row.store_upload_id, partSizeBytes: row.part_size_bytes },
    appended:
      row.offset_bytes === null
        ? null
        : { offsetBytes: row.offset_bytes, metadata: metadataSchema.parse(JSON.parse(row.metadata_json ?? '{}')) },
    isDuplicate: row.is_duplicate === null ? null : row.is_duplicate === 1,
    expiresAtMs: row.expires_at_ms
  }
}

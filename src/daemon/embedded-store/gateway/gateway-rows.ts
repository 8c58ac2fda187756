import type Sqlite from 'better-sqlite3'
import type { Migration } from '../../db/migrate.ts'
import { openSqlite } from '../../db/open-sqlite.ts'
import type { ObjectChecksum, PartInfo, UploadInfo, UploadRef } from '../engine/storage-engine.ts'

const migrations: readonly Migration[] = [
  {
    version: 10,
    name: 'initial',
    up(db) {
      db.exec(`
        CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

        -- Each is one upload of the store behind. One that is completed stays for repeats of the completion.
        CREATE TABLE upload (
          id TEXT PRIMARY KEY,
          upstream_id TEXT NOT NULL,
          bucket TEXT NOT NULL,
          key TEXT NOT NULL,
          owner TEXT NOT NULL,
          info_json TEXT NOT NULL,
          completed_json TEXT,
          changed_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX upload_by_key ON upload (bucket, key, id);

        CREATE TABLE part (
          upload_id TEXT NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
          number INTEGER NOT NULL,
          upstream_etag TEXT NOT NULL,
          info_json TEXT NOT NULL,
          PRIMARY KEY (upload_id, number)
        ) STRICT, WITHOUT ROWID;
      `)
    }
  },
  {
    version: 11,
    name: 'completions without an answer',
    up(db) {
      // Of the request that was sent on last; null: none, or its answer is known.
      db.exec('ALTER TABLE upload ADD COLUMN completing_hash TEXT')
    }
  }
]

export type GatewayUpload = {
  info: UploadInfo
  upstreamId: string
  /** Hash of a completion that the store behind may have done: it was sent on, and no answer came. */
  completingHash: string | null
  completed: CompletedRow | null
}
export type GatewayPart = PartInfo & { upstreamEtag: string }
/** The answer to a completion, and which request it was given to. */
export type CompletedRow = { requestHash: string; etag: string; sizeBytes: number; checksum: ObjectChecksum | null }

type UploadRow = {
  upstreamId: string
  infoJson: string
  completingHash: string | null
  completedJson: string | null
}
type PartRow = { upstreamEtag: string; infoJson: string }

const UPLOAD = `upstream_id AS upstreamId, info_json AS infoJson, completing_hash AS completingHash,
  completed_json AS completedJson`

/** What the gateway has to remember: which upload of its own is which one of the store behind, and their parts. */
export class GatewayRows {
  readonly #db: Sqlite.Database

  constructor(filePath: string) {
    this.#db = openSqlite(filePath, migrations)
  }

  close(): void {
    this.#db.close()
  }

  fact(name: string): string | null {
    const row = this.#db.prepare<[string], { value: string }>('SELECT value FROM fact WHERE name = ?').get(name)
    return row?.value ?? null
  }

  /** Null removes it. */
  setFact(name: string, value: string | null): void {
    if (value === null) this.#db.prepare('DELETE FROM fact WHERE name = ?').run(name)
    else this.#db.prepare('INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)').run(name, value)
  }

  addUpload(info: UploadInfo, upstreamId: string): void {
    const { uploadId, bucket, key, owner, createdAtMs } = info
    this.#db
      .prepare(
        `INSERT INTO upload (id, upstream_id, bucket, key, owner, info_json, completed_json, changed_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, NULL, ?)`
      )
      .run(uploadId, upstreamId, bucket, key, owner, JSON.stringify(info), createdAtMs)
  }

  /** All four have to fit. */
  findUpload({ uploadId, bucket, key, owner }: UploadRef): GatewayUpload | undefined {
    const row = this.#db
      .prepare<[string, string, string, string], UploadRow>(
        `SELECT ${UPLOAD} FROM upload WHERE id = ? AND bucket = ? AND key = ? AND owner = ?`
      )
      .get(uploadId, bucket, key, owner)
    return row && uploadOf(row)
  }

  /** Those under way of the bucket, ascending by key and then by id. */
  uploads(bucket: string): UploadInfo[] {
    return this.#db
      .prepare<[string], UploadRow>(
        `SELECT ${UPLOAD} FROM upload WHERE bucket = ? AND completed_json IS NULL ORDER BY key, id`
      )
      .all(bucket)
      .map((row) => uploadOf(row).info)
  }

  /** Those that nothing was done with since, and those that were completed before then. */
  changedBefore(atMs: number): GatewayUpload[] {
    return this.#db
      .prepare<[number], UploadRow>(`SELECT ${UPLOAD} FROM upload WHERE changed_at_ms < ?`)
      .all(atMs)
      .map(uploadOf)
  }

  /** Null: the answer to it is known. */
  setCompleting(uploadId: string, requestHash: string | null): void {
    this.#db.prepare('UPDATE upload SET completing_hash = ? WHERE id = ?').run(requestHash, uploadId)
  }

  setCompleted(uploadId: string, completed: CompletedRow, nowMs: number): void {
    this.#db
      .prepare('UPDATE upload SET completed_json = ?, changed_at_ms = ? WHERE id = ?')
      .run(JSON.stringify(completed), nowMs, uploadId)
    this.#db.prepare('DELETE FROM part WHERE upload_id = ?').run(uploadId)
  }

  removeUpload(uploadId: string): void {
    this.#db.prepare('DELETE FROM upload WHERE id = ?').run(uploadId)
  }

  /** Takes the place of the part that had this number. */
  setPart(uploadId: string, { upstreamEtag, ...info }: GatewayPart): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO part (upload_id, number, upstream_etag, info_json) VALUES (?, ?, ?, ?)')
      .run(uploadId, info.number, upstreamEtag, JSON.stringify(info))
    this.#db.prepare('UPDATE upload SET changed_at_ms = ? WHERE id = ?').run(info.lastModifiedMs, uploadId)
  }

  /** Ascending by number. */
  parts(uploadId: string): GatewayPart[] {
    return this.#db
      .prepare<[string], PartRow>(
        'SELECT upstream_etag AS upstreamEtag, info_json AS infoJson FROM part WHERE upload_id = ? ORDER BY number'
      )
      .all(uploadId)
      .map(({ upstreamEtag, infoJson }) => ({ ...(JSON.parse(infoJson) as PartInfo), upstreamEtag }))
  }
}

function uploadOf({ upstreamId, infoJson, completingHash, completedJson }: UploadRow): GatewayUpload {
  return {
    upstreamId,
    completingHash,
    info: JSON.parse(infoJson) as UploadInfo,
    completed: completedJson === null ? null : (JSON.parse(completedJson) as CompletedRow)
  }
}

import type { QuarantineEntry } from '../../../shared/api/delivery.ts'
import { isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'

interface Row {
  sha256: Buffer
  reason: string
  created_by: string
  created_at_ms: number
  asset_count: number
}

const COLUMNS = `quarantine.*, (SELECT count(*) FROM asset JOIN blob ON blob.id = asset.blob_id
                                WHERE blob.sha256 = quarantine.sha256) AS asset_count`

/** Digests are hex outside. */
export class QuarantineRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  has(sha256: string): boolean {
    return this.#db.prepare('SELECT 1 FROM quarantine WHERE sha256 = ?').get(bytesOf(sha256)) !== undefined
  }

  isAny(): boolean {
    return this.#db.prepare('SELECT 1 FROM quarantine LIMIT 1').get() !== undefined
  }

  find(sha256: string): QuarantineEntry | undefined {
    const row = this.#db
      .prepare<unknown[], Row>(`SELECT ${COLUMNS} FROM quarantine WHERE sha256 = ?`)
      .get(bytesOf(sha256))
    return row && entryFromRow(row)
  }

  /** Entries after `cursor`, ascending by digest. */
  list(cursor: string | undefined, limit: number): QuarantineEntry[] {
    return this.#db
      .prepare<unknown[], Row>(`SELECT ${COLUMNS} FROM quarantine WHERE sha256 > ? ORDER BY sha256 LIMIT ?`)
      .all(bytesOf(cursor ?? ''), limit)
      .map(entryFromRow)
  }

  put(sha256: string, reason: string, createdBy: string, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO quarantine (sha256, reason, created_by, created_at_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET reason = excluded.reason`
      )
      .run(bytesOf(sha256), reason, createdBy, nowMs)
  }

  /** False when there was nothing. */
  delete(sha256: string): boolean {
    return this.#db.prepare('DELETE FROM quarantine WHERE sha256 = ?').run(bytesOf(sha256)).changes > 0
  }

  listAssetIds(sha256: string): string[] {
    return this.#db
      .prepare<unknown[], { id: string }>(
        'SELECT asset.id FROM asset JOIN blob ON blob.id = asset.blob_id WHERE blob.sha256 = ? ORDER BY asset.id'
      )
      .all(bytesOf(sha256))
      .map(({ id }) => id)
  }
}

const bytesOf = (sha256: string) => Buffer.from(sha256, 'hex')

function entryFromRow(row: Row): QuarantineEntry {
  return {
    sha256: row.sha256.toString('hex'),
    reason: row.reason,
    createdBy: row.created_by,
    createdAt: isoFromMs(row.created_at_ms),
    assetCount: row.asset_count
  }
}

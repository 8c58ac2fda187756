import type { Database } from '../../db/database.ts'

export interface BlobRow {
  id: string
  /** The name of the store that has it: the kind of the connected one, or a former one. */
  store: string
  key: string
  etag: string
  sizeBytes: number
  /** Hex. */
  sha256: string | null
}

/** A blob's columns where it is joined to other rows. */
export interface BlobColumns {
  blob_id: string
  blob_store: string
  blob_key: string
  blob_etag: string
  size_bytes: number
  sha256: Buffer | null
}

export const BLOB_COLUMNS = `blob.id AS blob_id, blob.store AS blob_store, blob.key AS blob_key, blob.etag AS blob_etag, blob.size_bytes,
  blob.sha256`
const LOST = `('bytes_missing', 'bytes_changed')`

/** Bytes: where they are kept, what they are, and whether the assets that show them still can. */
export class BlobsRepository {
  readonly #db: Database
  readonly #storeKind: string

  constructor(db: Database, storeKind: string) {
    this.#db = db
    this.#storeKind = storeKind
  }

  insert(blob: Omit<BlobRow, 'sha256' | 'store'>, nowMs: number): void {
    this.#db
      .prepare('INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)')
      .run(blob.id, this.#storeKind, blob.key, blob.sizeBytes, blob.etag, nowMs)
  }

  find(blobId: string): BlobRow | undefined {
    const row = this.#db.prepare<unknown[], BlobColumns>(`SELECT ${BLOB_COLUMNS} FROM blob WHERE id = ?`).get(blobId)
    return row && blobFromColumns(row)
  }

  findBySha256(sha256: string): BlobRow | undefined {
    const row = this.#db
      .prepare<unknown[], BlobColumns>(`SELECT ${BLOB_COLUMNS} FROM blob WHERE sha256 = ?`)
      .get(Buffer.from(sha256, 'hex'))
    return row && blobFromColumns(row)
  }

  /** Blobs kept in the connected store at one key, or (with `to`) at the keys after `from` up to `to`. */
  list(from: string, to?: string): BlobRow[] {
    return this.#db
      .prepare<unknown[], BlobColumns>(
        `SELECT ${BLOB_COLUMNS} FROM blob WHERE store = ? AND ${to === undefined ? 'key = ?' : 'key > ? AND key <= ?'}`
      )
      .all(this.#storeKind, from, ...(to === undefined ? [] : [to]))
      .map(blobFromColumns)
  }

  setSha256(blobId: string, sha256: string): void {
    this.#db.prepare('UPDATE blob SET sha256 = ? WHERE id = ?').run(Buffer.from(sha256, 'hex'), blobId)
  }

  /** The same bytes are now kept at another place, in the connected store. */
  setPlace(blobId: string, place: { key: string; etag: string }): void {
    this.#db
      .prepare('UPDATE blob SET store = ?, key = ?, etag = ? WHERE id = ?')
      .run(this.#storeKind, place.key, place.etag, blobId)
  }

  delete(blobId: string): void {
    this.#db.prepare('DELETE FROM blob WHERE id = ?').run(blobId)
  }

  listAssetIds(blobId: string): string[] {
    return this.#db
      .prepare<unknown[], { id: string }>('SELECT id FROM asset WHERE blob_id = ? ORDER BY id')
      .all(blobId)
      .map((row) => row.id)
  }

  moveAssets(fromBlobId: string, toBlobId: string, nowMs: number): void {
    this.#db
      .prepare('UPDATE asset SET blob_id = ?, updated_at_ms = ? WHERE blob_id = ?')
      .run(toBlobId, nowMs, fromBlobId)
  }

  /** Marks the assets of a blob as having lost their bytes. Gives those that had not been marked. */
  setBytesLost(blobId: string, damage: 'bytes_missing' | 'bytes_changed', nowMs: number): string[] {
    return this.#db
      .prepare<unknown[], { id: string }>(
        `UPDATE asset SET damage = ?, updated_at_ms = ?
         WHERE blob_id = ? AND (damage IS NULL OR damage NOT IN ${LOST}) RETURNING id`
      )
      .all(damage, nowMs, blobId)
      .map((row) => row.id)
  }

  /**
   * Takes back all that was found wrong with the assets of a blob, in the store or in the content: it was found in other
   * bytes than they have now. Gives those that had something wrong.
   */
  clearDamage(blobId: string, nowMs: number): string[] {
    return this.#db
      .prepare<unknown[], { id: string }>(
        `UPDATE asset SET damage = NULL, updated_at_ms = ?
         WHERE blob_id = ? AND (damage IS NOT NULL OR preview_problem IN ${LOST}) RETURNING id`
      )
      .all(nowMs, blobId)
      .map((row) => row.id)
  }

  isLost(blobId: string): boolean {
    return (
      this.#db.prepare(`SELECT 1 FROM asset WHERE blob_id = ? AND damage IN ${LOST} LIMIT 1`).get(blobId) !== undefined
    )
  }
}

export function blobFromColumns(row: BlobColumns): BlobRow {
  return {
    id: row.blob_id,
    store: row.blob_store,
    key: row.blob_key,
    etag: row.blob_etag,
    sizeBytes: row.size_bytes,
    sha256: row.sha256?.toString('hex') ?? null
  }
}

/** Whether an asset's damage means that its bytes are not there. */
export function isLost(damage: string | null): boolean {
  return damage === 'bytes_missing' || damage === 'bytes_changed'
}

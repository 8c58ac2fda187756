import type { PublishedBlob } from './body-writer.ts'
import type { IndexDatabase } from './index-database.ts'
import type { Changes } from './recovery/changes.ts'

/** How long a blob nobody points at keeps its file, for readers that found it just before. */
export const GC_DELAY_MS = 60_000

export type BlobState = 'ok' | 'damaged'
export type BlobRow = {
  id: string
  sizeBytes: number
  sha256: string
  md5: string
  crc32c: string
  state: BlobState
  verifiedAtMs: number | null
}

/** SQL of payload files and of those waiting to be removed. Call inside a transaction. */
export class BlobRows {
  readonly #changes: Changes
  readonly #insert
  readonly #addReference
  readonly #dropReference
  readonly #condemn
  readonly #find
  readonly #setDamaged
  readonly #setOk
  readonly #setVerified
  readonly #due
  readonly #delete
  readonly #page
  readonly #owners

  constructor(db: IndexDatabase, changes: Changes) {
    this.#changes = changes
    this.#insert = db.prepare<[string, number, string, string, string, number, number]>(
      `INSERT INTO blob (id, size_bytes, sha256, md5, crc32c, refcount, created_at_ms, verified_at_ms)
       VALUES (?, ?, ?, ?, ?, 1, ?, ?)`
    )
    this.#addReference = db.prepare<[string]>(`UPDATE blob SET refcount = refcount + 1 WHERE id = ?`)
    this.#dropReference = db.prepare<[string], { refcount: number }>(
      `UPDATE blob SET refcount = refcount - 1 WHERE id = ? RETURNING refcount`
    )
    this.#condemn = db.prepare<[string, number]>(`INSERT OR REPLACE INTO gc (blob_id, not_before_ms) VALUES (?, ?)`)
    this.#find = db.prepare<[string], BlobRow>(
      `SELECT id, size_bytes AS sizeBytes, sha256, md5, crc32c, state, verified_at_ms AS verifiedAtMs FROM blob WHERE id = ?`
    )
    this.#setDamaged = db.prepare<[number, string, string]>(
      `UPDATE blob SET state = 'damaged', damaged_at_ms = ?, damage_reason = ? WHERE id = ?`
    )
    this.#setOk = db.prepare<[string]>(
      `UPDATE blob SET state = 'ok', damaged_at_ms = NULL, damage_reason = NULL WHERE id = ?`
    )
    this.#setVerified = db.prepare<[number, string]>(`UPDATE blob SET verified_at_ms = ? WHERE id = ?`)
    this.#due = db.prepare<[number, number], { id: string }>(
      `SELECT blob_id AS id FROM gc JOIN blob ON blob.id = gc.blob_id
       WHERE not_before_ms <= ? AND refcount = 0 ORDER BY not_before_ms LIMIT ?`
    )
    this.#delete = db.prepare<[string]>(`DELETE FROM blob WHERE id = ? AND refcount = 0`)
    this.#page = db.prepare<[string, number], BlobRow>(
      `SELECT id, size_bytes AS sizeBytes, sha256, md5, crc32c, state, verified_at_ms AS verifiedAtMs FROM blob WHERE id > ? ORDER BY id LIMIT ?`
    )
    this.#owners = db.prepare<[string], { bucket: string; key: string }>(
      `SELECT DISTINCT bucket.name AS bucket, object.key AS key
       FROM extent JOIN object ON object.rev = extent.object_rev JOIN bucket ON bucket.id = object.bucket_id
       WHERE extent.blob_id = ?`
    )
  }

  /** Adds a new blob with one reference. */
  insert(blob: PublishedBlob, nowMs: number): void {
    const { id, sizeBytes, sha256, md5, checksums } = blob
    this.#insert.run(id, sizeBytes, sha256, md5 ?? '', checksums.CRC32C ?? '', nowMs, nowMs)
    this.#changes.payload()
  }

  addReference(blobId: string): void {
    this.#addReference.run(blobId)
  }

  /** Takes one reference away; without any left the file is removed some time after. */
  dropReference(blobId: string, nowMs: number): void {
    if (this.#dropReference.get(blobId)?.refcount === 0) this.#condemn.run(blobId, nowMs + GC_DELAY_MS)
  }

  find(blobId: string): BlobRow | undefined {
    return this.#find.get(blobId)
  }

  setDamaged(blobId: string, reason: string, nowMs: number): void {
    this.#setDamaged.run(nowMs, reason, blobId)
  }

  setOk(blobId: string): void {
    this.#setOk.run(blobId)
  }

  /** Its bytes were found to be right at `nowMs`. */
  setVerified(blobId: string, nowMs: number): void {
    this.#setVerified.run(nowMs, blobId)
  }

  /** Blobs nobody points at whose waiting time is over at `nowMs`, oldest first. */
  due(nowMs: number, limit: number): string[] {
    return this.#due.all(nowMs, limit).map((row) => row.id)
  }

  /** Forgets an unreferenced blob. */
  delete(blobId: string): void {
    this.#delete.run(blobId)
  }

  /** Blobs in id order, after `afterId`. */
  page(afterId: string, limit: number): BlobRow[] {
    return this.#page.all(afterId, limit)
  }

  /** The objects that lie (partly) in the blob. */
  objectsIn(blobId: string): { bucket: string; key: string }[] {
    return this.#owners.all(blobId)
  }
}

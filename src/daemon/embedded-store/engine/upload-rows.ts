import type { IndexDatabase } from './index-database.ts'
import { parseHeaders, parseMetadata } from './object-rows.ts'
import type { ChecksumAlgorithm, ChecksumType, PartInfo, UploadInfo, UploadRef } from './storage-engine.ts'

export type UploadRow = {
  id: string
  bucketId: number
  bucket: string
  key: string
  owner: string
  headersJson: string
  metadataJson: string
  checksumAlgorithm: ChecksumAlgorithm | null
  checksumType: ChecksumType | null
  createdAtMs: number
}
export type PartRow = PartInfo & { blobId: string; crc32c: string; sha256: string }
export type CompletedRow = { requestHash: string; resultJson: string }

const UPLOAD_COLUMNS = `upload.id, bucket_id AS bucketId, bucket.name AS bucket, key, upload.owner AS owner,
  headers_json AS headersJson, metadata_json AS metadataJson, checksum_algorithm AS checksumAlgorithm,
  checksum_type AS checksumType, upload.created_at_ms AS createdAtMs`
const UPLOADS = `upload JOIN bucket ON bucket.id = upload.bucket_id`
const PART_COLUMNS = `number, part.size_bytes AS sizeBytes, etag, part.created_at_ms AS lastModifiedMs, checksum,
  blob_id AS blobId, blob.crc32c AS crc32c, blob.sha256 AS sha256`

/** SQL of unfinished uploads, their parts, and the answers of finished ones. */
export class UploadRows {
  readonly #insert
  readonly #find
  readonly #touch
  readonly #delete
  readonly #parts
  readonly #allParts
  readonly #part
  readonly #upsertPart
  readonly #inBucket
  readonly #firstIdle
  readonly #deletePart
  readonly #completed
  readonly #insertCompleted
  readonly #expireCompleted
  readonly #from
  readonly #after
  readonly #laterOfKey

  constructor(db: IndexDatabase) {
    this.#insert = db.prepare<[Omit<UploadRow, 'bucket'>]>(
      `INSERT INTO upload (id, bucket_id, key, owner, headers_json, metadata_json, checksum_algorithm, checksum_type,
         created_at_ms, touched_at_ms)
       VALUES (@id, @bucketId, @key, @owner, @headersJson, @metadataJson, @checksumAlgorithm, @checksumType,
         @createdAtMs, @createdAtMs)`
    )
    this.#find = db.prepare<[UploadRef], UploadRow>(
      `SELECT ${UPLOAD_COLUMNS} FROM ${UPLOADS}
       WHERE upload.id = @uploadId AND bucket.name = @bucket AND key = @key AND upload.owner = @owner`
    )
    this.#touch = db.prepare<[number, string]>(`UPDATE upload SET touched_at_ms = ? WHERE id = ?`)
    this.#delete = db.prepare<[string]>(`DELETE FROM upload WHERE id = ?`)
    this.#parts = db.prepare<[string, number, number], PartRow>(
      `SELECT ${PART_COLUMNS} FROM part JOIN blob ON blob.id = part.blob_id
       WHERE upload_id = ? AND number > ? ORDER BY number LIMIT ?`
    )
    this.#allParts = db.prepare<[string], PartRow>(
      `SELECT ${PART_COLUMNS} FROM part JOIN blob ON blob.id = part.blob_id WHERE upload_id = ? ORDER BY number`
    )
    this.#part = db.prepare<[string, number], { blobId: string }>(
      `SELECT blob_id AS blobId FROM part WHERE upload_id = ? AND number = ?`
    )
    this.#upsertPart = db.prepare<[string, number, string, number, string, string | null, number]>(
      `INSERT OR REPLACE INTO part (upload_id, number, blob_id, size_bytes, etag, checksum, created_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?)`
    )
    this.#inBucket = db.prepare<[number], { id: string }>(`SELECT id FROM upload WHERE bucket_id = ?`)
    this.#firstIdle = db.prepare<[number], { id: string }>(
      `SELECT id FROM upload WHERE touched_at_ms < ? ORDER BY touched_at_ms LIMIT 1`
    )
    this.#deletePart = db.prepare<[string, number]>(`DELETE FROM part WHERE upload_id = ? AND number = ?`)
    this.#completed = db.prepare<[UploadRef], CompletedRow>(
      `SELECT request_hash AS requestHash, result_json AS resultJson FROM completed_upload
       WHERE upload_id = @uploadId AND bucket = @bucket AND key = @key AND owner = @owner`
    )
    this.#insertCompleted = db.prepare<[UploadRef & CompletedRow & { atMs: number }]>(
      `INSERT INTO completed_upload (upload_id, bucket, key, owner, request_hash, result_json, completed_at_ms)
       VALUES (@uploadId, @bucket, @key, @owner, @requestHash, @resultJson, @atMs)`
    )
    this.#expireCompleted = db.prepare<[number, number]>(
      `DELETE FROM completed_upload WHERE upload_id IN
         (SELECT upload_id FROM completed_upload WHERE completed_at_ms < ? ORDER BY completed_at_ms LIMIT ?)`
    )
    const uploadsWhere = (condition: string) =>
      db.prepare<[number, string, string | Buffer], UploadRow>(
        `SELECT ${UPLOAD_COLUMNS} FROM ${UPLOADS} WHERE bucket_id = ? AND ${condition} ORDER BY key, upload.id`
      )
    this.#from = uploadsWhere('key >= ? AND key < ?')
    this.#after = uploadsWhere('key > ? AND key < ?')
    this.#laterOfKey = uploadsWhere('key = ? AND upload.id > ?')
  }

  insert(row: Omit<UploadRow, 'bucket'>): void {
    this.#insert.run(row)
  }

  /** The upload, if all of the reference fits. */
  find(upload: UploadRef): UploadRow | undefined {
    return this.#find.get(upload)
  }

  touch(id: string, nowMs: number): void {
    this.#touch.run(nowMs, id)
  }

  /** Deletes the upload and its part rows; their blobs' references are the caller's to drop. */
  delete(id: string): void {
    this.#delete.run(id)
  }

  partsAfter(id: string, number: number, limit: number): PartRow[] {
    return this.#parts.all(id, number, limit)
  }

  allParts(id: string): PartRow[] {
    return this.#allParts.all(id)
  }

  partBlob(id: string, number: number): string | undefined {
    return this.#part.get(id, number)?.blobId
  }

  putPart(id: string, part: PartInfo & { blobId: string }): void {
    this.#upsertPart.run(id, part.number, part.blobId, part.sizeBytes, part.etag, part.checksum, part.lastModifiedMs)
  }

  idsInBucket(bucketId: number): string[] {
    return this.#inBucket.all(bucketId).map((row) => row.id)
  }

  /** The upload without a new part since `beforeMs` that has waited longest. */
  firstIdleSince(beforeMs: number): string | undefined {
    return this.#firstIdle.get(beforeMs)?.id
  }

  /** Deletes the row of a part; its blob's reference is the caller's to drop. */
  deletePart(id: string, number: number): void {
    this.#deletePart.run(id, number)
  }

  findCompleted(upload: UploadRef): CompletedRow | undefined {
    return this.#completed.get(upload)
  }

  insertCompleted(upload: UploadRef, completed: CompletedRow, atMs: number): void {
    const { bucket, key, owner, uploadId } = upload
    this.#insertCompleted.run({ bucket, key, owner, uploadId, ...completed, atMs })
  }

  /** Forgets the oldest of the completions before `beforeMs`; gives how many. */
  forgetCompleted(beforeMs: number, limit: number): number {
    return this.#expireCompleted.run(beforeMs, limit).changes
  }

  /** By key, then id, from a key on (or strictly after it) and before `end`. */
  scan(bucketId: number, start: { key: string; inclusive: boolean }, end: string | Buffer): Iterable<UploadRow> {
    return (start.inclusive ? this.#from : this.#after).iterate(bucketId, start.key, end)
  }

  /** Uploads of one key with ids after `id`. */
  laterOfKey(bucketId: number, key: string, id: string): Iterable<UploadRow> {
    return this.#laterOfKey.iterate(bucketId, key, id)
  }
}

export function uploadInfoOf(row: UploadRow): UploadInfo {
  const { bucket, key, id, owner, createdAtMs, checksumAlgorithm: algorithm, checksumType: type } = row
  return {
    bucket,
    key,
    uploadId: id,
    owner,
    createdAtMs,
    headers: parseHeaders(row.headersJson),
    metadata: parseMetadata(row.metadataJson),
    checksum: algorithm && type ? { algorithm, type } : null
  }
}

export function partInfoOf({ number, sizeBytes, etag, lastModifiedMs, checksum }: PartRow): PartInfo {
  return { number, sizeBytes, etag, lastModifiedMs, checksum }
}

import { z } from 'zod'
import type { BlobRows, BlobState } from './blob-rows.ts'
import type { IndexDatabase } from './index-database.ts'
import type { Changes } from './recovery/changes.ts'
import {
  type ChecksumAlgorithm,
  type ChecksumType,
  type ObjectChecksum,
  type ObjectInfo,
  type PartLayout,
  STORED_HEADERS,
  type StoredHeaders,
  type UserMetadata
} from './storage-engine.ts'

export const storedHeaders = z.partialRecord(z.enum(STORED_HEADERS), z.string())
export const userMetadata = z.record(z.string(), z.string())

/** Reads a `headers_json` column. */
export const parseHeaders = (json: string): StoredHeaders => storedHeaders.parse(JSON.parse(json))
/** Reads a `metadata_json` column. */
export const parseMetadata = (json: string): UserMetadata => userMetadata.parse(JSON.parse(json))

export type ObjectRow = {
  bucketId: number
  key: string
  rev: string
  sizeBytes: number
  etag: string
  lastModifiedMs: number
  sha256: string | null
  checksumAlgorithm: ChecksumAlgorithm | null
  checksumType: ChecksumType | null
  checksumValue: string | null
  headersJson: string
  metadataJson: string
  partCount: number | null
}

/** A stretch of an object: `lengthBytes` bytes of a blob from `offsetBytes`. */
export type Extent = { blobId: string; offsetBytes: number; lengthBytes: number }
export type ExtentRow = Extent & { blobSizeBytes: number; state: BlobState; sha256: string; crc32c: string }

const COLUMNS = `bucket_id AS bucketId, key, rev, size_bytes AS sizeBytes, etag, last_modified_ms AS lastModifiedMs, sha256,
  checksum_algorithm AS checksumAlgorithm, checksum_type AS checksumType, checksum_value AS checksumValue,
  headers_json AS headersJson, metadata_json AS metadataJson, part_count AS partCount`

/** Where the bytes of a version lie that has more than one extent. */
export type PiecesRow = {
  rev: string
  bucket: string
  key: string
  sizeBytes: number
  lastModifiedMs: number
  extents: number
  /** Whether none of its blobs is known to be damaged. */
  isWhole: boolean
  /** Whether other objects lie in one of its blobs. */
  isShared: boolean
}

/** SQL of objects, their extents and part sizes. Changes belong inside a transaction. */
export class ObjectRows {
  readonly #blobs: BlobRows
  readonly #changes: Changes
  readonly #find
  readonly #insert
  readonly #delete
  readonly #extents
  readonly #insertExtent
  readonly #deleteExtents
  readonly #parts
  readonly #insertPart
  readonly #setSha256
  readonly #byRev
  readonly #nextInPieces

  constructor(db: IndexDatabase, blobs: BlobRows, changes: Changes) {
    this.#blobs = blobs
    this.#changes = changes
    this.#find = db.prepare<[number, string], ObjectRow>(
      `SELECT ${COLUMNS} FROM object WHERE bucket_id = ? AND key = ?`
    )
    this.#insert = db.prepare<[ObjectRow]>(
      `INSERT INTO object (bucket_id, key, rev, size_bytes, etag, last_modified_ms, sha256, checksum_algorithm,
         checksum_type, checksum_value, headers_json, metadata_json, part_count)
       VALUES (@bucketId, @key, @rev, @sizeBytes, @etag, @lastModifiedMs, @sha256, @checksumAlgorithm,
         @checksumType, @checksumValue, @headersJson, @metadataJson, @partCount)`
    )
    this.#delete = db.prepare<[number, string]>(`DELETE FROM object WHERE bucket_id = ? AND key = ?`)
    this.#extents = db.prepare<[string], ExtentRow>(
      `SELECT blob_id AS blobId, offset_bytes AS offsetBytes, length_bytes AS lengthBytes,
         blob.size_bytes AS blobSizeBytes, blob.state AS state, blob.sha256 AS sha256, blob.crc32c AS crc32c
       FROM extent JOIN blob ON blob.id = extent.blob_id WHERE object_rev = ? ORDER BY seq`
    )
    this.#insertExtent = db.prepare<[string, number, string, number, number]>(
      `INSERT INTO extent (object_rev, seq, blob_id, offset_bytes, length_bytes) VALUES (?, ?, ?, ?, ?)`
    )
    this.#deleteExtents = db.prepare<[string]>(`DELETE FROM extent WHERE object_rev = ?`)
    this.#parts = db.prepare<[string], PartLayout>(
      `SELECT number, size_bytes AS sizeBytes, checksum FROM object_part WHERE object_rev = ? ORDER BY number`
    )
    this.#insertPart = db.prepare<[string, number, number, string | null]>(
      `INSERT INTO object_part (object_rev, number, size_bytes, checksum) VALUES (?, ?, ?, ?)`
    )
    this.#setSha256 = db.prepare<[string, string]>(`UPDATE object SET sha256 = ? WHERE rev = ?`)
    this.#byRev = db.prepare<[string], { bucketId: number; key: string }>(
      `SELECT bucket_id AS bucketId, key FROM object WHERE rev = ?`
    )
    this.#nextInPieces = db.prepare<
      [string],
      Omit<PiecesRow, 'isWhole' | 'isShared'> & { damaged: number; references: number }
    >(
      `SELECT object.rev AS rev, bucket.name AS bucket, object.key AS key, object.size_bytes AS sizeBytes,
         last_modified_ms AS lastModifiedMs, COUNT(*) AS extents, SUM(blob.state = 'damaged') AS damaged,
         MAX(blob.refcount) AS "references"
       FROM (SELECT object_rev FROM extent WHERE seq = 1 AND object_rev > ? ORDER BY object_rev LIMIT 1) AS next
         CROSS JOIN object ON object.rev = next.object_rev JOIN bucket ON bucket.id = object.bucket_id
         JOIN extent ON extent.object_rev = object.rev JOIN blob ON blob.id = extent.blob_id
       GROUP BY object.rev`
    )
  }

  find(bucketId: number, key: string): ObjectRow | undefined {
    return this.#find.get(bucketId, key)
  }

  extents(rev: string): ExtentRow[] {
    return this.#extents.all(rev)
  }

  /** Puts an object in place of whatever the key held. The new extents' references must have been counted already. */
  replace(row: ObjectRow, extents: readonly Extent[]): void {
    this.remove(row.bucketId, row.key, row.lastModifiedMs)
    this.#insert.run(row)
    this.#insertExtents(row.rev, extents)
    this.#changes.object(row.bucketId, row.key)
  }

  /** Removes the key's object and its references, if there is one. */
  remove(bucketId: number, key: string, nowMs: number): boolean {
    const old = this.find(bucketId, key)
    if (!old) return false
    this.#dropExtents(old.rev, nowMs)
    this.#delete.run(bucketId, key)
    this.#changes.object(bucketId, key)
    return true
  }

  /** Exchanges where the bytes of a version lie. The new extents' references must have been counted already. */
  swapExtents(rev: string, extents: readonly Extent[], nowMs: number): void {
    this.#dropExtents(rev, nowMs)
    this.#insertExtents(rev, extents)
    this.#changed(rev)
  }

  insertParts(rev: string, parts: readonly PartLayout[]): void {
    for (const part of parts) this.#insertPart.run(rev, part.number, part.sizeBytes, part.checksum)
  }

  /** Records a digest; nothing happens when the version is gone. */
  setSha256(rev: string, sha256: string): void {
    this.#setSha256.run(sha256, rev)
    this.#changed(rev)
  }

  /** The first version after `rev` with more than one extent. */
  nextInPieces(rev: string): PiecesRow | undefined {
    const row = this.#nextInPieces.get(rev)
    if (!row) return undefined
    const { damaged, references, ...pieces } = row
    return { ...pieces, isWhole: damaged === 0, isShared: references > 1 }
  }

  toInfo(bucket: string, row: ObjectRow): ObjectInfo {
    return { ...this.toSummary(bucket, row), parts: row.partCount === null ? null : this.#parts.all(row.rev) }
  }

  /** The object without its part sizes, which can be many. */
  toSummary(bucket: string, row: ObjectRow): Omit<ObjectInfo, 'parts'> {
    return {
      bucket,
      key: row.key,
      sizeBytes: row.sizeBytes,
      etag: row.etag,
      lastModifiedMs: row.lastModifiedMs,
      headers: parseHeaders(row.headersJson),
      metadata: parseMetadata(row.metadataJson),
      checksum: checksumOfRow(row),
      sha256: row.sha256
    }
  }

  #changed(rev: string): void {
    const object = this.#byRev.get(rev)
    if (object) this.#changes.object(object.bucketId, object.key)
  }

  #insertExtents(rev: string, extents: readonly Extent[]): void {
    extents.forEach((extent, seq) => {
      this.#insertExtent.run(rev, seq, extent.blobId, extent.offsetBytes, extent.lengthBytes)
    })
  }

  #dropExtents(rev: string, nowMs: number): void {
    const old = this.#extents.all(rev)
    this.#deleteExtents.run(rev)
    for (const { blobId } of old) this.#blobs.dropReference(blobId, nowMs)
  }
}

/** The checksum columns as one value. */
export function checksumOfRow(
  row: Pick<ObjectRow, 'checksumAlgorithm' | 'checksumType' | 'checksumValue'>
): ObjectChecksum | null {
  const { checksumAlgorithm: algorithm, checksumType: type, checksumValue: value } = row
  return algorithm && type && value !== null ? { algorithm, type, value } : null
}

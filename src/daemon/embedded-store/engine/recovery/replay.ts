import type { IndexDatabase } from '../index-database.ts'
import type { RecordedObject, RecoveryRecord } from './recovery-record.ts'

/** Brings an index that is being made anew to what the records of logs say, one after the other. Call inside transactions. */
export class Replay {
  readonly #addBucket
  readonly #setBucket
  readonly #bucketId
  readonly #emptyBucket
  readonly #deleteObject
  readonly #insertBlob
  readonly #insertObject
  readonly #insertExtent
  readonly #insertPart

  constructor(db: IndexDatabase) {
    this.#addBucket = db.prepare<[string, string, number]>(
      `INSERT INTO bucket (name, owner, created_at_ms) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING`
    )
    this.#setBucket = db.prepare<[string, number, string | null, string]>(
      `UPDATE bucket SET owner = ?, created_at_ms = ?, cors_json = ? WHERE name = ?`
    )
    this.#bucketId = db.prepare<[string], { id: number }>(`SELECT id FROM bucket WHERE name = ?`)
    this.#emptyBucket = [
      `DELETE FROM object WHERE bucket_id = ?`,
      `DELETE FROM upload WHERE bucket_id = ?`,
      `DELETE FROM bucket WHERE id = ?`
    ].map((sql) => db.prepare<[number]>(sql))
    this.#deleteObject = db.prepare<[number, string]>(`DELETE FROM object WHERE bucket_id = ? AND key = ?`)
    this.#insertBlob = db.prepare<[RecordedObject['extents'][number] & { createdAtMs: number }]>(
      `INSERT INTO blob (id, size_bytes, sha256, md5, crc32c, refcount, created_at_ms, verified_at_ms)
       VALUES (@blobId, @blobSizeBytes, @sha256, @md5, @crc32c, 0, @createdAtMs, @createdAtMs) ON CONFLICT (id) DO NOTHING`
    )
    this.#insertObject = db.prepare<[object]>(
      `INSERT INTO object (bucket_id, key, rev, size_bytes, etag, last_modified_ms, sha256, checksum_algorithm, checksum_type,
         checksum_value, headers_json, metadata_json, part_count)
       VALUES (@bucketId, @key, @rev, @sizeBytes, @etag, @lastModifiedMs, @sha256, @checksumAlgorithm, @checksumType,
         @checksumValue, @headersJson, @metadataJson, @partCount)`
    )
    this.#insertExtent = db.prepare<[string, number, string, number, number]>(
      `INSERT INTO extent (object_rev, seq, blob_id, offset_bytes, length_bytes) VALUES (?, ?, ?, ?, ?)`
    )
    this.#insertPart = db.prepare<[string, number, number, string | null]>(
      `INSERT INTO object_part (object_rev, number, size_bytes, checksum) VALUES (?, ?, ?, ?)`
    )
  }

  apply(record: RecoveryRecord): void {
    if (record.what === 'bucket') this.#applyBucket(record)
    if (record.what === 'object') this.#applyObject(record)
  }

  #applyBucket({ name, bucket }: Extract<RecoveryRecord, { what: 'bucket' }>): void {
    if (bucket === null) {
      const row = this.#bucketId.get(name)
      if (row) for (const statement of this.#emptyBucket) statement.run(row.id)
      return
    }
    this.#addBucket.run(name, bucket.owner, bucket.createdAtMs)
    this.#setBucket.run(bucket.owner, bucket.createdAtMs, bucket.corsJson, name)
  }

  #applyObject({ bucket, owner, key, object }: Extract<RecoveryRecord, { what: 'object' }>): void {
    // The line of its bucket may be lost.
    this.#addBucket.run(bucket, owner, object?.lastModifiedMs ?? 0)
    const bucketId = this.#bucketId.get(bucket)?.id
    if (bucketId === undefined) throw new Error('A bucket that was just added is there.')
    this.#deleteObject.run(bucketId, key)
    if (object) this.#insert(bucketId, key, object)
  }

  #insert(bucketId: number, key: string, object: RecordedObject): void {
    const { extents, parts, headers, metadata, ...facts } = object
    this.#insertObject.run({
      ...facts,
      bucketId,
      key,
      headersJson: JSON.stringify(headers),
      metadataJson: JSON.stringify(metadata),
      partCount: parts?.length ?? null
    })
    for (const [seq, extent] of extents.entries()) {
      this.#insertBlob.run({ ...extent, createdAtMs: object.lastModifiedMs })
      this.#insertExtent.run(object.rev, seq, extent.blobId, extent.offsetBytes, extent.lengthBytes)
    }
    for (const { number, sizeBytes, checksum } of parts ?? [])
      this.#insertPart.run(object.rev, number, sizeBytes, checksum)
  }
}

import type { IndexDatabase } from './index-database.ts'
import type { DamagedObject, StoreUsage } from './store-maintenance.ts'

const IDLE_AFTER_MS = 24 * 3_600_000

type UploadUsage = Pick<StoreUsage, 'unfinishedUploads' | 'unfinishedBytes' | 'idleUploads'>

/** SQL of what people are told of the store. */
export class UsageRows {
  readonly #stored
  readonly #uploads
  readonly #damaged

  constructor(db: IndexDatabase) {
    // Counted by triggers: adding up a million rows would hold everything up for a quarter of a second.
    this.#stored = db.prepare<[], Omit<StoreUsage, keyof UploadUsage>>(
      `SELECT objects, object_bytes AS objectBytes, blobs, blob_bytes AS blobBytes FROM store_usage`
    )
    this.#uploads = db.prepare<[number], UploadUsage>(
      `SELECT COUNT(*) AS unfinishedUploads,
         (SELECT COALESCE(SUM(size_bytes), 0) FROM part) AS unfinishedBytes,
         COUNT(*) FILTER (WHERE touched_at_ms < ?) AS idleUploads
       FROM upload`
    )
    this.#damaged = db.prepare<[string, string, number], DamagedObject>(
      `SELECT bucket.name AS bucket, object.key AS key, object.size_bytes AS sizeBytes,
         last_modified_ms AS lastModifiedMs, MIN(damaged_at_ms) AS foundAtMs, damage_reason AS reason
       FROM blob CROSS JOIN extent ON extent.blob_id = blob.id
         CROSS JOIN object ON object.rev = extent.object_rev JOIN bucket ON bucket.id = object.bucket_id
       WHERE blob.state = 'damaged' AND (bucket.name, object.key) > (?, ?)
       GROUP BY bucket.name, object.key ORDER BY bucket.name, object.key LIMIT ?`
    )
  }

  usage(nowMs: number): StoreUsage {
    const stored = this.#stored.get()
    const uploads = this.#uploads.get(nowMs - IDLE_AFTER_MS)
    if (!stored || !uploads) throw new Error('The index has lost its counters.')
    return { ...stored, ...uploads }
  }

  /** See `StoreMaintenance.damagedObjects`. */
  damagedObjects(after: { bucket: string; key: string }, limit: number): DamagedObject[] {
    return this.#damaged.all(after.bucket, after.key, limit)
  }
}

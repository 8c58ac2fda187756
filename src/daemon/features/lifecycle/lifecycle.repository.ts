import type { Database } from '../../db/database.ts'

/** What is known of an asset that is about to go. */
export interface LastWords {
  workspaceId: string
  blobId: string
  name: string
  kind: string
  /** The key the bytes were uploaded to. */
  objectKey: string
  sizeBytes: number
  /** Hex; null when it was never computed. */
  sha256: string | null
}

/** An asset whose time may be over; where a listing by age goes on. */
export interface AgeCursor {
  sinceMs: number
  id: string
}

/** Before the first one. */
export const BEGINNING: AgeCursor = { sinceMs: Number.MIN_SAFE_INTEGER, id: '' }
export const FIRST_BLOB: BlobCursor = { blobId: '', id: '' }

/** A stretch of a listing by age. */
export interface Stretch {
  untilMs: number
  after: AgeCursor
  limit: number
}

/** What is purged together, and so keeps no bytes: `orphanedUntilMs` is null when orphans are not. */
export interface Purge {
  binnedUntilMs: number
  orphanedUntilMs: number | null
  /** For what is held until a later moment. */
  nowMs: number
}

/** How many assets of a stretch are due. */
export interface Counted {
  count: number
  /** The last asset of the stretch; null when it reaches to the end. */
  last: AgeCursor | null
}

/** Where a listing by blob goes on. */
export interface BlobCursor {
  blobId: string
  id: string
}

/** How many assets of a stretch are purged, and the bytes that become free with the whole purge. */
export interface Measured {
  count: number
  freedBytes: number
  /** The last asset of the stretch; null when it reaches to the end. */
  last: BlobCursor | null
}

/** An orphan whose near end nobody was told of. */
export interface UntoldOrphan extends AgeCursor {
  /** When the last temporary reference is over; null without one. */
  heldUntilMs: number | null
  workspaceId: string
  name: string
}

const BINNED = `FROM asset WHERE binned_at_ms <= :untilMs AND (binned_at_ms, id) > (:sinceMs, :id) ORDER BY binned_at_ms, id`
const ORPHANED = `FROM asset WHERE state = 'pending_reference' AND pending_since_ms <= :untilMs
  AND (pending_since_ms, id) > (:sinceMs, :id) ORDER BY pending_since_ms, id`
const ARCHIVED = `FROM asset WHERE state = 'pending_reference' AND archived_at_ms <= :untilMs
  AND (archived_at_ms, id) > (:sinceMs, :id) ORDER BY archived_at_ms, id`
const AFTER_BLOB = '(blob_id, id) > (:blobId, :id) ORDER BY blob_id, id'
const BY_BLOB = {
  bin: `SELECT blob_id AS blobId, id, binned_at_ms AS sinceMs, size_bytes FROM asset INDEXED BY asset_in_bin_by_blob
        WHERE binned_at_ms IS NOT NULL AND ${AFTER_BLOB}`,
  orphans: `SELECT blob_id AS blobId, id, pending_since_ms AS sinceMs, size_bytes FROM asset INDEXED BY asset_pending_by_blob
            WHERE state = 'pending_reference' AND ${AFTER_BLOB}`
}
const notHeldForAWhile = (asset: string): string =>
  `NOT EXISTS (SELECT 1 FROM reference
               WHERE asset_id = ${asset}.id AND kind = 'temporary' AND expires_at_ms > :nowMs)`

/** The bytes of the assets that are `due`, as far as none that stays has the same; several that go count once. */
const FREED_BYTES = `
  coalesce(sum(CASE WHEN EXISTS (
    SELECT 1 FROM asset AS other WHERE other.blob_id = due.blobId AND other.id <> due.id AND (
      other.id < due.id
      OR ifnull(other.binned_at_ms <= :binnedUntilMs,
                other.pending_since_ms <= :orphanedUntilMs AND ${notHeldForAWhile('other')}) IS NOT TRUE)
  ) THEN 0 ELSE due.size_bytes END), 0)`

/** Assets by how long they have waited for a reference, or lain in the bin. */
export class LifecycleRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Assets that wait for a reference since `untilMs` or longer, by age; also those that a temporary one holds. */
  listOrphans({ untilMs, after, limit }: Stretch): AgeCursor[] {
    return this.#db
      .prepare<object, AgeCursor>(`SELECT id, pending_since_ms AS sinceMs ${ORPHANED} LIMIT :limit`)
      .all({ untilMs, ...after, limit })
  }

  /** Assets that are in the archive since `untilMs` or longer, by age; also those that a temporary reference holds. */
  listArchived({ untilMs, after, limit }: Stretch): AgeCursor[] {
    return this.#db
      .prepare<object, AgeCursor>(`SELECT id, archived_at_ms AS sinceMs ${ARCHIVED} LIMIT :limit`)
      .all({ untilMs, ...after, limit })
  }

  /** As {@link listOrphans}, but for those that a temporary reference holds at `nowMs`. */
  countOrphans(stretch: Stretch, nowMs: number): Counted {
    return this.#count(ORPHANED, 'pending_since_ms', stretch, nowMs)
  }

  /** As {@link listArchived}, but for those that a temporary reference holds at `nowMs`. */
  countArchived(stretch: Stretch, nowMs: number): Counted {
    return this.#count(ARCHIVED, 'archived_at_ms', stretch, nowMs)
  }

  /** Assets that are in the bin since `untilMs` or longer, by age. */
  listBinned({ untilMs, after, limit }: Stretch): AgeCursor[] {
    return this.#db
      .prepare<object, AgeCursor>(`SELECT id, binned_at_ms AS sinceMs ${BINNED} LIMIT :limit`)
      .all({ untilMs, ...after, limit })
  }

  /**
   * What a purge takes of the next `limit` assets in the bin, or of those that wait. In the order of blobs: looking for others with the
   * same bytes then costs next to nothing.
   */
  measurePurge(from: 'bin' | 'orphans', purge: Purge, after: BlobCursor, limit: number): Measured {
    const [stretch, due] =
      from === 'bin'
        ? [BY_BLOB.bin, 'due.sinceMs <= :binnedUntilMs']
        : [BY_BLOB.orphans, `due.sinceMs <= :orphanedUntilMs AND ${notHeldForAWhile('due')}`]
    const sums = this.#db
      .prepare<object, Omit<Measured, 'last'>>(
        `SELECT count(*) AS count, ${FREED_BYTES} AS freedBytes FROM (${stretch} LIMIT :limit) AS due WHERE ${due}`
      )
      .get({ ...after, limit, ...purge })!
    const last = this.#db
      .prepare<object, BlobCursor>(`SELECT blobId, id FROM (${stretch} LIMIT 1 OFFSET :limit - 1)`)
      .get({ ...after, limit })
    return { ...sums, last: last ?? null }
  }

  #count(source: string, sinceColumn: string, { untilMs, after, limit }: Stretch, nowMs: number): Counted {
    const bounds = { untilMs, ...after, limit }
    const { count } = this.#db
      .prepare<object, { count: number }>(
        `SELECT count(*) AS count FROM (SELECT id ${source} LIMIT :limit) AS due WHERE ${notHeldForAWhile('due')}`
      )
      .get({ ...bounds, nowMs })!
    const last = this.#db
      .prepare<object, AgeCursor>(`SELECT id, ${sinceColumn} AS sinceMs ${source} LIMIT 1 OFFSET :limit - 1`)
      .get(bounds)
    return { count, last: last ?? null }
  }

  /** As {@link listOrphans}, those that were not told of in this grace period. */
  listUntold({ untilMs, after, limit }: Stretch): UntoldOrphan[] {
    return this.#db
      .prepare<object, UntoldOrphan>(
        `SELECT id, pending_since_ms AS sinceMs, workspace_id AS workspaceId, name,
                (SELECT max(expires_at_ms) FROM reference WHERE asset_id = asset.id AND kind = 'temporary') AS heldUntilMs
         FROM asset WHERE state = 'pending_reference' AND expiry_told_at_ms IS NULL AND pending_since_ms <= :untilMs
           AND (pending_since_ms, id) > (:sinceMs, :id) ORDER BY pending_since_ms, id LIMIT :limit`
      )
      .all({ untilMs, ...after, limit })
  }

  setTold(assetId: string, nowMs: number): void {
    this.#db.prepare('UPDATE asset SET expiry_told_at_ms = ? WHERE id = ?').run(nowMs, assetId)
  }

  findLastWords(assetId: string): LastWords | undefined {
    const row = this.#db
      .prepare<unknown[], Omit<LastWords, 'sha256'> & { sha256: Buffer | null }>(
        `SELECT workspace_id AS workspaceId, blob_id AS blobId, name, kind, object_key AS objectKey, asset.size_bytes AS sizeBytes, sha256
         FROM asset JOIN blob ON blob.id = blob_id WHERE asset.id = ?`
      )
      .get(assetId)
    return row && { ...row, sha256: row.sha256?.toString('hex') ?? null }
  }

  /** Deletes the asset and its references. What else belongs to it must have been let go before. */
  deleteAsset(assetId: string): void {
    this.#db.prepare('DELETE FROM reference WHERE asset_id = ?').run(assetId)
    this.#db.prepare('DELETE FROM asset WHERE id = ?').run(assetId)
  }
}

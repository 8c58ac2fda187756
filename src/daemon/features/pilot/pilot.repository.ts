import type { Database } from '../../db/database.ts'

/** A file a controller already has here. */
export interface KnownFile {
  id: number
  fingerprint: string
  tinyFingerprint: string | null
  /** The key as the controller reported it. */
  objectKey: string
  /** The key whose object proves that the bytes are there. */
  headKey: string
  /** The version that must be there; null: any. */
  etag: string | null
  assetId: string
  name: string
  /** The asset has lost its bytes: the file is wanted again. */
  isLost: boolean
}

interface Row {
  id: number
  is_adopted: number
  fingerprint: string
  tiny_fingerprint: string | null
  object_key: string
  head_key: string
  etag: string | null
  asset_id: string
  name: string
  damage: string | null
}

const SELECT = {
  // The bytes are pinned; whatever is at the controller's key takes nothing away from them. A subquery, because a join costs
  // several times as much, most of it even when nothing is found. A row with a head_key follows its blob: that key is where
  // the bytes were when it was written.
  local: `SELECT id, is_adopted, fingerprint, tiny_fingerprint, object_key,
                 CASE WHEN head_key IS NULL THEN object_key
                      ELSE (SELECT blob.key FROM asset JOIN blob ON blob.id = blob_id WHERE asset.id = asset_id)
                 END AS head_key, NULL AS etag, asset_id, name, (SELECT damage FROM asset WHERE asset.id = asset_id) AS damage
          FROM pilot_file WHERE workspace_id = ?`,
  // The bytes are where the blob says, and a controller may have overwritten them.
  s3: `SELECT pilot_file.id, is_adopted, fingerprint, tiny_fingerprint, pilot_file.object_key, blob.key AS head_key,
              blob.etag, asset_id, pilot_file.name, damage
       FROM pilot_file JOIN asset ON asset.id = asset_id JOIN blob ON blob.id = blob_id
       WHERE pilot_file.workspace_id = ?`
}
const TINY_CHUNK = 500
/** Sizes of the IN lists that are compiled; a chunk is filled up with NULLs, which match nothing. */
const TINY_SIZES = [4, 32, TINY_CHUNK]

/** What controllers ask before they upload. Rows are written by ingest only. */
export class PilotRepository {
  readonly #db: Database
  // Texts are put together once: the one for each call would have to be hashed to find its statement.
  readonly #byFingerprint: string
  readonly #byTiny: readonly { size: number; sql: string }[]

  constructor(db: Database, storeKind: 'local' | 's3') {
    this.#db = db
    const select = SELECT[storeKind]
    this.#byFingerprint = `${select} AND fingerprint = ?`
    this.#byTiny = TINY_SIZES.map((size) => ({
      size,
      sql: `${select} AND tiny_fingerprint IN (${Array(size).fill('?').join()})`
    }))
  }

  /** By full fingerprint, as given; one adopted by the reconciler also in other letter case. */
  findByFingerprint(workspaceId: string, fingerprint: string): KnownFile | undefined {
    const find = this.#db.prepare<unknown[], Row>(this.#byFingerprint)
    const exact = find.get(workspaceId, fingerprint)
    if (exact) return fromRow(exact)
    const upperCase = fingerprint.toUpperCase()
    const adopted = upperCase === fingerprint ? undefined : find.get(workspaceId, upperCase)
    return adopted?.is_adopted === 1 ? fromRow(adopted) : undefined
  }

  /** By tiny fingerprint, at most 500 at a time; several files may share one. */
  findByTinyFingerprints(workspaceId: string, tinyFingerprints: readonly string[]): KnownFile[] {
    const statement = this.#byTiny.find(({ size }) => size >= tinyFingerprints.length)
    if (!statement) throw new RangeError(`more than ${TINY_CHUNK} tiny fingerprints at once`)
    const values: (string | null)[] = [...tinyFingerprints]
    while (values.length < statement.size) values.push(null)
    return this.#db
      .prepare<unknown[], Row>(statement.sql)
      .all(workspaceId, ...values)
      .map(fromRow)
  }

  /**
   * Whether this controller is the one that uploads into a day's folder itself: the first that asked on that day. Two
   * controllers that send files of the same name at the same moment must not overwrite each other's.
   */
  claimDayFolder(workspaceId: string, day: string, controllerId: string): boolean {
    const find = this.#db.prepare<unknown[], { controller_id: string }>(
      'SELECT controller_id FROM upload_folder WHERE workspace_id = ? AND day = ?'
    )
    const holder = find.get(workspaceId, day)
    if (holder) return holder.controller_id === controllerId
    this.#db
      .prepare('INSERT INTO upload_folder (workspace_id, day, controller_id) VALUES (?, ?, ?)')
      .run(workspaceId, day, controllerId)
    return true
  }
}

function fromRow(row: Row): KnownFile {
  return {
    id: row.id,
    fingerprint: row.fingerprint,
    tinyFingerprint: row.tiny_fingerprint,
    objectKey: row.object_key,
    headKey: row.head_key,
    etag: row.etag,
    assetId: row.asset_id,
    name: row.name,
    isLost: row.damage === 'bytes_missing' || row.damage === 'bytes_changed'
  }
}

import type { Database } from '../db/database.ts'

/** Where a store of others is, as the configuration says it. */
export interface StorePlace {
  endpoint: string
  bucket: string
  rootPrefix: string | null
}

/** What the catalogue calls the store of others that is connected. */
const CONNECTED = 's3'
/** So many of its oldest objects, and so many of its latest, show whether a store has what the catalogue says. */
const LOOKED_AT = 10

/** What the catalogue knows of its stores: which one the external one is, and which former ones hold objects. */
export class StoreBook {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** The store of others that was connected last; undefined before it was first known. */
  connected(): { id: string; place: StorePlace } | undefined {
    const row = this.#db
      .prepare<[string], { id: string; endpoint: string; bucket: string; root_prefix: string | null }>(
        'SELECT id, endpoint, bucket, root_prefix FROM object_store WHERE name = ? AND id IS NOT NULL'
      )
      .get(CONNECTED)
    return row && { id: row.id, place: { endpoint: row.endpoint, bucket: row.bucket, rootPrefix: row.root_prefix } }
  }

  /** The embedded store is used. */
  noteEmbedded(): void {
    this.#db.prepare(`INSERT OR IGNORE INTO object_store (name) VALUES ('local')`).run()
  }

  /**
   * From now on the store of others is the one with this id, at this place. What is in the former one stays noted as being there,
   * and what was noted as being in this one counts again. True when it is another one than before.
   */
  connect(id: string, { endpoint, bucket, rootPrefix }: StorePlace): boolean {
    return this.#db.transaction(() => {
      const former = this.connected()
      const isOther = former !== undefined && former.id !== id
      if (isOther) this.#rename(CONNECTED, former.id)
      this.#rename(id, CONNECTED)
      this.#db
        .prepare(
          `INSERT INTO object_store (name, id, endpoint, bucket, root_prefix) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (name) DO UPDATE SET
             id = excluded.id, endpoint = excluded.endpoint, bucket = excluded.bucket, root_prefix = excluded.root_prefix`
        )
        .run(CONNECTED, id, endpoint, bucket, rootPrefix)
      return isOther
    })
  }

  /** What stood before keys of ours until now, the present prefix aside: a changed prefix is no change of the store. */
  formerRoots(root: string): string[] {
    return this.#db
      .prepare<[string], string>('SELECT prefix FROM object_root WHERE prefix <> ? ORDER BY prefix')
      .pluck()
      .all(root)
  }

  /** Some of the objects that must be in the store of others, unless it is another one. */
  sample(): { key: string; etag: string }[] {
    const some = (order: 'ASC' | 'DESC') =>
      this.#db
        .prepare<[string, number], { key: string; etag: string }>(
          `SELECT key, etag FROM blob WHERE store = ? AND NOT EXISTS (
             SELECT 1 FROM asset WHERE blob_id = blob.id AND damage IN ('bytes_missing', 'bytes_changed'))
           ORDER BY id ${order} LIMIT ?`
        )
        .all(CONNECTED, LOOKED_AT)
    const all = [...some('ASC'), ...some('DESC')]
    return [...new Map(all.map((object) => [`${object.etag} ${object.key}`, object])).values()]
  }

  /** Whether bytes of the catalogue are at this key of a store that is not connected, and none in the connected one (`kind`). */
  isElsewhere(key: string, kind: string): boolean {
    const isAt = (store: string) => `EXISTS (SELECT 1 FROM blob WHERE store = ${store} AND key = ?)`
    return (
      this.#db
        .prepare(
          `SELECT 1 FROM object_store WHERE name <> ? AND ${isAt('object_store.name')} AND NOT ${isAt('?')} LIMIT 1`
        )
        .get(kind, key, kind, key) !== undefined
    )
  }

  #rename(from: string, to: string): void {
    for (const table of ['blob', 'object_removal'])
      this.#db.prepare(`UPDATE ${table} SET store = ? WHERE store = ?`).run(to, from)
    this.#db.prepare('UPDATE object_store SET name = ? WHERE name = ?').run(to, from)
  }
}

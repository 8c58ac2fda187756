import type { Database } from '../db/database.ts'
import { newId } from '../ids.ts'

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

  /** The store of others that was connected last; `id` null: it was used before stores had ids, `place` null: nobody knows where. */
  connected(): { id: string | null; place: StorePlace | null } | undefined {
    const row = this.#db
      .prepare<
        [string],
        { id: string | null; endpoint: string | null; bucket: string | null; root_prefix: string | null }
      >('SELECT id, endpoint, bucket, root_prefix FROM object_store WHERE name = ?')
      .get(CONNECTED)
    if (row === undefined) return undefined
    const { id, endpoint, bucket, root_prefix: rootPrefix } = row
    return { id, place: endpoint === null || bucket === null ? null : { endpoint, bucket, rootPrefix } }
  }

  /** Former stores that have no id. */
  unidentified(): string[] {
    return this.#db
      .prepare<[string], string>(`SELECT name FROM object_store WHERE id IS NULL AND name NOT IN ('local', ?)`)
      .pluck()
      .all(CONNECTED)
  }

  /** The embedded store is used. */
  noteEmbedded(): void {
    this.#db.prepare(`INSERT OR IGNORE INTO object_store (name) VALUES ('local')`).run()
  }

  /** At this place is not the store that was used before there were ids; another place is another answer. */
  noteRefused({ endpoint, bucket, rootPrefix }: StorePlace): void {
    this.#db
      .prepare(
        `UPDATE object_store SET endpoint = ?, bucket = ?, root_prefix = ?
         WHERE name = ? AND id IS NULL AND endpoint IS NULL`
      )
      .run(endpoint, bucket, rootPrefix, CONNECTED)
  }

  /** The connected store has this id, and is at this place now. */
  keep(id: string, { endpoint, bucket, rootPrefix }: StorePlace): void {
    this.#db
      .prepare(
        `INSERT INTO object_store (name, id, endpoint, bucket, root_prefix) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET
           id = excluded.id, endpoint = excluded.endpoint, bucket = excluded.bucket, root_prefix = excluded.root_prefix`
      )
      .run(CONNECTED, id, endpoint, bucket, rootPrefix)
  }

  /**
   * From now on the store of others is another one. What is in the former one stays noted as being there, and what was noted as
   * being in this one, by its id or as `former`, counts again.
   */
  switchTo(id: string, place: StorePlace, former: string = id): void {
    this.#db.transaction(() => {
      const left = this.connected()
      if (left) this.#rename(CONNECTED, left.id ?? newId())
      this.#rename(former, CONNECTED)
      this.keep(id, place)
    })
  }

  /** What stood before keys of ours until now, the present prefix aside: a changed prefix is no change of the store. */
  formerRoots(root: string): string[] {
    return this.#db
      .prepare<[string], string>('SELECT prefix FROM object_root WHERE prefix <> ? ORDER BY prefix')
      .pluck()
      .all(root)
  }

  /** Some of the objects that must be in the store of this name, unless it is another one; in the connected one of others. */
  sample(name = CONNECTED): { key: string; etag: string }[] {
    const some = (order: 'ASC' | 'DESC') =>
      this.#db
        .prepare<[string, number], { key: string; etag: string }>(
          `SELECT key, etag FROM blob WHERE store = ? AND NOT EXISTS (
             SELECT 1 FROM asset WHERE blob_id = blob.id AND damage IN ('bytes_missing', 'bytes_changed'))
           ORDER BY id ${order} LIMIT ?`
        )
        .all(name, LOOKED_AT)
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

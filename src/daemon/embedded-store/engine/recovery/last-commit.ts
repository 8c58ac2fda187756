import type { IndexDatabase } from '../index-database.ts'
import type { Changes } from './changes.ts'

/** Commits by their numbers, from the first to the last of them; none where `first` is greater. */
export type CommitRange = { first: number; last: number }

/**
 * SQL of what the index knows of its own last commit: its number, and what it and those right before it changed that a log may lack. Written
 * with each commit, to rows that are replaced each time.
 */
export class LastCommit {
  readonly #range
  readonly #changes
  readonly #clear
  readonly #insert

  constructor(db: IndexDatabase) {
    this.#range = db.prepare<[], CommitRange>(
      `SELECT COALESCE(MIN(first), 1) AS first, COALESCE(MAX(last), 0) AS last FROM last_commit`
    )
    this.#changes = db.prepare<[], { bucket: string | null; bucketId: number | null; key: string | null }>(
      `SELECT bucket, bucket_id AS bucketId, key FROM last_commit`
    )
    this.#clear = db.prepare<[]>(`DELETE FROM last_commit`)
    this.#insert = db.prepare<[number, number, string | null, number | null, string | null]>(
      `INSERT INTO last_commit (first, last, bucket, bucket_id, key) VALUES (?, ?, ?, ?, ?)`
    )
  }

  /** The commits that the changes are of. The last one is the last of the index, 0 before the first. */
  range(): CommitRange {
    return this.#range.get() ?? { first: 1, last: 0 }
  }

  addTo(changes: Changes): void {
    for (const { bucket, bucketId, key } of this.#changes.iterate())
      if (bucket !== null) changes.bucket(bucket)
      else if (bucketId !== null && key !== null) changes.object(bucketId, key)
  }

  /** Call inside a transaction. Without `changes` a log lacks nothing of them. */
  replaceBy({ first, last }: CommitRange, changes?: Changes): void {
    this.#clear.run()
    let rows = 0
    const insert = (bucket: string | null, bucketId: number | null, key: string | null) => {
      this.#insert.run(first, last, bucket, bucketId, key)
      rows++
    }
    for (const name of changes?.buckets() ?? []) insert(name, null, null)
    for (const [bucketId, keys] of changes?.objects() ?? []) for (const key of keys) insert(null, bucketId, key)
    if (rows === 0) insert(null, null, null)
  }
}

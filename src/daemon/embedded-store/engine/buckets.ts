import type { GroupCommit } from './group-commit.ts'
import type { IndexDatabase } from './index-database.ts'
import { assertBucketName } from './names.ts'
import type { Changes } from './recovery/changes.ts'
import { type BucketInfo, StorageError } from './storage-engine.ts'

type BucketRow = BucketInfo & { id: number }

const COLUMNS = `id, name, owner, created_at_ms AS createdAtMs, cors_json AS corsJson`

/** Buckets: names, owners, CORS configuration. */
export class Buckets {
  readonly #commits: GroupCommit
  readonly #changes: Changes
  readonly #now: () => number
  readonly #find
  readonly #insert
  readonly #delete
  readonly #hasObjects
  readonly #setCors
  readonly #list

  constructor(deps: { db: IndexDatabase; commits: GroupCommit; changes: Changes; now: () => number }) {
    const { db } = deps
    this.#commits = deps.commits
    this.#changes = deps.changes
    this.#now = deps.now
    this.#find = db.prepare<[string], BucketRow>(`SELECT ${COLUMNS} FROM bucket WHERE name = ?`)
    this.#insert = db.prepare<[string, string, number]>(
      `INSERT INTO bucket (name, owner, created_at_ms) VALUES (?, ?, ?)`
    )
    this.#delete = db.prepare<[number]>(`DELETE FROM bucket WHERE id = ?`)
    this.#hasObjects = db.prepare<[number]>(`SELECT 1 FROM object WHERE bucket_id = ? LIMIT 1`)
    this.#setCors = db.prepare<[string | null, number]>(`UPDATE bucket SET cors_json = ? WHERE id = ?`)
    this.#list = db.prepare<[string, string, string, number], BucketRow>(
      `SELECT ${COLUMNS} FROM bucket WHERE name > ? AND substr(name, 1, length(?)) = ? ORDER BY name LIMIT ?`
    )
  }

  /** The bucket's row id. Raises `NoSuchBucket`. */
  idOf(name: string): number {
    return this.#get(name).id
  }

  /** Raises `NoSuchBucket`. */
  head(name: string): BucketInfo {
    return toInfo(this.#get(name))
  }

  list({ prefix = '', after = '', limit = -1 }: { prefix?: string; after?: string; limit?: number }): BucketInfo[] {
    return this.#list.all(after, prefix, prefix, limit).map(toInfo)
  }

  async create({ name, owner }: { name: string; owner: string }): Promise<{ bucket: BucketInfo; created: boolean }> {
    assertBucketName(name)
    return this.#commits.run(() => {
      const existing = this.#find.get(name)
      if (existing && existing.owner !== owner)
        throw new StorageError('BucketAlreadyExists', 'The bucket belongs to another account.', { bucket: name })
      if (!existing) {
        this.#insert.run(name, owner, this.#now())
        this.#changes.bucket(name)
      }
      return { bucket: this.head(name), created: !existing }
    })
  }

  /** Removes an empty bucket; `removeUploads` clears its unfinished uploads in the same transaction. */
  async delete(name: string, removeUploads: (bucketId: number) => void): Promise<void> {
    await this.#commits.run(() => {
      const { id } = this.#get(name)
      if (this.#hasObjects.get(id))
        throw new StorageError('BucketNotEmpty', 'The bucket still holds objects.', { bucket: name })
      removeUploads(id)
      this.#delete.run(id)
      this.#changes.bucket(name)
    })
  }

  async setCors(name: string, corsJson: string | null): Promise<void> {
    await this.#commits.run(() => {
      this.#setCors.run(corsJson, this.#get(name).id)
      this.#changes.bucket(name)
    })
  }

  #get(name: string): BucketRow {
    const row = this.#find.get(name)
    if (!row) throw new StorageError('NoSuchBucket', 'The specified bucket does not exist.', { bucket: name })
    return row
  }
}

function toInfo({ name, owner, createdAtMs, corsJson }: BucketRow): BucketInfo {
  return { name, owner, createdAtMs, corsJson }
}

import type { Logger } from 'pino'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/database.ts'
import { messageOf } from '../errors.ts'
import { type BoundJob, bindJob, defineJob } from '../jobs/define-job.ts'
import type { JobQueue } from '../jobs/job-queue.ts'
import { isStoreTrouble, whenStoreAnswers } from '../jobs/when-store-answers.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { removeVersion } from '../object-store/object-versions.ts'

/** Removes what is due; one at a time, so that a million removals are one row in the queue. */
const removeObjectsJob = defineJob({
  name: 'store.remove-objects',
  payload: z.object({}),
  lane: 'io',
  priority: 60,
  maxAttempts: 8,
  timeoutMs: 3600_000,
  dedupeKey: () => 'all'
})

const AGAIN_AFTER_MS = 3_600_000

/** In the place of an etag: the key is a prefix, and everything below it goes. No store has such an etag. */
const BELOW = '*'

export interface RemovalWork {
  store: ObjectStore
  /** Whether anything in the catalogue has its bytes in this version of the object. */
  isInUse: (key: string, etag: string) => boolean
  /** Runs `work` while nobody takes in what is at this key. */
  exclusively: <T>(key: string, work: () => Promise<T>) => Promise<T>
}

/** The wish that an object goes: written with the rows that let go of it, carried out after the commit, until it is done. */
export class ObjectRemovals {
  readonly #db: Database
  readonly #queue: JobQueue
  readonly #clock: Clock
  readonly #log: Logger
  readonly #store: string

  /** `storeKind`: that of the store which is connected, as in the catalogue. */
  constructor(deps: { db: Database; queue: JobQueue; clock: Clock; log: Logger; storeKind: ObjectStore['kind'] }) {
    this.#db = deps.db
    this.#store = deps.storeKind
    this.#queue = deps.queue
    this.#clock = deps.clock
    this.#log = deps.log
    this.#db.prepare(`UPDATE OR REPLACE object_removal SET store = ? WHERE store = ''`).run(this.#store)
  }

  /**
   * Has this version of an object removed (`etag` null: whatever is there), now or after a time, unless it is in use then. Call it
   * in a transaction, if others write with it. `store`: where it is, if not in the connected one; then it waits for that store.
   */
  request(key: string, etag: string | null, options: { afterMs?: number; store?: string } = {}): void {
    const { afterMs = 0, store = this.#store } = options
    this.#db
      .prepare(
        `INSERT INTO object_removal (store, key, etag, due_at_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET due_at_ms = min(due_at_ms, excluded.due_at_ms)`
      )
      .run(store, key, etag ?? '', this.#clock.nowMs() + afterMs)
    if (afterMs === 0) this.enqueue()
  }

  /**
   * Has everything removed whose key begins with `prefix` and that is not in use then, in every store of the catalogue as soon as it
   * is connected. For folders that only we write to.
   */
  requestBelow(prefix: string): void {
    const stores = this.#db.prepare<[string], string>('SELECT ? UNION SELECT name FROM object_store').pluck()
    for (const store of stores.all(this.#store)) this.request(prefix, BELOW, { store })
  }

  /** The object is needed after all. Call it in the transaction that uses it. */
  cancel(key: string, etag: string): void {
    this.#db.prepare('DELETE FROM object_removal WHERE store = ? AND key = ? AND etag = ?').run(this.#store, key, etag)
  }

  isRequested(key: string, etag: string): boolean {
    return (
      this.#db
        .prepare(`SELECT 1 FROM object_removal WHERE store = ? AND key = ? AND etag IN (?, '')`)
        .get(this.#store, key, etag) !== undefined
    )
  }

  /** How many objects still have to go from the connected store. */
  count(): number {
    return this.#db
      .prepare<[string], number>('SELECT count(*) FROM object_removal WHERE store = ?')
      .pluck()
      .get(this.#store)!
  }

  /** Has what is due removed: also what failed before. */
  enqueue(): void {
    this.#queue.enqueue(removeObjectsJob, {})
  }

  bindJob(work: RemovalWork): BoundJob {
    return bindJob(removeObjectsJob, (_, { signal }) =>
      whenStoreAnswers(async () => {
        for (let next = this.#nextDue(); next !== undefined; next = this.#nextDue()) {
          signal.throwIfAborted()
          await this.#remove(next, work)
        }
      })
    )
  }

  async #remove({ key, etag }: { key: string; etag: string }, work: RemovalWork): Promise<void> {
    const { store, isInUse, exclusively } = work
    try {
      await exclusively(key, async () => {
        if (!this.isRequested(key, etag)) return
        if (etag === BELOW) await removeBelow(key, work)
        else if (!isInUse(key, etag)) await (etag === '' ? store.delete(key) : removeVersion(store, key, etag))
        this.#db.relaxedTransaction(() => this.cancel(key, etag))
      })
    } catch (error) {
      if (isStoreTrouble(error)) throw error
      this.#log.warn({ key, reason: messageOf(error) }, 'an object that nobody needs cannot be removed yet')
      this.#db
        .prepare('UPDATE object_removal SET due_at_ms = ?, error_message = ? WHERE store = ? AND key = ? AND etag = ?')
        .run(this.#clock.nowMs() + AGAIN_AFTER_MS, messageOf(error), this.#store, key, etag)
    }
  }

  #nextDue(): { key: string; etag: string } | undefined {
    return this.#db
      .prepare<unknown[], { key: string; etag: string }>(
        'SELECT key, etag FROM object_removal WHERE store = ? AND due_at_ms <= ? ORDER BY due_at_ms LIMIT 1'
      )
      .get(this.#store, this.#clock.nowMs())
  }
}

async function removeBelow(prefix: string, { store, isInUse }: RemovalWork): Promise<void> {
  let cursor: string | null = null
  do {
    const page = await store.list({ prefix, ...(cursor === null ? {} : { cursor }) })
    const unused = page.objects.filter(({ key, etag }) => !isInUse(key, etag)).map(({ key }) => key)
    const { failed } = await store.deleteMany(unused)
    if (failed[0]) throw failed[0].error
    cursor = page.cursor
  } while (cursor !== null)
}

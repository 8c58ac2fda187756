import type { IndexDatabase } from './index-database.ts'

/** Durable commits are at least this far apart, so that small writes arriving together share one. */
const WINDOW_MS = 5

type Pending = { work: () => unknown; resolve: (value: unknown) => void; reject: (error: unknown) => void }

/**
 * Runs pieces of work, each atomic by itself, in shared durable transactions. A commit costs a disk flush whatever it holds;
 * many small uploads at once would otherwise wait for one flush each.
 */
export class GroupCommit {
  readonly #db: IndexDatabase
  #pending: Pending[] = []
  #scheduled = false
  #lastFlushAtMs = 0

  constructor(db: IndexDatabase) {
    this.#db = db
  }

  /**
   * Runs `work` (synchronous) inside a transaction and resolves with its result once that is durable. When `work` throws, its
   * own changes are rolled back and the promise rejects; work of others in the same transaction is unaffected.
   */
  run<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({ work, resolve: (value) => resolve(value as T), reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const waitMs = this.#lastFlushAtMs + WINDOW_MS - performance.now()
    if (waitMs > 0) setTimeout(() => this.#flush(), waitMs)
    else setImmediate(() => this.#flush())
  }

  #flush(): void {
    const batch = this.#pending
    this.#pending = []
    this.#scheduled = false
    const settle: (() => void)[] = []
    try {
      this.#db
        .transaction(() => {
          for (const { work, resolve, reject } of batch) {
            try {
              // Nested, so it becomes a savepoint of its own.
              const value = this.#db.transaction(work)()
              settle.push(() => resolve(value))
            } catch (error) {
              if (!this.#db.inTransaction) throw error
              settle.push(() => reject(error))
            }
          }
        })
        .immediate()
    } catch (error) {
      for (const { reject } of batch) reject(error)
      return
    } finally {
      this.#lastFlushAtMs = performance.now()
    }
    for (const answer of settle) answer()
  }
}

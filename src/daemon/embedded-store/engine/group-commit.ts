import { isDiskFull } from './disk-errors.ts'
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
  readonly #beforeCommit: () => void
  readonly #onCommit: () => void
  readonly #makeRoom: () => boolean
  #pending: Pending[] = []
  #scheduled = false
  #lastFlushAtMs = 0

  /**
   * `beforeCommit` is the last piece of each transaction. `onCommit` is called after it, before anyone is told of it; it must not throw. `makeRoom` gives the index room on a full
   * disk, if it still can; what did not fit is tried again then.
   */
  constructor(
    db: IndexDatabase,
    options: { beforeCommit?: () => void; onCommit?: () => void; makeRoom?: () => boolean } = {}
  ) {
    this.#db = db
    this.#beforeCommit = options.beforeCommit ?? (() => {})
    this.#onCommit = options.onCommit ?? (() => {})
    this.#makeRoom = options.makeRoom ?? (() => false)
  }

  /**
   * Runs `work` (synchronous) inside a transaction and resolves with its result once that is durable. When `work` throws, its
   * own changes are rolled back and the promise rejects; work of others in the same transaction is unaffected. It may be run
   * again when the disk was full, with nothing left of the time before.
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
              if (!this.#db.inTransaction || isDiskFull(error)) throw error
              settle.push(() => reject(error))
            }
          }
          this.#beforeCommit()
        })
        .immediate()
    } catch (error) {
      if (isDiskFull(error) && this.#makeRoom()) {
        this.#pending.unshift(...batch)
        this.#schedule()
      } else for (const { reject } of batch) reject(error)
      return
    } finally {
      this.#lastFlushAtMs = performance.now()
    }
    this.#onCommit()
    for (const answer of settle) answer()
  }
}

import { MAX_CLOCK_SKEW_MS } from './sigv4.ts'

/** SigV4 times have whole seconds, so a client that repeats itself at once produces the same signature honestly. */
const GRACE_MS = 3000
const MAX_ENTRIES = 10_000

/** Remembers the signatures of requests that must not be repeated, for as long as their time stamp stays acceptable. */
export class ReplayCache {
  readonly #firstSeenMs = new Map<string, number>()

  /** Whether this signature was already used more than a moment ago. Remembers it otherwise. */
  isReplay(signature: string, nowMs: number): boolean {
    const firstMs = this.#firstSeenMs.get(signature)
    if (firstMs !== undefined) return nowMs - firstMs > GRACE_MS
    this.#firstSeenMs.set(signature, nowMs)
    for (const [oldest, seenMs] of this.#firstSeenMs) {
      if (this.#firstSeenMs.size <= MAX_ENTRIES && nowMs - seenMs <= 2 * MAX_CLOCK_SKEW_MS) break
      this.#firstSeenMs.delete(oldest)
    }
    return false
  }
}

const MAX_FAILURES = 20
const WINDOW_MS = 10_000
const MAX_ADDRESSES = 4096

/** Counts failed authentications per peer address, so that guessing is slow. One instance per endpoint. */
export class AttemptLimiter {
  readonly #failures = new Map<string, number[]>()

  /** Whether the address failed too often within the last 10 s. */
  isBlocked(address: string, nowMs: number): boolean {
    return this.#recent(address, nowMs).length >= MAX_FAILURES
  }

  recordFailure(address: string, nowMs: number): void {
    const recent = this.#recent(address, nowMs)
    this.#failures.delete(address)
    this.#failures.set(address, [...recent, nowMs].slice(-MAX_FAILURES))
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MAX_ADDRESSES) break
      this.#failures.delete(oldest)
    }
  }

  #recent(address: string, nowMs: number): number[] {
    return (this.#failures.get(address) ?? []).filter((atMs) => nowMs - atMs < WINDOW_MS)
  }
}

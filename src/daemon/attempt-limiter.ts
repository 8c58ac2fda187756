const MAX_ADDRESSES = 4096

/** Counts failed authentications per peer address, so that guessing is slow. */
export class AttemptLimiter {
  readonly #failures = new Map<string, number[]>()
  readonly #maxFailures: number
  readonly #windowMs: number

  constructor({ maxFailures, windowMs }: { maxFailures: number; windowMs: number }) {
    this.#maxFailures = maxFailures
    this.#windowMs = windowMs
  }

  /** Whether the address failed too often lately. */
  isBlocked(address: string, nowMs: number): boolean {
    return this.#recent(address, nowMs).length >= this.#maxFailures
  }

  recordFailure(address: string, nowMs: number): void {
    const recent = this.#recent(address, nowMs)
    this.#failures.delete(address)
    this.#failures.set(address, [...recent, nowMs].slice(-this.#maxFailures))
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MAX_ADDRESSES) break
      this.#failures.delete(oldest)
    }
  }

  #recent(address: string, nowMs: number): number[] {
    return (this.#failures.get(address) ?? []).filter((atMs) => nowMs - atMs < this.#windowMs)
  }
}

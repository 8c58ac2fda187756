/** The time of the computer, plus what a test has let pass. No instant is told twice. */
export class FakeClock {
  #aheadUs = 0
  #lastUs = 0

  /** Microseconds since 1970, always later than the call before. */
  nowUs(): number {
    this.#lastUs = Math.max(Date.now() * 1000 + this.#aheadUs, this.#lastUs + 1)
    return this.#lastUs
  }

  advanceMs(ms: number): void {
    this.#aheadUs += ms * 1000
  }
}

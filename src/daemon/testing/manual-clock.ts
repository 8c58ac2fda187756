import type { Clock } from '../clock.ts'

/** A clock that moves only when told. */
export class ManualClock implements Clock {
  #nowMs: number

  constructor(startMs = Date.UTC(2026, 3, 7, 10, 0, 0)) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  advanceMs(deltaMs: number): void {
    this.#nowMs += deltaMs
  }
}

import { setTimeout as pause } from 'node:timers/promises'

const LOOK_AGAIN_MS = 250
/** Shorter rests are saved up: a timer is not that exact. */
const LEAST_REST_MS = 5

/** The pace of work in the background that reads whole files: so many bytes a second, and none while others need the disk. */
export class QuietPace {
  readonly #msPerByte: number
  readonly #isQuiet: () => boolean
  readonly #signal: AbortSignal
  #nextAtMs = 0
  #waiting = false

  /** `isQuiet` is asked before each step; aborting `signal` ends every wait with its reason. */
  constructor(options: { bytesPerSecond: number; isQuiet: () => boolean; signal: AbortSignal }) {
    this.#msPerByte = 1000 / options.bytesPerSecond
    this.#isQuiet = options.isQuiet
    this.#signal = options.signal
  }

  /** Whether a step waits for others to be done. */
  get isWaiting(): boolean {
    return this.#waiting
  }

  /** Call before reading so many bytes. `onWait` is awaited when others have to be waited for. */
  async step(bytes: number, onWait: () => Promise<void> = async () => {}): Promise<void> {
    this.#nextAtMs = Math.max(this.#nextAtMs, performance.now()) + bytes * this.#msPerByte
    const restMs = this.#nextAtMs - bytes * this.#msPerByte - performance.now()
    if (restMs >= LEAST_REST_MS) await this.#pause(restMs)
    this.#signal.throwIfAborted()
    if (this.#isQuiet()) return
    this.#waiting = true
    try {
      await onWait()
      while (!this.#isQuiet()) await this.#pause(LOOK_AGAIN_MS)
    } finally {
      this.#waiting = false
    }
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#signal, ref: false })
  }
}

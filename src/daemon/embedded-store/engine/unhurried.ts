import { setTimeout as pause } from 'node:timers/promises'

const REST_FACTOR = 3
const LONGEST_REST_MS = 200

/** The pace of a long pass in the background: it rests three times as long as it worked, so nobody notices it. */
export class Unhurried {
  readonly #stepsAtOnce
  #steps = 0
  #workingSince = performance.now()

  constructor(stepsAtOnce = 64) {
    this.#stepsAtOnce = stepsAtOnce
  }

  /** Call after every step of the pass. */
  async step(): Promise<void> {
    if (++this.#steps % this.#stepsAtOnce !== 0) return
    await pause(Math.min((performance.now() - this.#workingSince) * REST_FACTOR, LONGEST_REST_MS))
    this.#workingSince = performance.now()
  }
}

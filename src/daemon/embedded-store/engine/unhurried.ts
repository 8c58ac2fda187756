import { setTimeout as pause } from 'node:timers/promises'

const STEPS = 64
const REST_FACTOR = 3
const LONGEST_REST_MS = 200

/** The pace of a long pass in the background: it rests three times as long as it worked, so nobody notices it. */
export class Unhurried {
  #steps = 0
  #workingSince = performance.now()

  /** Call after every step of the pass. */
  async step(): Promise<void> {
    if (++this.#steps % STEPS !== 0) return
    await pause(Math.min((performance.now() - this.#workingSince) * REST_FACTOR, LONGEST_REST_MS))
    this.#workingSince = performance.now()
  }
}

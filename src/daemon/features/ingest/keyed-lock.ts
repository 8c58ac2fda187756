/** Lets one piece of work at a time run for each key, in the order they came. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Whether work for the key runs or waits. */
  isHeld(key: string): boolean {
    return this.#tails.has(key)
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const mine = before ? before.then(work, work) : work()
    this.#tails.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#tails.get(key) === mine) this.#tails.delete(key)
    }
  }
}

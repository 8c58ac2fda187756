import { setImmediate as nextTurn } from 'node:timers/promises'
import { bitCount, type PerceptualHash } from '../../media/perceptual-hash.ts'
import type { HashesRepository } from './hashes.repository.ts'

/** So many rows or comparisons before others get their turn. */
const ROWS_AT_ONCE = 4000
const COMPARISONS_AT_ONCE = 250_000

/**
 * Every hash of the catalogue in memory, 12 bytes each: comparing with a million of them takes milliseconds, where an index
 * of parts of the hash needs thousands of look-ups. Read from the catalogue when it is first asked, and what came since at
 * every further question; what is gone from the catalogue stays until the next start and is for the caller to leave out.
 */
export class HashIndex {
  readonly #repository: Pick<HashesRepository, 'listAfter'>
  #numbers = new Uint32Array(1024)
  #high = new Uint32Array(1024)
  #low = new Uint32Array(1024)
  #count = 0
  #reading: Promise<void> | undefined

  constructor(repository: Pick<HashesRepository, 'listAfter'>) {
    this.#repository = repository
  }

  /** The numbers of hashes that differ from `hash` in at most `maxDistance` bits: one list for each distance from 0. */
  async search(hash: PerceptualHash, maxDistance: number): Promise<number[][]> {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = undefined
    })
    await this.#reading
    const found: number[][] = Array.from({ length: maxDistance + 1 }, () => [])
    const count = this.#count
    for (let from = 0; from < count; from += COMPARISONS_AT_ONCE) {
      if (from > 0) await nextTurn()
      this.#compare(hash, found, from, Math.min(from + COMPARISONS_AT_ONCE, count))
    }
    return found
  }

  #compare({ high, low }: PerceptualHash, found: number[][], from: number, to: number): void {
    const [numbers, highs, lows] = [this.#numbers, this.#high, this.#low]
    for (let i = from; i < to; i++) {
      const distance = bitCount(high ^ highs[i]!) + bitCount(low ^ lows[i]!)
      if (distance < found.length) found[distance]!.push(numbers[i]!)
    }
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const last = this.#count === 0 ? 0 : this.#numbers[this.#count - 1]!
      const rows = this.#repository.listAfter(last, ROWS_AT_ONCE)
      this.#makeRoom(rows.length)
      for (const { number, high, low } of rows) {
        this.#numbers[this.#count] = number
        this.#high[this.#count] = high
        this.#low[this.#count] = low
        this.#count++
      }
      if (rows.length < ROWS_AT_ONCE) return
      await nextTurn()
    }
  }

  #makeRoom(more: number): void {
    if (this.#count + more <= this.#numbers.length) return
    const size = Math.max(this.#numbers.length * 2, this.#count + more)
    const larger = (array: Uint32Array<ArrayBuffer>) => {
      const copy = new Uint32Array(size)
      copy.set(array)
      return copy
    }
    this.#numbers = larger(this.#numbers)
    this.#high = larger(this.#high)
    this.#low = larger(this.#low)
  }
}

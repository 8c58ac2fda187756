import { S3Error } from './s3-error.ts'

export interface BodySlotLimits {
  /** Object bodies received at one time. */
  total: number
  /** Of those, under one access key. */
  perKey: number
  /** How long a request waits for its turn before it is told to slow down. */
  maxWaitMs: number
}

/**
 * Admits a bounded number of object bodies at a time. A phone that sends a dozen parts at once is made to wait for a moment,
 * since its SDK gives up after a few 503 answers; only a longer jam is refused.
 */
export class BodySlots {
  readonly #limits: BodySlotLimits
  readonly #perKey = new Map<string, number>()
  readonly #waiting = new Set<() => boolean>()
  #total = 0

  constructor(limits: BodySlotLimits) {
    this.#limits = limits
  }

  /** Bodies being received now. */
  get inUse(): number {
    return this.#total
  }

  /**
   * Waits for a slot and returns the function that gives it back.
   * @throws S3Error SlowDown after `maxWaitMs`
   */
  async acquire(accessKeyId: string): Promise<() => void> {
    if (!this.#take(accessKeyId)) await this.#wait(accessKeyId)
    let released = false
    return () => {
      if (released) return
      released = true
      this.#release(accessKeyId)
    }
  }

  #take(accessKeyId: string): boolean {
    const mine = this.#perKey.get(accessKeyId) ?? 0
    if (this.#total >= this.#limits.total || mine >= this.#limits.perKey) return false
    this.#total++
    this.#perKey.set(accessKeyId, mine + 1)
    return true
  }

  #wait(accessKeyId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const attempt = (): boolean => {
        if (!this.#take(accessKeyId)) return false
        clearTimeout(timer)
        resolve()
        return true
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(attempt)
        reject(new S3Error('SlowDown'))
      }, this.#limits.maxWaitMs)
      this.#waiting.add(attempt)
    })
  }

  #release(accessKeyId: string): void {
    this.#total--
    const mine = (this.#perKey.get(accessKeyId) ?? 1) - 1
    if (mine > 0) this.#perKey.set(accessKeyId, mine)
    else this.#perKey.delete(accessKeyId)
    for (const attempt of this.#waiting) if (attempt()) this.#waiting.delete(attempt)
  }
}

/** The buckets and objects that were changed since this was last told. One that is named without a change does no harm. */
export class Changes {
  readonly #buckets = new Set<string>()
  readonly #keys = new Map<number, Set<string>>()
  #hasPayload = false

  bucket(name: string): void {
    this.#buckets.add(name)
  }

  object(bucketId: number, key: string): void {
    const keys = this.#keys.get(bucketId)
    if (keys) keys.add(key)
    else this.#keys.set(bucketId, new Set([key]))
  }

  /** The index got to know a payload file. Where it is not that of an object (yet), nothing but the number of the commit is told. */
  payload(): void {
    this.#hasPayload = true
  }

  get any(): boolean {
    return this.#hasPayload || this.#buckets.size > 0 || this.#keys.size > 0
  }

  buckets(): Iterable<string> {
    return this.#buckets
  }

  /** The keys by the row id of their bucket. */
  objects(): Iterable<[number, Iterable<string>]> {
    return this.#keys
  }

  clear(): void {
    this.#buckets.clear()
    this.#keys.clear()
    this.#hasPayload = false
  }
}

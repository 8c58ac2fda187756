/** Collects keys and hands them over together `delayMs` after the first one. */
export interface Batch<K> {
  add(key: K): void
  /** Forgets what was collected. */
  clear(): void
}

/** Makes a batch; `flush` gets each key once. A burst of events becomes one piece of work. */
export function createBatch<K>(delayMs: number, flush: (keys: ReadonlySet<K>) => void): Batch<K> {
  let keys = new Set<K>()
  let timer: ReturnType<typeof setTimeout> | undefined
  return {
    add(key) {
      keys.add(key)
      timer ??= setTimeout(() => {
        const collected = keys
        keys = new Set()
        timer = undefined
        flush(collected)
      }, delayMs)
    },
    clear() {
      clearTimeout(timer)
      timer = undefined
      keys = new Set()
    }
  }
}

import { StorageError } from './storage-engine.ts'

/** Counts what is under way, so that closing can wait for it and nothing new starts afterwards. */
export class Activity {
  #running = 0
  #closed = false
  #waiting: (() => void)[] = []

  /** Marks the start of something; call the returned function (once or more) at its end. Raises `StoreClosed`. */
  begin(): () => void {
    if (this.#closed) throw new StorageError('StoreClosed', 'The object store is closed.')
    this.#running++
    let ended = false
    return () => {
      if (ended) return
      ended = true
      if (--this.#running > 0) return
      for (const wake of this.#waiting.splice(0)) wake()
    }
  }

  /** Runs `task` as one thing under way. Raises `StoreClosed`, and what the task raises. */
  async during<T>(task: () => Promise<T>): Promise<T> {
    const end = this.begin()
    try {
      return await task()
    } finally {
      end()
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running > 0) await new Promise<void>((wake) => this.#waiting.push(wake))
  }

  get closed(): boolean {
    return this.#closed
  }

  close(): void {
    this.#closed = true
  }
}

import type { Logger } from 'pino'

const INTERVAL_MS = 10 * 60_000

/** Does the slow work that nobody waits for, one thing after the other, again and again until it is stopped. */
export class Caretaker {
  readonly #tasks: readonly { what: string; run: () => Promise<void> }[]
  readonly #log: Logger
  readonly #stop: AbortController
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #wanted = false

  /** Aborting `stop` must make the tasks end. */
  constructor(
    tasks: readonly { what: string; run: () => Promise<void> }[],
    options: { log: Logger; stop: AbortController }
  ) {
    this.#tasks = tasks
    this.#log = options.log
    this.#stop = options.stop
  }

  start(): void {
    this.#timer = setInterval(() => void this.wake(), INTERVAL_MS).unref()
  }

  /** Looks for work now. Resolves when there is none left. */
  wake(): Promise<void> {
    this.#wanted = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.#stop.signal.aborted) {
      this.#wanted = false
      for (const { what, run } of this.#tasks)
        await run().catch((error: unknown) => {
          if (!this.#stop.signal.aborted) this.#log.error({ err: error }, `${what} failed`)
        })
    }
  }
}

import type { Logger } from 'pino'
import { actingBySystem } from './audit/acting.ts'
import { messageOf } from './errors.ts'

/** Something that is tidied again and again. It may take its time, and ends early when `signal` is aborted. */
export interface UpkeepTask {
  name: string
  run(signal: AbortSignal): unknown
}

const INTERVAL_MS = 3_600_000

/** Tidies at the start and then every hour: a laptop that sleeps every night would never see a longer timer end. */
export class Upkeep {
  readonly #tasks: UpkeepTask[]
  readonly #log: Logger
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(deps: { tasks: UpkeepTask[]; log: Logger }) {
    this.#tasks = deps.tasks
    this.#log = deps.log
  }

  start(): void {
    this.#timer = setInterval(() => this.#queueRound(), INTERVAL_MS).unref()
    this.#queueRound()
  }

  /** Waits for the task that runs to notice its end. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    await this.#running
  }

  #queueRound(): void {
    this.#running = this.#running.then(() => this.#round())
  }

  async #round(): Promise<void> {
    const { signal } = this.#stopping
    for (const { name, run } of this.#tasks) {
      if (signal.aborted) return
      try {
        await actingBySystem(name, async () => run(signal))
      } catch (error) {
        this.#log.warn({ task: name, reason: messageOf(error) }, 'tidying failed, it is tried again in an hour')
      }
    }
  }
}

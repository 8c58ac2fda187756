import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { StoredEvent } from '../../shared/api/events.ts'
import { messageOf } from '../errors.ts'
import type { Outbox } from './outbox.ts'

/** Somebody outside who is told the events, in order and each at least once. It keeps its place itself, across restarts. */
export interface OutboxReader {
  /** Sequence number of the last event that is dealt with. */
  position(): number
  /** How long to leave it alone; 0 when it can be told more. */
  dueInMs(): number
  /** Tells these, oldest first, and notes how far it came or when to try again. Ends early when `signal` is aborted. */
  tell(events: StoredEvent[], signal: AbortSignal): Promise<void>
  /** The outbox no longer has the events from `firstSeq` to `lastSeq`: notes `lastSeq` as its position. */
  skip(firstSeq: number, lastSeq: number): void
}

const BATCH = 100
/** Timers stand still while a laptop sleeps, so none is set for longer. */
const MAX_REST_MS = 30_000

/** Tells one reader everything that happens, beginning with what it missed. */
export class OutboxFollower {
  readonly #outbox: Outbox
  readonly #reader: OutboxReader
  readonly #log: Logger
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #isCalled = false
  #wakeUp: (() => void) | undefined

  constructor(deps: { outbox: Outbox; reader: OutboxReader; log: Logger }) {
    this.#outbox = deps.outbox
    this.#reader = deps.reader
    this.#log = deps.log
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Waits for the reader to notice its end. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#call()
    await this.#running
  }

  async #run(): Promise<void> {
    const end = this.#outbox.onAppend(() => this.#call())
    while (!this.#stopping.signal.aborted) {
      this.#isCalled = false
      const restMs = await this.#round()
      if (restMs > 0) await this.#rest(restMs)
      else await nextTurn()
    }
    end()
  }

  /** Gives how long to wait before the next one, unless something happens. */
  async #round(): Promise<number> {
    const reader = this.#reader
    try {
      const restMs = reader.dueInMs()
      if (restMs > 0) return restMs
      const { first } = this.#outbox.range()
      const position = reader.position()
      if (position < first - 1) reader.skip(position + 1, first - 1)
      const events = this.#outbox.readAfter(reader.position(), BATCH)
      if (events.length === 0) return MAX_REST_MS
      await reader.tell(events, this.#stopping.signal)
      return 0
    } catch (error) {
      this.#log.error({ err: error }, `events could not be told, which is tried again: ${messageOf(error)}`)
      return MAX_REST_MS
    }
  }

  #rest(restMs: number): Promise<void> {
    if (this.#isCalled) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(restMs, MAX_REST_MS))
      this.#wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #call(): void {
    this.#isCalled = true
    this.#wakeUp?.()
  }
}

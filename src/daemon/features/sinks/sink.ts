import type { Logger } from 'pino'
import type { StoredEvent } from '../../../shared/api/events.ts'
import type { Sink as SinkView } from '../../../shared/api/sinks.ts'
import { type Clock, isoFromMs } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { OutboxFollower, type OutboxReader } from '../../events/outbox-follower.ts'
import type { SinksRepository } from './sinks.repository.ts'

/** A message broker. */
export interface SinkTarget {
  name: SinkView['name']
  /** Where it is, without user and password. */
  address: string
  /** Loads the broker's client, which is not needed where there is none, and lets it connect as long as it takes. */
  connect(): Promise<SinkConnection>
}

export interface SinkConnection {
  /**
   * Hands over events, in order; resolves once the broker has them all. Fails within seconds while the broker is away, and
   * the same events come again then.
   */
  send(events: StoredEvent[]): Promise<void>
  /** Ends the connection; what is under way fails. */
  close(): Promise<void>
}

export interface SinkDeps {
  outbox: Outbox
  clock: Clock
  log: Logger
  repository: SinksRepository
  target: SinkTarget
}

const FIRST_REST_MS = 500
const LONGEST_REST_MS = 30_000

/** Tells a broker all events, and keeps its place over outages and restarts. */
export class Sink implements OutboxReader {
  readonly #deps: SinkDeps
  readonly #log: Logger
  readonly #follower: OutboxFollower
  #connection: Promise<SinkConnection> | undefined
  #failures = 0
  #retryAtMs = 0
  #lastError: { message: string; atMs: number } | null = null

  constructor(deps: SinkDeps) {
    const { target, repository, outbox } = deps
    this.#deps = deps
    this.#log = deps.log.child({ sink: target.name })
    this.#follower = new OutboxFollower({ outbox, reader: this, log: this.#log })
    repository.ensure(target.name, outbox.range().last)
  }

  start(): void {
    this.#connection = this.#deps.target.connect()
    // Whoever has something to tell hears of it.
    this.#connection.catch(() => {})
    this.#follower.start()
  }

  async stop(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined)
    await Promise.all([this.#follower.stop(), connection?.close()])
  }

  position(): number {
    return this.#deps.repository.get(this.#deps.target.name).positionSeq
  }

  dueInMs(): number {
    return Math.max(0, this.#retryAtMs - this.#deps.clock.nowMs())
  }

  async tell(events: StoredEvent[], signal: AbortSignal): Promise<void> {
    const { target, repository } = this.#deps
    try {
      const connection = await this.#connection
      await connection?.send(events)
    } catch (error) {
      if (!signal.aborted) this.#noteFailure(error)
      return
    }
    repository.move(target.name, events.at(-1)!.seq)
    if (this.#failures > 0) this.#log.info('the broker takes events again')
    this.#failures = 0
  }

  skip(firstSeq: number, lastSeq: number): void {
    const { target, repository } = this.#deps
    this.#log.warn({ firstSeq, lastSeq }, 'the broker was away for so long that it misses events')
    repository.skip(target.name, lastSeq, lastSeq - firstSeq + 1)
  }

  describe(): SinkView {
    const { target, repository, outbox } = this.#deps
    const { positionSeq, lostEvents } = repository.get(target.name)
    return {
      name: target.name,
      address: target.address,
      isUp: this.#failures === 0,
      positionSeq,
      lagEvents: Math.max(0, outbox.range().last - positionSeq),
      lostEvents,
      lastError: this.#lastError?.message ?? null,
      lastErrorAt: this.#lastError && isoFromMs(this.#lastError.atMs)
    }
  }

  #noteFailure(error: unknown): void {
    const atMs = this.#deps.clock.nowMs()
    const message = messageOf(error)
    // Once is enough for an outage.
    if (this.#failures === 0)
      this.#log.warn({ reason: message }, 'the broker does not take events, which is tried again')
    this.#retryAtMs = atMs + Math.min(FIRST_REST_MS * 2 ** this.#failures, LONGEST_REST_MS)
    this.#failures++
    this.#lastError = { message, atMs }
  }
}

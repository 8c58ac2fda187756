import type { Logger } from 'pino'
import { actingBySystem } from '../../audit/acting.ts'
import { messageOf } from '../../errors.ts'
import type { RecordingPlaces } from './recorded-sources.ts'
import type { RecordingIndex } from './recording-index.ts'
import type { RecordingRoom } from './recording-room.ts'
import type { RecordingServer } from './recording-server.ts'
import type { Retention } from './retention.ts'

export interface RecordingWatchDeps {
  log: Logger
  places: RecordingPlaces
  index: RecordingIndex
  room: RecordingRoom
  retention: Retention
  server: RecordingServer
}

const ROUND_MS = 5000
/** In which many cameras take a gigabyte. */
const LOOKS_PER_MINUTE = 12

/** Follows what is recorded: looks at what may have grown and at the room that is left, and now and then at everything. */
export class RecordingWatch {
  readonly #deps: RecordingWatchDeps
  readonly #stopping = new AbortController()
  /** Also what does not grow has to be looked at. */
  #isAllDue = true
  #looks = 0
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> | undefined

  constructor(deps: RecordingWatchDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#deps.server.onReady(() => {
      this.#isAllDue = true
    })
    this.#round()
  }

  /** Waits for the look that is taken. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#running
  }

  #round(): void {
    const { room, retention } = this.#deps
    const { signal } = this.#stopping
    const isMinute = this.#looks++ % LOOKS_PER_MINUTE === 0
    const work = async () => {
      // First: the disk does not wait until everything has been looked at.
      await this.#try(() => room.look())
      await this.#try(() => this.#look(isMinute))
      if (isMinute) await this.#try(() => actingBySystem('room for recordings', () => retention.run(signal)))
    }
    this.#running = work().finally(() => {
      if (!signal.aborted) this.#timer = setTimeout(() => this.#round(), ROUND_MS).unref()
    })
  }

  async #look(isMinute: boolean): Promise<void> {
    const { places, index, server } = this.#deps
    // A folder that did not change costs next to nothing, a question to another machine does.
    const isThorough = this.#isAllDue || (isMinute && server.recordRoot !== null)
    this.#isAllDue = false
    await index.scan(isThorough ? places.listAll() : places.listBusy(), this.#stopping.signal)
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#deps.log.warn({ reason: messageOf(error) }, 'recordings could not be followed')
    }
  }
}

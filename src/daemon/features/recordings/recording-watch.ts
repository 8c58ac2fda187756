import type { Logger } from 'pino'
import { actingBySystem } from '../../audit/acting.ts'
import { messageOf } from '../../errors.ts'
import { pause } from '../../mediamtx/pause.ts'
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
  readonly #loops: Promise<void>[] = []

  constructor(deps: RecordingWatchDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#deps.server.onReady(() => {
      this.#isAllDue = true
    })
    // The disk does not wait until a whole archive has been looked at.
    this.#loops.push(
      this.#repeat(() => this.#deps.room.look()),
      this.#repeat(() => this.#look())
    )
  }

  /** Waits for the looks that are taken. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#loops)
  }

  async #repeat(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping
    let trouble: string | null = null
    while (!signal.aborted) {
      const reason = await work().then(() => null, messageOf)
      if (reason !== null && reason !== trouble) this.#deps.log.warn({ reason }, 'recordings could not be followed')
      trouble = reason
      await pause(ROUND_MS, signal)
    }
  }

  async #look(): Promise<void> {
    const { places, index, retention, server } = this.#deps
    const { signal } = this.#stopping
    const isMinute = this.#looks++ % LOOKS_PER_MINUTE === 0
    // A folder that did not change costs next to nothing, a question to another machine does.
    const isThorough = this.#isAllDue || (isMinute && server.recordRoot !== null)
    this.#isAllDue = false
    await index.scan(isThorough ? places.listAll() : places.listBusy(), signal)
    if (isMinute && !signal.aborted) await actingBySystem('room for recordings', () => retention.run(signal))
  }
}

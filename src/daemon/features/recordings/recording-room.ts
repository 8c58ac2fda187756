import type { Logger } from 'pino'
import type { Database } from '../../db/database.ts'
import { messageOf } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { freeBytesOfDisk } from '../../files.ts'
import { isOutage } from '../../mediamtx/is-outage.ts'
import type { RecordingIndex } from './recording-index.ts'
import type { RecordingServer } from './recording-server.ts'

export interface RecordingRoomDeps {
  db: Database
  log: Logger
  outbox: Outbox
  server: Pick<RecordingServer, 'recordRoot'>
  index: Pick<RecordingIndex, 'isRootThere'>
  /** Has the media server follow what `problem` says by now. */
  applyRecording: () => Promise<unknown>
  /** Free bytes of the disk of a folder; raises the file system's errors. */
  freeBytesOf?: ((folder: string) => Promise<number>) | undefined
}

/** Why nothing is recorded, whatever somebody wants. */
export type RoomProblem = 'disk_full' | 'disk_away'

/** With less nothing is recorded any more: the catalogue, which may lie on the same disk, still has to be written. */
export const SHORT_BYTES = 1_000_000_000
/** From here on recording goes on; recordings that may be deleted are, up to here. */
export const ENOUGH_BYTES = 1_500_000_000

const SUBJECT = 'recordings'

/**
 * The room that is left for recordings, and what follows where there is hardly any, or no disk: nothing is recorded, and nothing lost.
 * The media server would make the folder anew, on the disk that others need.
 */
export class RecordingRoom {
  readonly #deps: RecordingRoomDeps
  /** What was told last, also before a restart. */
  #told: RoomProblem | null
  #problem: RoomProblem | null

  constructor(deps: RecordingRoomDeps) {
    this.#deps = deps
    const [last] = deps.outbox.readFor(SUBJECT, 1)
    this.#told = last?.type === 'recording.suspended' ? (last.data['reason'] as RoomProblem) : null
    // A disk that nobody has looked for yet may be away.
    this.#problem = deps.server.recordRoot === null ? null : (this.#told ?? 'disk_away')
  }

  /** Null where recordings have a place. */
  get problem(): RoomProblem | null {
    return this.#problem
  }

  /** Looks how much room there is, and has recording end or go on. Call it often: recordings of many cameras grow fast. */
  async look(): Promise<void> {
    const { log, applyRecording } = this.#deps
    const free = await this.#freeOrAway()
    const problem = this.#problemWith(free)
    if (problem !== this.#problem) {
      this.#problem = problem
      await applyRecording().catch((error: unknown) => {
        // The paths are compared again as soon as it answers.
        log[isOutage(error) ? 'debug' : 'warn'](
          { reason: messageOf(error) },
          'the media server was not told whether it may record'
        )
      })
    }
    if (problem !== this.#told) this.#tell(problem, free === 'away' ? null : free)
  }

  async #freeOrAway(): Promise<number | null | 'away'> {
    try {
      return (await this.#deps.index.isRootThere()) ? await this.freeBytes() : 'away'
    } catch {
      // A disk that fails is as good as away; who looks at what is on it writes down why.
      return 'away'
    }
  }

  #problemWith(free: number | null | 'away'): RoomProblem | null {
    if (free === 'away') return 'disk_away'
    const neededBytes = this.#problem === 'disk_full' ? ENOUGH_BYTES : SHORT_BYTES
    return free !== null && free < neededBytes ? 'disk_full' : null
  }

  /** Where that cannot be written down, as on a disk that is full, it is told with the next look. */
  #tell(problem: RoomProblem | null, freeBytes: number | null): void {
    const { db, log, outbox } = this.#deps
    const facts = { reason: problem ?? this.#told, freeBytes }
    db.transaction(() => outbox.append(problem ? 'recording.suspended' : 'recording.resumed', SUBJECT, facts))
    this.#told = problem
    log.warn(facts, problem ? 'nothing is recorded' : 'there is a place for recordings again')
  }

  /** Of the disk that the recordings are on; null where the media server runs elsewhere: nobody here knows. */
  async freeBytes(): Promise<number | null> {
    const { server, freeBytesOf = freeBytesOfDisk } = this.#deps
    return server.recordRoot === null ? null : freeBytesOf(server.recordRoot)
  }
}

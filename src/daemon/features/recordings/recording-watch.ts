import type { Logger } from 'pino'
import { actingBySystem } from '../../audit/acting.ts'
import { messageOf } from '../../errors.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import type { RecordedSource, RecordingPlaces } from './recorded-sources.ts'
import type { RecordingIndex } from './recording-index.ts'
import type { RecordingServer } from './recording-server.ts'
import { deleteRecordingsJob } from './recordings.jobs.ts'
import type { Retention } from './retention.ts'
import type { SegmentsRepository } from './segments.repository.ts'

export interface RecordingWatchDeps {
  log: Logger
  queue: JobQueue
  places: RecordingPlaces
  segments: SegmentsRepository
  index: RecordingIndex
  retention: Retention
  server: RecordingServer
}

const ROUND_MS = 5000
const EVER = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER }
const DELETED_AT_ONCE = 500
/** In which many cameras take a gigabyte. */
const LOOKS_PER_MINUTE = 12

type RecordingsOf = Pick<RecordedSource, 'id' | 'workspaceId' | 'pathName'>

/** Follows what is recorded: looks at what may have grown, and now and then at everything. */
export class RecordingWatch {
  readonly #deps: RecordingWatchDeps
  readonly #stopping = new AbortController()
  /** Also what does not grow has to be looked at. */
  #isAllDue = true
  #looks = 0
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

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

  /**
   * Deletes what was recorded of a source that is about to be removed, where a media server elsewhere does that only as long as it knows
   * the path. Raises `MediaMtxError`.
   */
  async onDeleting(source: RecordedSource, recordings: 'keep' | 'delete'): Promise<void> {
    const isHere = this.#deps.server.recordRoot !== null
    if (recordings === 'delete' && !isHere) await this.#deleteAll(source, this.#stopping.signal)
  }

  /** Has what was recorded of a removed source deleted where it is here; call it in the transaction that removes that. */
  onDeleted({ id, workspaceId, pathName }: RecordedSource, recordings: 'keep' | 'delete'): void {
    if (recordings === 'delete') this.#deps.queue.enqueue(deleteRecordingsJob, { id, workspaceId, pathName })
  }

  async #deleteAll({ id: sourceId, workspaceId, pathName }: RecordingsOf, signal: AbortSignal): Promise<void> {
    const { segments, retention, index } = this.#deps
    // The last file may be so new that nobody has seen it.
    await index.scan([{ sourceId, workspaceId, pathName, name: pathName, isRecorded: false }])
    for (;;) {
      const some = segments.listWindow(sourceId, EVER, { afterUs: -1, limit: DELETED_AT_ONCE })
      for (const segment of some) {
        signal.throwIfAborted()
        await retention.delete(segment, 'source_deleted')
      }
      if (some.length === 0) return
    }
  }

  bindJob(): BoundJob {
    return bindJob(deleteRecordingsJob, (source, { signal }) => this.#deleteAll(source, signal))
  }

  #round(): void {
    this.#running = this.#look().finally(() => {
      if (!this.#stopping.signal.aborted) this.#timer = setTimeout(() => this.#round(), ROUND_MS).unref()
    })
  }

  async #look(): Promise<void> {
    const { places, index, retention, server, log } = this.#deps
    const { signal } = this.#stopping
    const isMinute = this.#looks++ % LOOKS_PER_MINUTE === 0
    try {
      // A folder that did not change costs next to nothing, a question to another machine does.
      const isThorough = this.#isAllDue || (isMinute && server.recordRoot !== null)
      this.#isAllDue = false
      await index.scan(isThorough ? places.listAll() : places.listBusy(), signal)
      if (isMinute) await actingBySystem('room for recordings', () => retention.run(signal))
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'recordings could not be followed')
    }
  }
}

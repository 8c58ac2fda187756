import type { Logger } from 'pino'
import { actingBySystem } from '../../audit/acting.ts'
import { messageOf } from '../../errors.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import type { RecordingPlaces } from './recorded-sources.ts'
import type { RecordingIndex } from './recording-index.ts'
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
}

const ROUND_MS = 5000
/** A minute of many cameras takes a gigabyte. */
const LOOKS_PER_TIDYING = 12

/** Follows what is recorded: looks at all of it once, and then at what may have grown. */
export class RecordingWatch {
  readonly #deps: RecordingWatchDeps
  readonly #stopping = new AbortController()
  #looks = 0
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(deps: RecordingWatchDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#round(true)
  }

  /** Waits for the look that is taken. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#running
  }

  /** Has everything of a source deleted; call it in the transaction that makes it unwanted. */
  requestDeletion(sourceId: string): void {
    this.#deps.queue.enqueue(deleteRecordingsJob, { sourceId })
  }

  bindJob(): BoundJob {
    return bindJob(deleteRecordingsJob, async ({ sourceId }, { signal }) => {
      for (const segment of this.#deps.segments.listOfSource(sourceId)) {
        signal.throwIfAborted()
        await this.#deps.retention.delete(segment, 'source_deleted')
      }
    })
  }

  #round(isFirst: boolean): void {
    this.#running = this.#look(isFirst).finally(() => {
      if (!this.#stopping.signal.aborted) this.#timer = setTimeout(() => this.#round(false), ROUND_MS).unref()
    })
  }

  async #look(isFirst: boolean): Promise<void> {
    const { places, index, retention, log } = this.#deps
    const { signal } = this.#stopping
    try {
      const busy = isFirst ? places.listAll() : places.listBusy()
      if (busy.length === 0) return
      await index.scan(busy, signal)
      if (this.#looks++ % LOOKS_PER_TIDYING === 0)
        await actingBySystem('room for recordings', () => retention.run(signal))
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'recordings could not be followed')
    }
  }
}

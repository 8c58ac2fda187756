import type { Database } from '../../db/database.ts'
import { AppError, messageOf } from '../../errors.ts'
import { type BoundJob, bindJob, JobDeferred } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { EVER } from './instants.ts'
import { placeOfRemoved, type RecordedSource, type RecordingPlaces } from './recorded-sources.ts'
import type { RecordingGrowth } from './recording-growth.ts'
import { isAway, type RecordingIndex } from './recording-index.ts'
import type { RecordingServer } from './recording-server.ts'
import { deleteRecordingsJob } from './recordings.jobs.ts'
import type { RemovedSource, RemovedSourcesRepository } from './removed-sources.repository.ts'
import type { Retention } from './retention.ts'
import type { SegmentsRepository } from './segments.repository.ts'

export interface SourceRemovalDeps {
  db: Database
  queue: JobQueue
  places: RecordingPlaces
  removed: RemovedSourcesRepository
  segments: SegmentsRepository
  index: RecordingIndex
  growth: RecordingGrowth
  retention: Retention
  server: RecordingServer
}

const DELETED_AT_ONCE = 500
const SERVER_REST_MS = 30_000

/** What becomes of recordings when their stream is removed: they stay under its id, or go. */
export class SourceRemoval {
  readonly #deps: SourceRemovalDeps

  constructor(deps: SourceRemovalDeps) {
    this.#deps = deps
  }

  /** Sees what was recorded last; call it while the path is still there. */
  async onDeleting({ id }: RecordedSource): Promise<void> {
    const { places, index } = this.#deps
    await index.scan([places.get(id)])
  }

  /** Keeps the name of what was recorded of a source that is removed, or has it deleted; call it in the transaction that removes that. */
  onDeleted(source: RecordedSource, recordings: 'keep' | 'delete'): void {
    const { queue, removed, segments, growth, server } = this.#deps
    const { id, workspaceId, name, pathName } = source
    growth.forget(id)
    // A media server elsewhere does not tell any more that a file has ended: it has, with the path.
    if (server.recordRoot === null)
      for (const file of segments.listOpen(id)) segments.update(file.id, { ...file, state: 'unchecked' })
    if (recordings === 'delete')
      queue.enqueue(deleteRecordingsJob, { id, workspaceId, name, pathName }, { workspaceId })
    else if (!segments.findLast(id)) return
    removed.insert(source)
  }

  bindJob(): BoundJob {
    return bindJob(deleteRecordingsJob, (source, { signal }) => this.#delete(source, signal))
  }

  /** Throws `JobDeferred` while the media server or the disk is away, or a clip is still to be cut. */
  async #delete(source: RemovedSource, signal: AbortSignal): Promise<void> {
    const { db, removed, server } = this.#deps
    try {
      if (server.recordRoot === null) await this.#withPath(source, () => this.#deleteAll(source, signal))
      else await this.#deleteAll(source, signal)
    } catch (error) {
      if (!isAway(error) && !isInUse(error)) throw error
      throw new JobDeferred(SERVER_REST_MS, messageOf(error), { cause: error })
    }
    db.transaction(() => removed.delete(source.id))
  }

  /** A media server elsewhere deletes recordings only of a path that it knows: for that time it gets it back, with nobody on it. */
  async #withPath({ pathName }: RemovedSource, work: () => Promise<void>): Promise<void> {
    const client = this.#deps.server.client()
    await client.replacePath(pathName, { source: 'publisher', record: false })
    await client.waitForPath(pathName, (conf) => conf !== null)
    try {
      await work()
    } finally {
      await client.deletePath(pathName)
    }
  }

  async #deleteAll(source: RemovedSource, signal: AbortSignal): Promise<void> {
    const { segments, retention, index } = this.#deps
    // The last file may be so new that nobody has seen it.
    await index.look(placeOfRemoved(source), signal)
    for (;;) {
      const some = segments.listWindow(source.id, EVER, { afterUs: -1, limit: DELETED_AT_ONCE })
      for (const segment of some) {
        signal.throwIfAborted()
        await retention.delete(segment, 'source_deleted')
      }
      if (some.length === 0) return
    }
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof AppError && error.code === 'recording_in_use'
}

import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { type BoundJob, bindJob, JobDeferred, JobHopeless } from '../../jobs/define-job.ts'
import { KeyedLock } from '../ingest/keyed-lock.ts'
import { isoFromUs, US_PER_MS } from './instants.ts'
import type { RecordingIndex } from './recording-index.ts'
import { type RecordingRoom, SHORT_BYTES } from './recording-room.ts'
import { checkSegmentJob, repairSegmentJob } from './recordings.jobs.ts'
import { type CheckedFile, type CheckOptions, checkSegmentFile } from './segment-check.ts'
import { RepairFailed, repairSegmentFile } from './segment-repair.ts'
import type { SegmentRow, SegmentState, SegmentsRepository } from './segments.repository.ts'

export interface SegmentJobsDeps {
  db: Database
  outbox: Outbox
  segments: SegmentsRepository
  index: RecordingIndex
  room: RecordingRoom
  ffmpegPath: () => string | null
}

const DISK_REST_MS = 60_000

/** Looks whether files of recordings can be read, and repairs those that cannot. */
export class SegmentJobs {
  readonly #deps: SegmentJobsDeps
  /** A file is not looked at while it is replaced. */
  readonly #locks = new KeyedLock()

  constructor(deps: SegmentJobsDeps) {
    this.#deps = deps
  }

  bindJobs(): BoundJob[] {
    return [
      bindJob(checkSegmentJob, ({ segmentId }, { signal }) =>
        this.#locks.run(segmentId, () => this.#check(segmentId, signal))
      ),
      bindJob(repairSegmentJob, ({ segmentId }, { signal }) =>
        this.#locks.run(segmentId, () => this.#repair(segmentId, signal))
      )
    ]
  }

  async #check(segmentId: string, signal: AbortSignal): Promise<void> {
    const segment = this.#deps.segments.find(segmentId)
    const options = segment && this.#optionsFor(segment, signal)
    if (!options || segment.state === 'open') return
    const checked = await checkSegmentFile(options).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      await this.#assertRootThere()
      // Deleted meanwhile.
      return null
    })
    if (!checked) return
    const found = segment.state === 'repaired' ? 'repaired' : 'whole'
    this.#note(segment, checked, checked.problem === null ? found : 'damaged')
  }

  /** Throws `JobHopeless` for what cannot be repaired, `disk_full` without room for both; it is as it was then. */
  async #repair(segmentId: string, signal: AbortSignal): Promise<void> {
    const { segments, index } = this.#deps
    const segment = segments.find(segmentId)
    const options = segment && this.#optionsFor(segment, signal)
    if (!options || segment.state !== 'damaged') return
    await this.#assertRootThere()
    await this.#assertRoom(segment)
    try {
      await repairSegmentFile(options, (repaired, replace) =>
        index.exclusively(segment.sourceId, async () => {
          // What was deleted meanwhile does not come back.
          if (!segments.find(segmentId)) return
          await replace()
          this.#note(segment, repaired, 'repaired')
        })
      )
    } catch (error) {
      throw error instanceof RepairFailed ? new JobHopeless(error.message, { cause: error }) : error
    }
  }

  /** Throws `JobDeferred` while the disk is away. */
  async #assertRootThere(): Promise<void> {
    if (!(await this.#deps.index.isRootThere())) throw new JobDeferred(DISK_REST_MS, 'the disk is away')
  }

  /** What is written anew lies beside the damaged file, and recording goes on beside both. */
  async #assertRoom({ sizeBytes }: SegmentRow): Promise<void> {
    const freeBytes = await this.#deps.room.freeBytes()
    const neededBytes = (sizeBytes ?? 0) + SHORT_BYTES
    if (freeBytes !== null && freeBytes < neededBytes) throw new AppError('disk_full', { neededBytes, freeBytes })
  }

  /** Writes down what was found, unless the file was deleted or written anew meanwhile. */
  #note(segment: SegmentRow, file: CheckedFile, state: SegmentState): void {
    const { db, outbox, segments } = this.#deps
    db.transaction(() => {
      const before = segments.find(segment.id)
      if (!before || before.state !== segment.state || before.sizeBytes !== segment.sizeBytes) return
      const { durationMs, sizeBytes, run, problem } = file
      segments.update(segment.id, { durationMs, sizeBytes, run, state, problem })
      if (state === before.state || state === 'whole') return
      const { workspaceId, sourceId, pathName: path, startUs } = segment
      const about = { workspaceId, sourceId, path, start: isoFromUs(startUs) }
      if (state === 'damaged') outbox.append('recording.damaged', segment.id, { ...about, problem })
      else outbox.append('recording.repaired', segment.id, about)
    })
  }

  #optionsFor(segment: SegmentRow, signal: AbortSignal): CheckOptions | undefined {
    const filePath = this.#deps.index.filePath(segment)
    if (filePath === null) return undefined
    const next = this.#deps.segments.findAfter(segment.sourceId, segment.startUs)
    const nextAfterMs = next ? (next.startUs - segment.startUs) / US_PER_MS : null
    return { filePath, ffmpegPath: this.#deps.ffmpegPath(), nextAfterMs, signal }
  }
}

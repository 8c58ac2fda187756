import { rm } from 'node:fs/promises'
import type { Database } from '../../db/database.ts'
import type { Outbox } from '../../events/outbox.ts'
import { type BoundJob, bindJob, JobHopeless } from '../../jobs/define-job.ts'
import { isoFromUs, US_PER_MS } from './instants.ts'
import type { RecordingIndex } from './recording-index.ts'
import { checkSegmentJob, repairSegmentJob } from './recordings.jobs.ts'
import { type CheckedFile, type CheckOptions, checkSegmentFile } from './segment-check.ts'
import { RepairFailed, repairSegmentFile } from './segment-repair.ts'
import type { SegmentRow, SegmentState, SegmentsRepository } from './segments.repository.ts'

export interface SegmentJobsDeps {
  db: Database
  outbox: Outbox
  segments: SegmentsRepository
  index: RecordingIndex
  ffmpegPath: () => string | null
}

/** Looks whether files of recordings can be read, and repairs those that cannot. */
export class SegmentJobs {
  readonly #deps: SegmentJobsDeps

  constructor(deps: SegmentJobsDeps) {
    this.#deps = deps
  }

  bindJobs(): BoundJob[] {
    return [
      bindJob(checkSegmentJob, ({ segmentId }, { signal }) => this.#check(segmentId, signal)),
      bindJob(repairSegmentJob, ({ segmentId }, { signal }) => this.#repair(segmentId, signal))
    ]
  }

  async #check(segmentId: string, signal: AbortSignal): Promise<void> {
    const segment = this.#deps.segments.find(segmentId)
    const options = segment && this.#optionsFor(segment, signal)
    if (!options || segment.state === 'open') return
    const checked = await checkSegmentFile(options).catch((error: NodeJS.ErrnoException) => {
      // Deleted meanwhile.
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (!checked) return
    const found = segment.state === 'repaired' ? 'repaired' : 'whole'
    this.#note(segment, checked, checked.problem === null ? found : 'damaged')
  }

  /** Throws `JobHopeless` for what cannot be repaired; it is as it was then. */
  async #repair(segmentId: string, signal: AbortSignal): Promise<void> {
    const segment = this.#deps.segments.find(segmentId)
    const options = segment && this.#optionsFor(segment, signal)
    if (!options || segment.state !== 'damaged') return
    const repaired = await repairSegmentFile(options).catch((error: unknown) => {
      throw error instanceof RepairFailed ? new JobHopeless(error.message, { cause: error }) : error
    })
    const isThere = this.#note(segment, repaired, 'repaired')
    if (!isThere) await rm(options.filePath, { force: true })
  }

  /** Writes down what was found; false when the recording was deleted meanwhile. */
  #note(segment: SegmentRow, file: CheckedFile, state: SegmentState): boolean {
    const { db, outbox, segments } = this.#deps
    return db.transaction(() => {
      const before = segments.find(segment.id)
      if (!before) return false
      const { durationMs, sizeBytes, run, problem } = file
      segments.update(segment.id, { durationMs, sizeBytes, run, state, problem })
      if (state === before.state || state === 'whole') return true
      const { workspaceId, sourceId, pathName: path, startUs } = segment
      const about = { workspaceId, sourceId, path, start: isoFromUs(startUs) }
      if (state === 'damaged') outbox.append('recording.damaged', segment.id, { ...about, problem })
      else outbox.append('recording.repaired', segment.id, about)
      return true
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

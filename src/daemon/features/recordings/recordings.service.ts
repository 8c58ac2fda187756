import type { z } from 'zod'
import type { listRecordingDays, RecordingSegment, RecordingSession } from '../../../shared/api/recordings.ts'
import { type Clock, isoFromMs, localDayBounds } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { type Page, pageFrom, unknownCursor } from '../../db/page.ts'
import { AppError } from '../../errors.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { isoFromUs, US_PER_S, usFromIso } from './instants.ts'
import type { RecordingPlaces } from './recorded-sources.ts'
import type { RecordingIndex } from './recording-index.ts'
import { repairSegmentJob } from './recordings.jobs.ts'
import type { Retention } from './retention.ts'
import { type SegmentRow, type SegmentsRepository, segmentView } from './segments.repository.ts'
import { type Session, type Span, sessionsOf } from './sessions.ts'

export interface RecordingsServiceDeps {
  db: Database
  clock: Clock
  queue: JobQueue
  places: RecordingPlaces
  segments: SegmentsRepository
  index: RecordingIndex
  retention: Retention
  maxGapMs: number
}

type Days = z.output<typeof listRecordingDays.response>

/** From when to when, ISO 8601. */
export interface WindowQuery {
  from?: string | undefined
  to?: string | undefined
}

const DAY_US = 86_400 * US_PER_S

/** What was recorded, and what becomes of it. */
export class RecordingsService {
  readonly #deps: RecordingsServiceDeps

  constructor(deps: RecordingsServiceDeps) {
    this.#deps = deps
  }

  /** Throws `source_not_found`, `invalid_request`. */
  listSessions(sourceId: string, query: WindowQuery): { items: RecordingSession[] } {
    const { places, segments, maxGapMs } = this.#deps
    places.get(sourceId)
    return { items: sessionsOf(segments.listWindow(sourceId, this.windowOf(query)), maxGapMs).map(sessionView) }
  }

  /** Throws `source_not_found`, `invalid_request`. */
  listFiles(
    sourceId: string,
    query: WindowQuery & { cursor?: string | undefined; limit: number }
  ): Page<RecordingSegment> {
    const { places, segments } = this.#deps
    places.get(sourceId)
    const after = query.cursor === undefined ? undefined : segments.find(query.cursor)
    if (query.cursor !== undefined && after?.sourceId !== sourceId) throw unknownCursor()
    const page = { afterUs: after?.startUs ?? -1, limit: query.limit + 1 }
    const found = segments.listWindow(sourceId, this.windowOf(query), page)
    const { items, nextCursor } = pageFrom(found, query.limit, ({ id }) => id)
    return { items: items.map(segmentView), nextCursor }
  }

  /** Throws `source_not_found`. */
  listDays(sourceId: string): Days {
    const { places, segments } = this.#deps
    places.get(sourceId)
    const items = segments.sumDays(sourceId).map(({ day, segments, durationMs, sizeBytes }) => {
      const { startMs, endMs } = localDayBounds(day)
      return {
        day,
        start: isoFromMs(startMs),
        end: isoFromMs(endMs),
        segments,
        duration: durationMs / 1000,
        size_bytes: sizeBytes
      }
    })
    return { items }
  }

  /** Throws `source_not_found`, `recording_not_found`. */
  keep(sourceId: string, segmentId: string, isKept: boolean): RecordingSegment {
    const { db, segments } = this.#deps
    const segment = this.#get(sourceId, segmentId)
    db.transaction(() => segments.setKept(segment.id, isKept))
    return segmentView({ ...segment, isKept })
  }

  /** Throws `source_not_found`, `recording_not_found`, `recording_in_use`, and as the media server does. */
  async delete(sourceId: string, segmentId: string): Promise<void> {
    const segment = this.#get(sourceId, segmentId)
    this.#assertUnused(segment)
    await this.#deps.retention.delete(segment, 'asked')
  }

  /** Gives the job that does it. Throws `source_not_found`, `recording_not_found`, `recording_in_use`, `recording_not_damaged`. */
  repair(sourceId: string, segmentId: string): { jobId: string } {
    const { db, queue } = this.#deps
    const segment = this.#get(sourceId, segmentId)
    if (segment.state === 'open') throw new AppError('recording_in_use', { segmentId })
    if (segment.state !== 'damaged') throw new AppError('recording_not_damaged', { segmentId, state: segment.state })
    return { jobId: db.transaction(() => queue.enqueue(repairSegmentJob, { segmentId })) }
  }

  /** The last day unless told otherwise. Throws `invalid_request` for a window that ends before it begins. */
  windowOf({ from, to }: WindowQuery): { fromUs: number; toUs: number } {
    const toUs = (to === undefined ? null : usFromIso(to)) ?? this.#deps.clock.nowMs() * 1000
    const fromUs = (from === undefined ? null : usFromIso(from)) ?? toUs - DAY_US
    if (fromUs <= toUs) return { fromUs, toUs }
    throw new AppError('invalid_request', {
      in: 'query',
      issues: [{ path: 'from', message: 'must not be later than to' }]
    })
  }

  #get(sourceId: string, segmentId: string): SegmentRow {
    const { places, segments } = this.#deps
    places.get(sourceId)
    const segment = segments.find(segmentId)
    if (segment?.sourceId !== sourceId) throw new AppError('recording_not_found', { segmentId })
    return segment
  }

  #assertUnused({ id: segmentId, state }: SegmentRow): void {
    if (state === 'open' || this.#deps.segments.isNeeded(segmentId))
      throw new AppError('recording_in_use', { segmentId })
  }
}

function sessionView({ startUs, endUs, segments, gaps }: Session): RecordingSession {
  const sizes = segments.map(({ sizeBytes }) => sizeBytes)
  return {
    ...spanView({ startUs, endUs }),
    size_bytes: sizes.some((size) => size === null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
    segments: segments.length,
    is_open: segments.some(({ state }) => state === 'open'),
    has_damage: segments.some(({ state }) => state === 'damaged'),
    gaps: gaps.map(spanView)
  }
}

/** Durations are told in seconds. */
export function spanView({ startUs, endUs }: Span): { start: string; duration: number } {
  return { start: isoFromUs(startUs), duration: (endUs - startUs) / US_PER_S }
}

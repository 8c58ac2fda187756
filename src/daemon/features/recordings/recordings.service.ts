import type { z } from 'zod'
import {
  type listRecordingDays,
  MAX_WINDOW_DAYS,
  type RecordedSource,
  type RecordingSegment,
  type RecordingSession
} from '../../../shared/api/recordings.ts'
import { type Clock, isoFromMs, localDayBounds } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { type Page, pageFrom, unknownCursor } from '../../db/page.ts'
import { AppError } from '../../errors.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { isInScope, type WorkspaceScope } from '../../workspace-scope.ts'
import { isoFromUs, US_PER_MS, US_PER_S, usOf } from './instants.ts'
import type { RecordingPlace, RecordingPlaces } from './recorded-sources.ts'
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
const LAST_DAY = '9999-12-31'

/** What was recorded, and what becomes of it. */
export class RecordingsService {
  readonly #deps: RecordingsServiceDeps

  constructor(deps: RecordingsServiceDeps) {
    this.#deps = deps
  }

  /** Streams of which something was recorded, by name. Throws `invalid_request` for a cursor of another list. */
  listSources(
    query: { workspaceId?: string | undefined; cursor?: string | undefined; limit: number },
    scope: WorkspaceScope
  ): Page<RecordedSource> {
    const { places, segments } = this.#deps
    const { workspaceId } = query
    const wanted: WorkspaceScope = workspaceId === undefined ? scope : [workspaceId]
    const all = places.listWithRecordings().filter((place) => isInScope(wanted, place.workspaceId))
    const after = query.cursor === undefined ? null : places.find(query.cursor)
    if (after === undefined || (after && !isInScope(wanted, after.workspaceId))) throw unknownCursor()
    const rest = all.sort(byName).filter((place) => after === null || byName(place, after) > 0)
    const { items, nextCursor } = pageFrom(rest, query.limit, ({ sourceId }) => sourceId)
    return {
      items: items.flatMap((place) => recordedSourceView(place, segments.sumOf(place.sourceId)) ?? []),
      nextCursor
    }
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
    const window = this.windowOf(query)
    const afterUs = query.cursor === undefined ? -1 : positionOf(query.cursor, sourceId)
    if (afterUs >= window.toUs) throw unknownCursor()
    const found = segments.listWindow(sourceId, window, { afterUs, limit: query.limit + 1 })
    const { items, nextCursor } = pageFrom(found, query.limit, ({ startUs }) => `${startUs}_${sourceId}`)
    return { items: items.map(segmentView), nextCursor }
  }

  /** Up to a day, or up to the newest of all. Throws `source_not_found`. */
  listDays(sourceId: string, query: { to?: string | undefined }): Days {
    const { places, segments } = this.#deps
    places.get(sourceId)
    const to = query.to ?? segments.findDayUpTo(sourceId, LAST_DAY)
    if (to === null) return { items: [], earlier: null }
    const from = addDays(to, 1 - MAX_WINDOW_DAYS)
    const items = segments.sumDays(sourceId, from, to).map(({ day, segments, durationMs, sizeBytes }) => {
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
    return { items, earlier: segments.findDayUpTo(sourceId, addDays(from, -1)) }
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
    return {
      jobId: db.transaction(() => queue.enqueue(repairSegmentJob, { segmentId }, { workspaceId: segment.workspaceId }))
    }
  }

  /** The last day unless told otherwise. Throws `invalid_request` for a window that ends before it begins, or is too long. */
  windowOf({ from, to }: WindowQuery): { fromUs: number; toUs: number } {
    const toUs = to === undefined ? this.#deps.clock.nowMs() * US_PER_MS : usOf(to)
    const fromUs = from === undefined ? toUs - DAY_US : usOf(from)
    const message =
      fromUs > toUs
        ? 'must not be later than to'
        : toUs - fromUs > MAX_WINDOW_DAYS * DAY_US
          ? `must be at most ${MAX_WINDOW_DAYS} days before to`
          : null
    if (message === null) return { fromUs, toUs }
    throw new AppError('invalid_request', { in: 'query', issues: [{ path: 'from', message }] })
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

function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

/** By name, whatever its case. */
function byName(a: RecordingPlace, b: RecordingPlace): number {
  const [one, other] = [a, b].map(({ name, sourceId }) => `${name.toLowerCase()}\0${sourceId}`)
  return one! < other! ? -1 : one === other ? 0 : 1
}

/** Throws `invalid_request` for what no page of this source's files came with. */
function positionOf(cursor: string, sourceId: string): number {
  const [, startUs, owner] = /^(\d{1,16})_([0-9a-z]{26})$/.exec(cursor) ?? []
  if (startUs === undefined || owner !== sourceId) throw unknownCursor()
  return Number(startUs)
}

/** Null for one whose last recording has just gone. */
function recordedSourceView(
  { sourceId, workspaceId, name, pathName, isRemoved }: RecordingPlace,
  sum: ReturnType<SegmentsRepository['sumOf']>
): RecordedSource | null {
  if (!sum) return null
  return {
    source_id: sourceId,
    workspace_id: workspaceId,
    name,
    path_name: pathName,
    is_removed: isRemoved,
    first_start: isoFromUs(sum.firstUs),
    last_start: isoFromUs(sum.lastUs),
    segments: sum.segments,
    size_bytes: sum.sizeBytes
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

import type { RecordingSegment, segmentStates } from '../../../shared/api/recordings.ts'
import type { Database } from '../../db/database.ts'
import { isoFromUs } from './instants.ts'

export type SegmentState = (typeof segmentStates)[number]

/** One file of a recording. */
export interface SegmentRow {
  id: string
  sourceId: string
  workspaceId: string
  pathName: string
  startUs: number
  /** Null where the media server runs elsewhere. */
  fileName: string | null
  /** The start as that media server writes it; null where the file is here. */
  rawStart: string | null
  durationMs: number | null
  sizeBytes: number | null
  run: { id: string; number: number } | null
  state: SegmentState
  problem: string | null
  isKept: boolean
}

/** What can be found out anew of a file. */
export type SegmentFacts = Pick<SegmentRow, 'durationMs' | 'sizeBytes' | 'run' | 'state' | 'problem'>

interface Row {
  id: string
  source_id: string
  workspace_id: string
  path_name: string
  start_us: number
  file_name: string | null
  raw_start: string | null
  duration_ms: number | null
  size_bytes: number | null
  run_id: string | null
  run_number: number | null
  state: SegmentState
  problem: string | null
  is_kept: number
}

export interface DaySum {
  day: string
  segments: number
  durationMs: number
  sizeBytes: number | null
}

const FOLDER_KEY = 'recordings_folder'

/** Where the file of a recording is: on this machine, or with a media server elsewhere. */
export type Where = 'here' | 'elsewhere'

const IS_AT: Record<Where, string> = { here: 'file_name IS NOT NULL', elsewhere: 'raw_start IS NOT NULL' }
/** A media server elsewhere deletes nothing of a path that it does not know any more. */
const CAN_BE_DELETED: Record<Where, string> = {
  here: IS_AT.here,
  elsewhere: `${IS_AT.elsewhere} AND source_id NOT IN (SELECT id FROM removed_source)`
}

/** A clip that is still to be cut needs the recording it is cut from. */
const NEEDED_BY_CLIP = `EXISTS (
  SELECT 1 FROM clip WHERE clip.source_id = recording_segment.source_id AND clip.state = 'waiting'
    AND clip.start_us < recording_segment.start_us + coalesce(recording_segment.duration_ms, 0) * 1000 + 1
    AND clip.end_us > recording_segment.start_us)`

/** The index of recordings. */
export class SegmentsRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  insert(segment: SegmentRow & { day: string }): void {
    this.#db
      .prepare(
        `INSERT INTO recording_segment (id, source_id, workspace_id, path_name, start_us, day, file_name, raw_start,
                                        duration_ms, size_bytes, run_id, run_number, state, problem, is_kept)
         VALUES (:id, :sourceId, :workspaceId, :pathName, :startUs, :day, :fileName, :rawStart,
                 :durationMs, :sizeBytes, :runId, :runNumber, :state, :problem, :isKept)`
      )
      .run({ ...segment, ...runColumns(segment.run), isKept: segment.isKept ? 1 : 0 })
  }

  update(id: string, facts: SegmentFacts): void {
    this.#db
      .prepare(
        `UPDATE recording_segment SET duration_ms = :durationMs, size_bytes = :sizeBytes, run_id = :runId,
                run_number = :runNumber, state = :state, problem = :problem WHERE id = :id`
      )
      .run({ id, ...facts, ...runColumns(facts.run) })
  }

  setKept(id: string, isKept: boolean): void {
    this.#db.prepare('UPDATE recording_segment SET is_kept = ? WHERE id = ?').run(isKept ? 1 : 0, id)
  }

  delete(id: string): void {
    this.#db.prepare('DELETE FROM recording_segment WHERE id = ?').run(id)
  }

  /** Whether there was one that nobody asked to keep. */
  forgetAt(sourceId: string, startUs: number): boolean {
    const sql = 'DELETE FROM recording_segment WHERE source_id = ? AND start_us = ? AND is_kept = 0'
    return this.#db.prepare(sql).run(sourceId, startUs).changes > 0
  }

  find(id: string): SegmentRow | undefined {
    return this.#rows('WHERE id = ?', id)[0]
  }

  /** Those that hold something of a window, oldest first, at most `limit` after those that begin before `afterUs`. */
  listWindow(
    sourceId: string,
    window: { fromUs: number; toUs: number },
    page: { afterUs: number; limit: number } = { afterUs: -1, limit: -1 }
  ): SegmentRow[] {
    const { fromUs, toUs } = window
    // Whatever holds the beginning of the window began before it, and nothing else between.
    const first = this.#db
      .prepare<unknown[], { us: number }>(
        `SELECT us FROM (SELECT start_us AS us, start_us + coalesce(duration_ms, 0) * 1000 AS end_us FROM recording_segment
                         WHERE source_id = ? AND start_us <= ? ORDER BY start_us DESC LIMIT 1) WHERE end_us > ?`
      )
      .get(sourceId, fromUs, fromUs)
    return this.#rows(
      'WHERE source_id = ? AND start_us >= ? AND start_us < ? AND start_us > ? ORDER BY start_us LIMIT ?',
      sourceId,
      first?.us ?? fromUs,
      toUs,
      page.afterUs,
      page.limit
    )
  }

  /** The newest of a source. */
  findLast(sourceId: string): SegmentRow | undefined {
    return this.#rows('WHERE source_id = ? ORDER BY start_us DESC LIMIT 1', sourceId)[0]
  }

  /** The first that begins later than an instant. */
  findAfter(sourceId: string, us: number): SegmentRow | undefined {
    return this.#rows('WHERE source_id = ? AND start_us > ? ORDER BY start_us LIMIT 1', sourceId, us)[0]
  }

  /** What was recorded on each of some days, newest first. */
  sumDays(sourceId: string, from: string, to: string): DaySum[] {
    return this.#db
      .prepare<unknown[], DaySum>(
        `SELECT day, count(*) AS segments, coalesce(sum(duration_ms), 0) AS durationMs, sum(size_bytes) AS sizeBytes
         FROM recording_segment WHERE source_id = ? AND day BETWEEN ? AND ? GROUP BY day ORDER BY day DESC`
      )
      .all(sourceId, from, to)
  }

  /** The newest day, not later than `to`, that something was recorded on; null when there is none. */
  findDayUpTo(sourceId: string, to: string): string | null {
    return (
      this.#db
        .prepare<unknown[], { day: string | null }>(
          'SELECT max(day) AS day FROM recording_segment WHERE source_id = ? AND day <= ?'
        )
        .get(sourceId, to)?.day ?? null
    )
  }

  /** Those that have recordings. */
  listSourceIds(): string[] {
    // From one to the next, instead of looking at every file.
    return this.#db
      .prepare<unknown[], { id: string }>(
        `WITH RECURSIVE known (id) AS (
           SELECT min(source_id) FROM recording_segment
           UNION ALL
           SELECT (SELECT min(source_id) FROM recording_segment WHERE source_id > known.id) FROM known
           WHERE known.id IS NOT NULL)
         SELECT id FROM known WHERE id IS NOT NULL`
      )
      .all()
      .map(({ id }) => id)
  }

  /** When each of a source begins. */
  listStarts(sourceId: string, where: Where): Set<number> {
    const starts = this.#db
      .prepare<unknown[], number>(`SELECT start_us FROM recording_segment WHERE source_id = ? AND ${IS_AT[where]}`)
      .pluck()
      .all(sourceId)
    return new Set(starts)
  }

  /** The files of a source that are still written, as far as is known. */
  listOpen(sourceId: string): SegmentRow[] {
    return this.#rows(`WHERE source_id = ? AND state = 'open' ORDER BY start_us`, sourceId)
  }

  /** The sources of which a file is still written, as far as is known. */
  listOpenSourceIds(): string[] {
    return this.#db
      .prepare<unknown[], string>(`SELECT DISTINCT source_id FROM recording_segment WHERE state = 'open'`)
      .pluck()
      .all()
  }

  /** What there is of a source that has some. */
  sumOf(sourceId: string): { firstUs: number; lastUs: number; segments: number; sizeBytes: number | null } | undefined {
    const sum = this.#db
      .prepare<unknown[], { segments: number; sized: number; sizeBytes: number | null }>(
        `SELECT count(*) AS segments, count(size_bytes) AS sized, sum(size_bytes) AS sizeBytes
         FROM recording_segment WHERE source_id = ?`
      )
      .get(sourceId)!
    const [first, last] = [this.findAfter(sourceId, -1), this.findLast(sourceId)]
    if (!first || !last) return undefined
    const sizeBytes = sum.sized === sum.segments ? sum.sizeBytes : null
    return { firstUs: first.startUs, lastUs: last.startUs, segments: sum.segments, sizeBytes }
  }

  /** Whether anything was recorded on this machine. */
  hasFilesHere(): boolean {
    return this.#db.prepare('SELECT 1 FROM recording_segment WHERE file_name IS NOT NULL LIMIT 1').get() !== undefined
  }

  /** The folder of the recordings that was seen last; null before the first. */
  markedFolder(): string | null {
    return (
      this.#db.prepare<unknown[], string>('SELECT value FROM setting WHERE key = ?').pluck().get(FOLDER_KEY) ?? null
    )
  }

  setMarkedFolder(folder: string): void {
    this.#db.prepare('INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)').run(FOLDER_KEY, folder)
  }

  /** What all of them on this machine take; how large those elsewhere are nobody says. */
  totalBytes(): number {
    return (
      this.#db
        .prepare<unknown[], { sum: number }>(
          `SELECT coalesce(sum(size_bytes), 0) AS sum FROM recording_segment WHERE ${IS_AT.here}`
        )
        .get()?.sum ?? 0
    )
  }

  /** When the newest of all begins; null where there is none. */
  findNewestUs(): number | null {
    const newest = this.listSourceIds().map((sourceId) => this.findLast(sourceId)?.startUs ?? 0)
    return newest.length === 0 ? null : Math.max(...newest)
  }

  /** The oldest that nothing keeps, and that can be deleted from here, of all sources, after another one. */
  listOldest(
    limit: number,
    where: Where,
    after: { startUs: number; id: string } = { startUs: -1, id: '' }
  ): SegmentRow[] {
    return this.#rows(
      `WHERE is_kept = 0 AND state <> 'open' AND (start_us, id) > (?, ?) AND ${CAN_BE_DELETED[where]} AND NOT ${NEEDED_BY_CLIP}
       ORDER BY start_us, id LIMIT ?`,
      after.startUs,
      after.id,
      limit
    )
  }

  /** Whether a clip that is still to be cut needs it. */
  isNeeded(id: string): boolean {
    return this.#rows(`WHERE id = ? AND ${NEEDED_BY_CLIP}`, id).length > 0
  }

  #rows(clause: string, ...values: (string | number)[]): SegmentRow[] {
    return this.#db
      .prepare<unknown[], Row>(`SELECT * FROM recording_segment ${clause}`)
      .all(...values)
      .map(fromRow)
  }
}

/** A file as the API shows it. */
export function segmentView(segment: SegmentRow): RecordingSegment {
  const { id, sourceId, startUs, durationMs, sizeBytes, fileName, state, problem, isKept } = segment
  return {
    id,
    source_id: sourceId,
    start: isoFromUs(startUs),
    duration: durationMs === null ? null : durationMs / 1000,
    size_bytes: sizeBytes,
    file_name: fileName,
    state,
    problem,
    is_kept: isKept
  }
}

function fromRow(row: Row): SegmentRow {
  return {
    id: row.id,
    sourceId: row.source_id,
    workspaceId: row.workspace_id,
    pathName: row.path_name,
    startUs: row.start_us,
    fileName: row.file_name,
    rawStart: row.raw_start,
    durationMs: row.duration_ms,
    sizeBytes: row.size_bytes,
    run: row.run_id === null || row.run_number === null ? null : { id: row.run_id, number: row.run_number },
    state: row.state,
    problem: row.problem,
    isKept: row.is_kept === 1
  }
}

function runColumns(run: SegmentRow['run']): { runId: string | null; runNumber: number | null } {
  return { runId: run?.id ?? null, runNumber: run?.number ?? null }
}

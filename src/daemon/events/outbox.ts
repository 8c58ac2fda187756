import { setTimeout as pause } from 'node:timers/promises'
import type { EventType, StoredEvent } from '../../shared/api/events.ts'
import { type Clock, isoFromMs } from '../clock.ts'
import type { Database } from '../db/database.ts'

/** The newest this many events are kept; a listener further behind is told to read its lists again. */
const KEPT_EVENTS = 200_000
const TRIMMED_AT_ONCE = 500
const TRIM_REST_MS = 20

interface EventRow {
  seq: number
  type: string
  subject: string
  data_json: string
  created_at_ms: number
}

/** Facts in commit order, written in the transaction that made them true, and read again by anyone who missed some. */
export class Outbox {
  readonly #db: Database
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()

  constructor(deps: { db: Database; clock: Clock }) {
    this.#db = deps.db
    this.#clock = deps.clock
  }

  /** Records a fact about `subject` (an asset's or a flight's id) in the current transaction. */
  append(type: EventType, subject: string, data: Record<string, unknown> = {}): void {
    this.#db
      .prepare('INSERT INTO event (type, subject, data_json, created_at_ms) VALUES (?, ?, ?, ?)')
      .run(type, subject, JSON.stringify(data), this.#clock.nowMs())
    this.#db.afterCommit(() => this.#notify())
  }

  /** Calls `listener` after each commit that added events. Returns the function that ends it. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Events after `seq`, oldest first. */
  readAfter(seq: number, limit: number): StoredEvent[] {
    return this.#db
      .prepare<unknown[], EventRow>('SELECT * FROM event WHERE seq > ? ORDER BY seq LIMIT ?')
      .all(seq, limit)
      .map(eventFromRow)
  }

  /** The newest events of one subject, newest first. */
  readFor(subject: string, limit: number): StoredEvent[] {
    return this.#db
      .prepare<unknown[], EventRow>('SELECT * FROM event WHERE subject = ? ORDER BY seq DESC LIMIT ?')
      .all(subject, limit)
      .map(eventFromRow)
  }

  /** The event with this number; undefined when it is not kept any more. */
  find(seq: number): StoredEvent | undefined {
    const row = this.#db.prepare<unknown[], EventRow>('SELECT * FROM event WHERE seq = ?').get(seq)
    return row && eventFromRow(row)
  }

  /** The oldest kept event of this time or later; the number after the last when there is none. */
  firstSince(atMs: number): number {
    const row = this.#db
      .prepare<unknown[], { seq: number }>('SELECT seq FROM event WHERE created_at_ms >= ? ORDER BY seq LIMIT 1')
      .get(atMs)
    return row?.seq ?? this.range().last + 1
  }

  /** First and last sequence number kept; both 0 when there are none. */
  range(): { first: number; last: number } {
    const row = this.#db
      .prepare<unknown[], { first: number | null; last: number | null }>(
        'SELECT (SELECT min(seq) FROM event) AS first, (SELECT max(seq) FROM event) AS last'
      )
      .get()
    return { first: row?.first ?? 0, last: row?.last ?? 0 }
  }

  /** Drops the oldest events beyond the number to keep, a few at a time so that nobody waits for it. */
  async trim(options: { keep?: number; signal?: AbortSignal } = {}): Promise<void> {
    const dropTo = this.range().last - (options.keep ?? KEPT_EVENTS)
    while (this.#drop(dropTo, TRIMMED_AT_ONCE) === TRIMMED_AT_ONCE) {
      await pause(TRIM_REST_MS)
      if (options.signal?.aborted) return
    }
  }

  #drop(lastSeq: number, limit: number): number {
    const sql = 'DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE seq <= ? ORDER BY seq LIMIT ?)'
    return this.#db.relaxedTransaction(() => this.#db.prepare(sql).run(lastSeq, limit).changes)
  }

  #notify(): void {
    // Each on its own, so that one that fails does not keep the others from hearing of it.
    for (const listener of this.#listeners) this.#db.afterCommit(listener)
  }
}

function eventFromRow(row: EventRow): StoredEvent {
  return {
    seq: row.seq,
    type: row.type as EventType,
    subject: row.subject,
    at: isoFromMs(row.created_at_ms),
    data: JSON.parse(row.data_json) as Record<string, unknown>
  }
}

import type { IndexDatabase } from './index-database.ts'

/** In the order in which they are checked. */
export type DueRow = { verifiedAtMs: number; sizeBytes: number; id: string }
const FIRST: DueRow = { verifiedAtMs: Number.MIN_SAFE_INTEGER, sizeBytes: 0, id: '' }

/** SQL of the check of all payload files: when each was checked, and how far a round has come. */
export class ScrubRows {
  readonly #rounds
  readonly #ask
  readonly #finish
  readonly #due
  readonly #page
  readonly #latest
  readonly #doubt
  readonly #totals

  constructor(db: IndexDatabase) {
    this.#rounds = db.prepare<[], { askedAtMs: number | null; finishedAtMs: number | null }>(
      `SELECT asked_at_ms AS askedAtMs, finished_at_ms AS finishedAtMs FROM scrub`
    )
    this.#ask = db.prepare<[number]>(`UPDATE scrub SET asked_at_ms = ?`)
    this.#finish = db.prepare<[number, number | null]>(
      `UPDATE scrub SET finished_at_ms = ?, asked_at_ms = CASE WHEN asked_at_ms IS ? THEN NULL ELSE asked_at_ms END`
    )
    this.#due = db.prepare<[number], { blobs: number; bytes: number }>(
      `SELECT COUNT(*) AS blobs, COALESCE(SUM(size_bytes), 0) AS bytes FROM blob WHERE verified_at_ms < ?`
    )
    this.#page = db.prepare<[DueRow & { beforeMs: number; limit: number }], DueRow>(
      `SELECT verified_at_ms AS verifiedAtMs, size_bytes AS sizeBytes, id FROM blob
       WHERE verified_at_ms < @beforeMs AND (verified_at_ms, size_bytes, id) > (@verifiedAtMs, @sizeBytes, @id)
       ORDER BY verified_at_ms, size_bytes, id LIMIT @limit`
    )
    this.#latest = db.prepare<[], { atMs: number | null }>(`SELECT MAX(verified_at_ms) AS atMs FROM blob`)
    this.#doubt = db.prepare<[number, number, number]>(
      `UPDATE blob SET verified_at_ms = ? WHERE id IN (SELECT id FROM blob WHERE verified_at_ms > ? LIMIT ?)`
    )
    this.#totals = db.prepare<[], { oldestCheckAtMs: number | null; damagedBlobs: number }>(
      `SELECT (SELECT MIN(verified_at_ms) FROM blob) AS oldestCheckAtMs,
         (SELECT COUNT(*) FROM blob WHERE state = 'damaged') AS damagedBlobs`
    )
  }

  /** When somebody asked for everything to be checked, until that is done; and when a round was last done. */
  rounds(): { askedAtMs: number | null; finishedAtMs: number | null } {
    const row = this.#rounds.get()
    if (!row) throw new Error('The index has lost the state of its checks.')
    return row
  }

  /** Everything is to be checked that was not checked after `nowMs`. */
  ask(nowMs: number): void {
    this.#ask.run(nowMs)
  }

  /** Ends the round for which somebody asked at `askedAtMs`, or nobody. */
  finish(nowMs: number, askedAtMs: number | null): void {
    this.#finish.run(nowMs, askedAtMs)
  }

  /** All that was checked last before `beforeMs`. */
  due(beforeMs: number): { blobs: number; bytes: number } {
    return this.#due.get(beforeMs) ?? { blobs: 0, bytes: 0 }
  }

  /** Some of what is due, the oldest check first; what comes after a row that was given before. */
  page(beforeMs: number, limit: number, after: DueRow = FIRST): DueRow[] {
    return this.#page.all({ ...after, beforeMs, limit })
  }

  /** 0 without any. */
  latestCheckMs(): number {
    return this.#latest.get()?.atMs ?? 0
  }

  /** Makes some of what was checked after `nowMs` be due, as if checked at `asIfMs`. */
  doubtChecksAfter(nowMs: number, asIfMs: number, limit: number): void {
    this.#doubt.run(asIfMs, nowMs, limit)
  }

  totals(): { oldestCheckAtMs: number | null; damagedBlobs: number } {
    return this.#totals.get() ?? { oldestCheckAtMs: null, damagedBlobs: 0 }
  }
}

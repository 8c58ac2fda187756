import type { DelayedDeletion, DeletionOutcome } from '../../../shared/api/deletions.ts'
import { isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { newId } from '../../ids.ts'

export type DeletionHolder = NonNullable<DelayedDeletion['holder']>

interface DeletionRow {
  id: string
  media_id: string
  event_id: string | null
  namespace: string | null
  owner: string | null
  external_id: string | null
  state: DelayedDeletion['state']
  outcome: DeletionOutcome | null
  run_at_ms: number
  created_at_ms: number
  finished_at_ms: number | null
}

/** Deletions that wait for their time, what became of the others, and the events that asked for them. */
export class DeletionsRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Notes that an event was taken. False when it had been already. */
  noteEvent(eventId: string, nowMs: number): boolean {
    return (
      this.#db
        .prepare('INSERT INTO inbound_event (id, received_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING')
        .run(eventId, nowMs).changes > 0
    )
  }

  /** Adds one, unless the same waits already. Gives the number added. */
  add(
    deletion: { mediaId: string; eventId: string | null; holder: DeletionHolder | null; runAtMs: number },
    nowMs: number
  ): number {
    const { mediaId, eventId, holder, runAtMs } = deletion
    return this.#db
      .prepare(
        `INSERT INTO delayed_deletion (id, media_id, event_id, namespace, owner, external_id, state, run_at_ms, created_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?, ?) ON CONFLICT DO NOTHING`
      )
      .run(
        newId(nowMs),
        mediaId,
        eventId,
        holder?.namespace ?? null,
        holder?.owner ?? null,
        holder?.externalId ?? null,
        runAtMs,
        nowMs
      ).changes
  }

  /** Cancels what waits for this medium: that of the holder, as far as it is named. Gives the number. */
  cancelOf(mediaId: string, holder: DeletionHolder | null, nowMs: number): number {
    return this.#db
      .prepare(
        `UPDATE delayed_deletion SET state = 'cancelled', finished_at_ms = :nowMs
         WHERE media_id = :mediaId AND state = 'waiting' AND (:namespace IS NULL OR namespace = :namespace)
           AND (:owner IS NULL OR owner = :owner) AND (:externalId IS NULL OR external_id = :externalId)`
      )
      .run({ mediaId, nowMs, ...(holder ?? { namespace: null, owner: null, externalId: null }) }).changes
  }

  find(deletionId: string): DelayedDeletion | undefined {
    const row = this.#db.prepare<unknown[], DeletionRow>('SELECT * FROM delayed_deletion WHERE id = ?').get(deletionId)
    return row && deletionFromRow(row)
  }

  /** The one that waits longest beyond its time. */
  nextDue(nowMs: number): DelayedDeletion | undefined {
    const row = this.#db
      .prepare<unknown[], DeletionRow>(
        `SELECT * FROM delayed_deletion WHERE state = 'waiting' AND run_at_ms <= ? ORDER BY run_at_ms, id LIMIT 1`
      )
      .get(nowMs)
    return row && deletionFromRow(row)
  }

  /** When the first of those that wait is due, epoch milliseconds. */
  nextDueMs(): number | null {
    return this.#db
      .prepare<unknown[], { due: number | null }>(
        `SELECT min(run_at_ms) AS due FROM delayed_deletion WHERE state = 'waiting'`
      )
      .get()!.due
  }

  /** Ends one that waits; `outcome` null: it is cancelled. False when it does not wait any more. */
  finish(deletionId: string, outcome: DeletionOutcome | null, nowMs: number): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE delayed_deletion SET state = iif(:outcome IS NULL, 'cancelled', 'done'), outcome = :outcome,
             finished_at_ms = :nowMs WHERE id = :deletionId AND state = 'waiting'`
        )
        .run({ deletionId, outcome, nowMs }).changes > 0
    )
  }

  /** Newest first, before the one with id `cursor`. */
  list(query: {
    cursor?: string | undefined
    limit: number
    state?: string | undefined
    mediaId?: string | undefined
  }): DelayedDeletion[] {
    const conditions = ['true']
    const values: unknown[] = []
    const where = (sql: string, value: unknown): void => {
      if (value === undefined) return
      conditions.push(sql)
      values.push(value)
    }
    where('media_id = ?', query.mediaId)
    where('state = ?', query.state)
    where('id < ?', query.cursor)
    return this.#db
      .prepare<unknown[], DeletionRow>(
        `SELECT * FROM delayed_deletion WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ?`
      )
      .all(...values, query.limit)
      .map(deletionFromRow)
  }

  /** Forgets up to `limit` events and ended deletions from before `untilMs`. Gives their number. */
  forget(untilMs: number, limit: number): number {
    const events = this.#db
      .prepare('DELETE FROM inbound_event WHERE id IN (SELECT id FROM inbound_event WHERE received_at_ms <= ? LIMIT ?)')
      .run(untilMs, limit).changes
    const deletions = this.#db
      .prepare(
        `DELETE FROM delayed_deletion
         WHERE id IN (SELECT id FROM delayed_deletion WHERE finished_at_ms <= ? LIMIT ?)`
      )
      .run(untilMs, limit).changes
    return Math.max(events, deletions)
  }
}

function deletionFromRow(row: DeletionRow): DelayedDeletion {
  const { namespace, owner, external_id: externalId } = row
  return {
    id: row.id,
    mediaId: row.media_id,
    eventId: row.event_id,
    holder: namespace === null ? null : { namespace, owner, externalId },
    state: row.state,
    outcome: row.outcome,
    runAt: isoFromMs(row.run_at_ms),
    createdAt: isoFromMs(row.created_at_ms),
    finishedAt: row.finished_at_ms === null ? null : isoFromMs(row.finished_at_ms)
  }
}

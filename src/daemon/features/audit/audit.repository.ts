import type { z } from 'zod'
import type { AuditAction, AuditActor, AuditRecord, listAudit } from '../../../shared/api/audit.ts'
import type { AuditRow } from '../../audit/audit-log.ts'
import { isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { type Page, pageFrom, unknownCursor } from '../../db/page.ts'
import { scopeCondition, type WorkspaceScope } from '../../workspace-scope.ts'

export type AuditQuery = z.output<NonNullable<(typeof listAudit)['query']>>

/** Reads what `AuditLog` wrote. */
export class AuditRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** One page, newest first. Throws `invalid_request` for a bad cursor. */
  list(query: AuditQuery, scope: WorkspaceScope): Page<AuditRecord> {
    const conditions: string[] = []
    const values: unknown[] = []
    const where = (sql: string, ...bound: unknown[]): void => {
      conditions.push(sql)
      values.push(...bound)
    }
    // A subject has few records, and SQLite cannot know it: the plus keeps it from the indexes of the others.
    const by = query.subject === undefined ? '' : '+'
    const inScope = scopeCondition(scope, `${by}workspace_id`)
    where(inScope.sql, ...inScope.values)
    if (query.subject !== undefined) where('subject = ?', query.subject)
    if (query.action !== undefined) where(`${by}action = ?`, query.action)
    if (query.actor !== undefined) where(`${by}actor = ?`, query.actor)
    if (query.from !== undefined) where('at_ms >= ?', Date.parse(query.from))
    if (query.until !== undefined) where('at_ms < ?', Date.parse(query.until))
    if (query.cursor !== undefined) where('(at_ms, seq) < (?, ?)', ...parseCursor(query.cursor))
    const rows = this.#db
      .prepare<unknown[], AuditRow>(
        `SELECT * FROM audit WHERE ${conditions.join(' AND ')} ORDER BY at_ms DESC, seq DESC LIMIT ?`
      )
      .all(...values, query.limit + 1)
    const { items, nextCursor } = pageFrom(rows, query.limit, (last) => `${last.at_ms}_${last.seq}`)
    return { items: items.map(recordFromRow), nextCursor }
  }

  /** The records after `seq`, oldest first. */
  readAfter(seq: number, limit: number): AuditRow[] {
    return this.#db
      .prepare<unknown[], AuditRow>('SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?')
      .all(seq, limit)
  }

  /** The record at `seq`, or (without) the last one. */
  find(seq?: number): AuditRow | undefined {
    if (seq === undefined)
      return this.#db.prepare<unknown[], AuditRow>('SELECT * FROM audit ORDER BY seq DESC LIMIT 1').get()
    return this.#db.prepare<unknown[], AuditRow>('SELECT * FROM audit WHERE seq = ?').get(seq)
  }
}

function parseCursor(cursor: string): [number, number] {
  const match = /^(\d{1,15})_(\d{1,15})$/.exec(cursor)
  if (!match) throw unknownCursor()
  return [Number(match[1]), Number(match[2])]
}

function recordFromRow(row: AuditRow): AuditRecord {
  return {
    seq: row.seq,
    at: isoFromMs(row.at_ms),
    actor: JSON.parse(row.actor_json) as AuditActor,
    action: row.action as AuditAction,
    subject: row.subject,
    data: JSON.parse(row.data_json) as Record<string, unknown>,
    prevHash: row.prev_hash,
    hash: row.hash
  }
}

import { collectionReportSchema, type GcRun } from '../../../shared/api/lifecycle.ts'
import { isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'

interface GcRunRow {
  id: string
  started_at_ms: number
  duration_ms: number
  actor_id: string
  actor_name: string
  report_json: string
}

/** What the runs of the collector did; the newest ones. */
export class GcRunsRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Adds a run and forgets all but the newest `kept`. */
  insert(run: GcRun, kept: number): void {
    const { id, startedAt, durationMs, actor, ...report } = run
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT INTO gc_run (id, started_at_ms, duration_ms, actor_id, actor_name, report_json) VALUES (?, ?, ?, ?, ?, ?)`
        )
        .run(id, Date.parse(startedAt), durationMs, actor.id, actor.name, JSON.stringify(report))
      this.#db
        .prepare('DELETE FROM gc_run WHERE id <= (SELECT id FROM gc_run ORDER BY id DESC LIMIT 1 OFFSET ?)')
        .run(kept)
    })
  }

  /** Newest first, before the run with id `cursor`. */
  list(query: { cursor?: string | undefined; limit: number }): GcRun[] {
    return this.#db
      .prepare<object, GcRunRow>(
        'SELECT * FROM gc_run WHERE :cursor IS NULL OR id < :cursor ORDER BY id DESC LIMIT :limit'
      )
      .all({ cursor: query.cursor ?? null, limit: query.limit })
      .map((row) => ({
        id: row.id,
        startedAt: isoFromMs(row.started_at_ms),
        durationMs: row.duration_ms,
        actor: { id: row.actor_id, name: row.actor_name },
        ...collectionReportSchema.parse({ archived: 0, ...JSON.parse(row.report_json) })
      }))
  }
}

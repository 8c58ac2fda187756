import type { z } from 'zod'
import type { Job, JobCounts, jobStates } from '../../shared/api/jobs.ts'
import { type Clock, isoFromMs } from '../clock.ts'
import type { Database } from '../db/database.ts'
import { type Page, pageFrom } from '../db/page.ts'
import { AppError } from '../errors.ts'
import type { Outbox } from '../events/outbox.ts'
import { newId } from '../ids.ts'
import { scopeCondition, type WorkspaceScope } from '../workspace-scope.ts'
import type { JobDefinition } from './define-job.ts'

/** Work that is for no asset belongs to no workspace unless it names one. */
const OF_WORKSPACE = 'coalesce(job.workspace_id, (SELECT workspace_id FROM asset WHERE asset.id = job.asset_id))'

export type JobState = (typeof jobStates)[number]

export interface JobRow {
  id: string
  name: string
  payload_json: string
  state: JobState
  priority: number
  asset_id: string | null
  attempt: number
  max_attempts: number
  run_at_ms: number
  progress: number | null
  error_message: string | null
  created_at_ms: number
}

/** What the runner needs to hear from the queue. */
export interface JobQueueListener {
  jobQueued(): void
  jobCancelled(jobId: string): void
}

/** The durable queue: rows in the catalogue, so a job is enqueued in the transaction that made it necessary. */
export class JobQueue {
  readonly #db: Database
  readonly #clock: Clock
  readonly #outbox: Outbox
  #listener: JobQueueListener | undefined

  constructor(deps: { db: Database; clock: Clock; outbox: Outbox }) {
    this.#db = deps.db
    this.#clock = deps.clock
    this.#outbox = deps.outbox
  }

  setListener(listener: JobQueueListener): void {
    this.#listener = listener
  }

  /**
   * Adds a job (in the current transaction, if any). A queued one with the same dedupe key makes this a no-op, unless this
   * one is more urgent: then that one is, too, and no longer waits for its next attempt. `workspaceId` says whose work it is
   * where it is for no asset. Gives the id of the job that is queued.
   */
  enqueue<Payload extends z.ZodType>(
    definition: JobDefinition<Payload>,
    payload: z.input<Payload>,
    options: { delayMs?: number; priority?: number; workspaceId?: string } = {}
  ): string {
    const parsed = definition.payload.parse(payload)
    const now = this.#clock.nowMs()
    const dedupeKey = definition.dedupeKey?.(parsed) ?? null
    const row = this.#db
      .prepare<unknown[], { id: string }>(
        `INSERT INTO job (id, name, payload_json, state, priority, asset_id, workspace_id, dedupe_key, max_attempts,
                          run_at_ms, created_at_ms, updated_at_ms)
         VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (name, dedupe_key) WHERE state = 'queued' AND dedupe_key IS NOT NULL
         DO UPDATE SET priority = excluded.priority, run_at_ms = min(run_at_ms, excluded.run_at_ms)
         WHERE excluded.priority < job.priority RETURNING id`
      )
      .get(
        newId(now),
        definition.name,
        JSON.stringify(parsed),
        options.priority ?? definition.priority,
        definition.assetId?.(parsed) ?? null,
        options.workspaceId ?? null,
        dedupeKey,
        definition.maxAttempts,
        now + (options.delayMs ?? 0),
        now,
        now
      )
    this.#db.afterCommit(() => this.#listener?.jobQueued())
    return row?.id ?? this.#idOfTwin(definition.name, dedupeKey)
  }

  #idOfTwin(name: string, dedupeKey: string | null): string {
    return this.#db
      .prepare<unknown[], { id: string }>(`SELECT id FROM job WHERE state = 'queued' AND name = ? AND dedupe_key = ?`)
      .get(name, dedupeKey)!.id
  }

  /**
   * Runs `work`, which takes jobs, as one. Lost by a power cut, they are merely taken again: jobs can be run twice.
   */
  taking<T>(work: () => T): T {
    return this.#db.relaxedTransaction(work)
  }

  /** The most urgent due job of one kind; undefined when none is due. */
  mostUrgent(name: string): Pick<JobRow, 'id' | 'priority' | 'run_at_ms'> | undefined {
    return this.#db
      .prepare<unknown[], Pick<JobRow, 'id' | 'priority' | 'run_at_ms'>>(
        `SELECT id, priority, run_at_ms FROM job
         WHERE state = 'queued' AND name = ? AND run_at_ms <= ? ORDER BY priority, run_at_ms, id LIMIT 1`
      )
      .get(name, this.#clock.nowMs())
  }

  /** Takes a queued job, counting the attempt; undefined when it is queued no longer. */
  take(jobId: string, leaseMs: number): JobRow | undefined {
    const now = this.#clock.nowMs()
    return this.#db
      .prepare<unknown[], JobRow>(
        `UPDATE job SET state = 'running', attempt = attempt + 1, lease_until_ms = ?, progress = NULL, updated_at_ms = ?
         WHERE id = ? AND state = 'queued' RETURNING *`
      )
      .get(now + leaseMs, now, jobId)
  }

  /** Whether a waiting job is due. */
  hasDue(): boolean {
    return (
      this.#db
        .prepare(`SELECT 1 FROM job WHERE state = 'queued' AND run_at_ms <= ? LIMIT 1`)
        .get(this.#clock.nowMs()) !== undefined
    )
  }

  /** When the next of the jobs that are not due yet becomes so, epoch milliseconds. */
  nextDueMs(): number | undefined {
    const row = this.#db
      .prepare<unknown[], { due: number | null }>(
        `SELECT min(run_at_ms) AS due FROM job WHERE state = 'queued' AND run_at_ms > ?`
      )
      .get(this.#clock.nowMs())
    return row?.due ?? undefined
  }

  /** Since when the job that waits longest is due, epoch milliseconds; undefined when none is. */
  oldestDueMs(): number | undefined {
    const row = this.#db
      .prepare<unknown[], { due: number | null }>(
        `SELECT min(run_at_ms) AS due FROM job WHERE state = 'queued' AND run_at_ms <= ?`
      )
      .get(this.#clock.nowMs())
    return row?.due ?? undefined
  }

  finish(jobId: string): void {
    this.#db.relaxedTransaction(() => this.#db.prepare(`DELETE FROM job WHERE id = ? AND state = 'running'`).run(jobId))
  }

  /** Renews the lease of a running job and notes how far it is. */
  renew(jobId: string, leaseMs: number, progress: number | null): void {
    const now = this.#clock.nowMs()
    this.#db.relaxedTransaction(() =>
      this.#db
        .prepare(
          `UPDATE job SET lease_until_ms = ?, progress = coalesce(?, progress), updated_at_ms = ?
           WHERE id = ? AND state = 'running'`
        )
        .run(now + leaseMs, progress, now, jobId)
    )
  }

  /** Puts a running job back; `countAttempt: false` gives the attempt back. */
  requeue(jobId: string, options: { delayMs: number; countAttempt: boolean; errorMessage: string | null }): void {
    const now = this.#clock.nowMs()
    // A twin queued meanwhile does the same work: then this one simply ends.
    const changes = this.#db
      .prepare(
        `UPDATE OR IGNORE job SET state = 'queued', attempt = attempt - ?, run_at_ms = ?, lease_until_ms = NULL,
                                  error_message = ?, updated_at_ms = ?
         WHERE id = ? AND state = 'running'`
      )
      .run(options.countAttempt ? 0 : 1, now + options.delayMs, options.errorMessage, now, jobId).changes
    if (changes === 0) this.finish(jobId)
  }

  /** Gives up: the job waits for a person as a dead letter. */
  bury(row: JobRow, errorMessage: string): void {
    const now = this.#clock.nowMs()
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `UPDATE job SET state = 'dead', lease_until_ms = NULL, error_message = ?, updated_at_ms = ?
           WHERE id = ? AND state = 'running'`
        )
        .run(errorMessage, now, row.id)
      this.#outbox.append('job.dead', row.asset_id ?? row.id, { jobId: row.id, name: row.name, errorMessage })
    })
  }

  /**
   * Returns jobs whose lease has run out to the queue (dead when no attempt is left). On start every running row is
   * such a job: its process is gone.
   */
  reclaim(options: { all: boolean; except?: ReadonlySet<string> }): number {
    const rows = this.#db
      .prepare<unknown[], JobRow>(`SELECT * FROM job WHERE state = 'running' AND (? OR lease_until_ms < ?)`)
      .all(options.all ? 1 : 0, this.#clock.nowMs())
      .filter((row) => !options.except?.has(row.id))
    for (const row of rows) {
      const reason = 'interrupted: the program stopped while this ran'
      if (row.attempt >= row.max_attempts) this.bury(row, reason)
      else this.requeue(row.id, { delayMs: 0, countAttempt: true, errorMessage: reason })
    }
    return rows.length
  }

  /** Queues a dead or cancelled job again with all its attempts. Throws `job_not_found`, `job_not_retryable`. */
  retry(jobId: string): Job {
    const isBack = this.#queueAgain(jobId, this.#clock.nowMs())
    const job = this.get(jobId)
    if (!isBack) throw new AppError('job_not_retryable', { state: job.state })
    this.#listener?.jobQueued()
    return job
  }

  /** Queues up to `limit` dead jobs again, all or those of one kind. Gives their number. */
  retryDead(options: { name: string | undefined; limit: number }): number {
    const now = this.#clock.nowMs()
    return this.#db.transaction(() => {
      const rows = this.#db
        .prepare<unknown[], { id: string }>(
          `SELECT id FROM job WHERE state = 'dead' AND (:name IS NULL OR name = :name) ORDER BY id LIMIT :limit`
        )
        .all({ name: options.name ?? null, limit: options.limit })
      for (const { id } of rows) {
        // What a twin that is queued already will do need not be done twice.
        const isBack = this.#queueAgain(id, now)
        if (!isBack) this.#db.prepare(`DELETE FROM job WHERE id = ? AND state = 'dead'`).run(id)
      }
      this.#db.afterCommit(() => this.#listener?.jobQueued())
      return rows.length
    })
  }

  #queueAgain(jobId: string, nowMs: number): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE OR IGNORE job SET state = 'queued', attempt = 0, run_at_ms = ?, error_message = NULL, updated_at_ms = ?
           WHERE id = ? AND state IN ('dead', 'cancelled')`
        )
        .run(nowMs, nowMs, jobId).changes > 0
    )
  }

  /** Cancels a queued or running job, or sets a dead one aside. Throws `job_not_found`, `job_not_retryable` when it already ended. */
  cancel(jobId: string): Job {
    const changes = this.#db
      .prepare(
        `UPDATE job SET state = 'cancelled', lease_until_ms = NULL, updated_at_ms = ?
         WHERE id = ? AND state IN ('queued', 'running', 'dead')`
      )
      .run(this.#clock.nowMs(), jobId).changes
    const job = this.get(jobId)
    if (changes === 0) throw new AppError('job_not_retryable', { state: job.state })
    this.#listener?.jobCancelled(jobId)
    return job
  }

  get(jobId: string): Job {
    const row = this.#db.prepare<unknown[], JobRow>('SELECT * FROM job WHERE id = ?').get(jobId)
    if (!row) throw new AppError('job_not_found', { jobId })
    return jobFromRow(row)
  }

  /** The job that does this work for an asset: a running one, else a queued one, else the last that ended badly. */
  find<Payload extends z.ZodType>(definition: JobDefinition<Payload>, payload: z.output<Payload>): Job | undefined {
    const row = this.#db
      .prepare<unknown[], JobRow>(
        `SELECT * FROM job WHERE asset_id = ? AND name = ? AND dedupe_key = ?
         ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'queued' THEN 1 ELSE 2 END, id DESC LIMIT 1`
      )
      .get(definition.assetId?.(payload), definition.name, definition.dedupeKey?.(payload))
    return row && jobFromRow(row)
  }

  /** Newest first, with the names of their assets; `cursor` is the last id of the page before. */
  list(
    query: { state?: JobState | undefined; cursor?: string | undefined; limit: number },
    scope: WorkspaceScope = 'all'
  ): Page<Job & { assetName: string | null }> {
    const { sql, values } = scopeCondition(scope, OF_WORKSPACE)
    const conditions = [sql]
    if (query.state !== undefined) conditions.push('job.state = :state')
    if (query.cursor !== undefined) conditions.push('job.id < :cursor')
    const rows = this.#db
      .prepare<unknown[], JobRow & { asset_name: string | null }>(
        `SELECT job.*, asset.name AS asset_name FROM job LEFT JOIN asset ON asset.id = job.asset_id
         WHERE ${conditions.join(' AND ')} ORDER BY job.id DESC LIMIT :limit`
      )
      .all(...values, { state: query.state, cursor: query.cursor, limit: query.limit + 1 })
    const { items, nextCursor } = pageFrom(rows, query.limit, ({ id }) => id)
    return { items: items.map((row) => ({ ...jobFromRow(row), assetName: row.asset_name })), nextCursor }
  }

  listForAsset(assetId: string): Job[] {
    return this.#db
      .prepare<unknown[], JobRow>('SELECT * FROM job WHERE asset_id = ? ORDER BY id')
      .all(assetId)
      .map(jobFromRow)
  }

  /** Forgets what was to be done for an asset; what runs ends by itself. Call it in the transaction that deletes the asset. */
  forgetAsset(assetId: string): void {
    this.#db.prepare(`DELETE FROM job WHERE asset_id = ? AND state <> 'running'`).run(assetId)
  }

  /** How many there are of each kind of work, by name. */
  countsByKind(scope: WorkspaceScope = 'all'): { name: string; counts: JobCounts }[] {
    const { sql, values } = scopeCondition(scope, OF_WORKSPACE)
    const kinds = new Map<string, JobCounts>()
    // Of what waits there may be very much: it is counted by an index of its own, which SQLite does not choose by itself.
    const rows = this.#db
      .prepare<unknown[], { state: JobState; name: string; n: number }>(
        `SELECT 'queued' AS state, name, count(*) AS n FROM job INDEXED BY job_due
         WHERE state = 'queued' AND ${sql} GROUP BY name
         UNION ALL
         SELECT state, name, count(*) FROM job WHERE state IN ('running', 'dead', 'cancelled') AND ${sql} GROUP BY state, name
         ORDER BY name`
      )
      .all(...values, ...values)
    for (const { state, name, n } of rows) {
      const counts = kinds.get(name) ?? { queued: 0, running: 0, dead: 0, cancelled: 0 }
      kinds.set(name, { ...counts, [state]: n })
    }
    return [...kinds].map(([name, counts]) => ({ name, counts }))
  }

  counts(): JobCounts {
    const counts: JobCounts = { queued: 0, running: 0, dead: 0, cancelled: 0 }
    for (const row of this.#db
      .prepare<unknown[], { state: JobState; n: number }>('SELECT state, count(*) AS n FROM job GROUP BY state')
      .all())
      counts[row.state] = row.n
    return counts
  }
}

function jobFromRow(row: JobRow): Job {
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    assetId: row.asset_id,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    progress: row.progress,
    runAt: isoFromMs(row.run_at_ms),
    errorMessage: row.error_message,
    createdAt: isoFromMs(row.created_at_ms)
  }
}

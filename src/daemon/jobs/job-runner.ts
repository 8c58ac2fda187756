import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { actingBySystem } from '../audit/acting.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import {
  type BoundJob,
  type JobContext,
  JobDeferred,
  type JobDefinition,
  JobHopeless,
  type JobLane
} from './define-job.ts'
import type { JobQueue, JobRow } from './job-queue.ts'

/** Time beyond a job's own limit before its lease counts as abandoned. */
const LEASE_GRACE_MS = 60_000
const LONGEST_NAP_MS = 30_000
/** How long an aborted job may take to notice. */
const ABORT_GRACE_MS = 2000

interface Running {
  definition: JobDefinition
  abort: AbortController
  done: Promise<void>
}

/** Runs `run`, which does the job, and may look at how long it takes and how it ends. */
export type ObserveJob = (job: { name: string }, run: () => Promise<void>) => Promise<void>

export interface JobRunnerOptions {
  queue: JobQueue
  /** Every kind of job with its handler; a name bound twice stops the start. */
  jobs: readonly BoundJob[]
  /** How many run at once in each lane; asked before each start, so it may change while running. */
  limits: () => Record<JobLane, number>
  log: Logger
  clock: Clock
  observe?: ObserveJob
  /** Told after every start and end of a job. */
  onChange?: () => void
}

/** Pause before attempt `attempt + 1`: 1 s, 4 s, 16 s … at most 10 minutes. */
export function backoffMs(attempt: number): number {
  return Math.min(1000 * 4 ** (attempt - 1), 600_000)
}

/** Runs queued jobs while started. */
export class JobRunner {
  readonly #o: JobRunnerOptions
  readonly #jobs = new Map<string, BoundJob>()
  readonly #running = new Map<string, Running>()
  #timer: NodeJS.Timeout | undefined
  #started = false
  #pumping = false
  /** The end of a job could not be written down: its row says "running" and nothing runs it. */
  #lostTrack = false
  #idleWaiters: (() => void)[] = []

  constructor(options: JobRunnerOptions) {
    this.#o = options
    for (const job of options.jobs) {
      if (this.#jobs.has(job.definition.name)) throw new Error(`job ${job.definition.name} is bound twice`)
      this.#jobs.set(job.definition.name, job)
    }
  }

  /** Returns what an earlier process left running to the queue and begins. */
  start(): void {
    const reclaimed = this.#o.queue.reclaim({ all: true })
    if (reclaimed > 0) this.#o.log.info({ reclaimed }, 'jobs interrupted by the last stop go on')
    this.#started = true
    this.#o.queue.setListener({
      jobQueued: () => this.wake(),
      jobCancelled: (jobId) => this.#running.get(jobId)?.abort.abort(new Error('cancelled'))
    })
    this.wake()
  }

  /** Looks for due jobs soon; cheap to call often. */
  wake(): void {
    if (!this.#started || this.#pumping) return
    this.#pumping = true
    setImmediate(() => {
      this.#pumping = false
      this.#pump()
    })
  }

  /** How many jobs run at this moment. */
  runningCount(): number {
    return this.#running.size
  }

  /** Resolves when no job runs and none is due (delayed retries may still wait). */
  async idle(): Promise<void> {
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  /**
   * Takes no more jobs, gives running ones until the deadline, then aborts them; they run again at the next start. One that
   * does not notice is left behind.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#started = false
    clearTimeout(this.#timer)
    const all = Promise.all([...this.#running.values()].map((running) => running.done))
    const patience = new AbortController()
    const wait = (ms: number) => delay(ms, undefined, { signal: patience.signal }).catch(() => {})
    await Promise.race([all, wait(deadlineMs)])
    for (const running of this.#running.values()) running.abort.abort(new Error('shutting down'))
    await Promise.race([all, wait(ABORT_GRACE_MS)])
    patience.abort()
    if (this.#running.size > 0) this.#o.log.warn({ jobs: [...this.#running.keys()] }, 'jobs that did not stop are left')
  }

  #isIdle(): boolean {
    if (this.#pumping || this.#running.size > 0) return false
    return !this.#o.queue.hasDue()
  }

  #pump(): void {
    if (!this.#started) return
    clearTimeout(this.#timer)
    try {
      this.#takeDue()
    } catch (error) {
      // A disk that is full or fails; the queue is durable and can wait.
      this.#o.log.error({ err: error }, 'the job queue cannot be used at the moment')
      this.#sleep(LONGEST_NAP_MS)
    }
  }

  #takeDue(): void {
    const taken = this.#o.queue.taking(() => this.#take())
    this.#lostTrack = false
    for (const { job, row } of taken) this.#begin(job, row)
    // What is due and was not taken waits for a place: the job that frees it wakes us.
    const due = this.#o.queue.nextDueMs()
    if (due !== undefined) this.#sleep(Math.min(due - this.#o.clock.nowMs(), LONGEST_NAP_MS))
    if (this.#isIdle()) for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #take(): { job: BoundJob; row: JobRow }[] {
    const { queue } = this.#o
    queue.reclaim({ all: this.#lostTrack, except: new Set(this.#running.keys()) })
    const limits = this.#o.limits()
    const busy = [...this.#running.values()].map((running) => running.definition)
    const hasPlace = ({ name, lane, maxAtOnce = limits[lane] }: JobDefinition): boolean =>
      busy.filter((other) => other.lane === lane).length < limits[lane] &&
      busy.filter((other) => other.name === name).length < maxAtOnce
    const taken: { job: BoundJob; row: JobRow }[] = []
    for (;;) {
      const next = [...this.#jobs.values()]
        .filter(({ definition }) => hasPlace(definition))
        .flatMap((job) => {
          const due = queue.mostUrgent(job.definition.name)
          return due ? [{ job, due }] : []
        })
        .sort(({ due: a }, { due: b }) => a.priority - b.priority || a.run_at_ms - b.run_at_ms)[0]
      const row = next && queue.take(next.due.id, next.job.definition.timeoutMs + LEASE_GRACE_MS)
      if (!row) return taken
      busy.push(next.job.definition)
      taken.push({ job: next.job, row })
    }
  }

  #sleep(napMs: number): void {
    this.#timer = setTimeout(() => this.wake(), napMs)
    this.#timer.unref()
  }

  #begin(job: BoundJob, row: JobRow): void {
    const abort = new AbortController()
    const done = this.#run(job, row, abort)
      .catch((error: unknown) => {
        this.#lostTrack = true
        this.#o.log.error(
          { err: error, jobId: row.id },
          'the end of a job could not be written down; it will run again'
        )
      })
      .finally(() => {
        this.#running.delete(row.id)
        this.#o.onChange?.()
        this.wake()
        if (!this.#started && this.#running.size === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve()
      })
    this.#running.set(row.id, { definition: job.definition, abort, done })
    this.#o.onChange?.()
  }

  async #run(job: BoundJob, row: JobRow, abort: AbortController): Promise<void> {
    const { queue } = this.#o
    const { definition } = job
    const log = this.#o.log.child({ job: row.name, jobId: row.id, attempt: row.attempt })
    const limit = setTimeout(
      () => abort.abort(new Error(`took longer than ${definition.timeoutMs} ms`)),
      definition.timeoutMs
    )
    try {
      const context: JobContext = {
        signal: abort.signal,
        log,
        attempt: row.attempt,
        reportProgress: (fraction) => queue.renew(row.id, definition.timeoutMs + LEASE_GRACE_MS, fraction)
      }
      const run = () => actingBySystem(row.name, () => job.run(JSON.parse(row.payload_json), context))
      await (this.#o.observe ? this.#o.observe(row, run) : run())
      queue.finish(row.id)
    } catch (error) {
      this.#settleFailure(row, abort.signal.aborted ? abort.signal.reason : error, log)
    } finally {
      clearTimeout(limit)
    }
  }

  #settleFailure(row: JobRow, error: unknown, log: Logger): void {
    const { queue } = this.#o
    const errorMessage = messageOf(error)
    if (!this.#started) {
      queue.requeue(row.id, { delayMs: 0, countAttempt: false, errorMessage: null })
    } else if (error instanceof JobDeferred) {
      log.info({ reason: errorMessage, delayMs: error.delayMs }, 'job waits')
      queue.requeue(row.id, { delayMs: error.delayMs, countAttempt: false, errorMessage })
    } else if (error instanceof JobHopeless || row.attempt >= row.max_attempts) {
      log.error({ err: error }, 'job gave up')
      queue.bury(row, errorMessage)
    } else {
      const delayMs = backoffMs(row.attempt)
      log.warn({ err: error, delayMs }, 'job failed, will be tried again')
      queue.requeue(row.id, { delayMs, countAttempt: true, errorMessage })
    }
  }
}

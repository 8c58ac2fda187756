import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { openDatabase } from '../db/database.ts'
import { migrations } from '../db/migrations/all.ts'
import { Outbox } from '../events/outbox.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { plansOf, temporaryFolder, testDatabase } from '../testing/test-database.ts'
import {
  type BoundJob,
  bindJob,
  defineJob,
  type JobContext,
  JobDeferred,
  JobHopeless,
  URGENT_PRIORITY
} from './define-job.ts'
import { JobQueue } from './job-queue.ts'
import { backoffMs, JobRunner } from './job-runner.ts'

const countJob = defineJob({
  name: 'test.count',
  payload: z.object({ n: z.int() }),
  lane: 'cpu',
  priority: 10,
  maxAttempts: 3,
  timeoutMs: 60_000,
  dedupeKey: ({ n }) => String(n),
  assetId: ({ n }) => `asset-${n}`
})

function setUp(
  handler: (payload: { n: number }, context: JobContext) => Promise<void>,
  options: { cpu?: number; more?: BoundJob[] } = {}
) {
  const db = testDatabase()
  const clock = new ManualClock()
  const outbox = new Outbox({ db, clock })
  const queue = new JobQueue({ db, clock, outbox })
  const createRunner = () =>
    new JobRunner({
      queue,
      jobs: [...(options.more ?? []), bindJob(countJob, handler)],
      limits: () => ({ cpu: options.cpu ?? 1, io: 1, film: 1, net: 1 }),
      log: pino({ level: 'silent' }),
      clock
    })
  const runner = createRunner()
  onTestFinished(() => runner.stop(0))
  return { db, clock, outbox, queue, runner, createRunner }
}

describe('queue', () => {
  test('a job of a rolled back transaction never was', async () => {
    const ran: number[] = []
    const { db, queue, runner } = setUp(async ({ n }) => void ran.push(n))
    runner.start()
    expect(() =>
      db.transaction(() => {
        queue.enqueue(countJob, { n: 1 })
        throw new Error('rolled back')
      })
    ).toThrow('rolled back')
    db.transaction(() => queue.enqueue(countJob, { n: 2 }))
    await runner.idle()
    expect(ran).toEqual([2])
    expect(queue.counts()).toEqual({ queued: 0, running: 0, dead: 0, cancelled: 0 })
  })

  test('the same key is queued once, and again when the first one runs', async () => {
    const { queue } = setUp(async () => {})
    queue.enqueue(countJob, { n: 1 })
    queue.enqueue(countJob, { n: 1 })
    expect(queue.counts().queued).toBe(1)
    queue.take(queue.mostUrgent('test.count')?.id ?? '', 1000)
    queue.enqueue(countJob, { n: 1 })
    expect(queue.counts()).toMatchObject({ queued: 1, running: 1 })
  })

  test('a payload that does not fit is refused when it is enqueued', () => {
    const { queue } = setUp(async () => {})
    expect(() => queue.enqueue(countJob, { n: 1.5 })).toThrow()
    expect(queue.counts().queued).toBe(0)
  })

  test('lists by state in pages and by asset', () => {
    const { queue } = setUp(async () => {})
    for (let n = 0; n < 5; n++) queue.enqueue(countJob, { n })
    const first = queue.list({ state: 'queued', limit: 3 })
    const second = queue.list({ state: 'queued', limit: 3, cursor: first.nextCursor! })
    expect([...first.items, ...second.items].map((job) => job.assetId)).toHaveLength(5)
    expect(second.nextCursor).toBeNull()
    expect(queue.listForAsset('asset-3')).toHaveLength(1)
  })
})

test('what waits is counted without looking at each job', () => {
  const { db, queue } = setUp(async () => {})
  const plans = plansOf(db, () => queue.countsByKind())
  expect(plans).toContain('SCAN job USING COVERING INDEX job_due')
})

describe('runner', () => {
  test('what gave up is queued again all at once, or set aside', async () => {
    let isBroken = true
    const ran: number[] = []
    const { queue, runner } = setUp(async ({ n }) => {
      if (isBroken) throw new JobHopeless('broken')
      ran.push(n)
    })
    runner.start()
    for (const n of [1, 2, 3]) queue.enqueue(countJob, { n })
    await runner.idle()
    expect(queue.countsByKind()).toEqual([
      { name: 'test.count', counts: { queued: 0, running: 0, dead: 3, cancelled: 0 } }
    ])
    const [first, , third] = queue
      .list({ state: 'dead', limit: 10 })
      .items.toSorted((a, b) => a.assetId!.localeCompare(b.assetId!))
    expect(queue.cancel(third!.id).state).toBe('cancelled')
    isBroken = false
    // A twin of the first one is queued meanwhile: it is not done twice.
    await runner.stop(0)
    queue.enqueue(countJob, { n: 1 })
    expect(queue.retryDead({ name: 'test.other', limit: 10 })).toBe(0)
    expect(queue.retryDead({ name: undefined, limit: 10 })).toBe(2)
    expect(() => queue.get(first!.id)).toThrow('job_not_found')
    runner.start()
    await runner.idle()
    expect(ran.toSorted()).toEqual([1, 2])
    expect(queue.counts()).toEqual({ queued: 0, running: 0, dead: 0, cancelled: 1 })
  })

  test('a failure is tried again later, with growing pauses, then waits for a person', async () => {
    let runs = 0
    const { queue, runner, clock, outbox } = setUp(async () => {
      runs++
      throw new Error(`no luck ${runs}`)
    })
    runner.start()
    queue.enqueue(countJob, { n: 1 })
    for (let attempt = 1; attempt <= 2; attempt++) {
      await runner.idle()
      expect(runs).toBe(attempt)
      clock.advanceMs(backoffMs(attempt) - 1)
      runner.wake()
      await runner.idle()
      expect(runs).toBe(attempt)
      clock.advanceMs(1)
      runner.wake()
    }
    await runner.idle()
    expect(runs).toBe(3)
    const [dead] = queue.list({ state: 'dead', limit: 10 }).items
    expect(dead).toMatchObject({ attempt: 3, errorMessage: 'no luck 3' })
    expect(outbox.readFor('asset-1', 10)[0]).toMatchObject({ type: 'job.dead' })

    queue.retry(dead!.id)
    await runner.idle()
    expect(runs).toBe(4)
  })

  test('a deferred job keeps its attempts, a hopeless one dies at once', async () => {
    const outcome = vi.fn<() => never>()
    const { queue, runner, clock } = setUp(async () => outcome())
    runner.start()
    outcome.mockImplementation(() => {
      throw new JobDeferred(5000, 'store away')
    })
    queue.enqueue(countJob, { n: 1 })
    await runner.idle()
    expect(queue.list({ limit: 1 }).items[0]).toMatchObject({ state: 'queued', attempt: 0, errorMessage: 'store away' })
    outcome.mockImplementation(() => {
      throw new JobHopeless('not a picture')
    })
    clock.advanceMs(5000)
    runner.wake()
    await runner.idle()
    expect(queue.list({ limit: 1 }).items[0]).toMatchObject({ state: 'dead', attempt: 1 })
  })

  test('cancelling aborts a running job and it stays cancelled', async () => {
    const started = Promise.withResolvers<AbortSignal>()
    const { queue, runner } = setUp(async (_, { signal }) => {
      started.resolve(signal)
      await once(signal, 'abort')
      signal.throwIfAborted()
    })
    runner.start()
    queue.enqueue(countJob, { n: 1 })
    const signal = await started.promise
    const [job] = queue.list({ state: 'running', limit: 1 }).items
    queue.cancel(job!.id)
    await runner.idle()
    expect(signal.aborted).toBe(true)
    expect(queue.get(job!.id).state).toBe('cancelled')
    expect(() => queue.cancel(job!.id)).toThrow('job_not_retryable')
    expect(() => queue.cancel('0'.repeat(26))).toThrow('job_not_found')
  })

  test('progress is visible while it runs', async () => {
    const reported = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const { queue, runner } = setUp(async (_, { reportProgress }) => {
      reportProgress(0.5)
      reported.resolve()
      await release.promise
    })
    runner.start()
    queue.enqueue(countJob, { n: 1 })
    await reported.promise
    expect(queue.list({ limit: 1 }).items[0]).toMatchObject({ state: 'running', progress: 0.5 })
    release.resolve()
    await runner.idle()
  })

  test('no more run at once than the lane allows', async () => {
    let running = 0
    let most = 0
    const { queue, runner } = setUp(
      async () => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
      },
      { cpu: 2 }
    )
    for (let n = 0; n < 20; n++) queue.enqueue(countJob, { n })
    runner.start()
    await runner.idle()
    expect(most).toBe(2)
  })

  test('stopping gives running jobs back without costing an attempt', async () => {
    const started = Promise.withResolvers<void>()
    const { queue, runner } = setUp(async (_, { signal }) => {
      started.resolve()
      await once(signal, 'abort')
      signal.throwIfAborted()
    })
    runner.start()
    queue.enqueue(countJob, { n: 1 })
    await started.promise
    await runner.stop(0)
    expect(queue.list({ limit: 1 }).items[0]).toMatchObject({ state: 'queued', attempt: 0 })
  })

  test('a job that does not notice its end holds up the stop for a moment only', async () => {
    const started = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const { queue, runner } = setUp(async () => {
      started.resolve()
      await release.promise
    })
    runner.start()
    queue.enqueue(countJob, { n: 1 })
    await started.promise
    await runner.stop(0)
    expect(queue.counts()).toMatchObject({ running: 1 })
    release.resolve()
  })

  test('a queue that cannot be written waits, and what ran meanwhile runs again', async () => {
    const runs: number[] = []
    const { db, queue, runner } = setUp(async ({ n }) => void runs.push(n))
    const refuse = (name: string, event: string) =>
      db.sql.exec(`CREATE TRIGGER ${name} BEFORE ${event} BEGIN SELECT raise(ABORT, 'disk full'); END`)
    runner.start()
    refuse('no_finish', 'DELETE ON job')
    refuse('no_requeue', `UPDATE ON job WHEN NEW.state = 'queued'`)
    queue.enqueue(countJob, { n: 1 })
    await vi.waitFor(() => expect([runs, runner.runningCount()]).toEqual([[1], 0]))
    refuse('no_take', `UPDATE ON job WHEN NEW.state = 'running'`)
    queue.enqueue(countJob, { n: 2 })
    await new Promise((resolve) => setImmediate(resolve))
    for (const name of ['no_finish', 'no_requeue', 'no_take']) db.sql.exec(`DROP TRIGGER ${name}`)
    runner.wake()
    await runner.idle()
    expect(runs.sort()).toEqual([1, 1, 2])
    expect(queue.counts()).toMatchObject({ queued: 0, running: 0 })
  })

  test('jobs that wait for a place in their lane are not asked for again and again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const release = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const { queue, runner } = setUp(async () => {
      started.resolve()
      await release.promise
    })
    queue.enqueue(countJob, { n: 1 })
    queue.enqueue(countJob, { n: 2 })
    runner.start()
    await started.promise
    // Only the time limit of the one that runs.
    expect(vi.getTimerCount()).toBe(1)
    release.resolve()
    await runner.idle()
  })

  test('a kind that may run but once leaves the other places of its lane free', async () => {
    const slowJob = { ...countJob, name: 'test.slow', maxAtOnce: 1 }
    const release = Promise.withResolvers<void>()
    const started: string[] = []
    const slow = bindJob(slowJob, async () => {
      started.push('slow')
      await release.promise
    })
    const { queue, runner } = setUp(async () => void started.push('quick'), { cpu: 2, more: [slow] })
    for (const n of [1, 2]) queue.enqueue(slowJob, { n })
    for (const n of [1, 2]) queue.enqueue(countJob, { n })
    runner.start()
    await vi.waitFor(() => expect(started).toEqual(['slow', 'quick', 'quick']))
    release.resolve()
    await runner.idle()
    expect(started).toEqual(['slow', 'quick', 'quick', 'slow'])
  })

  test('the most urgent job of a lane runs first, whatever its kind', async () => {
    const order: string[] = []
    const otherJob = { ...countJob, name: 'test.other', priority: 20 }
    const other = bindJob(otherJob, async ({ n }) => void order.push(`other ${n}`))
    const { queue, runner } = setUp(async ({ n }) => void order.push(`count ${n}`), { more: [other] })
    for (const n of [1, 2]) queue.enqueue(otherJob, { n })
    queue.enqueue(countJob, { n: 1 })
    queue.enqueue(otherJob, { n: 2 }, { priority: URGENT_PRIORITY })
    runner.start()
    await runner.idle()
    expect(order).toEqual(['other 2', 'count 1', 'other 1'])
  })

  test('a queued job becomes more urgent and stops waiting, but never less urgent', async () => {
    const { queue, clock, runner } = setUp(async () => {})
    queue.enqueue(countJob, { n: 1 }, { delayMs: 60_000 })
    queue.enqueue(countJob, { n: 1 }, { priority: 99 })
    expect(queue.mostUrgent('test.count')).toBeUndefined()
    queue.enqueue(countJob, { n: 1 }, { priority: URGENT_PRIORITY })
    expect(queue.mostUrgent('test.count')).toMatchObject({ priority: URGENT_PRIORITY, run_at_ms: clock.nowMs() })
    runner.start()
    await runner.idle()
    expect(queue.counts().queued).toBe(0)
  })

  test('the job that does a work is found: running before queued before ended', () => {
    const { queue } = setUp(async () => {})
    expect(queue.find(countJob, { n: 1 })).toBeUndefined()
    queue.enqueue(countJob, { n: 1 })
    const first = queue.find(countJob, { n: 1 })!
    queue.take(first.id, 1000)
    queue.enqueue(countJob, { n: 1 })
    expect(queue.find(countJob, { n: 1 })).toMatchObject({ id: first.id, state: 'running' })
    queue.cancel(first.id)
    expect(queue.find(countJob, { n: 1 })).toMatchObject({ state: 'queued' })
    expect(queue.find(countJob, { n: 2 })).toBeUndefined()
  })

  test('two handlers for one job stop the start', () => {
    const { queue } = setUp(async () => {})
    const job = bindJob(countJob, async () => {})
    const options = {
      queue,
      jobs: [job, job],
      limits: () => ({ cpu: 1, io: 1, film: 1, net: 1 }),
      log: pino({ level: 'silent' }),
      clock: new ManualClock()
    }
    expect(() => new JobRunner(options)).toThrow('bound twice')
  })
})

test('a killed process leaves its job to the next one; the attempt counts', async () => {
  const file = join(temporaryFolder(), 'flightcase.db')
  const child = fork(join(import.meta.dirname, '../testing/job-holder.ts'), [file], { silent: true })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [message] = (await once(child, 'message')) as [string]
  expect(message).toBe('running')
  child.kill('SIGKILL')
  await once(child, 'exit')

  const db = openDatabase(file, migrations)
  onTestFinished(() => db.close())
  const clock = new ManualClock(Date.now())
  const queue = new JobQueue({ db, clock, outbox: new Outbox({ db, clock }) })
  expect(queue.counts().running).toBe(1)
  const attempts: number[] = []
  const runner = new JobRunner({
    queue,
    jobs: [bindJob(countJob, async (_, { attempt }) => void attempts.push(attempt))],
    limits: () => ({ cpu: 1, io: 1, film: 1, net: 1 }),
    log: pino({ level: 'silent' }),
    clock
  })
  runner.start()
  await runner.idle()
  expect(attempts).toEqual([2])
  await runner.stop(0)
})

import { expect, test } from 'vitest'
import { openAdmin } from '../../../demo/admin-access.ts'
import { collectGarbage, listGcRuns } from '../../../shared/api/lifecycle.ts'
import { createToken } from '../../../shared/api/system.ts'
import { startTestDaemon } from '../../testing/test-daemon.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { GcRunsRepository } from './gc-runs.repository.ts'
import { nothing } from './lifecycle-bench.ts'

test('every run leaves a report: who asked for it, or that it was time, and what it did', async () => {
  const base = await startTestDaemon()
  const { id, secret } = await base.api.call(createToken, { body: { name: 'nightly', role: 'admin' } })
  const nightly = openAdmin({ url: base.ready.admin.url, token: secret }).api
  const told = await nightly.call(collectGarbage, { body: { dryRun: true } })
  const done = await nightly.call(collectGarbage, { body: {} })
  expect(told).toMatchObject({ ...nothing, isDryRun: true, actor: { id: `token:${id}`, name: 'nightly' } })
  const { items, nextCursor } = await base.api.call(listGcRuns, { query: {} })
  expect(items.slice(0, 2)).toEqual([done, told])
  // The one of the start.
  expect(items[2]).toMatchObject({ ...nothing, actor: { id: 'system:assets nobody needs' } })
  expect(nextCursor).toBeNull()
  const first = await base.api.call(listGcRuns, { query: { limit: 1 } })
  expect(first).toEqual({ items: [done], nextCursor: done.id })
  const second = await base.api.call(listGcRuns, { query: { limit: 1, cursor: done.id } })
  expect(second.items).toEqual([told])
})

test('only the newest reports are kept', () => {
  const runs = new GcRunsRepository(testDatabase())
  const actor = { id: 'system:test', name: 'test' }
  for (const id of ['a', 'b', 'c', 'd'])
    runs.insert({ id, startedAt: '2026-04-07T10:00:00.000Z', durationMs: 1, actor, ...nothing }, 3)
  expect(runs.list({ limit: 10 }).map((run) => run.id)).toEqual(['d', 'c', 'b'])
})

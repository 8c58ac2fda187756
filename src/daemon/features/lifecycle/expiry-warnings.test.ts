import { expect, test } from 'vitest'
import { newReferenceSchema } from '../../../shared/api/references.ts'
import { isoFromMs } from '../../clock.ts'
import { DAY_MS, HOUR_MS, openCollector } from './lifecycle-bench.ts'

const WARN_MS = 6 * HOUR_MS
const strong = newReferenceSchema.parse({ namespace: 'posts' })
const forHours = (hours: number) =>
  newReferenceSchema.parse({ namespace: 'preview', kind: 'temporary', expiresInSeconds: hours * 3600 })

test('an orphan is told of once, when no more time is left than for a warning', async () => {
  const { bench, clock, take, orphan, warnings } = await openCollector('local')
  const assetId = await take('bytes', 'F1')
  orphan(assetId)
  const told = () => bench.events('asset.expiring')
  clock.advanceMs(DAY_MS - WARN_MS - 1)
  await warnings.run()
  expect(told()).toEqual([])
  clock.advanceMs(1)
  await warnings.run()
  await warnings.run()
  const expiresAt = isoFromMs(clock.nowMs() + WARN_MS)
  const { workspaceId, name } = { workspaceId: 'team-one', name: 'DJI_0018.JPG' }
  expect(told()).toMatchObject([{ subject: assetId, data: { workspaceId, name, expiresAt, becomes: 'binned' } }])
})

test('one that is held again is told of again, once that is over', async () => {
  const { bench, clock, references, bin, binIt, take, orphan, warnings, run } = await openCollector('local')
  const assetId = await take('bytes', 'F1')
  const lapse = async () => {
    clock.advanceMs(DAY_MS - WARN_MS)
    await warnings.run()
    return bench.events('asset.expiring').length
  }
  orphan(assetId)
  expect(await lapse()).toBe(1)
  references.delete(references.create(assetId, strong).reference.id)
  expect(await lapse()).toBe(2)
  binIt(assetId)
  expect(await lapse()).toBe(2)
  bin.restore(assetId)
  expect(await lapse()).toBe(3)
  clock.advanceMs(WARN_MS)
  expect(await run()).toMatchObject({ binned: 1 })
})

test('a temporary reference moves the end, and so the warning', async () => {
  const { bench, clock, references, take, orphan, warnings } = await openCollector('local')
  const assetId = await take('bytes', 'F1')
  orphan(assetId)
  references.create(assetId, forHours(48))
  clock.advanceMs(DAY_MS)
  await warnings.run()
  expect(bench.events('asset.expiring')).toEqual([])
  clock.advanceMs(DAY_MS - WARN_MS)
  await warnings.run()
  const expiresAt = isoFromMs(clock.nowMs() + WARN_MS)
  expect(bench.events('asset.expiring')).toMatchObject([{ data: { expiresAt } }])
})

test('what something holds is not told of', async () => {
  const { bench, clock, take, warnings } = await openCollector('local')
  await take('bytes', 'F1')
  clock.advanceMs(10 * DAY_MS)
  await warnings.run()
  expect(bench.events('asset.expiring')).toEqual([])
})

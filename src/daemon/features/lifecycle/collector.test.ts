import { setImmediate as pause } from 'node:timers/promises'
import { pino } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { newReferenceSchema } from '../../../shared/api/references.ts'
import { systemClock } from '../../clock.ts'
import { K, WS, WS_B } from '../ingest/ingest-bench.ts'
import { Reconciler } from '../ingest/reconciler.ts'
import { insertAsset } from './catalogue-rows.ts'
import { DAY_MS, K_B, nothing, openCollector } from './lifecycle-bench.ts'
import { ReferencesRepository } from './references.repository.ts'

describe.each(['local', 's3'] as const)('purging, with a store of kind %s', (kind) => {
  test('takes away the asset, its bytes and every object of it; the file may come again', async () => {
    const { bench, collector, binIt, take, keys } = await openCollector(kind)
    const assetId = await take('bytes', 'F1')
    expect(() => collector.purge(assetId)).toThrow('asset_not_binned')
    binIt(assetId)
    collector.purge(assetId)
    expect(bench.assets()).toEqual([])
    expect(bench.events('asset.purged')).toMatchObject([
      { subject: assetId, data: { name: 'DJI_0018.JPG', sizeBytes: 5, freedBytes: 5, reason: 'asked' } }
    ])
    expect(() => collector.purge(assetId)).toThrow('asset_not_found')
    await bench.base.settle()
    expect(await keys()).toEqual([])
    expect(bench.base.rows.removals.count()).toBe(0)
    expect(await bench.fastUpload('F1')).toBeNull()
    expect(await bench.bytes(await take('bytes', 'F1'))).toBe('bytes')
  })

  test('leaves the bytes that another asset has', async () => {
    const { bench, collector, binIt, take } = await openCollector(kind)
    const first = await take('same', 'F1')
    const second = await take('same', 'F2', K_B)
    for (const [gone, kept] of [[first, second] as const]) {
      binIt(gone)
      collector.purge(gone)
      await bench.base.settle()
      expect(await bench.bytes(kept)).toBe('same')
    }
    expect(bench.events('asset.purged')).toMatchObject([{ data: { freedBytes: 0 } }])
    expect(
      await bench.base.service.fastUpload({ workspaceId: WS_B, controllerId: 'RC' }, { fingerprint: 'F2', name: 'a' })
    ).not.toBeNull()
  })

  test('and the same file comes again before its objects are gone: it stays', async () => {
    const { bench, collector, binIt, take, keys } = await openCollector(kind)
    const first = await take('bytes', 'F1')
    binIt(first)
    collector.purge(first)
    // A controller whose file is gone before its report is told so, and sends it again.
    await vi.waitFor(async () => {
      await bench.put(K, 'bytes')
      expect(await bench.record('F1')).not.toBe('object_missing')
    })
    await bench.base.settle()
    expect(bench.assets()).toHaveLength(1)
    expect(await bench.bytes(bench.assets()[0]!.id)).toBe('bytes')
    expect(await keys()).toContain(K)
    expect(await bench.fastUpload('F1')).not.toBeNull()
  })

  test('is not undone by the reconciler that still finds the object', async () => {
    const { bench, collector, binIt } = await openCollector(kind)
    await bench.put(K, 'bytes')
    await bench.record('F1')
    const [asset] = bench.assets()
    binIt(asset!.id)
    collector.purge(asset!.id)
    const { db, keys, ingest, rows } = bench.base
    const reconciler = new Reconciler({
      ...{ db, keys, ingest, ...rows, store: bench.store, clock: systemClock, log: pino({ level: 'silent' }) },
      acceptsWorkspace: () => true,
      settleMs: -1000
    })
    expect(await reconciler.run()).toMatchObject({ adopted: 0 })
    expect(await bench.store.head(K)).not.toBeNull()
    await bench.base.settle()
    expect(await bench.store.head(K)).toBeNull()
    expect(await reconciler.run()).toMatchObject({ adopted: 0 })
    expect(bench.assets()).toEqual([])
  })
})

describe('the collector', () => {
  test('leaves alone what is held, and what waits no longer than the grace period', async () => {
    const { clock, take, orphan, run } = await openCollector('local')
    await take('held', 'F1')
    orphan(await take('waits', 'F2', K_B))
    clock.advanceMs(DAY_MS - 1)
    expect(await run()).toEqual(nothing)
  })

  test('moves orphans to the bin, and purges what was there for its time', async () => {
    const { bench, clock, take, orphan, run, keys } = await openCollector('local')
    const assetId = await take('bytes', 'F1')
    orphan(assetId)
    clock.advanceMs(DAY_MS)
    expect(await run(true)).toEqual({ ...nothing, isDryRun: true, binned: 1 })
    expect(await run()).toEqual({ ...nothing, binned: 1 })
    expect(await run()).toEqual(nothing)
    clock.advanceMs(30 * DAY_MS)
    expect(await run(true)).toEqual({ ...nothing, isDryRun: true, purged: 1, freedBytes: 5 })
    expect(await run()).toEqual({ ...nothing, purged: 1, freedBytes: 5 })
    await bench.base.settle()
    expect(await keys()).toEqual([])
    expect(bench.events('asset.purged')).toMatchObject([{ data: { reason: 'bin_time_over' } }])
  })

  test('purges orphans at once where that is the policy', async () => {
    const { clock, take, orphan, run } = await openCollector('local', 'purge')
    orphan(await take('bytes', 'F1'))
    clock.advanceMs(DAY_MS)
    expect(await run(true)).toEqual({ ...nothing, isDryRun: true, purged: 1, freedBytes: 5 })
    expect(await run()).toEqual({ ...nothing, purged: 1, freedBytes: 5 })
  })

  test('spares an orphan that a temporary reference holds, until that is over', async () => {
    const { bench, clock, references, take, orphan, run } = await openCollector('local')
    const assetId = await take('bytes', 'F1')
    orphan(assetId)
    const hold = newReferenceSchema.parse({ namespace: 'preview', kind: 'temporary', expiresInSeconds: 2 * 24 * 3600 })
    references.create(assetId, hold)
    clock.advanceMs(DAY_MS)
    expect(await run()).toEqual(nothing)
    clock.advanceMs(DAY_MS)
    expect(await run(true)).toEqual({ ...nothing, isDryRun: true, expiredReferences: 1, binned: 1 })
    expect(await run()).toEqual({ ...nothing, expiredReferences: 1, binned: 1 })
    expect(bench.assets()).toHaveLength(1)
  })

  test.each(['bin', 'purge'] as const)(
    'tells beforehand what it does, however much it is; policy %s',
    async (policy) => {
      const { bench, clock, references, run } = await openCollector('local', policy)
      const { db } = bench.base
      const life = new ReferencesRepository(db)
      const hold = newReferenceSchema.parse({
        namespace: 'preview',
        kind: 'temporary',
        expiresInSeconds: 365 * 24 * 3600
      })
      db.transaction(() => {
        for (let index = 0; index < 550; index++) {
          const nowMs = clock.nowMs()
          const orphan = insertAsset(db, nowMs)
          const twin = insertAsset(
            db,
            nowMs,
            db.prepare('SELECT blob_id FROM asset WHERE id = ?').pluck().get(orphan) as string
          )
          if (index % 3 === 0) references.create(orphan, hold)
          if (index % 5 === 0)
            life.setLife(twin, { refCount: 0, pendingSinceMs: nowMs, archivedAtMs: null, binnedAtMs: nowMs }, nowMs)
        }
      })
      clock.advanceMs(31 * DAY_MS)
      const told = await run(true)
      expect(told.binned + told.purged).toBe(1100 - 184)
      expect(await run()).toEqual({ ...told, isDryRun: false })
    }
  )

  test('is not kept from what is due by any number of assets that are held for a while', async () => {
    const { bench, clock, references, run } = await openCollector('local')
    const hold = newReferenceSchema.parse({ namespace: 'preview', kind: 'temporary', expiresInSeconds: 3 * 24 * 3600 })
    bench.base.db.transaction(() => {
      for (let index = 0; index < 450; index++) references.create(insertAsset(bench.base.db, clock.nowMs()), hold)
    })
    clock.advanceMs(1)
    insertAsset(bench.base.db, clock.nowMs())
    clock.advanceMs(DAY_MS)
    expect(await run()).toEqual({ ...nothing, binned: 1 })
  })

  test('looks again in the deleting transaction: what was referenced or restored meanwhile stays', async () => {
    const { clock, references, bin, binIt, take, orphan, collector, bench } = await openCollector('local')
    const orphaned = await take('one', 'F1')
    const binned = await take('two', 'F2', K_B)
    orphan(orphaned)
    binIt(binned)
    clock.advanceMs(31 * DAY_MS)
    const run = collector.run({ isDryRun: false })
    // The run has begun, and has nothing deleted yet.
    bin.restore(binned)
    references.create(orphaned, newReferenceSchema.parse({ namespace: 'posts' }))
    expect(await run).toEqual(nothing)
    expect(bench.assets()).toHaveLength(2)
  })

  test('and references made while it works: what got one keeps its bytes, what is gone says so', async () => {
    const { bench, clock, references, take, orphan, run } = await openCollector('local', 'purge')
    const assetIds: string[] = []
    for (let index = 0; index < 24; index++) {
      // Every third has the bytes of the one before.
      const key = `media/${WS}/20260407/DJI_${index}.JPG`
      assetIds.push(await take(`bytes ${index % 3 === 2 ? index - 1 : index}`, `F${index}`, key))
    }
    for (const assetId of assetIds) orphan(assetId)
    clock.advanceMs(DAY_MS)
    const collected = run()
    const held: string[] = []
    // The other way round, so that the two meet.
    for (const assetId of assetIds.toReversed()) {
      try {
        references.create(assetId, newReferenceSchema.parse({ namespace: 'posts' }))
        held.push(assetId)
      } catch (error) {
        expect(error).toMatchObject({ code: 'asset_not_found' })
      }
      await pause()
    }
    const { purged } = await collected
    await bench.base.settle()
    expect([purged > 0, held.length > 0, purged + held.length]).toEqual([true, true, assetIds.length])
    expect(bench.assets().map(({ id }) => id)).toEqual(held.toSorted())
    for (const assetId of held) {
      const index = assetIds.indexOf(assetId)
      expect(await bench.bytes(assetId)).toBe(`bytes ${index % 3 === 2 ? index - 1 : index}`)
    }
  })

  test('ends early when told to, and says that there is more', async () => {
    const { clock, take, orphan, collector } = await openCollector('local')
    orphan(await take('bytes', 'F1'))
    clock.advanceMs(DAY_MS)
    expect(await collector.run({ isDryRun: false, signal: AbortSignal.abort() })).toEqual({ ...nothing, isMore: true })
  })
})

describe('emptying the bin', () => {
  const all = { limit: 1000 }

  test('frees what was announced; shared bytes count once, and not while an asset outside has them', async () => {
    const { bench, clock, binIt, collector, take, keys } = await openCollector('local')
    const twins = [await take('twins', 'F1'), await take('twins', 'F2', K_B)]
    const outsideKey = `media/${WS}/20260407/DJI_0019.JPG`
    const outside = await take('both', 'F3', outsideKey)
    binIt(await take('both', 'F4', `media/${WS_B}/20260407/DJI_0020.JPG`))
    for (const twin of twins) binIt(twin)
    const { atMs, ...announced } = await collector.measureBin()
    expect(announced).toEqual({ assetTotal: 3, freeableBytes: 5 })
    clock.advanceMs(1)
    expect(await collector.emptyBin({ untilMs: atMs, ...all })).toEqual({ purged: 3, freedBytes: 5, isMore: false })
    expect(bench.assets()).toMatchObject([{ id: outside }])
    expect(await bench.bytes(outside)).toBe('both')
    await bench.base.settle()
    // Its upload, and the place where its bytes are kept.
    expect(await keys()).toEqual([expect.stringMatching(/^images/), outsideKey])
    expect(bench.events('asset.purged')).toMatchObject([{ data: { reason: 'asked' } }, {}, {}])
  })

  test('leaves what came into the bin later, also when the instant is yet to come', async () => {
    const { bench, clock, binIt, bin, collector, take } = await openCollector('local')
    const [first, second] = [await take('one', 'F1'), await take('two', 'F2', K_B)]
    binIt(first)
    const { atMs } = await collector.measureBin()
    clock.advanceMs(1)
    binIt(second)
    expect(await collector.emptyBin({ untilMs: atMs, ...all })).toMatchObject({ purged: 1 })
    bin.restore(second)
    const third = await take('three', 'F3')
    binIt(third)
    const emptying = collector.emptyBin({ untilMs: clock.nowMs() + DAY_MS, ...all })
    clock.advanceMs(1)
    binIt(second)
    expect(await emptying).toMatchObject({ purged: 1, isMore: false })
    expect(bench.assets()).toMatchObject([{ id: second }])
  })

  test('stays within its limit, oldest first, and stops when nobody waits for it', async () => {
    const { bench, clock, binIt, collector, take } = await openCollector('local')
    const ids = [await take('one', 'F1'), await take('two', 'F2', K_B)]
    for (const id of ids) {
      binIt(id)
      clock.advanceMs(1)
    }
    const untilMs = clock.nowMs()
    const stopped = { untilMs, ...all, signal: AbortSignal.abort() }
    expect(await collector.emptyBin(stopped)).toEqual({ purged: 0, freedBytes: 0, isMore: true })
    expect(await collector.emptyBin({ untilMs, limit: 1 })).toEqual({ purged: 1, freedBytes: 3, isMore: true })
    expect(bench.assets()).toMatchObject([{ id: ids[1] }])
    expect(await collector.emptyBin({ untilMs, limit: 1 })).toEqual({ purged: 1, freedBytes: 3, isMore: false })
  })
})

test('a store that refuses one removal keeps no other one waiting', async () => {
  const { bench, collector, binIt, take, keys } = await openCollector('local')
  const first = await take('one', 'F1')
  const second = await take('two', 'F2', `media/${WS}/20260407/DJI_0019.JPG`)
  const remove = bench.store.delete.bind(bench.store)
  bench.store.delete = async (key, options) => {
    if (key === K) throw new Error('the disk hiccups')
    return remove(key, options)
  }
  for (const assetId of [first, second]) {
    binIt(assetId)
    await bench.base.settle().catch(() => {})
    collector.purge(assetId)
  }
  await bench.base.settle()
  expect((await keys()).filter((key) => key.includes('0019'))).toEqual([])
})

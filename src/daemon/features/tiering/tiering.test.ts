import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { newReferenceSchema } from '../../../shared/api/references.ts'
import { getTiering } from '../../../shared/api/tiering.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { startTestDaemon } from '../../testing/test-daemon.ts'
import { moveBlobJob } from '../ingest/ingest.jobs.ts'
import { K, WS } from '../ingest/ingest-bench.ts'
import { Reconciler } from '../ingest/reconciler.ts'
import { DAY_MS, HOUR_MS, K_B, nothing, openCollector } from '../lifecycle/lifecycle-bench.ts'

const strong = newReferenceSchema.parse({ namespace: 'posts' })
const never = new AbortController().signal
const K_C = `media/${WS}/20260407/DJI_0022.JPG`
const K_VIDEO = `media/${WS}/20260407/DJI_0020.MP4`
async function openArchive(
  kind: 'local' | 's3',
  options: Parameters<typeof openCollector>[2] & { policy?: 'bin' | 'archive' } = {}
) {
  const opened = await openCollector(kind, options.policy ?? 'archive', options)
  const { bench } = opened
  const keyOf = (assetId: string) =>
    bench.base.db
      .prepare('SELECT key FROM asset JOIN blob ON blob.id = blob_id WHERE asset.id = ?')
      .pluck()
      .get(assetId)
  /** Lets the grace period pass, and what follows from it. */
  async function lapse(ms = DAY_MS) {
    opened.clock.advanceMs(ms)
    const report = await opened.run()
    await bench.base.settle()
    return report
  }
  return { ...opened, keyOf, lapse }
}

describe.each(['local', 's3'] as const)('the archive, with a store of kind %s', (kind) => {
  test('takes what nothing holds, and its bytes are read from there', async () => {
    const { bench, take, orphan, run, clock, lapse, keyOf, keys } = await openArchive(kind)
    const assetId = await take('bytes', 'F1')
    const before = keyOf(assetId)
    orphan(assetId)
    clock.advanceMs(DAY_MS - 1)
    expect(await run()).toEqual(nothing)
    clock.advanceMs(1)
    expect(await run(true)).toEqual({ ...nothing, isDryRun: true, archived: 1 })
    expect(await lapse(0)).toEqual({ ...nothing, archived: 1 })
    expect(await lapse(0)).toEqual(nothing)
    expect(keyOf(assetId)).toMatch(/^archive\/images\/\d{4}\/\d\d\/\d\d\/[0-9a-z]{26}\.jpg$/)
    expect(await bench.bytes(assetId)).toBe('bytes')
    expect(bench.events('asset.archived')).toMatchObject([{ subject: assetId }])
    // The former place goes a day later: links that the store signed lead there.
    clock.advanceMs(DAY_MS)
    bench.base.rows.removals.enqueue()
    await bench.base.settle()
    expect(await keys()).toEqual(kind === 'local' ? [keyOf(assetId), K] : [keyOf(assetId)])
    expect(await keys()).not.toContain(kind === 'local' ? before : K)
    // The controller need not send it again, and reports it again without harm.
    expect(await bench.fastUpload('F1')).not.toBeNull()
    expect(await bench.record('F1')).toMatchObject({ assetId })
  })

  test('gives back what is referred to again, even if that happens before the bytes arrived there', async () => {
    const { bench, take, orphan, references, lapse, keyOf, run, clock } = await openArchive(kind)
    const assetId = await take('bytes', 'F1')
    orphan(assetId)
    await lapse()
    references.create(assetId, strong)
    await bench.base.settle()
    expect(keyOf(assetId)).toMatch(/^images\//)
    expect(await bench.bytes(assetId)).toBe('bytes')
    orphan(assetId)
    clock.advanceMs(DAY_MS)
    expect(await run()).toMatchObject({ archived: 1 })
    references.create(assetId, strong)
    await bench.base.settle()
    expect(keyOf(assetId)).toMatch(/^images\//)
    // Neither way left anything behind that a later tidying could take for needless.
    clock.advanceMs(2 * DAY_MS)
    bench.base.rows.removals.enqueue()
    await bench.base.settle()
    expect(await bench.bytes(assetId)).toBe('bytes')
    expect(bench.base.rows.removals.count()).toBe(0)
  })

  test('leaves bytes within reach that another asset needs, until that one is archived as well', async () => {
    const { bench, take, orphan, lapse, keyOf } = await openArchive(kind)
    const assets = [await take('same', 'F1'), await take('same', 'F2', K_B)]
    orphan(assets[0]!)
    expect(await lapse()).toMatchObject({ archived: 1 })
    expect(keyOf(assets[0]!)).not.toMatch(/^archive/)
    orphan(assets[1]!)
    await lapse()
    for (const assetId of assets) {
      expect(keyOf(assetId)).toMatch(/^archive\//)
      expect(await bench.bytes(assetId)).toBe('same')
    }
    // Somebody uploads the same bytes again.
    const third = await take('same', 'F3', `media/${WS}/20260407/DJI_0021.JPG`)
    expect([keyOf(third), await bench.bytes(third)]).toEqual([expect.stringMatching(/^images\//), 'same'])
  })

  test('lets go of it after its time: to the bin, and from there for good', async () => {
    const { bench, take, orphan, lapse, run, clock, keys, bin } = await openArchive(kind)
    const assetId = await take('bytes', 'F1')
    orphan(assetId)
    await lapse()
    expect(await lapse(100 * DAY_MS - 1)).toEqual(nothing)
    clock.advanceMs(1)
    expect(await run(true)).toEqual({ ...nothing, isDryRun: true, binned: 1 })
    expect(await lapse(0)).toEqual({ ...nothing, binned: 1 })
    bin.restore(assetId)
    await bench.base.settle()
    expect(await lapse()).toEqual({ ...nothing, archived: 1 })
    await lapse(100 * DAY_MS)
    expect(await lapse(30 * DAY_MS)).toEqual({ ...nothing, purged: 1, freedBytes: 5 })
    bench.base.rows.removals.enqueue()
    await bench.base.settle()
    expect(await keys()).toEqual([])
  })

  test('takes bytes by their age, whatever holds them, kind by kind', async () => {
    const tieringRules = [
      { kind: 'video' as const, afterMs: 2 * DAY_MS },
      { kind: '*' as const, afterMs: 5 * DAY_MS }
    ]
    const { bench, take, clock, keyOf } = await openArchive(kind, { policy: 'bin', tieringRules })
    const [photo, video] = [await take('photo', 'F1'), await take('video', 'F2', K_VIDEO)]
    const { tiering } = bench.base
    const pass = async (ms: number) => {
      clock.advanceMs(ms)
      const { due } = await tiering.report(never)
      await tiering.run(never)
      await bench.base.settle()
      return [due.blobTotal, ...[photo, video].map((assetId) => String(keyOf(assetId)).startsWith('archive/'))]
    }
    expect(await pass(2 * DAY_MS - HOUR_MS)).toEqual([0, false, false])
    expect(await pass(HOUR_MS)).toEqual([1, false, true])
    expect(await pass(3 * DAY_MS)).toEqual([1, true, true])
    expect(await pass(0)).toEqual([0, true, true])
    expect(await tiering.report(never)).toEqual({
      rules: [
        { kind: 'video', afterDays: 2 },
        { kind: '*', afterDays: 5 }
      ],
      cold: { blobTotal: 2, sizeBytes: 10 },
      due: { blobTotal: 0, sizeBytes: 0 }
    })
    expect((await bench.allBytes()).toSorted()).toEqual(['photo', 'video'])
    expect(await bench.fastUpload('F2')).not.toBeNull()
  })

  test('uses a copy that an interrupted move left, or removes it where it is not wanted any more', async () => {
    const { bench, clock, take, orphan, lapse, keyOf, keys, binIt, collector } = await openArchive(kind)
    const [wanted, unwanted, gone] = [
      await take('one', 'F1'),
      await take('two', 'F2', K_B),
      await take('three', 'F3', K_C)
    ]
    const leaveCopy = async (assetId: string): Promise<string> => {
      const [blob] = bench.blobs().filter(({ key }) => key === keyOf(assetId))
      if (!blob) throw new Error('the asset has no bytes')
      const key = bench.base.keys.inTier('cold', blob, clock.nowMs())
      await bench.store.copy(blob.key, key)
      bench.base.queue.enqueue(moveBlobJob, { blobId: blob.id, key })
      return key
    }
    orphan(wanted)
    const [used, needless, lost] = [await leaveCopy(wanted), await leaveCopy(unwanted), await leaveCopy(gone)]
    binIt(gone)
    collector.purge(gone)
    await lapse()
    expect(keyOf(wanted)).toBe(used)
    expect(await keys()).not.toContain(needless)
    expect(await keys()).not.toContain(lost)
    expect((await bench.allBytes()).toSorted()).toEqual(['one', 'two'])
  })
})

test('the reconciler leaves the former place alone until its day is over', async () => {
  const { bench, take, orphan, lapse, keyOf } = await openArchive('local')
  const assetId = await take('bytes', 'F1')
  const former = String(keyOf(assetId))
  orphan(assetId)
  await lapse()
  const { db, keys, ingest, rows } = bench.base
  const reconciler = new Reconciler({
    ...{ db, keys, ingest, ...rows, store: bench.store, log: pino({ level: 'silent' }) },
    clock: new ManualClock(Date.now() + 10 * DAY_MS),
    acceptsWorkspace: () => true
  })
  expect(await reconciler.run()).toMatchObject({ leftovers: 0, lostBlobs: 0 })
  expect(await bench.store.head(former)).not.toBeNull()
  rows.removals.cancel(former, (await bench.store.head(former))!.etag)
  expect(await reconciler.run()).toMatchObject({ leftovers: 1, lostBlobs: 0 })
  expect(await bench.bytes(assetId)).toBe('bytes')
})

test('in the embedded store a move writes no bytes', async () => {
  const { bench, take, orphan, lapse, keyOf } = await openArchive('local')
  const assetId = await take('bytes', 'F1')
  const pathOf = async () => {
    const file = await bench.store.localPath(String(keyOf(assetId)))
    file!.release()
    return file!.path
  }
  const before = await pathOf()
  orphan(assetId)
  await lapse()
  expect(keyOf(assetId)).toMatch(/^archive\//)
  expect(await pathOf()).toBe(before)
})

test('the report is had over HTTP, by the rules of the configuration', async () => {
  const base = await startTestDaemon({ env: { FLIGHTCASE_TIERING_AFTER_DAYS: 'video=90, *=365' } })
  const none = { blobTotal: 0, sizeBytes: 0 }
  expect(await base.api.call(getTiering, {})).toEqual({
    rules: [
      { kind: 'video', afterDays: 90 },
      { kind: '*', afterDays: 365 }
    ],
    cold: none,
    due: none
  })
})

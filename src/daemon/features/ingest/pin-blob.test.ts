import { expect, test } from 'vitest'
import { startPilotBase } from '../../testing/pilot-base.ts'
import { allKeys, openExternalStore } from '../../testing/test-stores.ts'
import { isPinnedKey } from './guess-media-type.ts'
import { Bench, K, WS, WS_B } from './ingest-bench.ts'

// Beside an external store, where controllers can overwrite what they uploaded.

const K_B = `media/${WS_B}/20260407/DJI_0099.JPG`

/** Two uploads of the same bytes whose assets share one blob already; what is to be removed is still there. */
async function openTwice(bytes = 'same bytes') {
  const { store, s3 } = await openExternalStore()
  const bench = new Bench(store, await startPilotBase({ store }))
  await bench.put(K, bytes)
  await bench.record('F1')
  await bench.base.settle()
  await bench.put(K_B, bytes)
  await bench.record('F2', K_B)
  return { bench, s3 }
}

/** What happens right before or after each copy. */
function aroundCopies(bench: Bench, { before, after }: { before?: () => unknown; after?: () => unknown }) {
  const copy = bench.store.copy.bind(bench.store)
  bench.store.copy = async (...args) => {
    await before?.()
    const result = await copy(...args)
    await after?.()
    return result
  }
  return () => {
    bench.store.copy = copy
  }
}

/** Lets waiting attempts run now. */
const hurry = (bench: Bench) => bench.base.db.prepare('UPDATE job SET run_at_ms = 0').run()

test('an overwritten upload takes nothing away afterwards', async () => {
  const { bench } = await openTwice()
  await bench.base.settle()
  await bench.put(K, 'the next card')
  await bench.put(K_B, 'yet another card')
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
})

test('overwritten before the copy: the second copy stays and heals the first', async () => {
  const { bench } = await openTwice()
  const undo = aroundCopies(bench, {
    before: () => {
      undo()
      return bench.put(K, 'the next card')
    }
  })
  await bench.base.settle()
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
  expect(bench.assets()).toMatchObject([{ damage: null }, { damage: null }])
  expect(await bench.store.head(K)).not.toBeNull()
  await bench.record('F3')
  await bench.base.settle()
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes', 'the next card'])
  expect(bench.base.queue.counts()).toMatchObject({ dead: 0, queued: 0 })
})

test.each(['before', 'after'])('interrupted %s the copy: nothing is lost, nothing is left over', async (when) => {
  const { bench } = await openTwice()
  const undo = aroundCopies(bench, {
    [when]: () => {
      throw new Error('interrupted')
    }
  })
  await bench.base.settle()
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
  expect(await bench.store.head(K)).not.toBeNull()
  expect(await bench.store.head(K_B)).not.toBeNull()
  undo()
  hurry(bench)
  await bench.base.settle()
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
  expect(await allKeys(bench.store)).toEqual([bench.blobs()[0]!.key])
  expect(isPinnedKey(bench.blobs()[0]!.key)).toBe(true)
})

test('interrupted before the uploads went: they go later', async () => {
  const { bench, s3 } = await openTwice()
  aroundCopies(bench, {
    after: () => {
      s3.failure = { status: 503, code: 'SlowDown', methods: ['DELETE'] }
    }
  })
  await bench.base.settle()
  expect(await allKeys(bench.store)).toEqual([bench.blobs()[0]!.key, K, K_B].sort())
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
  s3.failure = null
  hurry(bench)
  await bench.base.settle()
  expect(await allKeys(bench.store)).toEqual([bench.blobs()[0]!.key])
})

test('a copy that nothing wants any more goes', async () => {
  const { bench } = await openTwice()
  await bench.put(`media/${WS}/20260408/DJI_0018.JPG`, 'same bytes')
  const undo = aroundCopies(bench, {
    after: () => {
      undo()
      const [blob] = bench.base.rows.blobs.list(K)
      const place = { key: `media/${WS}/20260408/DJI_0018.JPG`, etag: blob!.etag }
      bench.base.db.transaction(() => bench.base.rows.blobs.setPlace(blob!.id, place))
      bench.base.db.prepare(`UPDATE job SET state = 'cancelled' WHERE state = 'queued'`).run()
    }
  })
  await bench.base.settle()
  expect((await allKeys(bench.store)).filter(isPinnedKey)).toEqual([])
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
})

test('the upload of a binned asset goes as well, and is not taken in again', async () => {
  const { store } = await openExternalStore()
  const bench = new Bench(store, await startPilotBase({ store }))
  await bench.put(K, 'same bytes')
  await bench.record('F1')
  await bench.base.settle()
  bench.base.db.transaction(() => bench.base.ingest.forgetAsset(bench.assets()[0]!.id))
  await bench.base.settle()
  await bench.put(K_B, 'same bytes')
  await bench.record('F2', K_B)
  await bench.base.settle()
  expect(await allKeys(bench.store)).toEqual([bench.blobs()[0]!.key])
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
})

import { expect, test } from 'vitest'
import { newId } from '../../ids.ts'
import { isPinnedKey, ObjectKeys } from '../../object-keys.ts'
import type { S3ObjectStoreOptions } from '../../object-store/s3-object-store.ts'
import { startPilotBase } from '../../testing/pilot-base.ts'
import { allKeys, openExternalStore } from '../../testing/test-stores.ts'
import { Bench, K, WS, WS_B } from './ingest-bench.ts'

// Beside an external store, where controllers can overwrite what they uploaded.

const K_B = `media/${WS_B}/20260407/DJI_0099.JPG`

/** Two uploads of the same bytes whose assets share one blob already; what is to be removed is still there. */
async function openTwice(bytes = 'same bytes', options: Partial<S3ObjectStoreOptions> = {}) {
  const { store, s3 } = await openExternalStore(options)
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

const pinJobs = (bench: Bench) =>
  bench.base.db.prepare(`SELECT state, attempt FROM job WHERE name = 'ingest.pin-blob'`).all()

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
  const elsewhere = new ObjectKeys().pinned(newId(), K, 0)
  await bench.put(elsewhere, 'same bytes')
  const undo = aroundCopies(bench, {
    after: () => {
      undo()
      const [blob] = bench.base.rows.blobs.list(K)
      bench.base.db.transaction(() => bench.base.rows.blobs.setPlace(blob!.id, { key: elsewhere, etag: blob!.etag }))
    }
  })
  await bench.base.settle()
  expect(await allKeys(bench.store)).toEqual([elsewhere])
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
})

test('bytes that got another place while they were copied: the second copies go all the same', async () => {
  const { bench } = await openTwice()
  const elsewhere = `media/${WS}/20260408/DJI_0018.JPG`
  await bench.put(elsewhere, 'same bytes')
  const undo = aroundCopies(bench, {
    after: () => {
      undo()
      const [blob] = bench.base.rows.blobs.list(K)
      bench.base.db.transaction(() => bench.base.rows.blobs.setPlace(blob!.id, { key: elsewhere, etag: blob!.etag }))
    }
  })
  await bench.base.settle()
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
  expect(await allKeys(bench.store)).toEqual([bench.blobs()[0]!.key])
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

test.each([
  { status: 412, code: 'PreconditionFailed' },
  { status: 404, code: 'NoSuchKey' },
  { status: 404, code: 'NoSuchUpload' }
])(
  'a copy refused with $code although the source is there is tried again with pauses, then waits for a person',
  async (refusal) => {
    const { bench, s3 } = await openTwice()
    let copies = 0
    aroundCopies(bench, { before: () => copies++ })
    s3.failure = { ...refusal, methods: ['PUT'] }
    await bench.base.settle()
    expect(copies).toBe(1)
    expect(pinJobs(bench)).toEqual([{ state: 'queued', attempt: 1 }])
    for (let attempt = 2; attempt <= 8; attempt++) {
      hurry(bench)
      await bench.base.settle()
    }
    expect(copies).toBe(8)
    expect(bench.base.queue.counts()).toMatchObject({ queued: 0, dead: 1 })
    expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
    expect(await allKeys(bench.store)).toEqual([K, K_B])
  }
)

test('a copy that is never answered counts as an attempt while the store answers otherwise', async () => {
  const { bench, s3 } = await openTwice('same bytes', { copySilenceMs: 50 })
  s3.neverCopies = true
  await bench.base.settle()
  expect(s3.copies).toBe(1)
  expect(pinJobs(bench)).toEqual([{ state: 'queued', attempt: 1 }])
})

test('a copy that fails because the store is away costs no attempt', async () => {
  const { bench, s3 } = await openTwice()
  aroundCopies(bench, { before: () => s3.goAway() })
  await bench.base.settle()
  expect(pinJobs(bench)).toEqual([{ state: 'queued', attempt: 0 }])
})

test('a copy of other bytes is not taken: the source changed under a store that ignores the condition', async () => {
  const { bench, s3 } = await openTwice()
  const head = bench.store.head.bind(bench.store)
  aroundCopies(bench, {
    before: () => {
      bench.store.head = async (key) => {
        bench.store.head = head
        const stat = await head(key)
        s3.put(K, Buffer.from('next bytes'))
        return stat
      }
    }
  })
  await bench.base.settle()
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
  expect((await allKeys(bench.store)).filter(isPinnedKey)).toEqual([])
})

test('a copy under another tag is taken for what it is, also when its source was overwritten right after', async () => {
  const { bench, s3 } = await openTwice()
  const copy = bench.store.copy.bind(bench.store)
  bench.store.copy = async (source, target, options) => {
    const copied = { ...(await copy(source, target, options)), etag: 'made-of-parts-2' }
    s3.objects.get(target)!.etag = copied.etag
    s3.put(K, Buffer.from('next card'))
    s3.put(K_B, Buffer.from('yet another card'))
    return copied
  }
  await bench.base.settle()
  expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
})

import { describe, expect, test } from 'vitest'
import {
  Bench,
  CALLBACK,
  callback,
  FAST,
  fastUpload,
  K,
  K2,
  miss,
  ok,
  refused,
  TF,
  tiny,
  WS,
  WS_B
} from './conformance-bench.ts'
import { holdConformance } from './conformance-table.ts'

holdConformance('fast-upload', {
  C01: async (bench) => {
    expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
    expect(bench.rows()).toEqual([])
  },

  C03: async (bench) => {
    await bench.upload()
    expect(
      await bench.headsDuring(async () => {
        expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: K }))
      })
    ).toBe(1)
  },

  C05: async (bench) => {
    await bench.upload()
    await bench.store.delete(K)
    expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
    expect(bench.rows()).toEqual([])
  },

  C07: async () => {
    const { bench, s3 } = await Bench.openExternal()
    await bench.upload()
    await s3.goAway()
    expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
    expect(bench.rows()).toHaveLength(1)
    await s3.comeBack()
    expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: K }))
  },

  C11: async (bench) => {
    await bench.upload()
    expect(await bench.post(fastUpload(WS_B), FAST)).toEqual(miss())
    expect(bench.rows()).toMatchObject([{ workspace_id: WS, object_key: K }])
  },

  C24: async (bench) => {
    const { fingerprint: _, ...rest } = FAST
    expect(await bench.post(fastUpload(), rest)).toEqual(refused(400, 'missing fingerprint/name'))
    expect(await bench.post(fastUpload(), { ...rest, fingerprint: '' })).toEqual(
      refused(400, 'missing fingerprint/name')
    )
  },

  C25: async (bench) => {
    const { name: _, ...rest } = FAST
    expect(await bench.post(fastUpload(), rest)).toEqual(refused(400, 'missing fingerprint/name'))
  },

  C26: async (bench) => {
    const { ext: _, ...rest } = FAST
    expect(await bench.post(fastUpload(), rest)).toEqual(miss())
    await bench.upload()
    expect(await bench.post(fastUpload(), rest)).toEqual(ok({ object_key: K }))
    expect(await bench.post(fastUpload(), { ...rest, ext: 'nonsense' })).toEqual(ok({ object_key: K }))
  },

  C54: async (bench) => {
    await bench.upload()
    await bench.restart()
    expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: K }))
  }
})

describe('another version at the key', () => {
  const OTHER = Buffer.from('the bytes of another photo')

  test('embedded: the bytes are pinned, so the file is stored', async () => {
    const bench = await Bench.open()
    await bench.upload()
    await bench.put(K, OTHER)
    expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: K }))
  })

  test('external: the file is not stored and wanted again, and its asset says what happened', async () => {
    const { bench } = await Bench.openExternal()
    await bench.upload()
    await bench.base.settle()
    await bench.put(K, OTHER)
    expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
    expect(await bench.post(tiny(), { tiny_fingerprints: [TF] })).toEqual(ok({ tiny_fingerprints: [] }))
    await bench.base.settle()
    expect(bench.assets()).toMatchObject([{ damage: 'bytes_changed' }])
    expect(bench.rows()).toHaveLength(1)
    await bench.upload()
    expect(bench.assets()).toMatchObject([{ damage: null }])
    expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: K }))
  })

  test('external: an outage says nothing about versions', async () => {
    const { bench, s3 } = await Bench.openExternal()
    await bench.upload()
    await bench.put(K, OTHER)
    await s3.goAway()
    expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
    expect(bench.base.queue.counts().queued).toBe(1)
    expect(bench.base.db.prepare('SELECT name FROM job').all()).toEqual([{ name: 'ingest.fingerprint' }])
  })

  test('external: a second copy that was removed is not stored when the first one was overwritten', async () => {
    const { bench } = await Bench.openExternal()
    await bench.upload()
    await bench.put(K2)
    const second = { ...CALLBACK, fingerprint: 'F2', object_key: K2 }
    expect(await bench.post(callback(), second)).toEqual(ok(K2))
    await bench.base.settle()
    const survivor = bench.blobs()[0]!.key
    await bench.put(survivor, OTHER)
    expect(await bench.post(callback(), second)).toEqual(refused(404, 'object not found'))
    expect(await bench.post(fastUpload(), { ...FAST, fingerprint: 'F2' })).toEqual(miss('F2'))
    await bench.base.settle()
    expect(bench.assets()).toMatchObject([{ damage: 'bytes_changed' }, { damage: 'bytes_changed' }])
  })
})

test('a store that does not answer in time counts as one that cannot tell', async () => {
  const bench = await Bench.open({}, undefined, { headDeadlineMs: 50 })
  await bench.upload()
  const head = bench.store.head.bind(bench.store)
  bench.store.head = () => new Promise(() => {})
  expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
  bench.store.head = head
  expect(bench.rows()).toHaveLength(1)
})

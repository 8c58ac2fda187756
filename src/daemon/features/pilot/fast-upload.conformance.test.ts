import { expect, test } from 'vitest'
import { Bench, FAST, fastUpload, K, miss, ok, refused, WS, WS_B } from './conformance-bench.ts'
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

test('a store that does not answer in time counts as one that cannot tell', async () => {
  const bench = await Bench.open({}, undefined, { headDeadlineMs: 50 })
  await bench.upload()
  const head = bench.store.head.bind(bench.store)
  bench.store.head = () => new Promise(() => {})
  expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
  bench.store.head = head
  expect(bench.rows()).toHaveLength(1)
})

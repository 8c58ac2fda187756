import { expect } from 'vitest'
import { Bench, CALLBACK, callback, K, ok, refused, TF, tiny, WS } from './conformance-bench.ts'
import { holdConformance } from './conformance-table.ts'

holdConformance('tiny-fingerprints', {
  C04: async (bench) => {
    await bench.upload()
    expect(await bench.post(tiny(), { tiny_fingerprints: [TF, 'x'] })).toEqual(ok({ tiny_fingerprints: [TF] }))
  },

  C06: async (bench) => {
    await bench.upload()
    await bench.store.delete(K)
    expect(await bench.post(tiny(), { tiny_fingerprints: [TF] })).toEqual(ok({ tiny_fingerprints: [] }))
    expect(bench.rows()).toEqual([])
  },

  C08: async () => {
    const { bench, s3 } = await Bench.openExternal()
    await bench.upload()
    s3.failure = { status: 403, code: 'AccessDenied', methods: ['HEAD'] }
    expect(await bench.post(tiny(), { tiny_fingerprints: [TF] })).toEqual(ok({ tiny_fingerprints: [] }))
    expect(bench.rows()).toHaveLength(1)
  },

  C31: async (bench) => {
    const known = ['c_1', 'a_1', 'b_1']
    for (const [index, tinny_fingerprint] of ['a_1', 'b_1', 'c_1'].entries()) {
      const key = `media/${WS}/20260407/${index}.JPG`
      await bench.put(key, Buffer.from(`photo ${index}`))
      await bench.post(callback(), {
        ...CALLBACK,
        fingerprint: `F${index}`,
        object_key: key,
        ext: { tinny_fingerprint }
      })
    }
    const asked = Array.from({ length: 10_000 }, (_, index) => `unknown_${index}`)
    for (const [index, entry] of known.entries()) asked[3000 * (index + 1)] = entry
    const heads = await bench.headsDuring(async () => {
      expect(await bench.post(tiny(), { tiny_fingerprints: asked })).toEqual(ok({ tiny_fingerprints: known }))
    })
    expect(heads).toBeLessThanOrEqual(3)
  },

  C32: async (bench) => {
    const body = JSON.stringify({ tiny_fingerprints: ['x'.repeat(11 * 1024 * 1024)] })
    expect(await bench.post(tiny(), body)).toEqual(refused(413, 'payload too large'))
  },

  C33: async (bench) => {
    for (const tiny_fingerprints of ['abc', 7, {}, true])
      expect(await bench.post(tiny(), { tiny_fingerprints })).toEqual(refused(400, 'invalid tiny_fingerprints'))
  },

  C34: async (bench) => {
    for (const body of [{}, { tiny_fingerprints: null }, { tiny_fingerprints: [] }])
      expect(await bench.post(tiny(), body)).toEqual(ok({ tiny_fingerprints: [] }))
  },

  C35: async (bench) => {
    await bench.upload()
    expect(await bench.post(tiny(), { tiny_fingerprints: [1, null, '', {}, TF] })).toEqual(
      ok({ tiny_fingerprints: [TF] })
    )
  }
})

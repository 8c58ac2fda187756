import { expect, test } from 'vitest'
import { allKeys } from '../../testing/test-stores.ts'
import {
  Bench,
  CALLBACK,
  callback,
  FAST,
  FP,
  fastUpload,
  K,
  K2,
  METADATA,
  miss,
  NAME,
  ok,
  refused,
  sts,
  TF,
  tiny,
  WS,
  WS_B
} from './conformance-bench.ts'
import { holdConformance } from './conformance-table.ts'

holdConformance('upload-callback', {
  C02: async (bench) => {
    await bench.upload()
    expect(bench.rows()).toMatchObject([
      {
        workspace_id: WS,
        fingerprint: FP,
        tiny_fingerprint: TF,
        object_key: K,
        name: NAME,
        path: CALLBACK.path,
        drone_model_key: '0-99-0',
        payload_model_key: '1-88-0'
      }
    ])
    const [asset] = bench.assets()
    expect(asset).toMatchObject({
      state: 'active',
      ref_count: 1,
      object_key: K,
      taken_at_ms: Date.parse(METADATA.created_time),
      taken_day: '2026-04-07',
      taken_zone_offset_min: 480,
      taken_source: 'callback',
      latitude: 22.1,
      longitude: 122.5
    })
    expect(JSON.parse(asset!.capture_json)).toMatchObject({
      absoluteAltitudeM: 56.311,
      relativeAltitudeM: 41.124,
      gimbalYawDeg: -91.4,
      zoneOffset: '+08:00'
    })
    expect(asset!.device_id).not.toBeNull()
    expect(bench.arrivals()).toHaveLength(1)
  },

  C09: async (bench) => {
    await bench.upload()
    expect(await bench.post(callback(), CALLBACK)).toEqual(ok(K))
    expect(bench.rows()).toHaveLength(1)
    expect(bench.assets()).toHaveLength(1)
    expect(bench.arrivals()).toHaveLength(1)
  },

  C10: async (bench) => {
    await bench.upload()
    await bench.put(K2)
    expect(await bench.post(callback(), { ...CALLBACK, object_key: K2 })).toEqual(ok(K2))
    expect(bench.rows()).toMatchObject([{ object_key: K2 }])
    expect(bench.assets()).toHaveLength(1)
    expect(bench.arrivals()).toHaveLength(2)
  },

  C12: async (bench) => {
    const keyB = K.replace(WS, WS_B)
    await bench.upload()
    await bench.put(keyB)
    expect(await bench.post(callback(WS_B), { ...CALLBACK, object_key: keyB })).toEqual(ok(keyB))
    expect(bench.rows()).toMatchObject([
      { workspace_id: WS, object_key: K },
      { workspace_id: WS_B, object_key: keyB }
    ])
    await bench.base.settle()
    // One set of bytes, and each workspace still sees its own key only.
    expect(bench.base.db.prepare('SELECT count(*) AS n FROM blob').get()).toEqual({ n: 1 })
    expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: K }))
    expect(await bench.post(fastUpload(WS_B), FAST)).toEqual(ok({ object_key: keyB }))
  },

  C13: async (bench) => {
    expect(await bench.post(callback(), CALLBACK)).toEqual(refused(404, 'object not found'))
    expect(bench.rows()).toEqual([])
    expect(bench.assets()).toEqual([])
  },

  C14: async () => {
    const { bench, s3 } = await Bench.openExternal()
    await bench.put(K)
    await s3.goAway()
    expect(await bench.post(callback(), CALLBACK)).toEqual(refused(502, 'object check failed'))
    expect(bench.rows()).toEqual([])
    expect(bench.assets()).toEqual([])
  },

  C15: async (bench) => {
    const { object_key: _, ...rest } = CALLBACK
    expect(await bench.post(callback(), rest)).toEqual(refused(400, 'missing object_key'))
    expect(await bench.post(callback(), { ...rest, object_key: '' })).toEqual(refused(400, 'missing object_key'))
    expect(bench.assets()).toEqual([])
  },

  C16: async (bench) => {
    await bench.put(K)
    const { fingerprint: _, ...rest } = CALLBACK
    expect(await bench.post(callback(), rest)).toEqual(ok(K))
    expect(await bench.post(callback(), rest)).toEqual(ok(K))
    expect(bench.rows()).toEqual([])
    expect(bench.assets()).toMatchObject([{ object_key: K }])
    expect(bench.arrivals()).toHaveLength(1)
  },

  C17: async (bench) => {
    const { object_key: _, ...rest } = CALLBACK
    expect(
      await bench.headsDuring(async () => {
        expect(await bench.post(callback(), { ...CALLBACK, result: 1 })).toEqual(ok(K))
        expect(await bench.post(callback(), { ...rest, result: 1 })).toEqual(ok(''))
        expect(await bench.post(callback(), { ...rest, result: '1', object_key: '../x' })).toEqual(ok('../x'))
      })
    ).toBe(0)
    expect(bench.rows()).toEqual([])
  },

  C18: async (bench) => {
    await bench.put(K)
    const { result: _, ...rest } = CALLBACK
    expect(await bench.post(callback(), rest)).toEqual(ok(K))
    expect(bench.rows()).toHaveLength(1)
  },

  C19: async (bench) => {
    await refusesKeys(bench, [`media/${WS}/../../etc/passwd`, `media/${WS}/./x.JPG`])
  },

  C20: async (bench) => {
    await refusesKeys(bench, [K.replace(WS, WS_B), `media/${WS}x/1.JPG`, `${WS}/1.JPG`, 'images/2026/04/07/x.jpg'])
  },

  C21: async (bench) => {
    await refusesKeys(bench, [`/${K}`, K.replace('/2026', '//2026'), `${K}\u0000`, `media/${WS}/a\\b.JPG`])
    await refusesKeys(bench, [
      `media/${WS}/`,
      `media/${WS}/${'x'.repeat(1024)}`,
      `media/${WS}/\ud800.JPG`,
      `media/${WS}/a\nb`
    ])
  },

  C22: async (bench) => {
    await bench.put(K)
    expect(await bench.post(callback(), { ...CALLBACK, name: '../../x.JPG' })).toEqual(ok(K))
    expect(bench.rows()).toMatchObject([{ name: '../../x.JPG' }])
    expect((await allKeys(bench.store)).filter((key) => key.includes('..'))).toEqual([])
  },

  C23: async (bench) => {
    const name = '航点一 🚁 \u202eעברית.JPG'
    const key = `media/${WS}/20260407/${name}`
    await bench.put(key)
    expect(await bench.post(callback(), { ...CALLBACK, name, path: '巡检/مهمة', object_key: key })).toEqual(ok(key))
    expect(bench.rows()).toMatchObject([{ name, path: '巡检/مهمة', object_key: key }])
    expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: key }))
  },

  C49: async (bench) => {
    await bench.put(K)
    const ext = { ...CALLBACK.ext, drone_model_key: '0-999-7', payload_model_key: '1-65535-0' }
    expect(await bench.post(callback(), { ...CALLBACK, ext })).toEqual(ok(K))
    expect(bench.rows()).toMatchObject([{ drone_model_key: '0-999-7', payload_model_key: '1-65535-0' }])
  },

  C50: async (bench) => {
    await bench.put(K)
    const metadata = { ...METADATA, gimbal_yaw_degree: '-91.40', created_time: '2021-05-10 16:04:20' }
    expect(await bench.post(callback(), { ...CALLBACK, metadata })).toEqual(ok(K))
    const [asset] = bench.assets()
    expect(JSON.parse(asset!.capture_json)).toMatchObject({ gimbalYawDeg: -91.4, zoneOffset: null })
    expect(asset).toMatchObject({
      taken_day: '2021-05-10',
      taken_at_ms: new Date(2021, 4, 10, 16, 4, 20).getTime(),
      taken_zone_offset_min: null
    })
  },

  C51: async (bench) => {
    await bench.put(K)
    const { metadata: _, ...rest } = CALLBACK
    expect(await bench.post(callback(), rest)).toEqual(ok(K))
    expect(bench.assets()).toMatchObject([{ taken_source: 'name', taken_day: '2026-04-07', latitude: null }])
  },

  C52: async (bench) => {
    await bench.put(K)
    const { ext: _, ...rest } = CALLBACK
    expect(await bench.post(callback(), { ...rest, tiny_fingerprint: TF })).toEqual(ok(K))
    expect(bench.rows()).toMatchObject([{ tiny_fingerprint: TF }])
  },

  C53: async (bench) => {
    await bench.upload()
    bench.base.db.transaction(() => bench.base.ingest.forgetAsset(bench.assets()[0]!.id))
    expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
    expect(await bench.post(tiny(), { tiny_fingerprints: [TF] })).toEqual(ok({ tiny_fingerprints: [] }))
    expect(bench.rows()).toEqual([])
    await bench.base.settle()
    expect(await bench.store.head(K)).toBeNull()
  }
})

test('callbackDataObject answers as the documents show', async () => {
  const bench = await Bench.open({ callbackDataObject: true })
  await bench.put(K)
  expect(await bench.post(callback(), CALLBACK)).toEqual(ok({ object_key: K }))
})

test('legacy roots: a key without the first folder, also when the bucket name leads it in the store', async () => {
  const bench = await Bench.open({ legacyKeyRoots: true })
  const legacy = `${WS}/${NAME}`
  await bench.put(`media/${legacy}`)
  expect(await bench.post(callback(), { ...CALLBACK, object_key: legacy })).toEqual(ok(legacy))
  expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: legacy }))
})

test('a refused call and a failed upload show on the tether board', async () => {
  const { bench, s3 } = await Bench.openExternal()
  await bench.post(callback(), { ...CALLBACK, result: 1 })
  expect(bench.base.board.listLanes()).toMatchObject([{ failed: 1, lastError: { code: 'upload_failed', name: NAME } }])
  await bench.post(callback(), CALLBACK)
  expect(bench.base.board.listLanes()).toMatchObject([{ failed: 1, lastError: { code: 'object_not_found' } }])
  await s3.goAway()
  await bench.post(sts())
  expect(bench.base.board.listLanes()).toMatchObject([{ lastError: { code: 'sts_failed' } }])
  await s3.comeBack()
  await bench.put(K)
  await bench.post(callback(), CALLBACK)
  expect(bench.base.board.listLanes()).toMatchObject([{ seen: 1, uploaded: 1, failed: 0 }])
})

async function refusesKeys(bench: Bench, keys: string[]): Promise<void> {
  const heads = await bench.headsDuring(async () => {
    for (const object_key of keys)
      expect(await bench.post(callback(), { ...CALLBACK, object_key })).toEqual(refused(400, 'invalid object_key'))
  })
  expect(heads).toBe(0)
  expect(bench.rows()).toEqual([])
  expect(bench.assets()).toEqual([])
}

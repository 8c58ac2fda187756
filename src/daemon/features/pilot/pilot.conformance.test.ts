import { createHash } from 'node:crypto'
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { StsReply } from '../../../shared/api/pilot.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { PILOT_TOKEN, type PilotBase, type PilotBaseOptions, startPilotBase } from '../../testing/pilot-base.ts'
import type { ScriptedS3 } from '../../testing/scripted-s3.ts'
import {
  allKeys,
  countHeads,
  openEmbeddedEndpoint,
  openEmbeddedStore,
  openExternalStore
} from '../../testing/test-stores.ts'

const WS = 'e3dea0f5-37f2-4d79-ae58-490af3228069'
const WS_B = '0a1b2c3d-0000-4000-8000-000000000002'
const NAME = 'DJI_20260407180330_0001_V.JPG'
const K = `media/${WS}/20260407/${NAME}`
const K2 = `media/${WS}/20260408/${NAME}`
const BYTES = Buffer.from('the bytes of a photo')
const FP = createHash('md5').update(BYTES).digest('hex').toUpperCase()
const TF = '297f490b0252690d3f93841818567cc6_2026_4_7_18_3_30'

const METADATA = {
  created_time: '2026-04-07T18:03:30+08:00',
  absolute_altitude: 56.311,
  relative_altitude: 41.124,
  gimbal_yaw_degree: -91.4,
  shoot_position: { lat: 22.1, lng: 122.5 }
}
const FAST = { fingerprint: FP, name: NAME, path: '', ext: { tinny_fingerprint: TF } }
const CALLBACK = {
  result: 0,
  fingerprint: FP,
  name: NAME,
  path: 'DJI_202604071803_001_Waypoint1',
  object_key: K,
  sub_file_type: 0,
  ext: {
    tinny_fingerprint: TF,
    drone_model_key: '0-99-0',
    payload_model_key: '1-88-0',
    is_original: true,
    sn: '1581F5BMD0000001'
  },
  metadata: METADATA
}

const fastUpload = (ws = WS) => `/media/api/v1/workspaces/${ws}/fast-upload`
const tiny = (ws = WS) => `/media/api/v1/workspaces/${ws}/files/tiny-fingerprints`
const callback = (ws = WS) => `/media/api/v1/workspaces/${ws}/upload-callback`
const group = (ws = WS) => `/media/api/v1/workspaces/${ws}/group-upload-callback`
const sts = (ws = WS) => `/storage/api/v1/workspaces/${ws}/sts`
const fiveCalls = [fastUpload, tiny, callback, group, sts]

interface Answer {
  status: number
  body: { code: number; message: string; data: unknown }
}

class Bench {
  readonly store: ObjectStore
  base: PilotBase
  readonly #options: PilotBaseOptions

  /** Beside the embedded store, unless another one is given. */
  static async open(
    config: PilotBaseOptions['config'] = {},
    store?: ObjectStore,
    more: Partial<PilotBaseOptions> = {}
  ): Promise<Bench> {
    const options = { store: store ?? (await openEmbeddedStore()), config, ...more }
    return new Bench(await startPilotBase(options), options)
  }
  /** Beside an external store, which can fail in every way. */
  static async openExternal(): Promise<{ bench: Bench; s3: ScriptedS3 }> {
    const { store, s3 } = await openExternalStore()
    return { bench: await Bench.open({}, store), s3 }
  }
  private constructor(base: PilotBase, options: PilotBaseOptions) {
    this.base = base
    this.store = options.store
    this.#options = options
  }
  async restart(): Promise<void> {
    await this.base.stop()
    this.base = await startPilotBase({ ...this.#options, folder: this.base.folder })
  }
  async post(path: string, body?: unknown, headers: Record<string, string> = {}, method = 'POST'): Promise<Answer> {
    const answer = await fetch(this.base.url + path, {
      method,
      headers: { 'x-auth-token': PILOT_TOKEN, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) })
    })
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    return { status: answer.status, body: (await answer.json()) as Answer['body'] }
  }
  put = (key: string, bytes: Buffer = BYTES) => this.store.put(key, bytes)
  rows = () => this.base.db.prepare<unknown[], Row>('SELECT * FROM pilot_file ORDER BY id').all()
  assets = () => this.base.db.prepare<unknown[], AssetRow>('SELECT * FROM asset ORDER BY id').all()
  arrivals = () => this.base.outbox.readAfter(0, 1000).filter((event) => event.type === 'asset.arrived')
  /** C02, which many cases begin with. */
  async upload(): Promise<void> {
    await this.put(K)
    expect(await this.post(callback(), CALLBACK)).toEqual(ok(K))
  }
  headsDuring = (work: () => Promise<unknown>) => countHeads(this.store, work)
}

interface Row {
  workspace_id: string
  fingerprint: string
  tiny_fingerprint: string | null
  object_key: string
  name: string
  path: string
  drone_model_key: string | null
  payload_model_key: string | null
  asset_id: string
}
interface AssetRow {
  id: string
  object_key: string
  taken_at_ms: number
  taken_day: string
  taken_zone_offset_min: number | null
  taken_source: string
  latitude: number | null
  longitude: number | null
  capture_json: string
  device_id: string | null
  ref_count: number
  state: string
}

const ok = (data: unknown): Answer => ({ status: 200, body: { code: 0, message: 'success', data } })
const miss = (fingerprint = FP): Answer => ({
  status: 200,
  body: { code: -1, message: `${fingerprint} don't exist.`, data: '' }
})
const refused = (status: number, message: string): Answer => ({ status, body: { code: status, message, data: {} } })

/** The conformance table: id, request, expected answer, effect; then how it is held against the server. */
const cases: [id: string, request: string, expected: string, effect: string, run: (bench: Bench) => Promise<void>][] = [
  [
    'C01',
    'fast-upload FP, unknown',
    "200, code -1, `FP don't exist.`, data ``",
    'no row',
    async (bench) => {
      expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
      expect(bench.rows()).toEqual([])
    }
  ],
  [
    'C02',
    'upload-callback FP/TF/K, object K exists',
    '200, code 0, data K',
    'one row, tiny = TF, metadata columns filled',
    async (bench) => {
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
    }
  ],
  [
    'C03',
    'fast-upload FP after C02',
    '200, code 0, data.object_key = K',
    'none; exactly one HEAD',
    async (bench) => {
      await bench.upload()
      expect(
        await bench.headsDuring(async () => {
          expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: K }))
        })
      ).toBe(1)
    }
  ],
  [
    'C04',
    'tiny-fingerprints [TF,"x"] after C02',
    '200, data.tiny_fingerprints = [TF]',
    'none',
    async (bench) => {
      await bench.upload()
      expect(await bench.post(tiny(), { tiny_fingerprints: [TF, 'x'] })).toEqual(ok({ tiny_fingerprints: [TF] }))
    }
  ],
  [
    'C05',
    'delete object K in S3, then fast-upload FP',
    '200, code -1',
    'row deleted',
    async (bench) => {
      await bench.upload()
      await bench.store.delete(K)
      expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
      expect(bench.rows()).toEqual([])
    }
  ],
  [
    'C06',
    'as C05 but tiny-fingerprints [TF]',
    '200, []',
    'row deleted',
    async (bench) => {
      await bench.upload()
      await bench.store.delete(K)
      expect(await bench.post(tiny(), { tiny_fingerprints: [TF] })).toEqual(ok({ tiny_fingerprints: [] }))
      expect(bench.rows()).toEqual([])
    }
  ],
  [
    'C07',
    'S3 down (connection refused), row exists, fast-upload FP',
    '200, code -1',
    'row kept',
    async () => {
      const { bench, s3 } = await Bench.openExternal()
      await bench.upload()
      await s3.goAway()
      expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
      expect(bench.rows()).toHaveLength(1)
      await s3.comeBack()
      expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: K }))
    }
  ],
  [
    'C08',
    'S3 HEAD answers 403, row exists, tiny-fingerprints [TF]',
    '200, [], never 5xx',
    'row kept',
    async () => {
      const { bench, s3 } = await Bench.openExternal()
      await bench.upload()
      s3.failure = { status: 403, code: 'AccessDenied', methods: ['HEAD'] }
      expect(await bench.post(tiny(), { tiny_fingerprints: [TF] })).toEqual(ok({ tiny_fingerprints: [] }))
      expect(bench.rows()).toHaveLength(1)
    }
  ],
  [
    'C09',
    'same callback as C02 sent twice',
    '200 code 0 twice',
    'still one row; one "arrived" event',
    async (bench) => {
      await bench.upload()
      expect(await bench.post(callback(), CALLBACK)).toEqual(ok(K))
      expect(bench.rows()).toHaveLength(1)
      expect(bench.assets()).toHaveLength(1)
      expect(bench.arrivals()).toHaveLength(1)
    }
  ],
  [
    'C10',
    'callback same FP, new key K2 (object exists)',
    '200, data K2',
    'row updated to K2',
    async (bench) => {
      await bench.upload()
      await bench.put(K2)
      expect(await bench.post(callback(), { ...CALLBACK, object_key: K2 })).toEqual(ok(K2))
      expect(bench.rows()).toMatchObject([{ object_key: K2 }])
      expect(bench.assets()).toHaveLength(1)
      expect(bench.arrivals()).toHaveLength(2)
    }
  ],
  [
    'C11',
    'callback FP in WS, then fast-upload FP in WS-B',
    '200, code -1',
    'WS row untouched',
    async (bench) => {
      await bench.upload()
      expect(await bench.post(fastUpload(WS_B), FAST)).toEqual(miss())
      expect(bench.rows()).toMatchObject([{ workspace_id: WS, object_key: K }])
    }
  ],
  [
    'C12',
    'callback FP in WS and in WS-B with own keys',
    '200 twice',
    'two rows',
    async (bench) => {
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
    }
  ],
  [
    'C13',
    'callback, object does not exist',
    '404, code 404 `object not found`',
    'no row',
    async (bench) => {
      expect(await bench.post(callback(), CALLBACK)).toEqual(refused(404, 'object not found'))
      expect(bench.rows()).toEqual([])
      expect(bench.assets()).toEqual([])
    }
  ],
  [
    'C14',
    'callback while S3 is down',
    '502, code 502 `object check failed`',
    'no row',
    async () => {
      const { bench, s3 } = await Bench.openExternal()
      await bench.put(K)
      await s3.goAway()
      expect(await bench.post(callback(), CALLBACK)).toEqual(refused(502, 'object check failed'))
      expect(bench.rows()).toEqual([])
      expect(bench.assets()).toEqual([])
    }
  ],
  [
    'C15',
    'callback without object_key',
    '400 `missing object_key`',
    'none',
    async (bench) => {
      const { object_key: _, ...rest } = CALLBACK
      expect(await bench.post(callback(), rest)).toEqual(refused(400, 'missing object_key'))
      expect(await bench.post(callback(), { ...rest, object_key: '' })).toEqual(refused(400, 'missing object_key'))
      expect(bench.assets()).toEqual([])
    }
  ],
  [
    'C16',
    'callback without fingerprint, object exists',
    '200, code 0',
    'no dedupe row; asset listed by key',
    async (bench) => {
      await bench.put(K)
      const { fingerprint: _, ...rest } = CALLBACK
      expect(await bench.post(callback(), rest)).toEqual(ok(K))
      expect(await bench.post(callback(), rest)).toEqual(ok(K))
      expect(bench.rows()).toEqual([])
      expect(bench.assets()).toMatchObject([{ object_key: K }])
      expect(bench.arrivals()).toHaveLength(1)
    }
  ],
  [
    'C17',
    'callback result: 1 (with and without object_key)',
    '200, code 0',
    'no row, no HEAD',
    async (bench) => {
      const { object_key: _, ...rest } = CALLBACK
      expect(
        await bench.headsDuring(async () => {
          expect(await bench.post(callback(), { ...CALLBACK, result: 1 })).toEqual(ok(K))
          expect(await bench.post(callback(), { ...rest, result: 1 })).toEqual(ok(''))
          expect(await bench.post(callback(), { ...rest, result: '1', object_key: '../x' })).toEqual(ok('../x'))
        })
      ).toBe(0)
      expect(bench.rows()).toEqual([])
    }
  ],
  [
    'C18',
    'callback without result, object exists',
    '200, code 0',
    'row (legacy Pilot)',
    async (bench) => {
      await bench.put(K)
      const { result: _, ...rest } = CALLBACK
      expect(await bench.post(callback(), rest)).toEqual(ok(K))
      expect(bench.rows()).toHaveLength(1)
    }
  ],
  [
    'C19',
    'callback with object_key media/WS/../../etc/passwd',
    '400 `invalid object_key`',
    'no HEAD, no row',
    async (bench) => {
      await refusesKeys(bench, [`media/${WS}/../../etc/passwd`, `media/${WS}/./x.JPG`])
    }
  ],
  [
    'C20',
    "callback with key under another workspace's root",
    '400 `invalid object_key`',
    'no row',
    async (bench) => {
      await refusesKeys(bench, [K.replace(WS, WS_B), `media/${WS}x/1.JPG`, `${WS}/1.JPG`, 'images/2026/04/07/x.jpg'])
    }
  ],
  [
    'C21',
    'callback key with leading /, with //, with NUL, with backslash',
    '400 each',
    'none',
    async (bench) => {
      await refusesKeys(bench, [`/${K}`, K.replace('/2026', '//2026'), `${K}\u0000`, `media/${WS}/a\\b.JPG`])
      await refusesKeys(bench, [
        `media/${WS}/`,
        `media/${WS}/${'x'.repeat(1024)}`,
        `media/${WS}/\ud800.JPG`,
        `media/${WS}/a\nb`
      ])
    }
  ],
  [
    'C22',
    'name = ../../x.JPG, valid key',
    '200',
    'row stores the name verbatim; no file system access outside the data dir',
    async (bench) => {
      await bench.put(K)
      expect(await bench.post(callback(), { ...CALLBACK, name: '../../x.JPG' })).toEqual(ok(K))
      expect(bench.rows()).toMatchObject([{ name: '../../x.JPG' }])
      expect((await allKeys(bench.store)).filter((key) => key.includes('..'))).toEqual([])
    }
  ],
  [
    'C23',
    'name/path in Chinese, emoji, RTL; object key contains them, object exists',
    '200, data equals the key byte for byte',
    'row round-trips',
    async (bench) => {
      const name = '航点一 🚁 \u202eעברית.JPG'
      const key = `media/${WS}/20260407/${name}`
      await bench.put(key)
      expect(await bench.post(callback(), { ...CALLBACK, name, path: '巡检/مهمة', object_key: key })).toEqual(ok(key))
      expect(bench.rows()).toMatchObject([{ name, path: '巡检/مهمة', object_key: key }])
      expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: key }))
    }
  ],
  [
    'C24',
    'fast-upload without fingerprint; and with fingerprint: ""',
    '400 `missing fingerprint/name`',
    'none',
    async (bench) => {
      const { fingerprint: _, ...rest } = FAST
      expect(await bench.post(fastUpload(), rest)).toEqual(refused(400, 'missing fingerprint/name'))
      expect(await bench.post(fastUpload(), { ...rest, fingerprint: '' })).toEqual(
        refused(400, 'missing fingerprint/name')
      )
    }
  ],
  [
    'C25',
    'fast-upload without name',
    '400 `missing fingerprint/name`',
    'none',
    async (bench) => {
      const { name: _, ...rest } = FAST
      expect(await bench.post(fastUpload(), rest)).toEqual(refused(400, 'missing fingerprint/name'))
    }
  ],
  [
    'C26',
    'fast-upload without ext',
    'normal hit/miss',
    'none',
    async (bench) => {
      const { ext: _, ...rest } = FAST
      expect(await bench.post(fastUpload(), rest)).toEqual(miss())
      await bench.upload()
      expect(await bench.post(fastUpload(), rest)).toEqual(ok({ object_key: K }))
      expect(await bench.post(fastUpload(), { ...rest, ext: 'nonsense' })).toEqual(ok({ object_key: K }))
    }
  ],
  [
    'C27',
    'body {"fingerprint": (cut)',
    '400 `invalid json`',
    'none',
    async (bench) => {
      for (const body of ['{"fingerprint":', '', 'null', '[]', '7', '"x"'])
        expect(await bench.post(fastUpload(), body)).toEqual(refused(400, 'invalid json'))
    }
  ],
  [
    'C28',
    'no x-auth-token; wrong token',
    '401 `missing…`; 401 `invalid…`',
    'none; applies to all five calls',
    async (bench) => {
      for (const path of fiveCalls) {
        expect(await bench.post(path(), {}, { 'x-auth-token': '' })).toEqual(refused(401, 'missing x-auth-token'))
        expect(await bench.post(path(), {}, { 'x-auth-token': 'wrong' })).toEqual(refused(401, 'invalid x-auth-token'))
      }
      const { secret, id } = bench.base.access.createToken({ name: 'RC', role: 'controller' })
      expect(await bench.post(fastUpload(), FAST, { 'x-auth-token': secret })).toEqual(miss())
      bench.base.access.revokeToken(id)
      expect(await bench.post(fastUpload(), FAST, { 'x-auth-token': secret })).toEqual(
        refused(401, 'invalid x-auth-token')
      )
      expect(await bench.post(fastUpload(), FAST, { 'x-auth-token': 'the-admin-token' })).toMatchObject({ status: 401 })
    }
  ],
  [
    'C29',
    'wrong token and broken JSON',
    '401',
    'none',
    async (bench) => {
      expect(await bench.post(fastUpload(), '{"fingerprint":', { 'x-auth-token': 'wrong' })).toMatchObject({
        status: 401
      })
      expect(await bench.post(fastUpload('a%2fb'), '{', { 'x-auth-token': 'wrong' })).toMatchObject({ status: 401 })
      expect(await bench.post(fastUpload('%zz'), '{', { 'x-auth-token': 'wrong' })).toMatchObject({ status: 401 })
    }
  ],
  [
    'C30',
    'header spelled X-AUTH-TOKEN',
    'accepted',
    '—',
    async (bench) => {
      const answer = await fetch(bench.base.url + fastUpload(), {
        method: 'POST',
        headers: { 'X-AUTH-TOKEN': PILOT_TOKEN },
        body: JSON.stringify(FAST)
      })
      expect(answer.status).toBe(200)
    }
  ],
  [
    'C31',
    'tiny-fingerprints with 10 000 entries, 3 known',
    '200 within 5 s, the 3 in request order',
    '≤ 3 HEADs',
    async (bench) => {
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
    }
  ],
  [
    'C32',
    'tiny-fingerprints body of 11 MiB',
    '413',
    'none',
    async (bench) => {
      const body = JSON.stringify({ tiny_fingerprints: ['x'.repeat(11 * 1024 * 1024)] })
      expect(await bench.post(tiny(), body)).toEqual(refused(413, 'payload too large'))
    }
  ],
  [
    'C33',
    'tiny-fingerprints {"tiny_fingerprints":"abc"}',
    '400 `invalid tiny_fingerprints`',
    'none',
    async (bench) => {
      for (const tiny_fingerprints of ['abc', 7, {}, true])
        expect(await bench.post(tiny(), { tiny_fingerprints })).toEqual(refused(400, 'invalid tiny_fingerprints'))
    }
  ],
  [
    'C34',
    'tiny-fingerprints {} / null value / []',
    '200 []',
    'none',
    async (bench) => {
      for (const body of [{}, { tiny_fingerprints: null }, { tiny_fingerprints: [] }])
        expect(await bench.post(tiny(), body)).toEqual(ok({ tiny_fingerprints: [] }))
    }
  ],
  [
    'C35',
    'tiny-fingerprints [1,null,"",{},TF], TF known',
    '200 [TF]',
    'none',
    async (bench) => {
      await bench.upload()
      expect(await bench.post(tiny(), { tiny_fingerprints: [1, null, '', {}, TF] })).toEqual(
        ok({ tiny_fingerprints: [TF] })
      )
    }
  ],
  [
    'C36',
    'sts, empty body',
    '200, code 0, every field, expire integer 60…3600, endpoint has scheme and the host of the request',
    'none',
    async (bench) => {
      expectGrant(await bench.post(sts()))
    }
  ],
  [
    'C37',
    'sts, body {} / garbage body',
    'as C36',
    'none',
    async (bench) => {
      expectGrant(await bench.post(sts(), {}))
      expectGrant(await bench.post(sts(), 'garbage{'))
    }
  ],
  [
    'C38',
    'put an object with the issued credentials under the prefix; then outside the prefix',
    '200; 403 AccessDenied',
    'object present; absent',
    async () => {
      const { bench, client, prefix } = await grant()
      const inside = `${prefix}/${NAME}`
      await client.send(new PutObjectCommand({ Bucket: 'media', Key: inside, Body: BYTES }))
      expect(await bench.post(callback(), { ...CALLBACK, object_key: inside })).toEqual(ok(inside))
      for (const outside of [`media/${WS}/19990101/x`, `media/${WS_B}/x`, 'x', `${prefix}x/y`, 'images/2026/04/07/x']) {
        const put = client.send(new PutObjectCommand({ Bucket: 'media', Key: outside, Body: BYTES }))
        await expect(put).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } })
        expect(await bench.store.head(outside)).toBeNull()
      }
    }
  ],
  [
    'C39',
    'sts while the store is down',
    '500 `sts failed`',
    'none',
    async () => {
      const { bench, s3 } = await Bench.openExternal()
      await s3.goAway()
      expect(await bench.post(sts())).toEqual(refused(500, 'sts failed'))
    }
  ],
  [
    'C40',
    'use issued credentials after their real lifetime',
    'refused by S3 (400 ExpiredToken, as AWS answers)',
    'none',
    async () => {
      const { client, prefix, harness } = await grant()
      const head = () => client.send(new HeadObjectCommand({ Bucket: 'media', Key: `${prefix}/x` }))
      await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } })
      harness.turnClock(3_600_000 + 1000)
      client.config.systemClockOffset = 3_600_000
      await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } })
      const put = client.send(new PutObjectCommand({ Bucket: 'media', Key: `${prefix}/x`, Body: BYTES }))
      await expect(put).rejects.toMatchObject({ name: 'ExpiredToken' })
    }
  ],
  [
    'C41',
    'group-upload-callback {id,10,4} then {id,10,10}',
    '200 code 0 twice',
    'one group row, complete after the second',
    async (bench) => {
      const counts = () =>
        bench.base.db.prepare('SELECT expected_count AS expected, uploaded_count AS uploaded FROM flight').all()
      expect(await bench.post(group(), { file_group_id: 'g', file_count: 10, file_uploaded_count: 4 })).toEqual(ok({}))
      expect(counts()).toEqual([{ expected: 10, uploaded: 4 }])
      expect(await bench.post(group(), { file_group_id: 'g', file_count: 10, file_uploaded_count: 10 })).toEqual(ok({}))
      expect(await bench.post(group(), { file_group_id: 'g', file_count: '10', file_uploaded_count: '7' })).toEqual(
        ok({})
      )
      expect(counts()).toEqual([{ expected: 10, uploaded: 10 }])
      expect(
        await bench.post(group(), { file_group_id: 'g', file_count: 'ten', file_uploaded_count: 1 })
      ).toMatchObject({ status: 400 })
    }
  ],
  [
    'C42',
    'group-upload-callback without file_group_id',
    '200 code 0',
    'none',
    async (bench) => {
      expect(await bench.post(group(), { file_count: 1, file_uploaded_count: 1 })).toEqual(ok({}))
      expect(bench.base.db.prepare('SELECT * FROM flight').all()).toEqual([])
    }
  ],
  [
    'C44',
    'open mode, unknown but valid workspace, fast-upload',
    '200, code -1',
    'none',
    async (bench) => {
      expect(await bench.post(fastUpload('another_workspace-1'), FAST)).toEqual(miss())
      expect(bench.base.db.prepare('SELECT * FROM workspace').all()).toEqual([])
    }
  ],
  [
    'C45',
    'workspace segment ..%2f..%2fetc, or 200 chars',
    '400 `invalid workspace_id`',
    'no DB/S3 access',
    async (bench) => {
      const heads = await bench.headsDuring(async () => {
        for (const segment of ['..%2f..%2fetc', 'x'.repeat(200), '%zz', '-x', 'a.b', '%00', '%e4%b8%ad'])
          for (const path of fiveCalls)
            expect(await bench.post(path(segment), {})).toEqual(refused(400, 'invalid workspace_id'))
      })
      expect(heads).toBe(0)
    }
  ],
  [
    'C46',
    'token bound to WS used on WS-B',
    '403 `workspace forbidden`',
    'none',
    async (bench) => {
      const { secret } = bench.base.access.createToken({ name: 'RC', role: 'controller', workspaceId: WS })
      for (const path of fiveCalls) {
        expect(await bench.post(path(WS_B), {}, { 'x-auth-token': secret })).toEqual(
          refused(403, 'workspace forbidden')
        )
      }
      expect(await bench.post(fastUpload(), FAST, { 'x-auth-token': secret })).toEqual(miss())
    }
  ],
  [
    'C47',
    '//media/api/v1/workspaces/WS/fast-upload',
    'same as C01',
    'none',
    async (bench) => {
      expect(await bench.post(`/${fastUpload()}`, FAST)).toEqual(miss())
      expect(await bench.post(fastUpload().replace('/v1/', '//v1///'), FAST)).toEqual(miss())
    }
  ],
  [
    'C48',
    'GET on any of the five paths; unknown path',
    '404 `not found`',
    'none',
    async (bench) => {
      for (const path of fiveCalls)
        expect(await bench.post(path(), undefined, {}, 'GET')).toEqual(refused(404, 'not found'))
      expect(await bench.post('/media/api/v2/x', {}, { 'x-auth-token': '' })).toEqual(refused(404, 'not found'))
      expect(await bench.post('/', undefined, {}, 'GET')).toEqual(refused(404, 'not found'))
    }
  ],
  [
    'C49',
    'callback with unknown model keys 0-999-7, 1-65535-0',
    '200',
    'row stores them raw',
    async (bench) => {
      await bench.put(K)
      const ext = { ...CALLBACK.ext, drone_model_key: '0-999-7', payload_model_key: '1-65535-0' }
      expect(await bench.post(callback(), { ...CALLBACK, ext })).toEqual(ok(K))
      expect(bench.rows()).toMatchObject([{ drone_model_key: '0-999-7', payload_model_key: '1-65535-0' }])
    }
  ],
  [
    'C50',
    'callback with gimbal_yaw_degree "-91.40", created_time "2021-05-10 16:04:20"',
    '200',
    'yaw -91.4; time stored, zone flagged unknown',
    async (bench) => {
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
    }
  ],
  [
    'C51',
    'callback with metadata missing',
    '200',
    'row with nulls; capture time from the name',
    async (bench) => {
      await bench.put(K)
      const { metadata: _, ...rest } = CALLBACK
      expect(await bench.post(callback(), rest)).toEqual(ok(K))
      expect(bench.assets()).toMatchObject([{ taken_source: 'name', taken_day: '2026-04-07', latitude: null }])
    }
  ],
  [
    'C52',
    'callback with tiny only as top-level tiny_fingerprint',
    '200',
    'row.tiny set',
    async (bench) => {
      await bench.put(K)
      const { ext: _, ...rest } = CALLBACK
      expect(await bench.post(callback(), { ...rest, tiny_fingerprint: TF })).toEqual(ok(K))
      expect(bench.rows()).toMatchObject([{ tiny_fingerprint: TF }])
    }
  ],
  [
    'C53',
    'delete asset in our UI, then fast-upload and tiny-fingerprints for it',
    'code -1; []',
    'no row',
    async (bench) => {
      await bench.upload()
      bench.base.db.transaction(() => bench.base.ingest.forgetAsset(bench.assets()[0]!.id))
      expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
      expect(await bench.post(tiny(), { tiny_fingerprints: [TF] })).toEqual(ok({ tiny_fingerprints: [] }))
      expect(bench.rows()).toEqual([])
      await bench.base.settle()
      expect(await bench.store.head(K)).toBeNull()
    }
  ],
  [
    'C54',
    'restart daemon between C02 and C03',
    'as C03',
    'persisted',
    async (bench) => {
      await bench.upload()
      await bench.restart()
      expect(await bench.post(fastUpload(), FAST)).toEqual(ok({ object_key: K }))
    }
  ],
  [
    'C55',
    'GET /health without token',
    '200 {"code":0,"message":"ok","data":{}}',
    'none',
    async (bench) => {
      expect(await bench.post('/health', undefined, { 'x-auth-token': '' }, 'GET')).toEqual({
        status: 200,
        body: { code: 0, message: 'ok', data: {} }
      })
    }
  ]
]

test.each(cases)('%s %s → %s; %s', async (_id, _request, _expected, _effect, run) => {
  await run(await Bench.open())
})

test('C43 strict mode, unknown workspace, any call → 404 `workspace not found`', async () => {
  const bench = await Bench.open({ workspaceMode: 'strict' })
  for (const path of fiveCalls) expect(await bench.post(path(), {})).toEqual(refused(404, 'workspace not found'))
  bench.base.repository.ensureWorkspace(WS, 0)
  expect(await bench.post(fastUpload(), FAST)).toEqual(miss())
})

/** What a controller does with the answer of the sts call. */
async function grant() {
  const { store, harness } = await openEmbeddedEndpoint()
  const bench = await Bench.open({}, store, { s3Port: harness.port })
  const { data } = (await bench.post(sts())).body as { data: StsReply }
  const { access_key_id, access_key_secret, security_token } = data.credentials
  const client = new S3Client({
    endpoint: data.endpoint,
    region: data.region,
    forcePathStyle: true,
    credentials: { accessKeyId: access_key_id, secretAccessKey: access_key_secret, sessionToken: security_token }
  })
  onTestFinished(() => client.destroy())
  return { bench, harness, client, prefix: data.object_key_prefix }
}

async function refusesKeys(bench: Bench, keys: string[]): Promise<void> {
  const heads = await bench.headsDuring(async () => {
    for (const object_key of keys)
      expect(await bench.post(callback(), { ...CALLBACK, object_key })).toEqual(refused(400, 'invalid object_key'))
  })
  expect(heads).toBe(0)
  expect(bench.rows()).toEqual([])
  expect(bench.assets()).toEqual([])
}

function expectGrant({ status, body }: Answer): void {
  expect({ status, code: body.code, message: body.message }).toEqual({ status: 200, code: 0, message: 'success' })
  expect(body.data).toEqual({
    provider: 'minio',
    endpoint: 'http://127.0.0.1:9000',
    bucket: 'media',
    region: 'us-east-1',
    object_key_prefix: expect.stringMatching(new RegExp(`^media/${WS}/\\d{8}$`)),
    credentials: {
      access_key_id: expect.stringMatching(/.+/),
      access_key_secret: expect.stringMatching(/.+/),
      security_token: expect.stringMatching(/.+/),
      expire: expect.any(Number)
    }
  })
  const { expire } = (body.data as { credentials: { expire: number } }).credentials
  expect(Number.isInteger(expire) && expire >= 60 && expire <= 3600).toBe(true)
}

describe('beyond the table', () => {
  test('OPTIONS is answered 204 with what a page may send', async () => {
    const bench = await Bench.open()
    const answer = await fetch(bench.base.url + fastUpload(), { method: 'OPTIONS' })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-headers')).toBe('Content-Type, x-auth-token')
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET, POST, OPTIONS')
  })

  test('the first controller of a day gets the day folder, the next one a folder of its own, also after a restart', async () => {
    const bench = await Bench.open()
    const prefixFor = async (deviceId: string) =>
      ((await bench.post(sts(), {}, { 'x-device-id': deviceId })).body.data as StsReply).object_key_prefix
    const first = await prefixFor('RC-1')
    const second = await prefixFor('RC-2')
    expect(first).toMatch(new RegExp(`^media/${WS}/\\d{8}$`))
    expect(second).toMatch(new RegExp(`^${first}/[0-9a-z]{6}$`))
    expect([await prefixFor('RC-1'), await prefixFor('RC-2')]).toEqual([first, second])
    await bench.restart()
    expect([await prefixFor('RC-2'), await prefixFor('RC-1')]).toEqual([second, first])
  })

  test('beside an external store every controller has a folder of its own', async () => {
    const { bench } = await Bench.openExternal()
    const { object_key_prefix } = (await bench.post(sts())).body.data as StsReply
    expect(object_key_prefix).toMatch(new RegExp(`^media/${WS}/\\d{8}/[0-9a-z]{6}$`))
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

  test('hostile JSON changes nothing and is answered', async () => {
    const bench = await Bench.open()
    await bench.put(K)
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    const bodies = [
      `{"fingerprint":"F","name":"n","ext":${deep}}`,
      '{"__proto__":{"fingerprint":"F","name":"n"}}',
      '{"fingerprint":1e999,"name":{"toString":"x"}}',
      `{"fingerprint":"${'F'.repeat(513)}","name":"n"}`,
      '{"fingerprint":"\\ud800","name":"n"}'
    ]
    const answers: unknown[] = []
    for (const body of bodies) answers.push(await bench.post(fastUpload(), body))
    expect(answers).toEqual([miss('F'), ...Array(4).fill(refused(400, 'missing fingerprint/name'))])
    expect(({} as Record<string, unknown>)['fingerprint']).toBeUndefined()
    const strange = {
      ...CALLBACK,
      name: 'x'.repeat(20_000),
      path: 7,
      sub_file_type: 1e300,
      ext: { ...CALLBACK.ext, sn: null, is_original: 'perhaps' },
      metadata: {
        created_time: {},
        absolute_altitude: 'high',
        gimbal_yaw_degree: null,
        shoot_position: { lat: [], lng: 'east' }
      }
    }
    expect(await bench.post(callback(), strange)).toEqual(ok(K))
    expect(bench.rows()[0]!.name).toHaveLength(4096)
    expect(bench.assets()).toMatchObject([{ taken_source: 'received', latitude: null, longitude: null }])
  })

  test('a large body behind a wrong token is not waited for, and the refusal arrives', async () => {
    const bench = await Bench.open()
    const body = JSON.stringify({ tiny_fingerprints: ['x'.repeat(5_000_000)] })
    for (let round = 0; round < 3; round++)
      expect(await bench.post(tiny(), body, { 'x-auth-token': 'wrong' })).toEqual(refused(401, 'invalid x-auth-token'))
  })

  test('invalid UTF-8 is no JSON', async () => {
    const bench = await Bench.open()
    const body = Buffer.concat([
      Buffer.from('{"fingerprint":"F","name":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}')
    ])
    const answer = await fetch(bench.base.url + fastUpload(), {
      method: 'POST',
      headers: { 'x-auth-token': PILOT_TOKEN },
      body
    })
    expect([answer.status, await answer.json()]).toEqual([400, { code: 400, message: 'invalid json', data: {} }])
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

  test('a refused call and a failed upload show on the tether board', async () => {
    const { bench, s3 } = await Bench.openExternal()
    await bench.post(callback(), { ...CALLBACK, result: 1 })
    expect(bench.base.board.listLanes()).toMatchObject([
      { failed: 1, lastError: { code: 'upload_failed', name: NAME } }
    ])
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
})

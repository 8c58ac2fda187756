import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { PILOT_TOKEN, type PilotBase, type PilotBaseOptions, startPilotBase } from '../../testing/pilot-base.ts'
import type { ScriptedS3 } from '../../testing/scripted-s3.ts'
import { countHeads, openEmbeddedStore, openExternalStore } from '../../testing/test-stores.ts'

export const WS = 'e3dea0f5-37f2-4d79-ae58-490af3228069'
export const WS_B = '0a1b2c3d-0000-4000-8000-000000000002'
export const NAME = 'DJI_20260407180330_0001_V.JPG'
export const K = `media/${WS}/20260407/${NAME}`
export const K2 = `media/${WS}/20260408/${NAME}`
export const BYTES = Buffer.from('the bytes of a photo')
export const FP = createHash('md5').update(BYTES).digest('hex').toUpperCase()
export const TF = '297f490b0252690d3f93841818567cc6_2026_4_7_18_3_30'

export const METADATA = {
  created_time: '2026-04-07T18:03:30+08:00',
  absolute_altitude: 56.311,
  relative_altitude: 41.124,
  gimbal_yaw_degree: -91.4,
  shoot_position: { lat: 22.1, lng: 122.5 }
}
export const FAST = { fingerprint: FP, name: NAME, path: '', ext: { tinny_fingerprint: TF } }
export const CALLBACK = {
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

export const fastUpload = (ws = WS) => `/media/api/v1/workspaces/${ws}/fast-upload`
export const tiny = (ws = WS) => `/media/api/v1/workspaces/${ws}/files/tiny-fingerprints`
export const callback = (ws = WS) => `/media/api/v1/workspaces/${ws}/upload-callback`
export const group = (ws = WS) => `/media/api/v1/workspaces/${ws}/group-upload-callback`
export const sts = (ws = WS) => `/storage/api/v1/workspaces/${ws}/sts`
export const fiveCalls = [fastUpload, tiny, callback, group, sts]

export interface Answer {
  status: number
  body: { code: number; message: string; data: unknown }
}

/** What controllers talk to, beside a store of either kind. */
export class Bench {
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
  blobs = () => this.base.db.prepare<unknown[], { key: string }>('SELECT key FROM blob ORDER BY id').all()
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
  damage: string | null
  state: string
}

export const ok = (data: unknown): Answer => ({ status: 200, body: { code: 0, message: 'success', data } })
export const miss = (fingerprint = FP): Answer => ({
  status: 200,
  body: { code: -1, message: `${fingerprint} don't exist.`, data: '' }
})
export const refused = (status: number, message: string): Answer => ({
  status,
  body: { code: status, message, data: {} }
})

import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import Sqlite from 'better-sqlite3'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type CardFile, createPhotoCard } from '../demo/photo-card.ts'
import {
  type AssetSummary,
  deleteAsset,
  getAsset,
  listAssetFacets,
  listAssets,
  restoreAsset
} from '../shared/api/assets.ts'
import { getField } from '../shared/api/field.ts'
import { listGcRuns } from '../shared/api/lifecycle.ts'
import type { StsReply } from '../shared/api/pilot.ts'
import { createToken, getStatus, listTokens, revokeToken } from '../shared/api/system.ts'
import { ApiError } from '../shared/api-client.ts'
import { problemSchema } from '../shared/problem.ts'
import { ManualClock } from './testing/manual-clock.ts'
import { testController } from './testing/test-controller.ts'
import { startTestDaemon, TEST_PILOT_TOKEN, type TestDaemon } from './testing/test-daemon.ts'
import { temporaryFolder } from './testing/test-database.ts'

async function upload(base: TestDaemon, count: number): Promise<CardFile[]> {
  const card = await createPhotoCard({
    directory: join(temporaryFolder('card'), 'card'),
    count,
    seed: 7,
    startedAt: '2026-04-07T10:00:00',
    megapixels: 0.3,
    withClip: false
  })
  const result = await offer(base, card)
  expect(result.uploaded).toHaveLength(count)
  return card
}

const offer = (base: TestDaemon, card: CardFile[]) => testController(base).offer(card)

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toContain('application/problem+json')
  return problemSchema.parse(await response.json())
}

describe('assets', () => {
  test('arrive, are listed in pages, filtered, opened, binned and restored', async () => {
    const base = await startTestDaemon()
    const card = await upload(base, 5)
    await base.daemon.idle()

    const items: AssetSummary[] = []
    let cursor: string | null | undefined
    do {
      const page = await base.api.call(listAssets, { query: { limit: 2, ...(cursor ? { cursor } : {}) } })
      items.push(...page.items)
      cursor = page.nextCursor
    } while (cursor)
    expect(items.map((item) => item.name).sort()).toEqual(card.map((file) => file.name).sort())
    const times = items.map((item) => item.takenAt)
    expect(times).toEqual([...times].sort().reverse())

    const facets = await base.api.call(listAssetFacets, {})
    expect(facets.kinds).toEqual(['image'])
    expect(facets.devices).toMatchObject([{ serial: 'DRONE1' }])
    const [day] = facets.days
    const onDay = await base.api.call(listAssets, {
      query: { day: day!, deviceId: facets.devices[0]!.id, kind: 'image' }
    })
    expect(onDay.items).toHaveLength(5)
    expect((await base.api.call(listAssets, { query: { kind: 'video' } })).items).toEqual([])

    const [asset] = items
    const detail = await base.api.call(getAsset, { params: { assetId: asset!.id } })
    const file = card.find((candidate) => candidate.name === asset!.name)!
    expect(detail.sha256).toBe(createHash('sha256').update(readFileSync(file.filePath)).digest('hex'))
    expect(detail.references).toMatchObject([{ kind: 'strong', namespace: 'pilot' }])
    expect(detail).toMatchObject({ refCount: 1, copies: 1, damage: null })
    expect(detail.events.map((event) => event.type)).toContain('asset.arrived')

    await base.api.call(deleteAsset, { params: { assetId: asset!.id }, query: { guard: 'true' } })
    expect((await base.api.call(listAssets, {})).items).toHaveLength(4)
    expect((await base.api.call(listAssets, { query: { bin: 'true' } })).items.map((item) => item.id)).toEqual([
      asset!.id
    ])
    await base.daemon.idle()
    await base.api.call(restoreAsset, { params: { assetId: asset!.id } })
    const bytes = await (await base.fetch(`/media/${asset!.id}`)).arrayBuffer()
    expect(createHash('sha256').update(Buffer.from(bytes)).digest('hex')).toBe(detail.sha256)
    await expect(base.api.call(restoreAsset, { params: { assetId: asset!.id } })).rejects.toThrow(ApiError)
  })

  test('survive a restart', async () => {
    const dataDir = join(temporaryFolder('restart'), 'data')
    const first = await startTestDaemon({ dataDir })
    await upload(first, 2)
    await first.daemon.stop()
    const second = await startTestDaemon({ dataDir })
    expect((await second.api.call(listAssets, {})).items).toHaveLength(2)
  })
})

describe('the bin and the controller', () => {
  const bin = (base: TestDaemon, assetId: string) => base.api.call(deleteAsset, { params: { assetId }, query: {} })
  const restore = (base: TestDaemon, assetId: string) => base.api.call(restoreAsset, { params: { assetId } })
  const listed = async (base: TestDaemon, query: { bin?: 'true' } = {}) =>
    (await base.api.call(listAssets, { query })).items.map(({ id, state, damage }) => ({ id, state, damage }))

  test.each(['at once', 'after the tidying'])(
    'a file that is taken out of the bin %s is not sent again',
    async (when) => {
      const base = await startTestDaemon()
      const card = await upload(base, 1)
      await base.daemon.idle()
      const [asset] = await listed(base)
      await bin(base, asset!.id)
      if (when !== 'at once') await base.daemon.idle()
      await restore(base, asset!.id)
      await base.daemon.idle()
      expect(await offer(base, card)).toMatchObject({ uploaded: [], skipped: card, failed: [] })
      expect(await listed(base)).toEqual([{ ...asset, state: 'active', damage: null }])
    }
  )

  test('a file that was sent again while the first was in the bin: two assets, one set of bytes', async () => {
    const base = await startTestDaemon()
    const card = await upload(base, 1)
    await base.daemon.idle()
    const [first] = await listed(base)
    await bin(base, first!.id)
    expect((await offer(base, card)).uploaded).toEqual(card)
    await base.daemon.idle()
    const [second] = await listed(base)
    expect(second!.id).not.toBe(first!.id)
    expect(await listed(base, { bin: 'true' })).toMatchObject([{ id: first!.id, state: 'binned' }])
    await restore(base, first!.id)
    await base.daemon.idle()
    expect(await listed(base)).toEqual([
      { ...second, damage: null },
      { ...first, damage: null }
    ])
    expect(await listed(base, { bin: 'true' })).toEqual([])
    for (const { id } of [first!, second!]) {
      const detail = await base.api.call(getAsset, { params: { assetId: id } })
      expect(detail.copies).toBe(2)
      expect((await base.fetch(`/media/${id}`)).status).toBe(200)
    }
    // Either of them is reason enough not to send the file again.
    await bin(base, second!.id)
    await base.daemon.idle()
    expect((await offer(base, card)).skipped).toEqual(card)
    await bin(base, first!.id)
    expect((await offer(base, card)).uploaded).toEqual(card)
  })
})

test('bytes that are gone from the disk are seen at the next start, and the file is wanted again', async () => {
  const dataDir = join(temporaryFolder('lost-bytes'), 'data')
  const first = await startTestDaemon({ dataDir })
  const card = await upload(first, 1)
  await first.daemon.idle()
  await first.daemon.stop()
  rmSync(join(dataDir, 'store/blobs'), { recursive: true })
  const second = await startTestDaemon({ dataDir })
  const assets = () => second.api.call(listAssets, {})
  await vi.waitFor(async () => expect((await assets()).items).toMatchObject([{ damage: 'bytes_missing' }]), 10_000)
  const again = await offer(second, card)
  expect(again.uploaded).toHaveLength(1)
  await vi.waitFor(async () => expect((await assets()).items).toMatchObject([{ damage: null }]), 10_000)
})

describe('delivery', () => {
  test('ranges, conditions, names', async () => {
    const base = await startTestDaemon()
    const [file] = await upload(base, 1)
    await base.daemon.idle()
    const [asset] = (await base.api.call(listAssets, {})).items
    const path = `/media/${asset!.id}`
    const original = readFileSync(file!.filePath)

    const whole = await base.fetch(path)
    expect(whole.status).toBe(200)
    expect(whole.headers.get('content-disposition')).toContain(`filename="${file!.name}"`)
    expect(whole.headers.get('x-content-type-options')).toBe('nosniff')
    expect(Buffer.from(await whole.arrayBuffer()).equals(original)).toBe(true)
    const etag = whole.headers.get('etag')!

    for (const [range, start, end] of [
      ['bytes=0-0', 0, 0],
      ['bytes=10-', 10, original.length - 1],
      ['bytes=-7', original.length - 7, original.length - 1],
      [`bytes=5-${original.length * 2}`, 5, original.length - 1]
    ] as const) {
      const part = await base.fetch(path, { headers: { range } })
      expect(part.status).toBe(206)
      expect(part.headers.get('content-range')).toBe(`bytes ${start}-${end}/${original.length}`)
      expect(Buffer.from(await part.arrayBuffer()).equals(original.subarray(start, end + 1))).toBe(true)
    }
    const outside = await base.fetch(path, { headers: { range: `bytes=${original.length}-` } })
    expect(outside.status).toBe(416)
    expect(outside.headers.get('content-range')).toBe(`bytes */${original.length}`)
    expect((await problemOf(outside)).code).toBe('range_not_satisfiable')
    expect((await base.fetch(path, { headers: { 'if-none-match': etag } })).status).toBe(304)
    const stale = await base.fetch(path, { headers: { range: 'bytes=0-0', 'if-range': '"other"' } })
    expect(stale.status).toBe(200)
    await stale.arrayBuffer()
    const saved = await base.fetch(`${path}?download=true`)
    expect(saved.headers.get('content-disposition')).toMatch(/^attachment/)
    await saved.arrayBuffer()
    const head = await base.fetch(path, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe(String(original.length))
  })
})

describe('access', () => {
  test('nothing without a token, little with a weak one', async () => {
    const base = await startTestDaemon()
    const bare = await fetch(`${base.ready.admin.url}/api/v1/assets`)
    expect(bare.status).toBe(401)
    expect(await problemOf(bare)).toMatchObject({ code: 'unauthenticated' })
    const viewer = await base.api.call(createToken, { body: { name: 'wall display', role: 'viewer' } })
    const asViewer = (path: string, method = 'GET') =>
      fetch(base.ready.admin.url + path, { method, headers: { authorization: `Bearer ${viewer.secret}` } })
    expect((await asViewer('/api/v1/assets')).status).toBe(200)
    expect((await asViewer('/api/v1/tokens')).status).toBe(403)
    expect((await asViewer(`/api/v1/assets/${'0'.repeat(26)}`, 'DELETE')).status).toBe(403)
    const listed = await base.api.call(listTokens, {})
    expect(JSON.stringify(listed)).not.toContain(viewer.secret)
    await base.api.call(revokeToken, { params: { tokenId: viewer.id } })
    expect((await asViewer('/api/v1/assets')).status).toBe(401)
  })

  test("a controller's token opens the field listener only, an admin's not that one", async () => {
    const base = await startTestDaemon()
    const admin = await fetch(`${base.ready.admin.url}/api/v1/assets`, {
      headers: { authorization: `Bearer ${TEST_PILOT_TOKEN}` }
    })
    expect(admin.status).toBe(403)
    const field = await fetch(`${base.ready.field.url}/media/api/v1/workspaces/ws/files/tiny-fingerprints`, {
      method: 'POST',
      headers: { 'x-auth-token': base.ready.admin.token },
      body: '{}'
    })
    expect(field.status).toBe(401)
    expect((await fetch(`${base.ready.field.url}/api/v1/assets`)).status).toBe(404)
  })

  test('a browser session: cookie for reading, own pages only for writing, gone after closing', async () => {
    const base = await startTestDaemon()
    const opened = await base.fetch('/api/v1/session', { method: 'POST' })
    const setCookie = opened.headers.get('set-cookie')!
    expect(setCookie).toMatch(/HttpOnly/)
    expect(setCookie).toMatch(/SameSite=Strict/)
    const cookie = setCookie.split(';')[0]!
    const url = `${base.ready.admin.url}/api/v1`
    expect((await fetch(`${url}/assets`, { headers: { cookie } })).status).toBe(200)
    const write = (headers: Record<string, string>) =>
      fetch(`${url}/session`, { method: 'DELETE', headers: { cookie, ...headers } })
    expect((await problemOf(await write({ origin: 'http://evil.example' }))).code).toBe('foreign_origin')
    expect((await problemOf(await write({ origin: 'null' }))).code).toBe('foreign_origin')
    expect((await problemOf(await write({}))).code).toBe('foreign_origin')
    expect((await write({ origin: base.ready.admin.url })).status).toBe(204)
    expect((await fetch(`${url}/assets`, { headers: { cookie } })).status).toBe(401)
  })

  test('a name that is not ours is refused (DNS rebinding)', async () => {
    const base = await startTestDaemon()
    const { port } = new URL(base.ready.admin.url)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request({ port, host: '127.0.0.1', path: '/', headers: { host: 'evil.example' } }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
        .on('error', reject)
        .end()
    })
    expect(status).toBe(403)
  })
})

describe('bad input', () => {
  test.each([
    ['/api/v1/assets?limit=0', 400, 'invalid_request'],
    ['/api/v1/assets?limit=abc', 400, 'invalid_request'],
    ['/api/v1/assets?cursor=%00', 400, 'invalid_request'],
    ['/api/v1/assets?day=2026-13-45', 400, 'invalid_request'],
    ['/api/v1/assets/..%2f..%2fetc', 400, 'invalid_request'],
    [`/api/v1/assets/${'0'.repeat(26)}`, 404, 'asset_not_found'],
    [`/media/${'0'.repeat(26)}`, 404, 'asset_not_found'],
    ['/thumbnail/257/x', 400, 'invalid_request'],
    ['/api/v1/nothing', 404, 'route_not_found'],
    ['/api/v1/assets/%zz', 400, 'invalid_request']
  ])('GET %s → %i %s', async (path, status, code) => {
    const base = await startTestDaemon()
    const answer = await base.fetch(path)
    expect(answer.status).toBe(status)
    expect((await problemOf(answer)).code).toBe(code)
  })

  test('bodies: no JSON, wrong shape, too large', async () => {
    const base = await startTestDaemon()
    const post = (body: string) =>
      base.fetch('/api/v1/tokens', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect((await problemOf(await post('{"name":'))).code).toBe('invalid_json')
    expect((await problemOf(await post('{"name":"","role":"root"}'))).code).toBe('invalid_request')
    expect((await problemOf(await post(JSON.stringify({ name: 'x'.repeat(2_000_000), role: 'viewer' })))).code).toBe(
      'payload_too_large'
    )
    expect((await base.api.call(listTokens, {})).items).toEqual([])
  })

  test.each(['application/x-www-form-urlencoded', 'text/plain;charset=UTF-8'])(
    'a body of the type %s is not taken for none',
    async (type) => {
      const base = await startTestDaemon()
      const answer = await base.fetch('/api/v1/gc', {
        method: 'POST',
        headers: { 'content-type': type },
        body: '{"dryRun":true}'
      })
      expect(answer.status).toBe(415)
      expect((await problemOf(answer)).code).toBe('content_type_not_json')
      expect((await base.api.call(listGcRuns, {})).items).toEqual([])
    }
  )

  test('without a body, what it may say counts as not said', async () => {
    const base = await startTestDaemon()
    expect((await base.fetch('/api/v1/gc', { method: 'POST' })).status).toBe(200)
    const answer = await base.fetch('/api/v1/tokens', { method: 'POST' })
    expect((await problemOf(answer)).code).toBe('invalid_request')
  })

  test.each([
    ['PUT', '/api/v1/field', 'GET, HEAD'],
    ['OPTIONS', '/api/v1/assets/bulk', 'POST'],
    ['POST', `/api/v1/assets/${'0'.repeat(26)}/`, 'GET, HEAD, DELETE, PATCH'],
    ['PATCH', '/health/live', 'GET, HEAD'],
    ['GET', '/api/v1/tus', 'OPTIONS, POST']
  ])('%s %s → 405, what is allowed is %s', async (method, path, allowed) => {
    const base = await startTestDaemon()
    const answer = await base.fetch(path, { method })
    expect(answer.status).toBe(405)
    expect((await problemOf(answer)).code).toBe('method_not_allowed')
    expect(answer.headers.get('allow')).toBe(allowed)
  })
})

describe('event stream', () => {
  test('tells what happens, and what was missed', async () => {
    const base = await startTestDaemon()
    const seen: string[] = []
    const open = async (lastEventId?: string) => {
      const abort = new AbortController()
      const answer = await base.fetch('/api/v1/events', {
        signal: abort.signal,
        headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
      })
      const read = async () => {
        for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) seen.push(chunk)
      }
      read().catch(() => {})
      return abort
    }
    const first = await open()
    onTestFinished(() => first.abort())
    await upload(base, 1)
    await vi.waitFor(() => expect(seen.join('')).toContain('asset.arrived'), 10_000)
    expect(seen.join('')).toMatch(/id: 0\nevent: hello/)
    first.abort()
    seen.length = 0
    const second = await open('0')
    onTestFinished(() => second.abort())
    await vi.waitFor(() => expect(seen.join('')).toContain('asset.arrived'), 10_000)
    seen.length = 0
    const third = await open('999999')
    onTestFinished(() => third.abort())
    await vi.waitFor(() => expect(seen.join('')).toContain('event: reset'), 10_000)
  })
})

test('a second daemon on the same folder is refused and harms nothing', async () => {
  const base = await startTestDaemon()
  await expect(startTestDaemon({ dataDir: base.dataDir })).rejects.toMatchObject({ code: 'data_dir_in_use' })
  expect((await base.api.call(getStatus, {})).store).toMatchObject({
    mode: 'embedded',
    reachable: true,
    writable: true
  })
})

test.each(['field', 'admin', 's3', 'mqtt'] as const)(
  'a port that is taken (%s) stops the start with the reason, and leaves nothing open',
  async (listener) => {
    const base = await startTestDaemon()
    const { port } = new URL(base.ready.field.url)
    const dataDir = join(temporaryFolder('taken'), 'data')
    const env = { FLIGHTCASE_PILOT_TOKEN: TEST_PILOT_TOKEN }
    const { createDaemon } = await import('./daemon.ts')
    const { loadConfig } = await import('./config/load.ts')
    const config = loadConfig({
      flags: {
        dataDir,
        field: '127.0.0.1:0',
        admin: '127.0.0.1:0',
        s3: '127.0.0.1:0',
        mqtt: '127.0.0.1:0',
        [listener]: `127.0.0.1:${port}`,
        logLevel: 'silent'
      },
      env
    })
    const daemon = await createDaemon(config)
    await expect(daemon.start()).rejects.toThrow(
      new RegExp(`already uses port ${port}\\..* --${listener}, or with "${listener}" in`)
    )
    await (await startTestDaemon({ dataDir })).daemon.stop()
  }
)

test('while uploads end, new calls of controllers are told that the program stops', async () => {
  const base = await startTestDaemon()
  const call = (path: string, body: object) =>
    fetch(base.ready.field.url + path, {
      method: 'POST',
      headers: { 'x-auth-token': TEST_PILOT_TOKEN },
      body: JSON.stringify(body)
    })
  const { data } = (await (await call('/storage/api/v1/workspaces/ws/sts', {})).json()) as { data: StsReply }
  const { access_key_id, access_key_secret, security_token } = data.credentials
  const client = new S3Client({
    endpoint: base.ready.s3.url,
    region: data.region,
    forcePathStyle: true,
    credentials: { accessKeyId: access_key_id, secretAccessKey: access_key_secret, sessionToken: security_token },
    requestChecksumCalculation: 'WHEN_REQUIRED'
  })
  onTestFinished(() => client.destroy())
  const body = new PassThrough()
  const upload = client.send(
    new PutObjectCommand({ Bucket: data.bucket, Key: `${data.object_key_prefix}/a.JPG`, Body: body, ContentLength: 10 })
  )
  body.write('12345')
  await vi.waitFor(async () => {
    const { lanes } = await base.api.call(getField, {})
    expect(lanes).toMatchObject([{ current: { name: 'a.JPG' } }])
  }, 10_000)

  const stopped = base.daemon.stop()
  const refused = await call('/media/api/v1/workspaces/ws/fast-upload', { fingerprint: 'F', name: 'a.JPG' })
  expect(refused.status).toBe(503)
  expect(await refused.json()).toEqual({ code: 503, message: 'shutting down', data: {} })
  expect(refused.headers.get('retry-after')).toBe('10')
  expect(refused.headers.get('connection')).toBe('close')
  body.end('67890')
  expect((await upload).ETag).toBeDefined()
  await stopped
  await expect(call('/media/api/v1/workspaces/ws/fast-upload', {})).rejects.toThrow()
})

test('what is over is tidied away while the base runs', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const clock = new ManualClock()
  const base = await startTestDaemon({ overrides: { clock } })
  await base.fetch('/api/v1/session', { method: 'POST' })
  const catalogue = new Sqlite(join(base.dataDir, 'flightcase.db'), { readonly: true })
  onTestFinished(() => void catalogue.close())
  const sessions = () => catalogue.prepare('SELECT id FROM token').all()
  expect(sessions()).toHaveLength(1)
  clock.advanceMs(31 * 24 * 3_600_000)
  await vi.advanceTimersByTimeAsync(3_600_000)
  await vi.waitFor(() => expect(sessions()).toEqual([]))
})

test('stopping twice is one stop', async () => {
  const base = await startTestDaemon()
  await Promise.all([base.daemon.stop(), base.daemon.stop()])
  await expect(fetch(base.ready.admin.url)).rejects.toThrow()
})

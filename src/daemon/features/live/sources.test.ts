import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { describe, expect, test, vi } from 'vitest'
import { deleteAsset } from '../../../shared/api/assets.ts'
import { getPlaybackUrl, getRecordStatus } from '../../../shared/api/recordings.ts'
import {
  deleteSource,
  disableSource,
  enableSource,
  getSource,
  getSourceStatus,
  isPreviewReady,
  listSources,
  mediaSourceSchema,
  previewSource,
  replacePublishKey,
  type StreamPreview,
  updateSource
} from '../../../shared/api/sources.ts'
import {
  createStreamAsset,
  getAssetPlaybackUrl,
  getAssetRecordStatus,
  getAssetStreamStatus,
  listAssetRecordings,
  previewAsset,
  startAssetRecording,
  stopAssetRecording
} from '../../../shared/api/stream-assets.ts'
import { createToken, openSession } from '../../../shared/api/system.ts'
import type { FakeMediaMtx } from '../../testing/fake-mediamtx/fake-mediamtx.ts'
import { type LiveBase, startLiveBase, untilReady } from '../../testing/live-base.ts'
import { ManualClock } from '../../testing/manual-clock.ts'

const PATH = /^live\/roof-camera-[0-9a-f]{8}$/

async function confOf(mediamtx: FakeMediaMtx, pathName: string): Promise<Record<string, unknown> | null> {
  const answer = await fetch(`${mediamtx.urls.api}/v3/config/paths/get/${pathName}`)
  return answer.ok ? ((await answer.json()) as Record<string, unknown>) : null
}

function refuseInserts({ dataDir }: LiveBase, table: string): void {
  const db = new Sqlite(join(dataDir, 'flightcase.db'))
  db.exec(`CREATE TRIGGER no_more BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'no more'); END`)
  db.close()
}

async function pathsOf({ mediamtx }: LiveBase): Promise<string[]> {
  const answer = await fetch(`${mediamtx.urls.api}/v3/config/paths/list`)
  return ((await answer.json()) as { items: { name: string }[] }).items.map(({ name }) => name)
}

const writesOf = ({ mediamtx }: LiveBase) => mediamtx.journal.filter(({ method }) => method !== 'GET')

describe('a source', () => {
  test('that is pushed gets a path and an address with a key, which viewers are not shown', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    expect(source).toMatchObject({
      name: 'Roof camera',
      path_name: expect.stringMatching(PATH),
      type: 'push',
      protocol: 'rtmp',
      url: null,
      enabled: true,
      record_enabled: false,
      drift: null
    })
    expect(source.push_url).toMatch(new RegExp(`/${source.path_name}\\?token=[2-9a-z]{16}$`))
    expect(await confOf(base.mediamtx, source.path_name)).toMatchObject({ source: 'publisher', record: false })
    const { items } = await base.api.call(listSources, {})
    expect(items).toEqual([source])

    const { secret } = await base.api.call(createToken, { body: { name: 'screen', role: 'viewer' } })
    const shown = await fetch(`${base.ready.admin.url}/api/v1/sources/${source.id}`, {
      headers: { authorization: `Bearer ${secret}` }
    })
    expect(await shown.json()).toMatchObject({ push_url: source.push_url!.replace(/\?.*/, '') })
  })

  test('is answered with its key, and that answer is not kept for a request that comes again', async () => {
    const base = await startLiveBase()
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'once' }
    const post = (path: string, body: object) =>
      base.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
    const create = () => post('/api/v1/sources', { name: 'Roof camera', type: 'push' })
    const { id, push_url } = mediaSourceSchema.parse(await (await create()).json())
    const key = new URL(push_url!).searchParams.get('token')!
    const again = await create()
    expect([again.status, await again.json()]).toMatchObject([409, { code: 'idempotent_answer_not_kept' }])
    for (const operation of ['disable', 'enable', 'publish-key'])
      expect((await post(`/api/v1/sources/${id}/${operation}`, {})).status).toBe(200)
    const put = { method: 'PUT', headers, body: JSON.stringify({ name: 'Gate' }) }
    expect((await base.fetch(`/api/v1/sources/${id}`, put)).status).toBe(200)
    const db = new Sqlite(join(base.dataDir, 'flightcase.db'), { readonly: true })
    const kept = db.prepare('SELECT operation, state, answer_json FROM idempotency').all()
    db.close()
    expect(kept).toHaveLength(5)
    expect(JSON.stringify(kept)).not.toContain(key)
    expect(kept).toEqual(kept.map((row) => ({ ...(row as object), state: 'withheld', answer_json: null })))
  })

  test('that is pulled has its password in the media server and nowhere else', async () => {
    const base = await startLiveBase()
    const url = 'rtsp://admin:secret@10.1.2.3:554/stream1'
    const source = await base.add({ type: 'pull', url, on_demand: true })
    expect(source).toMatchObject({ type: 'pull', protocol: 'rtsp', url: 'rtsp://admin:***@10.1.2.3:554/stream1' })
    expect(source).toMatchObject({ push_url: null, push_urls: null, on_demand: true })
    expect(await confOf(base.mediamtx, source.path_name)).toMatchObject({ source: url, sourceOnDemand: true })
    const texts = await Promise.all(
      ['', '?with_status=true', `/${source.id}`, `/${source.id}/preview`, `/${source.id}/status`].map(async (path) =>
        (await base.fetch(`/api/v1/sources${path}`)).text()
      )
    )
    expect(texts.filter((text) => text.includes('secret'))).toEqual([])
  })

  test('is refused with the field and the reason when something is missing or wrong', async () => {
    const base = await startLiveBase()
    for (const [body, issue] of [
      [{ type: 'push' }, { path: 'name' }],
      [{ name: 'x' }, { path: 'type' }],
      [{ name: ' ', type: 'push' }, { path: 'name' }],
      [{ name: 'x', type: 'pull' }, { path: 'url' }],
      [{ name: 'x', type: 'push', url: 'rtsp://10.0.0.1/x' }, { path: 'url' }],
      [{ name: 'x', type: 'push', on_demand: true }, { path: 'on_demand' }],
      [{ name: 'x', type: 'pull', url: 'rtsp://10.0.0.1/x', protocol: 'rtmp' }, { path: 'protocol' }]
    ] as const) {
      const answer = await base.fetch('/api/v1/sources', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body)
      })
      expect([answer.status, await answer.json()]).toMatchObject([
        400,
        { code: 'invalid_request', details: { issues: expect.arrayContaining([expect.objectContaining(issue)]) } }
      ])
    }
    await expect(base.add({ type: 'pull', url: 'file:///etc/passwd' })).rejects.toMatchObject({
      status: 400,
      problem: { code: 'pull_url_refused', details: { reason: 'scheme' } }
    })
    expect(writesOf(base)).toEqual([])
    expect((await base.api.call(listSources, {})).items).toEqual([])
  })

  test('is renamed without a word to the media server; another address goes there at once', async () => {
    const base = await startLiveBase()
    const source = await base.add({ type: 'pull', url: 'rtsp://10.1.2.3/a' })
    const before = writesOf(base).length
    const params = { sourceId: source.id }
    const renamed = await base.api.call(updateSource, { params, body: { name: 'Gate' } })
    expect(renamed).toMatchObject({ name: 'Gate', path_name: source.path_name })
    expect(writesOf(base)).toHaveLength(before)
    await base.api.call(updateSource, { params, body: { url: 'rtmp://10.1.2.3/b' } })
    expect(await confOf(base.mediamtx, source.path_name)).toMatchObject({ source: 'rtmp://10.1.2.3/b' })
    expect(await base.api.call(getSource, { params })).toMatchObject({ protocol: 'rtmp', url: 'rtmp://10.1.2.3/b' })
  })

  test('is told by what the media server says, corrected where that misleads', async () => {
    const base = await startLiveBase()
    const pushed = await base.add()
    const pulled = await base.add({ type: 'pull', url: 'rtsp://127.0.0.1:9/x', name: 'Gate' })
    const status = async ({ id }: { id: string }) => base.api.call(getSourceStatus, { params: { sourceId: id } })
    expect(await status(pushed)).toMatchObject({ registered: true, available: false, connected: false, tracks: [] })
    // A camera that cannot be reached is `online` there.
    expect(await status(pulled)).toMatchObject({ registered: true, available: false, connected: false })
    expect(await base.api.call(isPreviewReady, { params: { sourceId: pulled.id } })).toEqual({
      ready: false,
      reason: 'source_unreachable'
    })
    await base.send(pushed)
    base.mediamtx.addReader(pushed.path_name, 'webRTCSession')
    base.mediamtx.addReader(pushed.path_name, 'hlsSession')
    expect(await status(pushed)).toMatchObject({
      available: true,
      connected: true,
      source_type: 'rtmpConn',
      readers_total: 2,
      readers_by_protocol: { webrtc: 1, hls: 1 },
      tracks: expect.arrayContaining([expect.objectContaining({ codec: 'H264' })])
    })
    const { items, server } = await base.api.call(listSources, { query: { with_status: 'true' } })
    expect(items.map(({ name, status: known }) => [name, known?.available])).toEqual([
      ['Gate', false],
      ['Roof camera', true]
    ])
    expect(server).toMatchObject({ mode: 'external', state: 'ready', version: 'v1.20.1' })
  })

  test('that shall be recorded and is not, says so', async () => {
    const base = await startLiveBase()
    const source = await base.add({ record_enabled: true })
    const params = { sourceId: source.id }
    const recording = async () => {
      // Takes a look at what is on the disk; otherwise that is taken every some seconds.
      await base.api.call(getRecordStatus, { params })
      return (await base.api.call(getSourceStatus, { params })).recording
    }
    expect(await recording()).toEqual({ desired: true, active: false })
    await base.send(source, { tracks: [{ codec: 'VP8', codecProps: null }] })
    expect(await recording()).toEqual({ desired: true, active: false })
    await base.send(source)
    base.mediamtx.advanceClock(2000)
    expect(await recording()).toEqual({ desired: true, active: true })
    await base.api.call(disableSource, { params })
    expect(await recording()).toEqual({ desired: true, active: false })
  })

  test('that is switched off is shut out at once, and comes back as it was', async () => {
    const base = await startLiveBase()
    const source = await base.add({ record_enabled: true })
    const params = { sourceId: source.id }
    await base.send(source)
    expect(await base.api.call(disableSource, { params })).toMatchObject({ enabled: false, record_enabled: true })
    expect(await base.api.call(getSourceStatus, { params })).toMatchObject({ available: false })
    expect(await base.api.call(isPreviewReady, { params })).toEqual({ ready: false, reason: 'disabled' })
    expect(await confOf(base.mediamtx, source.path_name)).toMatchObject({ record: false })
    expect(await base.api.call(enableSource, { params })).toMatchObject({ enabled: true })
    expect(await confOf(base.mediamtx, source.path_name)).toMatchObject({ record: true })
  })

  test('gets a new key, and whoever used the former one is put out', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    const params = { sourceId: source.id }
    await base.send(source)
    const changed = await base.api.call(replacePublishKey, { params })
    expect(changed.push_url).not.toBe(source.push_url)
    expect(await base.api.call(getSourceStatus, { params })).toMatchObject({ connected: false })
    const pulled = await base.add({ type: 'pull', url: 'rtsp://10.1.2.3/a' })
    await expect(base.api.call(replacePublishKey, { params: { sourceId: pulled.id } })).rejects.toMatchObject({
      status: 409,
      problem: { code: 'source_is_pulled' }
    })
  })

  test('is watched at addresses with a token of their own, and by paths of the base', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    const preview = await base.api.call(previewSource, { params: { sourceId: source.id } })
    expect(preview).toMatchObject({
      path_name: source.path_name,
      hls_url: expect.stringContaining(`/${source.path_name}/index.m3u8?token=v1.`),
      push_url: source.push_url,
      hls_path: `/api/v1/sources/${source.id}/hls/index.m3u8`,
      whep_path: `/api/v1/sources/${source.id}/whep`
    })
    expect(new URL(preview.hls_url!).hostname).toBe('base.lan')
  })

  test('is watched by those addresses for minutes where a player asks anew, and never longer than who asked may', async () => {
    const clock = new ManualClock()
    const base = await startLiveBase({ overrides: { clock } })
    const source = await base.add()
    const params = { sourceId: source.id }
    const lives = ({ expires_at, copies_expire_at }: StreamPreview) =>
      [expires_at, copies_expire_at].map((at) => Date.parse(at!) - clock.nowMs())
    expect(lives(await base.api.call(previewSource, { params }))).toEqual([300_000, 12 * 3_600_000])

    const opened = await base.fetch(openSession.path, { method: 'POST' })
    const [cookie, maxAgeS] = /^([^;]+);.*Max-Age=(\d+)/i.exec(opened.headers.get('set-cookie')!)!.slice(1)
    clock.advanceMs(Number(maxAgeS) * 1000 - 60_000)
    const headers = { cookie: cookie! }
    const preview = `${base.ready.admin.url}/api/v1/sources/${source.id}/preview`
    const answer = await fetch(preview, { headers })
    expect(lives(previewSource.response.parse(await answer.json()))).toEqual([60_000, 60_000])
    base.mediamtx.addSegment(source.path_name, '2026-04-07T10:00:00.5Z', 60)
    await base.api.call(getRecordStatus, { params })
    const played = await fetch(`${preview.replace('preview', 'playback')}?start=2026-04-07T10:00:01Z`, { headers })
    const { expires_at } = getPlaybackUrl.response.parse(await played.json())
    expect(Date.parse(expires_at) - clock.nowMs()).toBe(60_000)
  })
})

describe('a media server that does not ask the base', () => {
  test('is told as such, and shows no keys that it does not look at', async () => {
    const base = await startLiveBase({ asks: false })
    const source = await base.add()
    expect(source.push_url).toMatch(new RegExp(`/${source.path_name}$`))
    const { server } = await base.api.call(listSources, {})
    expect(server).toMatchObject({
      state: 'ready',
      warnings: [expect.stringContaining('does not ask'), expect.stringContaining('Everybody')]
    })
    const params = { sourceId: source.id }
    const preview = await base.api.call(previewSource, { params })
    expect(preview).toMatchObject({ expires_at: null, copies_expire_at: null, push_url: source.push_url })
    expect(preview.hls_url).toMatch(/index\.m3u8$/)
    await expect(base.api.call(replacePublishKey, { params })).rejects.toMatchObject({
      status: 409,
      problem: { code: 'publish_key_unused' }
    })
  })

  test('has nobody send to or watch what is switched off all the same', async () => {
    const base = await startLiveBase({ asks: false })
    const source = await base.add()
    const params = { sourceId: source.id }
    await base.mediamtx.publish(source.path_name)
    await base.api.call(disableSource, { params })
    expect(await base.api.call(getSourceStatus, { params })).toMatchObject({
      registered: true,
      connected: false,
      source_type: null
    })
    await expect(base.mediamtx.publish(source.path_name)).rejects.toThrow("since 'source' is not 'publisher'")
    await base.api.call(enableSource, { params })
    await base.mediamtx.publish(source.path_name)
    expect(await base.api.call(getSourceStatus, { params })).toMatchObject({ connected: true })
  })
})

describe('removing a source', () => {
  test('removes its path; a path that is gone already is fine (C69)', async () => {
    const base = await startLiveBase()
    const [first, second] = [await base.add(), await base.add()]
    await base.api.call(deleteSource, { params: { sourceId: first.id } })
    expect(await confOf(base.mediamtx, first.path_name)).toBeNull()
    base.mediamtx.reloadFile({})
    expect(await confOf(base.mediamtx, second.path_name)).toBeNull()
    await base.api.call(deleteSource, { params: { sourceId: second.id } })
    expect((await base.api.call(listSources, {})).items).toEqual([])
  })

  test('is refused with the list while assets belong to it, without a word to the media server (C68)', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    const params = { sourceId: source.id }
    const asset = await base.api.call(createStreamAsset, {
      body: { type: 'stream', name: 'Gate', source_id: source.id }
    })
    const before = writesOf(base).length
    await expect(base.api.call(deleteSource, { params })).rejects.toMatchObject({
      status: 409,
      problem: {
        code: 'source_has_assets',
        details: { assets: [{ id: asset.id, name: 'Gate', state: 'active' }] }
      }
    })
    expect(writesOf(base)).toHaveLength(before)
    await base.api.call(deleteAsset, { params: { assetId: asset.id } })
    await expect(base.api.call(deleteSource, { params })).rejects.toMatchObject({ status: 409 })
    await base.api.call(deleteAsset, { params: { assetId: asset.id }, query: { permanent: 'true' } })
    await base.api.call(deleteSource, { params })
  })
})

describe('an asset of a stream', () => {
  test('is made with its source in one call', async () => {
    const base = await startLiveBase()
    const body = {
      type: 'stream' as const,
      name: 'Roof camera',
      stream_url: 'rtsp://10.1.2.3/a',
      tags: ['roof']
    }
    const asset = await base.api.call(createStreamAsset, { body })
    expect(asset).toMatchObject({
      type: 'stream',
      source_type: 'live',
      kind: 'stream',
      state: 'active',
      refCount: 1,
      tags: ['roof'],
      path: expect.stringMatching(PATH)
    })
    expect((await base.api.call(listSources, {})).items).toMatchObject([{ id: asset.source_id, type: 'pull' }])
    const params = { assetId: asset.id }
    expect(await base.api.call(previewAsset, { params })).toMatchObject({ path_name: asset.path })
    expect(await base.api.call(getAssetStreamStatus, { params })).toMatchObject({ registered: true })
  })

  test('can be recorded, listed and played as its source can', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    const body = { type: 'stream' as const, name: 'Gate', source_id: source.id }
    const params = { assetId: (await base.api.call(createStreamAsset, { body })).id }
    expect(await base.api.call(startAssetRecording, { params })).toMatchObject({ desired: true, active: false })
    expect(await confOf(base.mediamtx, source.path_name)).toMatchObject({ record: true })
    expect(await base.api.call(stopAssetRecording, { params })).toMatchObject({ desired: false })

    const start = new Date(Date.now() - 3_600_000).toISOString()
    base.mediamtx.addSegment(source.path_name, start, 60)
    await vi.waitFor(async () => {
      // Asking for the state takes a look at the files.
      expect(await base.api.call(getAssetRecordStatus, { params })).toMatchObject({ desired: false, active: false })
      const { items } = await base.api.call(listAssetRecordings, { params })
      expect(items).toMatchObject([{ duration: expect.closeTo(60, 0), segments: 1 }])
    })
    expect(await base.api.call(getAssetPlaybackUrl, { params, query: { start, duration: 10 } })).toMatchObject({
      duration: 10,
      path: expect.stringContaining(`/api/v1/sources/${source.id}/playback/media?`)
    })
  })

  test('of a source that is there leaves it when it goes', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    const body = { type: 'stream', name: 'Gate', source_id: source.id } as const
    const [one, other] = [
      await base.api.call(createStreamAsset, { body }),
      await base.api.call(createStreamAsset, { body })
    ]
    expect(one.id).not.toBe(other.id)
    await base.api.call(deleteAsset, { params: { assetId: one.id } })
    expect(await confOf(base.mediamtx, source.path_name)).not.toBeNull()
    await expect(
      base.api.call(createStreamAsset, { body: { ...body, path: 'live/other-0a1b2c3d' } })
    ).rejects.toMatchObject({ status: 400 })
    await expect(
      base.api.call(createStreamAsset, { body: { ...body, source_id: 'z'.repeat(26) } })
    ).rejects.toMatchObject({ status: 404, problem: { code: 'source_not_found' } })
  })

  test('is the only kind that can be asked for its stream', async () => {
    const base = await startLiveBase()
    const form = new FormData()
    form.append('file', new Blob(['hello']), 'note.txt')
    const upload = await base.fetch('/api/v1/media/upload', { method: 'POST', body: form })
    const { asset } = (await upload.json()) as { asset: { id: string } }
    await expect(base.api.call(previewAsset, { params: { assetId: asset.id } })).rejects.toMatchObject({
      status: 404,
      problem: { code: 'asset_not_stream' }
    })
    await expect(base.api.call(previewAsset, { params: { assetId: 'z'.repeat(26) } })).rejects.toMatchObject({
      status: 404,
      problem: { code: 'asset_not_found' }
    })
  })
})

describe('a catalogue that takes no row', () => {
  test('leaves no path behind (C67)', async () => {
    const base = await startLiveBase()
    refuseInserts(base, 'source')
    const refused = { status: 500, problem: { code: 'internal_error' } }
    await expect(base.add()).rejects.toMatchObject(refused)
    expect(await pathsOf(base)).toEqual([])
    expect(writesOf(base)).toEqual([])
  })

  test('changes nothing that it cannot tell of', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    const params = { sourceId: source.id }
    const before = writesOf(base).length
    refuseInserts(base, 'event')
    await expect(base.add()).rejects.toMatchObject({ status: 500 })
    await expect(base.api.call(updateSource, { params, body: { name: 'Gate' } })).rejects.toMatchObject({ status: 500 })
    await expect(base.api.call(disableSource, { params })).rejects.toMatchObject({ status: 500 })
    expect((await base.api.call(listSources, {})).items).toEqual([source])
    expect(writesOf(base)).toHaveLength(before)
  })

  test('replaces no key without writing down who did', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    const params = { sourceId: source.id }
    refuseInserts(base, 'audit')
    await expect(base.api.call(replacePublishKey, { params })).rejects.toMatchObject({ status: 500 })
    expect((await base.api.call(getSource, { params })).push_url).toBe(source.push_url)
  })

  test('leaves no source behind that was made for an asset', async () => {
    const base = await startLiveBase()
    refuseInserts(base, 'stream_asset')
    const body = { type: 'stream' as const, name: 'Gate', stream_url: 'rtsp://10.1.2.3/a' }
    await expect(base.api.call(createStreamAsset, { body })).rejects.toMatchObject({ status: 500 })
    expect((await base.api.call(listSources, {})).items).toEqual([])
    expect(await pathsOf(base)).toEqual([])
  })
})

describe('a media server', () => {
  test('that does not answer is told as such, and changes nothing here', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    const params = { sourceId: source.id }
    await base.mediamtx.down()
    const refused = { status: 503, problem: { code: 'live_unavailable' } }
    await expect(base.add()).rejects.toMatchObject(refused)
    await expect(base.api.call(getSourceStatus, { params })).rejects.toMatchObject(refused)
    await expect(base.api.call(disableSource, { params })).rejects.toMatchObject(refused)
    await expect(base.api.call(deleteSource, { params })).rejects.toMatchObject(refused)
    const { items } = await base.api.call(listSources, { query: { with_status: 'true' } })
    expect(items).toMatchObject([{ id: source.id, enabled: true, status: null }])
  })

  test('that takes another path of that name first is asked with another one', async () => {
    const base = await startLiveBase()
    const failure = { status: 400, error: 'path already exists' }
    base.mediamtx.failNext('POST /v3/config/paths/add/', failure)
    await base.add()
    for (let i = 0; i < 3; i++) base.mediamtx.failNext('POST /v3/config/paths/add/', failure)
    await expect(base.add()).rejects.toMatchObject({ status: 409, problem: { code: 'path_exists' } })
    expect((await base.api.call(listSources, {})).items).toHaveLength(1)
  })

  test('that is ending is unavailable, whatever status it gives that', async () => {
    const base = await startLiveBase()
    base.mediamtx.failNext('POST /v3/config/paths/add/', { status: 400, error: 'terminated' })
    await expect(base.add()).rejects.toMatchObject({ status: 503, problem: { code: 'live_unavailable' } })
  })

  test('that forgot its paths gets them again, also when nobody says so', async () => {
    const base = await startLiveBase()
    const source = await base.add({ record_enabled: true })
    await base.mediamtx.restart()
    await vi.waitFor(
      async () => expect(await confOf(base.mediamtx, source.path_name)).toMatchObject({ record: true }),
      { timeout: 20_000 }
    )
    await untilReady(base)
  })
})

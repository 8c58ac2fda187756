import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import sharp from 'sharp'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openAdmin } from '../../../demo/admin-access.ts'
import { launchDaemon } from '../../../demo/daemon-process.ts'
import { getRecordStatus, listRecordingFiles, startRecording } from '../../../shared/api/recordings.ts'
import {
  createSource,
  disableSource,
  enableSource,
  getMediaServer,
  getSourceStatus,
  listSources,
  previewSource,
  replacePublishKey
} from '../../../shared/api/sources.ts'
import type { ApiClient } from '../../../shared/api-client.ts'
import { problemSchema } from '../../../shared/problem.ts'
import { findFfmpeg } from '../../media/find-ffmpeg.ts'
import { startTimeOf } from '../../mediamtx/process-record.ts'
import { untilReady } from '../../testing/live-base.ts'
import { countMediaServers, mediaServerPid } from '../../testing/media-server-processes.ts'
import { PICTURE, publish } from '../../testing/publisher.ts'
import {
  findLivePrograms,
  PATIENCE,
  type RealLiveBase,
  startBaseBesideRealServer,
  startRealLiveBase
} from '../../testing/real-live-base.ts'
import { realLiveEnv } from '../../testing/real-live-env.ts'
import { temporaryFolder } from '../../testing/test-database.ts'

const program = await findLivePrograms()

/** The least that an offer to watch needs (RFC 9725); the fingerprint is of no certificate. */
const OFFER = [
  'v=0',
  'o=- 0 0 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789abcdef01234567',
  `a=fingerprint:sha-256 ${Array(32).fill('0A').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtpmap:96 H264/90000',
  'a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  ''
].join('\r\n')

describe.skipIf(program === null)('with the real MediaMTX', () => {
  test('a stream that is pushed by RTMP is watched by HLS, as a picture and by WebRTC', async () => {
    const base = await startRealLiveBase(program!)
    const { id, push_url } = await base.add()
    publish(push_url)
    const status = await base.untilConnected(id)
    expect(status).toMatchObject({ available: true, source_type: 'rtmpConn', last_error: null })
    expect(status.tracks).toContainEqual({ codec: 'H264', ...PICTURE })

    const files = (file: string) => base.fetch(`/api/v1/sources/${id}/hls/${file}`)
    const master = await playlistAt(files, 'index.m3u8')
    const playlist = await vi.waitFor(async () => {
      const media = await playlistAt(files, master.uris[0]!)
      expect(media.uris.length).toBeGreaterThan(0)
      return media
    }, PATIENCE)
    expect(await framesIn(await bytesOf(files, playlist.map!, playlist.uris.at(-1)!))).toBeGreaterThan(0)

    const snapshot = await vi.waitFor(async () => {
      const answer = await base.fetch(`/api/v1/sources/${id}/snapshot`)
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
      return answer
    }, PATIENCE)
    expect(await sharp(Buffer.from(await snapshot.arrayBuffer())).metadata()).toMatchObject({
      format: 'jpeg',
      ...PICTURE
    })

    const answer = await base.fetch(`/api/v1/sources/${id}/whep`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: OFFER
    })
    expect([answer.status, await answer.text()]).toEqual([201, expect.stringMatching(/a=sendonly/)])
    const ended = await base.fetch(answer.headers.get('location')!, { method: 'DELETE' })
    expect(ended.status).toBe(204)
  })

  test('a wrong key shuts out, and says nothing untrue', async () => {
    const base = await startRealLiveBase(program!)
    const { id, push_url, push_urls } = await base.add()
    for (const address of [push_url!.replace(/token=.*/, 'token=wrong'), push_url!.replace(/\?.*/, '')])
      expect(await publish(address).ended).not.toBe(0)
    expect(await publish(push_urls!.rtsp!.replace(/:\w+@/, ':wrong@')).ended).not.toBe(0)
    expect(await base.statusOf(id)).toMatchObject({ connected: false, available: false, inbound_bytes: 0 })
  })

  test('a stream that is pushed by RTSP is fetched from there by another source', async () => {
    const base = await startRealLiveBase(program!)
    const pushed = await base.add()
    publish(pushed.push_urls!.rtsp)
    expect(await base.untilConnected(pushed.id)).toMatchObject({ source_type: 'rtspSession' })
    const { rtsp_url } = await base.api.call(previewSource, { params: { sourceId: pushed.id } })
    const pulled = await base.add({ type: 'pull', url: rtsp_url! })
    expect(pulled.url).toContain(':***@')
    const status = await base.untilConnected(pulled.id)
    expect(status).toMatchObject({ source_type: 'rtspSource', tracks: [{ codec: 'H264', ...PICTURE }, {}] })
    expect((await base.statusOf(pushed.id)).readers_by_protocol).toEqual({ rtsp: 1 })
  })

  test('what is switched off is put out, and comes in again only once it is switched on', async () => {
    const base = await startRealLiveBase(program!)
    const { id, push_url } = await base.add()
    const sender = publish(push_url)
    await base.untilConnected(id)
    await base.api.call(disableSource, { params: { sourceId: id } })
    expect(await sender.ended).not.toBe(0)
    await base.untilGone(id)
    expect(await publish(push_url).ended).not.toBe(0)
    expect(await base.statusOf(id)).toMatchObject({ connected: false, inbound_bytes: 0 })
    await base.api.call(enableSource, { params: { sourceId: id } })
    publish(push_url)
    await base.untilConnected(id)
  })

  test('run by somebody else, it asks the base who may, where it is told to', async () => {
    const base = await startBaseBesideRealServer(program!, { asks: true })
    expect((await base.api.call(getMediaServer, {})).warnings.join()).not.toContain('does not ask')
    const { id, push_url } = await base.add()
    expect(await publish(push_url!.replace(/token=.*/, 'token=wrong')).ended).not.toBe(0)
    const sender = publish(push_url)
    await base.untilConnected(id)
    const index = `/api/v1/sources/${id}/hls/index.m3u8`
    await vi.waitFor(async () => expect((await base.fetch(index)).status).toBe(200), PATIENCE)
    const { hls_url } = await base.api.call(previewSource, { params: { sourceId: id } })
    expect((await fetch(hls_url!.replace(/token=.*/, 'token=wrong'))).status).toBe(401)
    expect((await fetch(hls_url!)).status).toBe(200)
    const { push_url: next } = await base.api.call(replacePublishKey, { params: { sourceId: id } })
    expect(await sender.ended).not.toBe(0)
    expect(await publish(push_url).ended).not.toBe(0)
    publish(next)
    await base.untilConnected(id)
  })

  test('run by somebody else and asking nobody, it still shuts out what is switched off', async () => {
    const base = await startBaseBesideRealServer(program!, { asks: false })
    const { id, push_url } = await base.add()
    const sender = publish(push_url)
    await base.untilConnected(id)
    await base.api.call(disableSource, { params: { sourceId: id } })
    expect(await sender.ended).not.toBe(0)
    expect(await publish(push_url).ended).not.toBe(0)
    expect(await base.statusOf(id)).toMatchObject({ registered: true, connected: false, source_type: null })
    await base.api.call(enableSource, { params: { sourceId: id } })
    publish(push_url)
    await base.untilConnected(id)
  })

  test('killed 20 times, it comes back with all paths, loses no recording, and nothing untrue is told', async () => {
    const base = await startRealLiveBase(program!)
    const { id, push_url } = await base.add()
    await base.add({ name: 'Gate' })
    const off = await base.add({ name: 'Pier' })
    await base.api.call(disableSource, { params: { sourceId: off.id } })
    await base.api.call(startRecording, { params: { sourceId: id } })
    publish(push_url, { reconnects: true })
    const recorded = new Map<string, number>()
    for (let kill = 1; kill <= 20; kill++) {
      await untilRecordedAnew(base.api, id, recorded)
      const killedAtMs = await killMediaServer(base)
      expect((await base.fetch('/api/v1/sources?with_status=true')).status).toBe(200)
      await untilBackSince(base, id, killedAtMs)
      const { items } = await base.api.call(listSources, { query: { with_status: 'true' } })
      expect(items.map(({ name, drift, status }) => [name, drift, status?.registered])).toEqual(
        ['Gate', 'Pier', 'Roof camera'].map((name) => [name, null, true])
      )
      await expectKept(base.api, id, recorded)
    }
  }, 400_000)
})

test.skipIf(program === null || process.platform !== 'linux')(
  'a base that is killed leaves nothing behind that its next start does not end, and nothing is doubled',
  async () => {
    const dataDir = join(temporaryFolder('daemon'), 'data')
    const dir = join(dataDir, 'mediamtx')
    const env = await realLiveEnv(program!)
    const start = async () => {
      const daemon = launchDaemon({ dataDir, env })
      onTestFinished(() => daemon.kill())
      const { api } = openAdmin((await daemon.ready).admin)
      await untilReady({ api })
      return { ...daemon, api }
    }
    let daemon = await start()
    const { id, push_url } = await daemon.api.call(createSource, { body: { name: 'Roof camera', type: 'push' } })
    await daemon.api.call(startRecording, { params: { sourceId: id } })
    publish(push_url, { reconnects: true })
    const recorded = new Map<string, number>()
    for (let kill = 1; kill <= 3; kill++) {
      await untilRecordedAnew(daemon.api, id, recorded)
      const pid = await mediaServerPid(dir)
      await daemon.kill()
      daemon = await start()
      expect(startTimeOf(pid)).toBeNull()
      expect(await countMediaServers(dir)).toBe(1)
      const { items } = await daemon.api.call(listSources, { query: { with_status: 'true' } })
      expect(items).toEqual([expect.objectContaining({ id, push_url, drift: null })])
      await expectKept(daemon.api, id, recorded)
    }
    await daemon.stop()
    expect(await countMediaServers(dir)).toBe(0)
  },
  200_000
)

/** A media server that has not lasted two seconds from its readiness is started again later and later. */
const LASTING_MS = 4000
const SOME_PARTS_S = 3

/** What of a source is recorded, in seconds by file. */
async function recordedOf(api: ApiClient, sourceId: string): Promise<Map<string, number>> {
  // Has the base look at the files.
  await api.call(getRecordStatus, { params: { sourceId } })
  const { items } = await api.call(listRecordingFiles, { params: { sourceId }, query: { limit: 100 } })
  return new Map(items.map((file) => [file.id, file.duration ?? 0]))
}

/** Waits until a file that is not in `recorded` has some parts, and notes all that is recorded then. */
async function untilRecordedAnew(api: ApiClient, sourceId: string, recorded: Map<string, number>): Promise<void> {
  await vi.waitFor(async () => {
    const now = await recordedOf(api, sourceId)
    const isNew = [...now].some(([fileId, duration]) => !recorded.has(fileId) && duration >= SOME_PARTS_S)
    if (!isNew) throw new Error('nothing new is recorded')
    for (const [fileId, duration] of now) recorded.set(fileId, duration)
  }, PATIENCE)
}

/** Fails when a file is gone, or shorter than it was. */
async function expectKept(api: ApiClient, sourceId: string, recorded: Map<string, number>): Promise<void> {
  const left = await recordedOf(api, sourceId)
  for (const [fileId, duration] of recorded) expect(left.get(fileId) ?? 0).toBeGreaterThanOrEqual(duration)
}

/** Kills the media server once it has lasted; gives when it was dead. */
async function killMediaServer({ api, dataDir }: RealLiveBase): Promise<number> {
  await vi.waitFor(async () => {
    const { started_at } = await api.call(getMediaServer, {})
    if (started_at === null || Date.now() - Date.parse(started_at) < LASTING_MS) throw new Error('it is young')
  }, PATIENCE)
  const pid = await mediaServerPid(join(dataDir, 'mediamtx'))
  process.kill(pid, 'SIGKILL')
  await vi.waitFor(() => expect(startTimeOf(pid)).toBeNull(), PATIENCE)
  return Date.now()
}

/** Asks for the status of a stream until it is sent again; whatever is answered before that has to be true. */
async function untilBackSince(base: RealLiveBase, sourceId: string, killedAtMs: number): Promise<void> {
  const lies: unknown[] = []
  await vi.waitFor(async () => {
    const answer = await base.fetch(`/api/v1/sources/${sourceId}/status`)
    const said: unknown = await answer.json()
    if (answer.status !== 200) {
      if (problemSchema.parse(said).code !== 'live_unavailable') lies.push(said)
      throw new Error('the media server is away')
    }
    const { connected, available_since } = getSourceStatus.response.parse(said)
    if (!connected) throw new Error('nobody sends')
    if (Date.parse(available_since!) < killedAtMs) lies.push(said)
  }, PATIENCE)
  expect(lies).toEqual([])
}

type HlsFiles = (file: string) => Promise<Response>

/** What a playlist names: other playlists or segments, and what segments begin with. */
async function playlistAt(files: HlsFiles, name: string): Promise<{ uris: string[]; map: string | undefined }> {
  const answer = await files(name)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('mpegurl')])
  const lines = (await answer.text()).split('\n')
  const map = lines.find((line) => line.startsWith('#EXT-X-MAP:'))
  return { uris: lines.filter((line) => /^[^#]/.test(line)), map: /URI="([^"]+)"/.exec(map ?? '')?.[1] }
}

async function bytesOf(files: HlsFiles, ...names: string[]): Promise<Buffer> {
  const parts: Buffer[] = []
  for (const name of names) {
    const answer = await files(name)
    expect(answer.status).toBe(200)
    parts.push(Buffer.from(await answer.arrayBuffer()))
  }
  return Buffer.concat(parts)
}

/** How many pictures can be decoded of a video. */
async function framesIn(video: Buffer): Promise<number> {
  const args = ['-v', 'error', '-i', 'pipe:0', '-map', '0:v', '-f', 'framehash', '-']
  const decoder = spawn(findFfmpeg()!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  decoder.stdin.end(video)
  const hashes = await text(decoder.stdout)
  return hashes.split('\n').filter((line) => /^0,/.test(line)).length
}

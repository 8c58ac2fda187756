import sharp from 'sharp'
import { describe, expect, it, vi } from 'vitest'
import { demoClip } from '../../../demo/demo-clip.ts'
import type { RenditionStatus } from '../../../shared/api/renditions.ts'
import { URGENT_PRIORITY } from '../../jobs/define-job.ts'
import { findFfmpeg } from '../../media/find-ffmpeg.ts'
import { tinyClip } from '../../testing/clips.ts'
import { startMediaBase } from '../../testing/media-base.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { allKeys, openEmbeddedStore, openExternalStore } from '../../testing/test-stores.ts'

const ffmpegPath = findFfmpeg()
if (!ffmpegPath) console.warn('\n!!! SKIPPED renditions of films: there is no ffmpeg on this machine !!!\n')

type Base = Awaited<ReturnType<typeof startMediaBase>>

const startBase = async (options: Omit<Parameters<typeof startMediaBase>[0], 'store'> = {}) =>
  startMediaBase({ store: await openEmbeddedStore(), ffmpegPath, ...options })

async function order(base: Base, assetId: string, name: string, interactive = false): Promise<RenditionStatus> {
  const body = JSON.stringify({ name, interactive })
  const headers = { 'content-type': 'application/json' }
  const answer = await base.call(assetId, '/renditions', { method: 'POST', body, headers })
  expect(answer.status).toBe(200)
  return answer.json() as Promise<RenditionStatus>
}

async function statuses(base: Base, assetId: string): Promise<Record<string, RenditionStatus>> {
  const { items } = (await (await base.call(assetId, '/renditions')).json()) as { items: RenditionStatus[] }
  return Object.fromEntries(items.map((item) => [item.name, item]))
}

/** A film no browser plays. */
async function addFilm(base: Base): Promise<string> {
  const { bytes } = await tinyClip(ffmpegPath ?? '', { seconds: 2 })
  return base.add({ name: 'film.MP4', bytes })
}

/** Reads what the file says about itself, as for everything that arrives. */
async function readMetadata(base: Base, assetId: string): Promise<void> {
  base.metadata.enqueue(assetId)
  await base.settle()
}

/** Begins the film that was ordered, which pauses until `base.state.mayGoOn` resolves. */
async function beginFilm(base: Base, assetId: string): Promise<void> {
  base.state.mayGoOn = Promise.withResolvers<void>()
  base.runner.start()
  await vi.waitFor(async () => expect((await statuses(base, assetId))['proxy']?.state).toBe('running'))
}

const storedKeys = async (base: Base) => (await allKeys(base.store)).filter((key) => key.startsWith('renditions/'))

const priorities = (base: Base) => base.db.sql.prepare('SELECT priority FROM job').pluck().all()

describe('pictures', () => {
  it('sizes below a preview are made from it when somebody looks, larger ones by a job', async () => {
    const base = await startBase()
    const assetId = await base.add({ name: 'a.JPG', bytes: await dronePhoto({ widthPx: 2400, heightPx: 1800 }) })
    base.renditions.enqueue(assetId)
    await base.settle()
    for (const sizePx of [64, 128, 512]) {
      const picture = await base.thumbnail(assetId, {}, sizePx)
      expect(await sharp(await picture.arrayBuffer()).metadata()).toMatchObject({ width: sizePx, format: 'webp' })
    }
    expect((await statuses(base, assetId))['2048']).toMatchObject({ state: 'absent', files: [] })
    expect((await base.thumbnail(assetId, {}, 2048)).status).toBe(404)
    expect(priorities(base)).toEqual([URGENT_PRIORITY])
    await base.settle()
    const { path, state } = (await statuses(base, assetId))['2048']!
    expect(state).toBe('ready')
    const answer = await base.call(assetId, path.replace(/.*(?=\/renditions)/, ''), {
      headers: { accept: 'image/jpeg' }
    })
    expect(answer.headers.get('content-type')).toBe('image/jpeg')
    expect(await sharp(await answer.arrayBuffer()).metadata()).toMatchObject({ width: 2048, height: 1536 })
  })

  it('a small picture has no larger one to be made', async () => {
    const base = await startBase()
    const assetId = await base.add({ name: 'a.JPG', bytes: await dronePhoto({ widthPx: 400, heightPx: 300 }) })
    base.renditions.enqueue(assetId)
    await base.settle()
    const picture = await base.thumbnail(assetId, {}, 2048)
    expect(await sharp(await picture.arrayBuffer()).metadata()).toMatchObject({ width: 400 })
  })

  it('looking at a preview that is not there yet puts it first', async () => {
    const base = await startBase()
    const assetId = await base.add({ name: 'a.JPG', bytes: await dronePhoto() })
    base.renditions.enqueue(assetId)
    expect(priorities(base)).toEqual([30])
    expect((await base.thumbnail(assetId)).status).toBe(404)
    expect(priorities(base)).toEqual([URGENT_PRIORITY])
  })

  it('what is neither picture nor film has none', async () => {
    const base = await startBase()
    const assetId = await base.add({ name: 'notes.txt', bytes: Buffer.from('notes') })
    expect(await statuses(base, assetId)).toEqual({})
    const headers = { 'content-type': 'application/json' }
    const post = (id: string, name: string) =>
      base.call(id, '/renditions', { method: 'POST', body: JSON.stringify({ name }), headers })
    expect(await (await post(assetId, 'proxy')).json()).toMatchObject({ code: 'rendition_not_available' })
    expect(await (await post(assetId, 'poster')).json()).toMatchObject({ code: 'invalid_request' })
    expect(await (await post('0'.repeat(26), 'proxy')).json()).toMatchObject({ code: 'asset_not_found' })
  })
})

describe.skipIf(!ffmpegPath)('films', () => {
  it('one that browsers cannot play is made again ahead, others are not', async () => {
    const base = await startBase({ proxy: 'auto' })
    const film = await addFilm(base)
    const playable = await base.add({ name: 'film.MP4', bytes: await demoClip('x') })
    for (const assetId of [film, playable]) await readMetadata(base, assetId)
    expect((await statuses(base, film))['proxy']).toMatchObject({
      state: 'ready',
      files: [{ name: 'proxy', format: 'mp4', width: 64, height: 48 }]
    })
    expect((await statuses(base, playable))['proxy']?.state).toBe('absent')
    expect(base.events(film)).toContain('rendition.ready')
    await readMetadata(base, film)
    expect(base.detail(film).renditions).toHaveLength(1)
  })

  it('serves the proxy by range', async () => {
    const base = await startBase()
    const film = await addFilm(base)
    expect((await order(base, film, 'proxy')).state).toBe('queued')
    await base.settle()
    expect((await order(base, film, 'proxy')).state).toBe('ready')
    const whole = await base.call(film, '/renditions/proxy')
    expect(whole.headers.get('content-type')).toBe('video/mp4')
    const bytes = Buffer.from(await whole.arrayBuffer())
    const part = await base.call(film, '/renditions/proxy', { headers: { range: 'bytes=4-7' } })
    expect([part.status, await part.text()]).toEqual([206, 'ftyp'])
    expect(bytes.length).toBe((await statuses(base, film))['proxy']?.files[0]?.sizeBytes)
  })

  it('HLS: the playlist names ranges of the file beside it, and the proxy is made on the way', async () => {
    const base = await startBase()
    const film = await addFilm(base)
    await order(base, film, 'hls')
    await base.settle()
    const { proxy, hls } = await statuses(base, film)
    expect([proxy?.state, hls?.state, hls?.path]).toEqual(['ready', 'ready', `/api/v1/assets/${film}/hls/index.m3u8`])
    const playlist = await base.call(film, '/hls/index.m3u8')
    expect(playlist.headers.get('content-type')).toBe('application/vnd.apple.mpegurl')
    const [, size, start] = /#EXT-X-BYTERANGE:(\d+)@(\d+)\nmedia\.mp4/.exec(await playlist.text()) ?? []
    const range = `bytes=${start}-${Number(start) + Number(size) - 1}`
    const segment = await base.call(film, '/hls/media.mp4', { headers: { range } })
    expect([segment.status, segment.headers.get('content-type')]).toEqual([206, 'video/mp4'])
    expect(Buffer.from(await segment.arrayBuffer()).toString('latin1', 4, 8)).toMatch(/styp|moof|sidx/)
  })

  it('the strip moves', async () => {
    const base = await startBase()
    const film = await addFilm(base)
    await readMetadata(base, film)
    await order(base, film, 'strip')
    await base.runner.idle()
    const strip = await base.call(film, '/renditions/strip')
    expect(strip.headers.get('content-type')).toBe('image/webp')
    const picture = await sharp(await strip.arrayBuffer(), { animated: true }).metadata()
    expect(picture).toMatchObject({ pages: 12, width: 256, pageHeight: 192 })
  })

  it('works on a store that has no files to offer', async () => {
    const { store } = await openExternalStore()
    const base = await startMediaBase({ store, ffmpegPath })
    const film = await addFilm(base)
    await order(base, film, 'hls')
    await base.settle()
    expect((await base.call(film, '/hls/media.mp4')).status).toBe(200)
  })

  it('many who ask make one job; who waits makes it urgent', async () => {
    const base = await startBase()
    const film = await addFilm(base)
    const asked = await Promise.all([1, 2, 3].map(() => order(base, film, 'proxy')))
    expect(new Set(asked.map(({ jobId }) => jobId)).size).toBe(1)
    expect(priorities(base)).toEqual([70])
    expect((await order(base, film, 'proxy', true)).jobId).toBe(asked[0]?.jobId)
    expect(priorities(base)).toEqual([URGENT_PRIORITY])
    await beginFilm(base, film)
    expect(await order(base, film, 'proxy')).toMatchObject({ state: 'running', jobId: asked[0]?.jobId })
    base.state.mayGoOn?.resolve()
    await base.runner.idle()
    expect(base.queue.counts()).toEqual({ queued: 0, running: 0, dead: 0, cancelled: 0 })
  })

  it('a cancelled one can be ordered again, and shows nothing meanwhile', async () => {
    const base = await startBase()
    const film = await addFilm(base)
    const { jobId } = await order(base, film, 'proxy')
    await beginFilm(base, film)
    base.queue.cancel(jobId ?? '')
    await base.runner.idle()
    expect((await statuses(base, film))['proxy']).toMatchObject({ state: 'absent', files: [] })
    expect((await base.call(film, '/renditions/proxy')).status).toBe(404)
    expect(await storedKeys(base)).toEqual([])
    base.state.mayGoOn = null
    expect(await order(base, film, 'proxy')).toMatchObject({ state: 'queued', jobId })
    await base.runner.idle()
    expect((await statuses(base, film))['proxy']?.state).toBe('ready')
  })

  it('a film that cannot be decoded is told apart from one that failed', async () => {
    const base = await startBase()
    const film = await base.add({ name: 'film.MP4', bytes: Buffer.from('no film') })
    await order(base, film, 'proxy')
    await base.settle()
    const status = await order(base, film, 'proxy')
    expect(status).toMatchObject({ state: 'unavailable', problem: 'unreadable', jobId: null })
    expect(base.queue.counts().queued).toBe(0)
  })

  it('without an ffmpeg it says so, and is made once there is one', async () => {
    const base = await startBase({ ffmpegPath: null, proxy: 'auto' })
    const film = await addFilm(base)
    await readMetadata(base, film)
    expect((await statuses(base, film))['proxy']).toMatchObject({ state: 'unavailable', problem: 'ffmpeg_missing' })
    base.renditions.start()
    expect(base.queue.counts().queued).toBe(0)
    base.state.ffmpegPath = ffmpegPath
    base.renditions.start()
    await base.runner.idle()
    expect((await statuses(base, film))['proxy']).toMatchObject({ state: 'ready', problem: null })
  })

  it('can be switched off', async () => {
    const base = await startBase({ proxy: 'off' })
    const film = await addFilm(base)
    expect(await order(base, film, 'hls')).toMatchObject({ state: 'unavailable', problem: 'switched_off' })
    expect(base.queue.counts().queued).toBe(0)
  })

  it('is made again when the store has lost it', async () => {
    const base = await startBase()
    const film = await addFilm(base)
    await order(base, film, 'hls')
    await base.settle()
    await base.store.delete(`renditions/${film}/hls.mp4`)
    expect((await base.call(film, '/hls/media.mp4')).status).toBe(404)
    await base.runner.idle()
    expect((await base.call(film, '/hls/media.mp4')).status).toBe(200)
  })

  it('everything goes with the asset, also what is being made', async () => {
    const base = await startBase()
    const film = await addFilm(base)
    await order(base, film, 'strip')
    await order(base, film, 'proxy')
    await beginFilm(base, film)
    await vi.waitFor(async () => expect(await storedKeys(base)).toHaveLength(1), { timeout: 10_000 })
    base.db.transaction(() => {
      base.renditions.release(film)
      base.db.sql.prepare('DELETE FROM asset WHERE id = ?').run(film)
    })
    base.state.mayGoOn?.resolve()
    await base.runner.idle()
    expect(await storedKeys(base)).toEqual([])
  })
})

import { rmSync } from 'node:fs'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { demoClip } from '../../../demo/demo-clip.ts'
import { findFfmpeg } from '../../media/find-ffmpeg.ts'
import { startMediaBase } from '../../testing/media-base.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { openEmbeddedStore, openExternalStore } from '../../testing/test-stores.ts'

const ffmpegPath = findFfmpeg()
if (!ffmpegPath) console.warn('\n!!! SKIPPED previews of videos: there is no ffmpeg on this machine !!!\n')

async function baseWith(name: string, bytes: Buffer, options: { ffmpegPath?: string | null } = {}) {
  const base = await startMediaBase({ store: await openEmbeddedStore(), ...options })
  const assetId = await base.add({ name, bytes })
  base.renditions.enqueue(assetId)
  await base.settle()
  return { base, assetId }
}

const photo = () => dronePhoto({ widthPx: 1200, heightPx: 900 })

describe('making previews', () => {
  it('stores both sizes of a photo and says so', async () => {
    const { base, assetId } = await baseWith('a.JPG', await photo())
    expect(base.row(assetId)).toMatchObject({ preview: 'ready', preview_problem: null, damage: null, width: 1200 })
    expect(base.detail(assetId).renditions).toMatchObject([
      { name: '1024', format: 'webp', width: 1024, height: 768 },
      { name: '256', format: 'webp', width: 256, height: 192 }
    ])
    expect(base.events(assetId)).toEqual(['rendition.ready'])
    expect(await base.store.head(`renditions/${assetId}/256.webp`)).toMatchObject({ contentType: 'image/webp' })
  })

  it('does no harm when it runs twice', async () => {
    const { base, assetId } = await baseWith('a.JPG', await photo())
    expect((await base.thumbnail(assetId, { accept: 'image/jpeg' })).status).toBe(200)
    base.renditions.enqueue(assetId)
    await base.settle(1000)
    expect(base.detail(assetId).renditions.map(({ name, format }) => `${name}.${format}`)).toEqual([
      '1024.webp',
      '256.webp'
    ])
  })

  it('works on a store that has no files to offer, and waits while it is away', async () => {
    const { store, s3 } = await openExternalStore()
    const base = await startMediaBase({ store })
    const assetId = await base.add({ name: 'a.JPG', bytes: await photo() })
    base.renditions.enqueue(assetId)
    await s3.goAway()
    await base.settle()
    expect(base.row(assetId)).toMatchObject({ preview: 'pending', damage: null })
    expect(base.queue.counts()).toMatchObject({ queued: 1, dead: 0 })
    await s3.comeBack()
    await base.settle(60_000)
    expect(base.row(assetId).preview).toBe('ready')
  })

  it.each<[string, () => Promise<Buffer>, object, string[]]>([
    [
      'cut-off.JPG',
      async () => (await photo()).subarray(0, 60_000),
      { preview: 'ready', damage: 'truncated' },
      ['asset.damaged', 'rendition.ready']
    ],
    [
      'empty.JPG',
      async () => Buffer.alloc(0),
      { preview: 'unavailable', preview_problem: 'unreadable', damage: 'unreadable' },
      ['asset.damaged']
    ],
    [
      'text.MP4',
      async () => Buffer.from('not a video'),
      { preview: 'unavailable', preview_problem: 'unreadable', damage: 'unreadable' },
      ['asset.damaged']
    ],
    [
      'side.SRT',
      async () => Buffer.from('1\n00:00:00,000 --> 00:00:01,000\nx'),
      { preview: 'unavailable', preview_problem: 'unsupported_type', damage: null },
      ['asset.updated']
    ],
    [
      'clip.MP4',
      () => demoClip('x'),
      { preview: 'unavailable', preview_problem: 'ffmpeg_missing', damage: null },
      ['asset.updated']
    ]
  ])('%s', async (name, bytes, row, events) => {
    const { base, assetId } = await baseWith(name, await bytes())
    expect(base.row(assetId)).toMatchObject(row)
    expect(base.events(assetId).sort()).toEqual(events)
    expect(base.queue.counts()).toMatchObject({ dead: 0, queued: 0 })
  })

  it('tells bytes that are gone', async () => {
    const base = await startMediaBase({ store: await openEmbeddedStore() })
    const assetId = await base.add({ name: 'a.JPG', bytes: await photo() })
    await base.store.delete(base.keyOf(assetId))
    base.renditions.enqueue(assetId)
    await base.settle()
    expect(base.row(assetId)).toMatchObject({ preview: 'unavailable', preview_problem: 'bytes_missing' })
  })

  it.skipIf(!ffmpegPath)('makes up for missing posters once there is an ffmpeg', async () => {
    const { base, assetId } = await baseWith('clip.MP4', await demoClip('x'))
    expect(base.row(assetId).preview_problem).toBe('ffmpeg_missing')
    base.renditions.start()
    expect(base.queue.counts().queued).toBe(0)
    base.state.ffmpegPath = ffmpegPath
    base.renditions.start()
    await base.settle()
    expect(base.row(assetId)).toMatchObject({ preview: 'ready', preview_problem: null })
    const picture = await sharp(await (await base.thumbnail(assetId)).arrayBuffer()).metadata()
    expect(picture).toMatchObject({ width: 256, height: 144 })
  })
})

describe('GET /thumbnail', () => {
  it('answers with the stored format, revalidates, and keeps named versions for good', async () => {
    const { base, assetId } = await baseWith('a.JPG', await photo())
    const answer = await base.thumbnail(assetId)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('image/webp')
    expect(answer.headers.get('vary')).toMatch(/accept/i)
    expect(answer.headers.get('cache-control')).toBe('private, max-age=600')
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect(bytes.length).toBe(Number(answer.headers.get('content-length')))
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: 256 })
    const etag = answer.headers.get('etag') ?? ''
    const again = await base.thumbnail(assetId, { 'if-none-match': etag })
    expect([again.status, await again.text()]).toEqual([304, ''])
    const versioned = await base.thumbnail(`${assetId}?v=1`, {}, 1024)
    expect(versioned.headers.get('cache-control')).toContain('immutable')
  })

  it('makes another format once, however many ask for it at the same time', async () => {
    const { base, assetId } = await baseWith('a.JPG', await photo())
    const answers = await Promise.all([1, 2, 3].map(() => base.thumbnail(assetId, { accept: 'image/jpeg' })))
    const bodies = await Promise.all(answers.map(async (answer) => Buffer.from(await answer.arrayBuffer())))
    expect(answers.map((answer) => answer.headers.get('content-type'))).toEqual(Array(3).fill('image/jpeg'))
    expect(new Set(answers.map((answer) => answer.headers.get('etag'))).size).toBe(1)
    expect(await sharp(bodies[0]).metadata()).toMatchObject({ format: 'jpeg', width: 256, height: 192 })
    expect(base.detail(assetId).renditions).toHaveLength(3)
    const avif = await base.thumbnail(assetId, { accept: 'image/avif, image/webp;q=0.5' })
    expect(avif.headers.get('content-type')).toBe('image/avif')
  })

  it('says why there is none', async () => {
    const { base, assetId } = await baseWith('text.MP4', Buffer.from('no video'))
    const refused = await base.thumbnail(assetId)
    expect(refused.status).toBe(404)
    expect(await refused.json()).toMatchObject({
      code: 'rendition_not_available',
      details: { preview: 'unavailable', previewProblem: 'unreadable' }
    })
    expect((await base.thumbnail('0'.repeat(26))).status).toBe(404)
    expect((await base.thumbnail(assetId, {}, 300)).status).toBe(400)
  })

  it.each([-1, 1])('sends nothing of a preview that is longer or shorter by now, and has it made again', async (by) => {
    const { base, assetId } = await baseWith('a.JPG', await photo())
    const { headers } = await base.thumbnail(assetId)
    await base.store.put(`renditions/${assetId}/256.webp`, Buffer.alloc(Number(headers.get('content-length')) + by))
    const answer = await base.thumbnail(assetId)
    expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'rendition_not_available' }])
    await base.settle()
    const again = await base.thumbnail(assetId)
    expect((await sharp(await again.arrayBuffer()).metadata()).width).toBe(256)
  })

  it.each(['object', 'bytes'])('has a preview made again whose %s the store has lost', async (what) => {
    const { base, assetId } = await baseWith('a.JPG', await photo())
    const key = `renditions/${assetId}/256.webp`
    if (what === 'object') await base.store.delete(key)
    else {
      const file = await base.store.localPath(key)
      rmSync(file!.path)
      file!.release()
    }
    expect((await base.thumbnail(assetId)).status).toBe(404)
    await base.settle()
    expect((await base.thumbnail(assetId)).status).toBe(200)
  })
})

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blankPng, dronePhoto, plainJpeg } from '../testing/photos.ts'
import { makeThumbnails, type ThumbnailRequest } from './make-thumbnails.ts'

let folder: string
let number = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thumbnails-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function make(bytes: Buffer, request: Partial<ThumbnailRequest> = {}) {
  const input = join(folder, `picture-${number++}.txt`) // a name that says nothing
  await writeFile(input, bytes)
  return makeThumbnails({ input, sizesPx: [256], format: 'webp', ...request })
}

/** Average colour of a part of a picture. */
async function colourOf(bytes: Buffer, part: { left: number; top: number; width: number; height: number }) {
  const { channels } = await sharp(await sharp(bytes).extract(part).toBuffer()).stats()
  return channels.map((channel) => channel.mean)
}

describe('makeThumbnails', () => {
  it('makes every size and format from one picture, never larger than it', async () => {
    const photo = await dronePhoto({ widthPx: 800, heightPx: 600 })
    for (const format of ['webp', 'jpeg', 'avif'] as const) {
      const made = await make(photo, { sizesPx: [512, 256, 4000], format })
      expect(made).toMatchObject({ source: { widthPx: 800, heightPx: 600 }, fromPreview: false, damage: null })
      expect(made.thumbnails.map(({ sizePx, widthPx, heightPx }) => [sizePx, widthPx, heightPx])).toEqual([
        [512, 512, 384],
        [256, 256, 192],
        [4000, 800, 600]
      ])
      for (const { bytes, widthPx, heightPx } of made.thumbnails) {
        const { exif, xmp, icc, ...described } = await sharp(bytes).metadata()
        expect(described).toMatchObject({ width: widthPx, height: heightPx, space: 'srgb' })
        expect(described.format).toBe(format === 'avif' ? 'heif' : format)
        expect([exif, xmp, icc]).toEqual([undefined, undefined, undefined])
      }
    }
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'shows orientation %i upright, from the pixels and from the preview',
    async (orientation) => {
      const preview = await sharp(await plainJpeg(320, 240))
        .jpeg({ quality: 60 })
        .toBuffer()
      for (const photo of [
        await dronePhoto({ widthPx: 640, heightPx: 480, orientation }),
        await dronePhoto({ widthPx: 640, heightPx: 480, orientation }, preview)
      ]) {
        const made = await make(photo)
        const expected = sharp(photo).autoOrient().resize(256, 256, { fit: 'inside' })
        const { data, info } = await expected.raw().toBuffer({ resolveWithObject: true })
        const [thumbnail] = made.thumbnails
        expect([thumbnail?.widthPx, thumbnail?.heightPx]).toEqual([info.width, info.height])
        const pixels = await sharp(thumbnail?.bytes).raw().toBuffer()
        const difference = pixels.reduce((sum, value, i) => sum + Math.abs(value - data[i]!), 0) / pixels.length
        expect(difference).toBeLessThan(8)
        expect(made.source.widthPx).toBe(orientation >= 5 ? 480 : 640)
      }
    }
  )

  it('converts to sRGB', async () => {
    const wide = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#ff0000' } })
      .withIccProfile('p3')
      .jpeg({ quality: 100 })
      .toBuffer()
    const cmyk = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#00ff00' } })
      .toColourspace('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer()
    const [red = 0] = await colourOf((await make(wide)).thumbnails[0]!.bytes, { left: 9, top: 9, width: 9, height: 9 })
    expect(red).toBeGreaterThan(240)
    const made = await make(cmyk, { format: 'jpeg' })
    expect(await sharp(made.thumbnails[0]?.bytes).metadata()).toMatchObject({ space: 'srgb', channels: 3 })
  })

  it('takes the bytes of a picture as well', async () => {
    const made = await makeThumbnails({ input: await plainJpeg(500, 300), sizesPx: [100], format: 'webp' })
    expect(made.thumbnails).toMatchObject([{ widthPx: 100, heightPx: 60 }])
  })
})

describe('the embedded preview', () => {
  it('is used when it is large enough', async () => {
    const preview = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#00ff00' } })
      .jpeg()
      .toBuffer()
    const photo = await dronePhoto({ widthPx: 1600, heightPx: 1200 }, preview)
    const made = await make(photo)
    expect(made).toMatchObject({ fromPreview: true, source: { widthPx: 1600, heightPx: 1200 } })
    const [, green = 0] = await colourOf(made.thumbnails[0]!.bytes, { left: 9, top: 9, width: 99, height: 99 })
    expect(green).toBeGreaterThan(200)
    expect((await make(photo, { sizesPx: [1024, 256] })).fromPreview).toBe(false)
  })

  it('is not used when it shows another cut, is broken, or the photo is cut off', async () => {
    const shot = { widthPx: 1600, heightPx: 1200 }
    const preview = await plainJpeg(320, 240)
    expect((await make(await dronePhoto(shot, await plainJpeg(320, 180)))).fromPreview).toBe(false)
    expect((await make(await dronePhoto(shot, preview.subarray(0, 2000)))).fromPreview).toBe(false)
    const photo = await dronePhoto(shot, preview)
    expect(await make(photo.subarray(0, -5000))).toMatchObject({ fromPreview: false, damage: 'truncated' })
  })
})

describe('bad input', () => {
  it.each<[string, () => Buffer | Promise<Buffer>, string]>([
    ['nothing', () => Buffer.alloc(0), 'unreadable'],
    ['three bytes of a JPEG', () => Buffer.from('ffd8ff', 'hex'), 'unreadable'],
    ['a JPEG cut inside its header', async () => (await plainJpeg()).subarray(0, 120), 'unreadable'],
    ['a PNG of nothing but its signature', () => Buffer.from('89504e470d0a1a0a', 'hex'), 'unreadable'],
    ['text', () => Buffer.from('not a picture'), 'unsupported_type'],
    [
      'a drawing',
      () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'unsupported_type'
    ],
    ['a PNG of 30 000 × 30 000', () => blankPng(30_000, 30_000), 'too_many_pixels'],
    ['an interlaced PNG of 12 000 × 12 000', () => blankPng(12_000, 12_000, 1), 'too_many_pixels']
  ])('%s', async (_, bytes, problem) => {
    await expect(make(await bytes())).rejects.toMatchObject({ name: 'MediaError', problem })
  })

  it('shows what there is of a cut-off photo and says so', async () => {
    const photo = await dronePhoto({ widthPx: 1600, heightPx: 1200 })
    const made = await make(photo.subarray(0, photo.length / 2))
    expect(made).toMatchObject({ damage: 'truncated', thumbnails: [{ widthPx: 256, heightPx: 192 }] })
  })

  it('shows what there is of a photo with foreign bytes in it and says so', async () => {
    const photo = await dronePhoto({ widthPx: 1600, heightPx: 1200 })
    for (let i = 0; i < 400; i++) photo[photo.length / 2 + i - ((photo.length / 2) % 1)] = (i * 7919 + 13) & 255
    expect((await make(photo)).damage).toBe('corrupt')
  })

  it('makes nothing of bytes behind the picture', async () => {
    expect((await make(Buffer.concat([await plainJpeg(), Buffer.from('trailer')]))).damage).toBeNull()
  })

  it('takes a large picture that is within the limit', { timeout: 60_000 }, async () => {
    const made = await make(blankPng(16_000, 12_000))
    expect(made.thumbnails).toMatchObject([{ widthPx: 256, heightPx: 192 }])
  })

  it('stops when asked to, and tells a missing file as such', async () => {
    const signal = AbortSignal.abort(new Error('stop'))
    await expect(make(await plainJpeg(), { signal })).rejects.toThrow('stop')
    const missing = { input: join(folder, 'missing'), sizesPx: [256], format: 'webp' as const }
    await expect(makeThumbnails(missing)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

const photos = process.env.FLIGHTCASE_TEST_PHOTOS
if (!photos) console.warn('\n!!! SKIPPED thumbnails of real photos: FLIGHTCASE_TEST_PHOTOS names no folder !!!\n')
describe.skipIf(!photos)('real photos', () => {
  it('are whole, and their large preview is found', async () => {
    const names = (await readdir(photos ?? '')).filter((name) => /\.jpe?g$/i.test(name))
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) {
      const input = join(photos ?? '', name)
      const both = await makeThumbnails({ input, sizesPx: [1024, 256], format: 'webp' })
      expect(both.damage, name).toBeNull()
      const small = await makeThumbnails({ input, sizesPx: [256], format: 'webp' })
      expect(small.fromPreview, name).toBe(true)
      expect(small.thumbnails[0]?.heightPx).toBe(both.thumbnails[1]?.heightPx)
    }
  })
})

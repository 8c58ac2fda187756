import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ExifReader from 'exifreader'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CardFile, createPhotoCard } from './photo-card.ts'
import { readCard } from './read-card.ts'

let folder: string
let card: CardFile[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'card-'))
  card = await createPhotoCard({
    directory: join(folder, 'a'),
    count: 3,
    seed: 5,
    startedAt: '2025-12-08T07:59:57',
    megapixels: 0.2,
    previewPx: 320
  })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('createPhotoCard', () => {
  it('names files and fingerprints as an aircraft does', async () => {
    expect(card.map((file) => file.name)).toEqual([
      'DJI_20251208075957_0001_V.JPG',
      'DJI_20251208080000_0002_V.JPG',
      'DJI_20251208080003_0003_V.JPG',
      'DJI_20251208080006_0004_V.MP4'
    ])
    expect(card[1]?.tinyFingerprint).toMatch(/^[0-9a-f]{32}_2025_12_8_8_0_0$/)
    for (const file of card) {
      const bytes = await readFile(file.filePath)
      expect(bytes.length).toBe(file.sizeBytes)
      expect(createHash('md5').update(bytes).digest('hex').toUpperCase()).toBe(file.fingerprint)
    }
    expect(new Set(card.map((file) => file.fingerprint)).size).toBe(card.length)
  })

  it('writes EXIF, drone-dji XMP and a preview that a reader understands', async () => {
    const bytes = await readFile(card[0]!.filePath)
    const tags = ExifReader.load(bytes, { expanded: true })
    expect(tags.exif).toMatchObject({
      Make: { description: 'DJI' },
      Model: { description: 'M4E' },
      DateTimeOriginal: { description: '2025:12:08 07:59:57' },
      OffsetTimeOriginal: { description: '+08:00' },
      GPSDateStamp: { description: '2025:12:07' }
    })
    const { metadata } = card[0]!
    expect(tags.gps?.Latitude).toBeCloseTo(metadata.shoot_position.lat, 7)
    expect(tags.gps?.Longitude).toBeCloseTo(metadata.shoot_position.lng, 7)
    expect(tags.gps?.Altitude).toBeCloseTo(metadata.absolute_altitude, 3)
    expect(Number(tags.xmp?.RelativeAltitude?.value)).toBeCloseTo(metadata.relative_altitude, 3)
    expect(Number(tags.xmp?.GimbalYawDegree?.value)).toBeCloseTo(metadata.gimbal_yaw_degree, 2)
    const preview = tags.Thumbnail?.image
    expect(await sharp(Buffer.from(preview as ArrayBuffer)).metadata()).toMatchObject({ width: 320, height: 240 })
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 520, height: 390 })
  })

  it('gives the same bytes for the same seed and others for another', async () => {
    const again = { directory: join(folder, 'b'), count: 2, startedAt: '2025-12-08T07:59:57', megapixels: 0.2 }
    const first = await createPhotoCard({ ...again, seed: 5, previewPx: 320, withClip: false })
    expect(first.map((file) => file.fingerprint)).toEqual(card.slice(0, 2).map((file) => file.fingerprint))
    const other = await createPhotoCard({ ...again, seed: 6, previewPx: 320 })
    expect(other.map((file) => file.name).slice(0, 2)).toEqual(first.map((file) => file.name))
    const known = new Set(card.map((file) => file.fingerprint))
    expect(other.filter((file) => known.has(file.fingerprint))).toEqual([])
  })

  it('repeats pixels but not files when few pictures are asked for', async () => {
    const options = { directory: join(folder, 'c'), count: 4, seed: 9, megapixels: 0.1, distinctPictures: 1 }
    const files = await createPhotoCard({ ...options, withClip: false })
    expect(new Set(files.map((file) => file.fingerprint)).size).toBe(4)
    const pixels = await Promise.all(files.map((file) => sharp(file.filePath).raw().toBuffer()))
    expect(pixels.every((p) => p.equals(pixels[0]!))).toBe(true)
  })
})

describe('readCard', () => {
  it('reads back what a generated card says', async () => {
    const read = await readCard(join(folder, 'a'))
    const photos = card.filter((file) => file.name.endsWith('.JPG'))
    expect(read.filter((file) => file.name.endsWith('.JPG'))).toEqual(
      photos.map((file) => ({
        ...file,
        tinyFingerprint: expect.stringMatching(/^[0-9a-f]{32}_2025_12_8_\d+_\d+_\d+$/),
        metadata: {
          ...file.metadata,
          shoot_position: {
            lat: expect.closeTo(file.metadata.shoot_position.lat, 6),
            lng: expect.closeTo(file.metadata.shoot_position.lng, 6)
          }
        }
      }))
    )
    expect(read).toHaveLength(card.length)
  })

  it('keeps files that tell nothing about themselves and leaves out what is no media', async () => {
    const directory = await mkdtemp(join(folder, 'd-'))
    await writeFile(join(directory, 'empty.JPG'), '')
    await writeFile(join(directory, 'notes.txt'), 'x')
    const files = await readCard(directory)
    expect(files).toMatchObject([{ name: 'empty.JPG', sizeBytes: 0, fingerprint: 'D41D8CD98F00B204E9800998ECF8427E' }])
    expect(files[0]?.metadata.created_time).toMatch(/Z$/)
  })
})

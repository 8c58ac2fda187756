import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoClip } from '../../demo/demo-clip.ts'
import { buildExif, buildXmp, insertApp1 } from '../../demo/photo-metadata-writer.ts'
import { dronePhoto, plainJpeg, shotMetadata } from '../testing/photos.ts'
import { withFileSource } from './byte-source.ts'
import { readPhotoMetadata } from './read-photo-metadata.ts'

let folder: string
let number = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'metadata-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function read(bytes: Buffer | Promise<Buffer>) {
  const filePath = join(folder, `photo-${number++}`)
  await writeFile(filePath, await bytes)
  try {
    return await withFileSource(filePath, (source) => readPhotoMetadata(source, { assumedOffsetMinutes: 60 }))
  } finally {
    await rm(filePath)
  }
}

describe('a photo of an aircraft', () => {
  it('gives everything it says', async () => {
    const { metadata, problems } = await read(dronePhoto())
    expect(problems).toEqual([])
    expect(metadata).toEqual({
      captureTime: {
        epochMs: Date.parse('2025-06-14T01:30:00.250Z'),
        offsetMinutes: 480,
        zoneKnown: true,
        local: '2025-06-14T09:30:00'
      },
      zoneSource: 'exif',
      widthPx: 400,
      heightPx: 300,
      orientation: 1,
      latitude: 22.582,
      longitude: 113.936,
      absoluteAltitudeM: 142.5,
      relativeAltitudeM: 100.25,
      gimbalYawDeg: -12.5,
      gimbalPitchDeg: -90,
      gimbalRollDeg: 0,
      flightYawDeg: 12.25,
      flightPitchDeg: 1.5,
      flightRollDeg: -2.5,
      cameraMake: 'DJI',
      cameraModel: 'M4E',
      lensModel: null,
      exposureTimeS: 1 / 500,
      fNumber: 2.8,
      iso: 100,
      focalLengthMm: 12.29,
      focalLength35mm: null,
      droneModel: 'M4E',
      droneSerial: '1581F000001TEST',
      cameraSerial: '4K2D000001TEST'
    })
  })

  it('keeps to EXIF where there is no XMP, also south and west and below the sea', async () => {
    const position = { lat: -33.8568, lng: -70.6483, altitude: -36.889 }
    const exif = buildExif(shotMetadata({ position }))
    const { metadata } = await read(insertApp1(await plainJpeg(), exif))
    expect(metadata.latitude).toBeCloseTo(-33.8568, 6)
    expect(metadata.longitude).toBeCloseTo(-70.6483, 6)
    expect(metadata.absoluteAltitudeM).toBeCloseTo(-36.889, 3)
    expect(metadata.relativeAltitudeM).toBeNull()
    expect(metadata.cameraSerial).toBe('4K2D000001TEST')
  })

  it('has no position at 0,0 and when the aircraft says it has no fix', async () => {
    const nowhere = await read(dronePhoto({ position: { lat: 0, lng: 0, altitude: 0 } }))
    expect(nowhere.metadata).toMatchObject({ latitude: null, longitude: null })
    const { position: _, ...blind } = shotMetadata()
    const photo = insertApp1(await plainJpeg(), buildExif(shotMetadata()), buildXmp(blind))
    expect((await read(photo)).metadata).toMatchObject({ latitude: null, longitude: null })
  })

  it('turns the size with the orientation', async () => {
    const { metadata } = await read(dronePhoto({ orientation: 6 }))
    expect(metadata).toMatchObject({ widthPx: 300, heightPx: 400, orientation: 6 })
  })
})

describe('the zone of the capture time', () => {
  const local = '2025-06-14T09:30:00'
  const zoneless = (shot: Parameters<typeof dronePhoto>[0]) => {
    const { offset: _, gpsTime: __, ...rest } = shotMetadata({ localTime: local })
    return plainJpeg().then((jpeg) => insertApp1(jpeg, buildExif({ ...rest, ...shot }), buildXmp({ ...rest, ...shot })))
  }

  it('is derived from GPS time', async () => {
    const { metadata, problems } = await read(zoneless({ gpsTime: '2025-06-14T01:30:00' }))
    expect(metadata.captureTime).toMatchObject({ epochMs: Date.parse('2025-06-14T01:30:00Z'), offsetMinutes: 480 })
    expect(metadata.zoneSource).toBe('gps')
    expect(problems).toEqual([])
  })

  it('is not believed when GPS time is local time', async () => {
    const { metadata, problems } = await read(zoneless({ gpsTime: local }))
    expect(metadata.captureTime?.zoneKnown).toBe(false)
    expect(problems).toEqual(['zone_doubtful'])
  })

  it('is assumed and flagged when nothing tells it', async () => {
    const { metadata } = await read(zoneless({}))
    const epochMs = Date.parse('2025-06-14T08:30:00Z')
    expect(metadata.captureTime).toEqual({ epochMs, offsetMinutes: null, zoneKnown: false, local })
    expect(metadata.zoneSource).toBeNull()
  })

  it('needs a time to begin with', async () => {
    const { metadata, problems } = await read(dronePhoto({ localTime: '0000-00-00T00:00:00' }))
    expect(metadata.captureTime).toBeNull()
    expect(problems).toEqual(['capture_time_invalid'])
  })
})

describe('other formats and other content', () => {
  it('reads PNG, WebP and TIFF', async () => {
    const exif = {
      IFD0: { Make: 'DJI' },
      IFD2: { DateTimeOriginal: '2025:06:14 09:30:00', OffsetTimeOriginal: '+08:00' }
    }
    const picture = sharp(await plainJpeg(40, 30)).withExif(exif)
    for (const bytes of [await picture.clone().png().toBuffer(), await picture.clone().webp().toBuffer()]) {
      const { metadata, problems } = await read(bytes)
      expect(problems).toEqual([])
      expect(metadata).toMatchObject({ widthPx: 40, heightPx: 30, cameraMake: 'DJI' })
      expect(metadata.captureTime?.offsetMinutes).toBe(480)
    }
    // libvips writes the directory behind the pixels: here beyond the first mebibyte.
    const noise = { create: { width: 900, height: 700, channels: 3 as const, background: '#888' } }
    const tiff = await sharp(noise)
      .withXmp(buildXmp(shotMetadata()).subarray(29).toString())
      .tiff({ compression: 'none' })
      .toBuffer()
    expect((await read(tiff)).metadata).toMatchObject({ relativeAltitudeM: 100.25, latitude: 22.582 })
  })

  it.each<[string, () => Buffer | Promise<Buffer>, string]>([
    ['nothing', () => Buffer.alloc(0), 'empty_file'],
    ['text', () => Buffer.from('DJI_0001.JPG'), 'not_a_photo'],
    ['a video', () => demoClip('x'), 'not_a_photo'],
    ['a JPEG without metadata', () => plainJpeg(20, 20), ''],
    ['a JPEG of three bytes', () => Buffer.from('ffd8ff', 'hex'), 'cut_before_pixels'],
    [
      'a TIFF with its directory out of reach',
      () => Buffer.from('49492a00ffffff7f00000000', 'hex'),
      'metadata_out_of_reach'
    ]
  ])('%s', async (_, bytes, problem) => {
    const { metadata, problems } = await read(bytes())
    expect(problems).toEqual(problem ? [problem] : [])
    expect(metadata.captureTime).toBeNull()
  })
})

describe('hostile metadata', () => {
  const hex = (value: number, bytes: number) => {
    const buffer = Buffer.alloc(bytes)
    buffer.writeUIntLE(value, 0, bytes)
    return buffer.toString('hex')
  }
  /** An EXIF block whose first directory has `entries`; offsets count from the byte order mark. */
  const exifOf = (entries: string[], next = '00000000') => {
    const directory = hex(entries.length, 2) + entries.join('') + next
    return Buffer.from(`457869660000 49492a00 08000000 ${directory}`.replaceAll(' ', ''), 'hex')
  }
  const withSegments = async (...payloads: Buffer[]) => insertApp1(await plainJpeg(40, 30), ...payloads)
  const xmp = (body: string) =>
    Buffer.from(
      `http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${body}</rdf:RDF></x:xmpmeta>`
    )
  const many = (count: number, entry: (i: number) => string) => Array.from({ length: count }, (_, i) => entry(i))
  it.each<[string, () => Promise<Buffer>]>([
    [
      'directories that point at each other',
      () => withSegments(exifOf(['69870400010000000800 0000', '25880400010000000800 0000'], '08000000'))
    ],
    [
      'counts of four thousand million',
      () => withSegments(exifOf(['0f010200ffffffff08000000', '10010500ffffffff00000000', '3a010c00ffffffff01000000']))
    ],
    [
      'offsets beyond the end',
      () => withSegments(exifOf(['0f01020010000000ffffffff', '69870400 01000000ffffff7f'], 'ffffffff'))
    ],
    [
      'five thousand directories entries of 60 kB each',
      () => withSegments(exifOf(many(5000, (i) => `${hex(i + 1, 2)}0100${hex(60_000, 4)}08000000`)))
    ],
    ['one tag five thousand times', () => withSegments(exifOf(many(5000, () => `0f010200${hex(60_000, 4)}08000000`)))],
    ['XML nested ten thousand deep', () => withSegments(xmp('<a>'.repeat(9000) + '</a>'.repeat(9000)))],
    [
      'XML with five thousand attributes',
      () => withSegments(xmp(`<rdf:Description ${many(5000, (i) => `a${i}=""`).join(' ')}/>`))
    ],
    [
      'XML entities that multiply',
      () =>
        withSegments(
          Buffer.from(
            `http://ns.adobe.com/xap/1.0/\0<!DOCTYPE a [<!ENTITY a "${'a'.repeat(1000)}">${many(9, (i) => `<!ENTITY b${i} "${`&${i ? `b${i - 1}` : 'a'};`.repeat(10)}">`).join('')}]><x:xmpmeta>&b8;</x:xmpmeta>`
          )
        )
    ],
    ['thousands of packet ends', () => withSegments(xmp('<?xpacket end="'.repeat(4000)))],
    ['XML that does not end', () => withSegments(Buffer.from('http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:RDF'))],
    [
      'a segment longer than the file',
      async () => Buffer.concat([Buffer.from('ffd8ffe1ffff', 'hex'), Buffer.from('Exif\0\0II*\0\x08\0\0\0')])
    ],
    [
      'two thousand segments',
      async () => insertApp1(await plainJpeg(40, 30), ...many(2000, () => 'x').map((text) => Buffer.from(text)))
    ],
    [
      'a TIFF of one mebibyte of directory entries',
      async () =>
        Buffer.from(
          `49492a0008000000ffff${many(65535, (i) => `${hex(i, 2)}0100${hex(700_000, 4)}08000000`).join('')}`,
          'hex'
        )
    ],
    [
      'DJI numbers that are none',
      () =>
        withSegments(
          buildExif(shotMetadata()),
          Buffer.from(
            buildXmp(shotMetadata())
              .toString()
              .replaceAll(/[+-]\d+\.\d+/g, '1e999')
          )
        )
    ]
  ])('%s', { timeout: 10_000 }, async (_, bytes) => {
    const { metadata } = await read(bytes())
    for (const value of Object.values(metadata)) {
      if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true)
      if (typeof value === 'string') expect(value.length).toBeLessThanOrEqual(200)
    }
  })

  it('survives any change to a good photo', { timeout: 60_000 }, async () => {
    const good = await dronePhoto({ widthPx: 40, heightPx: 30 }, await plainJpeg(16, 12))
    const change = fc.record({
      at: fc.integer({ min: 0, max: good.length - 1 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 })
    })
    const mutation = fc.record({
      changes: fc.array(change, { minLength: 1, maxLength: 6 }),
      length: fc.integer({ min: 0, max: good.length })
    })
    await fc.assert(
      fc.asyncProperty(mutation, async ({ changes, length }) => {
        const bytes = Buffer.from(good)
        for (const { at, bytes: patch } of changes) Buffer.from(patch).copy(bytes, at)
        const { metadata } = await read(bytes.subarray(0, length))
        if (metadata.latitude !== null) expect(Math.abs(metadata.latitude)).toBeLessThanOrEqual(90)
        if (metadata.captureTime) expect(metadata.captureTime.local).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
      }),
      { numRuns: 400 }
    )
  })
})

const photos = process.env.FLIGHTCASE_TEST_PHOTOS
if (!photos) console.warn('\n!!! SKIPPED metadata of real photos: FLIGHTCASE_TEST_PHOTOS names no folder !!!\n')
describe.skipIf(!photos)('real photos', () => {
  it('all tell when and where they were taken', async () => {
    const names = (await readdir(photos ?? '')).filter((name) => /\.jpe?g$/i.test(name))
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) {
      const { metadata, problems } = await withFileSource(join(photos ?? '', name), (source) =>
        readPhotoMetadata(source)
      )
      expect(problems, name).toEqual([])
      expect(metadata.captureTime, name).not.toBeNull()
      expect(metadata.latitude, name).not.toBeNull()
      expect(metadata.gimbalPitchDeg, name).not.toBeNull()
    }
  })
})

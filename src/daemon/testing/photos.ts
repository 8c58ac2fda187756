import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { buildExif, buildXmp, insertApp1, type ShotMetadata } from '../../demo/photo-metadata-writer.ts'

/** Metadata of a shot over Shenzhen with everything an aircraft can tell; override what a test is about. */
export function shotMetadata(overrides: Partial<ShotMetadata> = {}): ShotMetadata {
  return {
    make: 'DJI',
    model: 'M4E',
    localTime: '2025-06-14T09:30:00.25',
    offset: '+08:00',
    gpsTime: '2025-06-14T01:30:00',
    widthPx: 400,
    heightPx: 300,
    position: { lat: 22.582, lng: 113.936, altitude: 142.5 },
    relativeAltitude: 100.25,
    gimbal: { yaw: -12.5, pitch: -90, roll: 0 },
    flight: { yaw: 12.25, pitch: 1.5, roll: -2.5 },
    exposureTimeS: 1 / 500,
    fNumber: 2.8,
    iso: 100,
    focalLengthMm: 12.29,
    droneSerial: '1581F000001TEST',
    cameraSerial: '4K2D000001TEST',
    ...overrides
  }
}

/** A noisy picture as a JPEG: red left, blue right, a white patch top left, so that every way of turning it shows. */
export async function plainJpeg(widthPx = 400, heightPx = 300): Promise<Buffer> {
  const half = Math.floor(widthPx / 2)
  const blue = { create: { width: widthPx - half, height: heightPx, channels: 3 as const, background: '#2040c0' } }
  const patchSize = { width: Math.ceil(widthPx / 4), height: Math.ceil(heightPx / 4) }
  const patch = { create: { ...patchSize, channels: 3 as const, background: '#f0f0f0' } }
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 40 }
  const grain = {
    create: {
      width: Math.min(128, widthPx),
      height: Math.min(128, heightPx),
      channels: 3 as const,
      background: '#808080',
      noise
    }
  }
  return sharp({ create: { width: widthPx, height: heightPx, channels: 3, background: '#c04020' } })
    .composite([
      { input: await sharp(blue).png().toBuffer(), left: half, top: 0 },
      { input: await sharp(patch).png().toBuffer(), left: 0, top: 0 },
      { input: await sharp(grain).png().toBuffer(), tile: true, blend: 'soft-light' }
    ])
    .jpeg({ quality: 90 })
    .toBuffer()
}

/** A photo as an aircraft writes it. */
export async function dronePhoto(overrides: Partial<ShotMetadata> = {}, preview?: Buffer): Promise<Buffer> {
  const shot = shotMetadata(overrides)
  return insertApp1(await plainJpeg(shot.widthPx, shot.heightPx), buildExif(shot, preview), buildXmp(shot))
}

/** A valid grey PNG of any size, a few hundred kilobytes on disk because its rows are all zero. */
export function blankPng(widthPx: number, heightPx: number, interlace: 0 | 1 = 0): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const frame = Buffer.alloc(8)
    frame.writeUInt32BE(data.length)
    frame.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(widthPx)
  header.writeUInt32BE(heightPx, 4)
  header.set([1, 0, 0, 0, interlace], 8) // one bit per pixel
  const rows = Buffer.alloc((Math.ceil(widthPx / 8) + 1) * heightPx)
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  const pixels = deflateSync(rows, { level: 1 })
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}

/** A picture of coloured shapes, another one for every seed, 640×480: what tells pictures apart by their look needs some. */
export function scene(seed: number): Promise<Buffer> {
  let state = seed * 2654435761 + 1
  const random = (max: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * max)
  }
  const shapes = Array.from({ length: 14 }, () => {
    const colour = `rgb(${random(256)},${random(256)},${random(256)})`
    return `<ellipse cx="${random(640)}" cy="${random(480)}" rx="${40 + random(200)}" ry="${40 + random(160)}" fill="${colour}"/>`
  })
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><rect width="640" height="480" fill="#567"/>${shapes.join('')}</svg>`
  return sharp(Buffer.from(svg)).jpeg({ quality: 92 }).toBuffer()
}

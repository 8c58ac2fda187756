import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { readImageSize } from './image-size.ts'

const sourceOf = (bytes: Buffer) => ({
  sizeBytes: bytes.length,
  read: async (position: number, length: number) => bytes.subarray(position, position + length)
})
const sizeOf = (bytes: Buffer, mimeType: string) => readImageSize(sourceOf(bytes), mimeType)

/** 1280 × 853 in `format`. */
const picture = () => sharp({ create: { width: 1280, height: 853, channels: 3, background: '#268' } })
const bitmap = (header: number, write: (bytes: Buffer) => void) => {
  const bytes = Buffer.alloc(64)
  bytes.write('BM')
  bytes.writeUInt32LE(header, 14)
  write(bytes)
  return bytes
}

const pictures: [string, () => Promise<Buffer>, string][] = [
  ['a JPEG', () => picture().jpeg().toBuffer(), 'image/jpeg'],
  ['a PNG', () => picture().png().toBuffer(), 'image/png'],
  ['a GIF', () => picture().gif().toBuffer(), 'image/gif'],
  ['a lossy WebP', () => picture().webp().toBuffer(), 'image/webp'],
  ['a lossless WebP', () => picture().webp({ lossless: true }).toBuffer(), 'image/webp'],
  [
    'a WebP with extras',
    () =>
      picture()
        .withExif({ IFD0: { Make: 'x' } })
        .webp()
        .toBuffer(),
    'image/webp'
  ],
  ['an AVIF', () => picture().avif({ effort: 0 }).toBuffer(), 'image/avif'],
  ['a TIFF', () => picture().tiff().toBuffer(), 'image/tiff'],
  ['a BigTIFF', () => picture().tiff({ bigtiff: true }).toBuffer(), 'image/tiff'],
  ['a TIFF whose first picture is small', () => picture().tiff({ pyramid: true, tile: true }).toBuffer(), 'image/tiff'],
  [
    'a bitmap',
    async () =>
      bitmap(40, (bytes) => {
        bytes.writeInt32LE(1280, 18)
        bytes.writeInt32LE(-853, 22)
      }),
    'image/bmp'
  ],
  [
    'an old bitmap',
    async () =>
      bitmap(12, (bytes) => {
        bytes.writeUInt16LE(1280, 18)
        bytes.writeUInt16LE(853, 20)
      }),
    'image/bmp'
  ]
]

describe('the size of a picture', () => {
  test.each(pictures)('%s', async (_, make, mimeType) => {
    expect(await sizeOf(await make(), mimeType)).toEqual({ widthPx: 1280, heightPx: 853 })
  })

  test.each(pictures)('%s, cut anywhere, gives that size or none', async (_, make, mimeType) => {
    const bytes = await make()
    for (let length = 0; length < Math.min(bytes.length, 600); length += 3)
      expect([null, 1280]).toContain((await sizeOf(bytes.subarray(0, length), mimeType))?.widthPx ?? null)
  })

  test('a TIFF whose directories go round in a circle ends', async () => {
    const bytes = Buffer.alloc(100)
    bytes.write('II*\0', 'latin1')
    bytes.writeUInt32LE(8, 4)
    bytes.writeUInt16LE(0, 8)
    bytes.writeUInt32LE(8, 10)
    expect(await sizeOf(bytes, 'image/tiff')).toBeNull()
  })

  test('what is no picture has none', async () => {
    expect(await sizeOf(Buffer.from('{}'), 'application/json')).toBeNull()
    expect(await sizeOf(Buffer.from('{}'), 'constructor')).toBeNull()
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { demoClip } from '../../demo/demo-clip.ts'
import { plainJpeg } from '../testing/photos.ts'
import { sniffFile, sniffMedia } from './sniff-media.ts'

const box = (type: string, brands: string) => {
  const bytes = Buffer.from(`\0\0\0\0${type}${brands}`, 'latin1')
  bytes.writeUInt32BE(bytes.length)
  return bytes
}
const packets = (size: number, lead: number) => {
  const bytes = Buffer.alloc(size * 5, 1)
  for (let at = lead; at < bytes.length; at += size) bytes[at] = 0x47
  return bytes
}
const picture = { create: { width: 9, height: 9, channels: 3 as const, background: '#123456' } }
const dng = Buffer.from(
  '49492a0008000000' + '0200' + '000104000100000010000000' + '12c601000400000001040000' + '0000',
  'hex'
)

it.each<[string, Buffer | Promise<Buffer>, string, string]>([
  ['a JPEG', plainJpeg(16, 16), 'image', 'image/jpeg'],
  ['a PNG', sharp(picture).png().toBuffer(), 'image', 'image/png'],
  ['a WebP', sharp(picture).webp().toBuffer(), 'image', 'image/webp'],
  ['an AVIF', sharp(picture).avif({ effort: 0 }).toBuffer(), 'image', 'image/avif'],
  ['a TIFF', sharp(picture).tiff().toBuffer(), 'image', 'image/tiff'],
  ['a DNG', dng, 'image', 'image/x-adobe-dng'],
  ['a HEIC', box('ftyp', 'heic\0\0\0\0mif1heic'), 'image', 'image/heic'],
  ['the demo clip', demoClip('x'), 'video', 'video/mp4'],
  ['a QuickTime file', box('ftyp', 'qt  \0\0\0\0qt  '), 'video', 'video/quicktime'],
  ['an old QuickTime file', box('mdat', '........'), 'video', 'video/quicktime'],
  ['a transport stream', packets(188, 0), 'video', 'video/mp2t'],
  ['a transport stream with time codes', packets(192, 4), 'video', 'video/mp2t'],
  [
    'a Matroska file',
    Buffer.from('1a45dfa3a34286810142f7810142f2810442f381084282886d6174726f736b61', 'hex'),
    'video',
    'video/x-matroska'
  ],
  [
    'a WebM file',
    Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d', 'hex'),
    'video',
    'video/webm'
  ],
  ['an AVI', Buffer.from('RIFF....AVI LIST'), 'video', 'video/x-msvideo'],
  ['a WAV', Buffer.from('RIFF....WAVEfmt '), 'audio', 'audio/wav'],
  [
    'subtitles',
    Buffer.from('1\r\n00:00:00,000 --> 00:00:00,033\r\n<font size="28">'),
    'document',
    'application/x-subrip'
  ],
  ['a drawing', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'document', 'image/svg+xml'],
  [
    'a drawing behind everything that may stand before it',
    Buffer.from('\ufeff<?xml version="1.0"?>\n<!-- a --><!DOCTYPE svg PUBLIC "x" [<!ENTITY a "b">]>\n<svg>'),
    'document',
    'image/svg+xml'
  ],
  ['a page', Buffer.from('\n<!-- x --><!DOCTYPE html><title>'), 'document', 'text/html'],
  ['a script in a page', Buffer.from('<SCRIPT >alert(1)'), 'document', 'text/html'],
  ['text with a comparison', Buffer.from('<5 m above ground'), 'document', 'text/plain'],
  ['a KML', Buffer.from('<?xml version="1.0"?><kml/>'), 'document', 'application/xml'],
  ['text', Buffer.from('Flug über dem Feld'), 'document', 'text/plain'],
  ['text cut inside a character', Buffer.from('Flug ü').subarray(0, 6), 'document', 'text/plain'],
  ['a text that starts like a bitmap', Buffer.from('BM is not always a bitmap, you know'), 'document', 'text/plain'],
  ['nothing', Buffer.alloc(0), 'other', 'application/octet-stream'],
  ['noise', Buffer.from([1, 2, 3, 4]), 'other', 'application/octet-stream']
])('knows %s', async (_, bytes, kind, mimeType) => {
  expect(sniffMedia(await bytes)).toEqual({ kind, mimeType })
})

it('goes by content, not by name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sniff-'))
  try {
    await writeFile(join(folder, 'DJI_0001.MP4'), 'not a video')
    await writeFile(join(folder, 'notes.txt'), await plainJpeg(8, 8))
    expect(await sniffFile(join(folder, 'DJI_0001.MP4'))).toEqual({ kind: 'document', mimeType: 'text/plain' })
    expect(await sniffFile(join(folder, 'notes.txt'))).toEqual({ kind: 'image', mimeType: 'image/jpeg' })
    await expect(sniffFile(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' })
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('answers for any bytes', () => {
  const marks = fc.constantFrom('', 'RIFF', 'II*\0', 'MM\0*', '\0\0\0\x18ftyp', '\x1a\x45\xdf\xa3', 'BM')
  fc.assert(
    fc.property(marks, fc.uint8Array({ maxLength: 600 }), (mark, rest) => {
      const { mimeType } = sniffMedia(Buffer.concat([Buffer.from(mark, 'latin1'), rest]))
      expect(mimeType).toMatch(/^[a-z]+\/[a-z0-9.+-]+$/)
    })
  )
})

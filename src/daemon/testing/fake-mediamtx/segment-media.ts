import { readFileSync } from 'node:fs'

// Small but playable fragmented MP4 (ISO/IEC 14496-12): a dark blue picture of 64x36 pixels in H.264, one frame a second.
// Recorded files carry the box in which MediaMTX keeps what joins them: the run they belong to and their number in it.

const TIMESCALE = 1000
const FRAME_MS = 1000
const decoderSettings = Buffer.from(
  '0142c00affe100196742c00aa61111fe7c044000000300400000030083c489846001000668c8420f2c80',
  'hex'
)
const frame = Buffer.from('0000001d65888202be231400065a6380008dc47000116d939393aebaebaebaebc0', 'hex')

/** What a recorded file tells about itself besides its pictures. */
export interface SegmentHeader {
  /** A UUID: the same for all files of one uninterrupted recording. */
  run: string
  /** Position in the run, from 0. */
  number: number
  startUs: number
}

/** A recorded file. One that is still open has no duration in its header, only in its parts. */
export function segmentBytes(header: SegmentHeader, durationMs: number, isOpen = false): Buffer {
  return Buffer.concat([initBytes(isOpen ? 0 : durationMs, runBox(header)), partsBytes(0, durationMs)])
}

/** A stretch of video of that duration, whose header tells it (`mp4`) or does not (`fmp4`). */
export function clipBytes(durationMs: number, format: 'fmp4' | 'mp4'): Buffer {
  return Buffer.concat([initBytes(format === 'mp4' ? durationMs : 0), partsBytes(0, durationMs)])
}

/** The header of a stream whose parts follow on their own. */
export const initBytes = (durationMs = 0, userData?: Buffer): Buffer =>
  Buffer.concat([
    box('ftyp', 'mp42', u32(1), 'mp41mp42isomhlsf'),
    box(
      'moov',
      box('mvhd', u32(0, 0, 0, TIMESCALE, durationMs, 0x10000, 0x1000000, 0, 0), matrix, u32(0, 0, 0, 0, 0, 0), u32(2)),
      trackBox(),
      box('mvex', box('trex', u32(0, 1, 1, 0, 0, 0))),
      ...(userData ? [box('udta', userData)] : [])
    )
  ])

/** Parts of a stream from a position on, one a second. */
export function partsBytes(fromMs: number, durationMs: number): Buffer {
  const parts: Buffer[] = []
  for (let atMs = 0; atMs < durationMs; atMs += FRAME_MS) {
    parts.push(partBytes(fromMs + atMs, Math.min(FRAME_MS, durationMs - atMs)))
  }
  return Buffer.concat(parts)
}

function partBytes(atMs: number, durationMs: number): Buffer {
  const moofWith = (dataOffset: number) =>
    box(
      'moof',
      box('mfhd', u32(0, Math.floor(atMs / FRAME_MS) + 1)),
      box(
        'traf',
        box('tfhd', u32(0x020000, 1)),
        box('tfdt', u32(0x01000000), u64(BigInt(atMs))),
        box('trun', u32(0x000301, 1, dataOffset, durationMs, frame.length))
      )
    )
  return Buffer.concat([moofWith(moofWith(0).length + 8), box('mdat', frame)])
}

function trackBox(): Buffer {
  const sample = box(
    'avc1',
    u32(0, 1, 0, 0, 0, 0, (64 << 16) | 36, 0x480000, 0x480000, 0),
    Buffer.from('0001', 'hex'),
    Buffer.alloc(32),
    Buffer.from('0018ffff', 'hex'),
    box('avcC', decoderSettings)
  )
  return box(
    'trak',
    box('tkhd', u32(3, 0, 0, 1, 0, 0, 0, 0, 0, 0), matrix, u32(64 << 16, 36 << 16)),
    box(
      'mdia',
      box('mdhd', u32(0, 0, 0, TIMESCALE, 0, 0x55c40000)),
      box('hdlr', u32(0, 0), 'vide', u32(0, 0, 0), 'video\0'),
      box(
        'minf',
        box('vmhd', u32(1, 0, 0)),
        box('dinf', box('dref', u32(0, 1), box('url ', u32(1)))),
        box(
          'stbl',
          box('stsd', u32(0, 1), sample),
          box('stts', u32(0, 0)),
          box('stsc', u32(0, 0)),
          box('stsz', u32(0, 0, 0)),
          box('stco', u32(0, 0))
        )
      )
    )
  )
}

const runBox = ({ run, number, startUs }: SegmentHeader) =>
  box(
    'mtxi',
    u32(0),
    Buffer.from(run.replaceAll('-', ''), 'hex'),
    u64(BigInt(number)),
    u64(ns(startUs)),
    u64(ns(startUs))
  )

const ns = (us: number) => BigInt(us) * 1000n

function box(type: string, ...content: (Buffer | string)[]): Buffer {
  const parts = content.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))
  const size = parts.reduce((sum, part) => sum + part.length, 8)
  return Buffer.concat([u32(size), Buffer.from(type, 'latin1'), ...parts])
}

function u32(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => {
    buffer.writeUInt32BE(value >>> 0, index * 4)
  })
  return buffer
}

function u64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(value)
  return buffer
}

const matrix = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

/** What a recorded file is found to be: its length, and its place in a run where it tells one. */
export interface ReadSegment {
  durationMs: number
  run: string | null
  number: number
}

/** Reads a recorded file; throws an `Error` in the server's words for one that is damaged. */
export function readSegment(file: string): ReadSegment {
  const bytes = readFileSync(file)
  const ftyp = boxAt(bytes, 0, 'ftyp')
  const moov = boxAt(bytes, ftyp.end, 'moov')
  if (moov.end > bytes.length) throw new Error('unexpected EOF')
  const headerMs = bytes.readUInt32BE(ftyp.end + 8 + 8 + 16)
  const mark = bytes.subarray(0, moov.end).indexOf('mtxi', ftyp.end, 'latin1')
  return {
    durationMs: headerMs === 0 ? durationOfParts(bytes, moov.end) : headerMs,
    run: mark < 0 ? null : bytes.toString('hex', mark + 8, mark + 24),
    number: mark < 0 ? 0 : Number(bytes.readBigUInt64BE(mark + 24))
  }
}

function boxAt(bytes: Buffer, start: number, type: string): { end: number } {
  if (start >= bytes.length) throw new Error('EOF')
  if (start + 8 > bytes.length) throw new Error('unexpected EOF')
  if (bytes.toString('latin1', start + 4, start + 8) !== type) throw new Error(`${type} box not found`)
  return { end: start + bytes.readUInt32BE(start) }
}

/** Where the last part that is whole ends, in milliseconds; the parts are as this module writes them. */
function durationOfParts(bytes: Buffer, start: number): number {
  let endMs: number | null = null
  for (let at = start; at + 8 <= bytes.length; ) {
    const moofEnd = at + bytes.readUInt32BE(at)
    if (moofEnd + 8 > bytes.length) break
    const end = moofEnd + bytes.readUInt32BE(moofEnd)
    if (end > bytes.length) break
    const moof = bytes.subarray(at, moofEnd)
    const tfdt = moof.indexOf('tfdt', 0, 'latin1')
    const trun = moof.indexOf('trun', 0, 'latin1')
    endMs = Number(moof.readBigUInt64BE(tfdt + 8)) + moof.readUInt32BE(trun + 16)
    at = end
  }
  if (endMs === null) throw new Error('no moof boxes found')
  return endMs
}

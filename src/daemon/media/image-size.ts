import { type ByteSource, inWindows } from './byte-source.ts'
import { readJpegHead } from './jpeg-head.ts'

/** In pixels, as stored (before any turning). */
export interface ImageSize {
  widthPx: number
  heightPx: number
}

const WINDOW_BYTES = 16 * 1024
const MAX_META_BYTES = 1024 ** 2
const MAX_DIRECTORIES = 64
const MAX_ENTRIES = 512

/**
 * How large a picture says it is, from its header: nothing is decoded, and little is read whatever the file claims. Of a file with
 * several pictures the largest. Null for what is no picture, is cut off or tells its size elsewhere. Raises the source's errors.
 */
export async function readImageSize(source: ByteSource, mimeType: string): Promise<ImageSize | null> {
  const read = Object.hasOwn(readers, mimeType) ? readers[mimeType] : undefined
  const size = await read?.(inWindows(source, WINDOW_BYTES))
  return size && size.widthPx > 0 && size.heightPx > 0 ? size : null
}

type SizeReader = (source: ByteSource) => Promise<ImageSize | null>

const readers: Record<string, SizeReader> = {
  'image/jpeg': async (source) => (await readJpegHead(source))?.frame ?? null,
  // PNG third edition §11.2.1
  'image/png': fromHead(24, (head) => ({ widthPx: head.readUInt32BE(16), heightPx: head.readUInt32BE(20) })),
  // GIF89a §18: the logical screen, which no frame may exceed
  'image/gif': fromHead(10, (head) => ({ widthPx: head.readUInt16LE(6), heightPx: head.readUInt16LE(8) })),
  'image/bmp': fromHead(26, bitmapSize),
  'image/webp': fromHead(30, webpSize),
  'image/tiff': tiffSize,
  'image/x-adobe-dng': tiffSize,
  'image/heic': heifSize,
  'image/avif': heifSize
}

function fromHead(lengthBytes: number, read: (head: Buffer) => ImageSize | null): SizeReader {
  return async (source) => {
    const head = await source.read(0, lengthBytes)
    return head.length < lengthBytes ? null : read(head)
  }
}

/** Old headers have 12 bytes; in all others a negative height only means top to bottom. */
function bitmapSize(head: Buffer): ImageSize {
  if (head.readUInt32LE(14) === 12) return { widthPx: head.readUInt16LE(18), heightPx: head.readUInt16LE(20) }
  return { widthPx: head.readInt32LE(18), heightPx: Math.abs(head.readInt32LE(22)) }
}

/** RFC 9649 §2.5 to §2.7. */
function webpSize(head: Buffer): ImageSize | null {
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { widthPx: head.readUInt16LE(26) & 0x3fff, heightPx: head.readUInt16LE(28) & 0x3fff }
    case 'VP8L': {
      const bits = head.readUInt32LE(21)
      return { widthPx: (bits & 0x3fff) + 1, heightPx: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case 'VP8X':
      return { widthPx: head.readUIntLE(24, 3) + 1, heightPx: head.readUIntLE(27, 3) + 1 }
    default:
      return null
  }
}

const IMAGE_WIDTH = 256
const IMAGE_LENGTH = 257
const SUB_DIRECTORIES = 330
const VALUE_BYTES: Record<number, number> = { 3: 2, 4: 4, 13: 4, 16: 8, 18: 8 }

/** Goes through the directories of a TIFF or BigTIFF, also through those inside others, where a DNG keeps its picture. */
async function tiffSize(source: ByteSource): Promise<ImageSize | null> {
  const head = await source.read(0, 16)
  if (head.length < 16) return null
  const isLittle = head[0] === 0x49
  const isBig = (isLittle ? head[2] : head[3]) === 0x2b
  const uint = (bytes: Buffer, at: number, length: number): number => {
    if (at + length > bytes.length) return 0
    if (length === 8) return Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
    return isLittle ? bytes.readUIntLE(at, length) : bytes.readUIntBE(at, length)
  }
  const [countBytes, entryBytes, offsetBytes] = isBig ? [8, 20, 8] : [2, 12, 4]
  const due = [uint(head, isBig ? 8 : 4, offsetBytes)]
  const seen = new Set<number>()
  let largest: ImageSize | null = null
  for (let at = due.pop(); at !== undefined && seen.size < MAX_DIRECTORIES; at = due.pop()) {
    if (at < 8 || at >= source.sizeBytes || seen.has(at)) continue
    seen.add(at)
    const told = uint(await source.read(at, countBytes), 0, countBytes)
    const count = Math.min(told, MAX_ENTRIES)
    const entries = await source.read(at + countBytes, count * entryBytes)
    const size = { widthPx: 0, heightPx: 0 }
    for (let entry = 0; entry + entryBytes <= entries.length; entry += entryBytes) {
      const tag = uint(entries, entry, 2)
      const valueBytes = VALUE_BYTES[uint(entries, entry + 2, 2)]
      if (valueBytes === undefined) continue
      const values = Math.min(uint(entries, entry + 4, offsetBytes), MAX_DIRECTORIES)
      const valueAt = entry + 4 + offsetBytes
      const isInside = values * valueBytes <= offsetBytes
      if (tag === IMAGE_WIDTH) size.widthPx = uint(entries, valueAt, valueBytes)
      else if (tag === IMAGE_LENGTH) size.heightPx = uint(entries, valueAt, valueBytes)
      else if (tag === SUB_DIRECTORIES) {
        const list = isInside
          ? entries.subarray(valueAt, valueAt + offsetBytes)
          : await source.read(uint(entries, valueAt, offsetBytes), values * valueBytes)
        for (let index = 0; index < values; index++) due.push(uint(list, index * valueBytes, valueBytes))
      }
    }
    largest = larger(largest, size)
    due.push(uint(await source.read(at + countBytes + told * entryBytes, offsetBytes), 0, offsetBytes))
  }
  return largest
}

/** The largest of the sizes that the pictures of a HEIF file have (`ispe`, ISO/IEC 23008-12 §6.5.3). */
async function heifSize(source: ByteSource): Promise<ImageSize | null> {
  for (let at = 0, boxes = 0; at + 8 <= source.sizeBytes && boxes < MAX_DIRECTORIES; boxes++) {
    const header = await source.read(at, 16)
    const length =
      header.readUInt32BE(0) === 1 && header.length === 16 ? Number(header.readBigUInt64BE(8)) : header.readUInt32BE(0)
    if (header.toString('latin1', 4, 8) === 'meta') {
      return largestProperty(await source.read(at, Math.min(length === 0 ? MAX_META_BYTES : length, MAX_META_BYTES)))
    }
    if (length < 8) return null
    at += length
  }
  return null
}

/** The boxes around the properties are of no interest: a name of four letters and a length of 20 are mark enough. */
function largestProperty(meta: Buffer): ImageSize | null {
  let largest: ImageSize | null = null
  for (let at = meta.indexOf('ispe', 4); at !== -1 && at + 16 <= meta.length; at = meta.indexOf('ispe', at + 4)) {
    if (meta.readUInt32BE(at - 4) === 20)
      largest = larger(largest, { widthPx: meta.readUInt32BE(at + 8), heightPx: meta.readUInt32BE(at + 12) })
  }
  return largest
}

function larger(one: ImageSize | null, other: ImageSize): ImageSize {
  return one && one.widthPx * one.heightPx >= other.widthPx * other.heightPx ? one : other
}

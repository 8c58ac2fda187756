import { type ByteSource, inWindows } from './byte-source.ts'

/** The parts of a JPEG in front of its pixels that we use. All offsets are file offsets. */
export type JpegHead = {
  /** A small JPEG of the EXIF, XMP, MPF and frame segments alone: what a metadata reader has to see. */
  essence: Buffer
  /** Offset of the MPF block's byte order mark, in the file and in `essence`; null when there is none. */
  mpf: { fileOffset: number; essenceOffset: number } | null
  /** Null when the file ends before the frame header. */
  frame: { widthPx: number; heightPx: number } | null
}

// A thermal photo has about sixty 64 KiB segments; beyond this many something is wrong.
const MAX_SEGMENTS = 1024
const WINDOW_BYTES = 64 * 1024

const APP1 = 0xe1
const APP2 = 0xe2
const WANTED: [name: 'exif' | 'xmp' | 'mpf', marker: number, identifier: string][] = [
  ['exif', APP1, 'Exif\0\0'],
  ['xmp', APP1, 'http://ns.adobe.com/xap/1.0/\0'],
  ['mpf', APP2, 'MPF\0']
]

/**
 * Walks the marker segments (ITU-T T.81 annex B) up to the first scan. Reads their headers, and of their contents only
 * the wanted ones, so the cost does not depend on how much lies in between. Null when the file is no JPEG; what is
 * damaged ends the walk. Raises the source's errors.
 */
export async function readJpegHead(source: ByteSource): Promise<JpegHead | null> {
  const { read } = inWindows(source, WINDOW_BYTES)
  if ((await read(0, 2)).toString('hex') !== 'ffd8') return null
  const pieces: Buffer[] = [Buffer.from([0xff, 0xd8])]
  const seen = new Set<string>()
  let essenceBytes = 2
  let at = 2
  let frame: JpegHead['frame'] = null
  let mpf: JpegHead['mpf'] = null
  for (let segment = 0; segment < MAX_SEGMENTS; segment++) {
    const header = await read(at, 4)
    const marker = header[1]
    if (header.length < 4 || header[0] !== 0xff || marker === undefined) break
    if (marker === 0xff) {
      at++ // fill byte
      continue
    }
    const length = header.readUInt16BE(2)
    if (marker === 0xd9 || marker === 0xda || length < 2) break
    const start = await read(at + 4, Math.min(32, length - 2))
    const wanted = WANTED.find(([, of, identifier]) => of === marker && start.toString('latin1').startsWith(identifier))
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame && start.length >= 5) frame ??= { heightPx: start.readUInt16BE(1), widthPx: start.readUInt16BE(3) }
    if (wanted && !seen.has(wanted[0])) {
      seen.add(wanted[0])
      const whole = await read(at, length + 2)
      if (whole.length < length + 2) break
      if (wanted[0] === 'mpf') mpf = { fileOffset: at + 8, essenceOffset: essenceBytes + 8 }
      pieces.push(whole)
      essenceBytes += whole.length
    }
    at += length + 2
  }
  // A scan marker, so that the reader knows it has seen everything.
  pieces.push(Buffer.from([0xff, 0xda, 0, 2, 0xff, 0xd9, 0, 0, 0, 0]))
  return { essence: Buffer.concat(pieces), mpf, frame }
}

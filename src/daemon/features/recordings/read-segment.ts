import { type ByteSource, inWindows } from '../../media/byte-source.ts'
import { boxAt, children, inside } from '../../media/mp4-boxes.ts'

/** What a file of a recording says: fragmented MP4 (ISO/IEC 14496-12 §8.8) as MediaMTX writes it, or ffmpeg. */
export interface SegmentContent {
  /** To the end of its last whole part; null without one. */
  durationMs: number | null
  /** Who wrote it has ended it properly. */
  isClosed: boolean
  /** Files of one run of the recorder with numbers in a row continue each other; null where the file does not say. */
  run: { id: string; number: number } | null
  /** Where its last whole part ends; the size, where it was not read through. */
  wholeBytes: number
  /** What is wrong with it, in English; null when nothing is. */
  problem: string | null
}

/** How the problem of a file begins that ends too soon. */
export const CUT_OFF = 'it is cut off'
const MAX_INDEX_BYTES = 1 << 20
/** A part of one second has an index of one or two kilobytes. */
const WINDOW_BYTES = 4096
const RUN_BOX_BYTES = 44
/** All that stands behind the header of a file: chance makes a box of anything. */
const BESIDE_PARTS: ReadonlySet<string> = new Set('moof mdat mfra free skip styp sidx ssix emsg prft uuid'.split(' '))
const SEARCH_BYTES = 1 << 20
/** The header of a part and of what it begins with (§8.8.5). */
const PART_MARK_BYTES = 16

/**
 * Reads what a file says of itself, without its pictures. What is closed says its duration at its beginning and is read through
 * (`isThorough`) only to see whether all of it is there. What grows is read from `resumeAt` on, where its whole parts ended before; its
 * duration is null then while there is no further one. Raises the source's errors.
 */
export async function readSegment(
  source: ByteSource,
  options: { isThorough: boolean; resumeAt?: number | undefined }
): Promise<SegmentContent> {
  const { read, sizeBytes } = inWindows(source, WINDOW_BYTES)
  const nothing = { durationMs: null, isClosed: false, run: null, wholeBytes: 0 }
  if (sizeBytes === 0) return { ...nothing, problem: 'the file is empty' }
  const type = boxAt(await read(0, 16), 0, sizeBytes)
  if (type?.type !== 'ftyp') return { ...nothing, problem: 'it does not begin like an MP4 file' }
  const header = boxAt(await read(type.end, 16), 0, sizeBytes)
  if (header?.type !== 'moov' || header.end > MAX_INDEX_BYTES || type.end + header.end > sizeBytes)
    return { ...nothing, problem: 'its header is missing' }
  const index = await read(type.end + header.start, header.end - header.start)
  const movie = { tracks: readTracks(index), run: readRun(index) }
  const told = durationOf(inside(index, 'mvhd'))
  const isClosed = told !== null
  if (isClosed && !options.isThorough)
    return { durationMs: told, isClosed, run: movie.run, wholeBytes: sizeBytes, problem: null }
  const parts = await walkParts({ read, sizeBytes }, options.resumeAt ?? type.end + header.end, options.isThorough)
  const last = parts.last && lastInstantMs(parts.last, movie.tracks)
  const problem = parts.problem ?? (last === null ? 'it holds no pictures' : null)
  return { durationMs: last, isClosed, run: movie.run, wholeBytes: parts.wholeBytes, problem }
}

/**
 * Follows the parts (`moof`, then `mdat`) to the end. Where something is none, whole parts may follow behind it: that is a hole and not the
 * end, and only who looks thoroughly can tell the two apart.
 */
async function walkParts(
  source: ByteSource,
  from: number,
  isThorough: boolean
): Promise<{ last: Buffer | null; wholeBytes: number; problem: string | null }> {
  const { read, sizeBytes } = source
  let last: Buffer | null = null
  let wholeBytes = from
  let hole: string | null = null
  let waiting: Buffer | null = null
  for (let at = from; at < sizeBytes; ) {
    const box = boxAt(await read(at, 16), 0, sizeBytes - at)
    const isWhole = box !== null && BESIDE_PARTS.has(box.type) && at + box.end <= sizeBytes
    if (!isWhole || (box.type === 'moof' && box.end > MAX_INDEX_BYTES)) {
      const next = isThorough ? await findPart(source, at + 1) : null
      if (next === null) break
      hole ??= `it cannot be read from byte ${at} on`
      waiting = null
      at = next
      continue
    }
    if (box.type === 'moof') waiting = Buffer.from(await read(at + box.start, box.end - box.start))
    else if (box.type === 'mdat' && waiting) {
      last = waiting
      waiting = null
    }
    at += box.end
    if (!waiting && hole === null) wholeBytes = at
  }
  if (hole !== null) return { last, wholeBytes, problem: hole }
  return { last, wholeBytes, problem: wholeBytes < sizeBytes ? `${CUT_OFF} after ${wholeBytes} bytes` : null }
}

/** Where the next part begins that may be one; null when there is none. */
async function findPart({ read, sizeBytes }: ByteSource, from: number): Promise<number | null> {
  for (let at = from; at < sizeBytes; at += SEARCH_BYTES) {
    // What lies across the end of the window is found, too.
    const window = Buffer.from(await read(at, SEARCH_BYTES + PART_MARK_BYTES))
    for (
      let found = window.indexOf('moof', 4, 'latin1');
      found >= 0;
      found = window.indexOf('moof', found + 1, 'latin1')
    ) {
      const box = boxAt(window, found - 4, sizeBytes)
      const isPart = window.toString('latin1', found + 8, found + 12) === 'mfhd'
      if (isPart && box && at + box.end <= sizeBytes && box.end - box.start <= MAX_INDEX_BYTES) return at + found - 4
    }
  }
  return null
}

interface Track {
  timescale: number
  /** Of samples that say nothing else (§8.8.3). */
  sampleTicks: number
}

/** By the numbers that the parts call them. */
function readTracks(index: Buffer): Map<number, Track> {
  const defaults = new Map(
    children(inside(index, 'mvex'), 'trex').flatMap((box) =>
      box.length < 16 ? [] : [[box.readUInt32BE(4), box.readUInt32BE(12)] as const]
    )
  )
  const tracks = children(index, 'trak').flatMap((track) => {
    const [header, media] = [inside(track, 'tkhd'), inside(track, 'mdia', 'mdhd')]
    const idAt = header[0] === 1 ? 20 : 12
    const timescaleAt = media[0] === 1 ? 20 : 12
    if (header.length < idAt + 4 || media.length < timescaleAt + 4) return []
    const id = header.readUInt32BE(idAt)
    return [[id, { timescale: media.readUInt32BE(timescaleAt), sampleTicks: defaults.get(id) ?? 0 }] as const]
  })
  return new Map(tracks)
}

/** MediaMTX's own box: 16 bytes for the run, then the number of the file in it. */
function readRun(index: Buffer): SegmentContent['run'] {
  const box = inside(index, 'udta', 'mtxi')
  if (box.length < RUN_BOX_BYTES) return null
  return { id: box.toString('hex', 4, 20), number: Number(box.readBigUInt64BE(20)) }
}

/** Milliseconds from a movie header (§8.2.2); null while it says none. */
function durationOf(header: Buffer): number | null {
  const isLong = header[0] === 1
  if (header.length < (isLong ? 32 : 20)) return null
  const timescale = header.readUInt32BE(isLong ? 20 : 12)
  const ticks = isLong ? Number(header.readBigUInt64BE(24)) : header.readUInt32BE(16)
  return timescale > 0 && ticks > 0 ? Math.round((ticks * 1000) / timescale) : null
}

/** When the last sample of a part ends, in milliseconds; null when it says nothing of that. */
function lastInstantMs(part: Buffer, tracks: Map<number, Track>): number | null {
  const ends = children(part, 'traf').flatMap((fragment) => {
    const header = inside(fragment, 'tfhd')
    const track = header.length < 8 ? undefined : tracks.get(header.readUInt32BE(4))
    if (!track || track.timescale === 0) return []
    const sampleTicks = sampleTicksOf(header) ?? track.sampleTicks
    const ticks = children(fragment, 'trun').reduce((sum, run) => sum + ticksOf(run, sampleTicks), 0)
    return [((baseOf(inside(fragment, 'tfdt')) + ticks) * 1000) / track.timescale]
  })
  return ends.length === 0 ? null : Math.round(Math.max(...ends))
}

/** The decode time that a fragment begins with (§8.8.12). */
function baseOf(box: Buffer): number {
  if (box[0] === 1) return box.length < 12 ? 0 : Number(box.readBigUInt64BE(4))
  return box.length < 8 ? 0 : box.readUInt32BE(4)
}

/** What a fragment says of samples that say nothing themselves (§8.8.7). */
function sampleTicksOf(header: Buffer): number | null {
  const flags = header.readUInt32BE(0)
  if ((flags & 0x08) === 0) return null
  const at = 8 + (flags & 0x01 ? 8 : 0) + (flags & 0x02 ? 4 : 0)
  return at + 4 <= header.length ? header.readUInt32BE(at) : null
}

/** The sum of the durations in a run of samples (§8.8.8). */
function ticksOf(run: Buffer, sampleTicks: number): number {
  if (run.length < 8) return 0
  const flags = run.readUInt32BE(0)
  const count = run.readUInt32BE(4)
  if ((flags & 0x100) === 0) return count * sampleTicks
  const sampleBytes = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length
  let ticks = 0
  let at = 8 + (flags & 0x01 ? 4 : 0) + (flags & 0x04 ? 4 : 0)
  for (let sample = 0; sample < count && at + 4 <= run.length; sample++, at += sampleBytes)
    ticks += run.readUInt32BE(at)
  return ticks
}

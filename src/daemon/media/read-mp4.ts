import { type ByteSource, inWindows } from './byte-source.ts'
import { captureTimeAt } from './capture-time.ts'
import { boxAt, children, inside } from './mp4-boxes.ts'

/** What the index of an MP4 or QuickTime file says (ISO/IEC 14496-12); null where it says nothing. */
export type Mp4Info = {
  /** Null also for a fragmented file, whose index does not tell. */
  durationMs: number | null
  /** As displayed, turned by `rotation`. */
  widthPx: number
  heightPx: number
  rotation: 0 | 90 | 180 | 270
  videoCodec: string | null
  audioCodec: string | null
  frameRate: number | null
  createdAtMs: number | null
  /** The file is shorter than its boxes say. */
  isTruncated: boolean
}

// An hour of video has an index of a few megabytes.
const MAX_INDEX_BYTES = 32 << 20
const WINDOW_BYTES = 4096
const MAX_OUTER_BOXES = 100_000
/** Seconds from 1904-01-01, where the format's clock starts, to 1970-01-01. */
const EPOCH_1904_S = 2_082_844_800

/**
 * Reads the index of a file; null when it has none or it names no video. Time and memory stay in proportion to the
 * index whatever its tables claim. Raises the source's errors.
 */
export async function readMp4(source: ByteSource): Promise<Mp4Info | null> {
  const { index, isTruncated } = await findIndex(source)
  const info = index && readIndex(index)
  return info && { ...info, isTruncated }
}

/** The content of the `moov` box, found by walking the outer boxes to the end of the file. */
async function findIndex(source: ByteSource): Promise<{ index: Buffer | null; isTruncated: boolean }> {
  const { sizeBytes } = source
  const { read } = inWindows(source, WINDOW_BYTES)
  let index: Buffer | null = null
  let at = 0
  for (let count = 0; count < MAX_OUTER_BOXES && at + 8 <= sizeBytes; count++) {
    const box = boxAt(await read(at, 16), 0, sizeBytes - at)
    if (!box) break
    const end = at + box.end
    if (box.type === 'moov' && !index && box.end <= MAX_INDEX_BYTES) {
      index = await read(at + box.start, Math.min(end, sizeBytes) - at - box.start)
    }
    if (end > sizeBytes) return { index, isTruncated: true }
    at = end
  }
  return { index, isTruncated: false }
}

type Track = {
  widthPx: number
  heightPx: number
  rotation: Mp4Info['rotation']
  codec: string | null
  durationMs: number | null
  frameRate: number | null
  frames: number
}

function readIndex(index: Buffer): Omit<Mp4Info, 'isTruncated'> | null {
  const tracks = children(index, 'trak')
  const handlerOf = (track: Buffer) => inside(track, 'mdia', 'hdlr').toString('latin1', 8, 12)
  const videos = tracks.filter((track) => handlerOf(track) === 'vide').map(readVideoTrack)
  // Cameras add a still of one frame as a second video.
  const video = videos
    .filter(({ widthPx, heightPx }) => widthPx > 0 && heightPx > 0)
    .sort((a, b) => b.frames - a.frames)[0]
  if (!video) return null
  const audio = tracks.find((track) => handlerOf(track) === 'soun')
  const movie = inside(index, 'mvhd')
  const { frames: _, codec: videoCodec, durationMs, ...shape } = video
  return {
    ...shape,
    videoCodec,
    audioCodec: audio ? sampleCodec(audio) : null,
    durationMs: durationMs ?? clockOf(movie).durationMs,
    createdAtMs: captureTimeAt((clockOf(movie).createdS - EPOCH_1904_S) * 1000, 0)?.epochMs ?? null
  }
}

function readVideoTrack(track: Buffer): Track {
  const media = inside(track, 'mdia')
  const { timescale, durationMs } = clockOf(inside(media, 'mdhd'))
  const { frames, ticks } = frameTimes(inside(media, 'minf', 'stbl', 'stts'))
  const rate = ticks > 0 ? (frames * timescale) / ticks : 0
  return {
    ...displaySize(inside(track, 'tkhd'), inside(media, 'minf', 'stbl', 'stsd')),
    codec: sampleCodec(track),
    durationMs,
    frames,
    frameRate: rate > 0 && rate < 1000 ? Math.round(rate * 1000) / 1000 : null
  }
}

/** Movie and media headers begin alike (§8.2.2, §8.4.2); version 1 has 64-bit times. */
function clockOf(header: Buffer): { createdS: number; timescale: number; durationMs: number | null } {
  const isLong = header[0] === 1
  if (header.length < (isLong ? 32 : 20)) return { createdS: 0, timescale: 0, durationMs: null }
  const createdS = isLong ? Number(header.readBigUInt64BE(4)) : header.readUInt32BE(4)
  const timescale = header.readUInt32BE(isLong ? 20 : 12)
  const ticks = isLong ? Number(header.readBigUInt64BE(24)) : header.readUInt32BE(16)
  const isKnown = timescale > 0 && ticks > 0 && ticks < (isLong ? 2 ** 53 : 2 ** 32 - 1)
  return { createdS, timescale, durationMs: isKnown ? Math.round((ticks * 1000) / timescale) : null }
}

/** Sums the time-to-sample table (§8.6.1.2), as many entries as there really are. */
function frameTimes(table: Buffer): { frames: number; ticks: number } {
  const sum = { frames: 0, ticks: 0 }
  for (let at = 8; at + 8 <= table.length; at += 8) {
    const count = table.readUInt32BE(at)
    sum.frames += count
    sum.ticks += count * table.readUInt32BE(at + 4)
  }
  return sum
}

/** Size and turn from the track header (§8.3.2), the size of the samples (§12.1.3) where that has none. */
function displaySize(header: Buffer, descriptions: Buffer): Pick<Track, 'widthPx' | 'heightPx' | 'rotation'> {
  const matrixAt = header[0] === 1 ? 52 : 40
  if (header.length < matrixAt + 44) return { widthPx: 0, heightPx: 0, rotation: 0 }
  const [a, b] = [header.readInt32BE(matrixAt), header.readInt32BE(matrixAt + 4)]
  const quarterTurns = (Math.round(Math.atan2(b, a) / (Math.PI / 2)) + 4) % 4
  const rotation = ([0, 90, 180, 270] as const)[quarterTurns] ?? 0
  const coded = (at: number) => (descriptions.length >= at + 2 ? descriptions.readUInt16BE(at) : 0)
  const width = Math.round(header.readUInt32BE(matrixAt + 36) / 65_536) || coded(40)
  const height = Math.round(header.readUInt32BE(matrixAt + 40) / 65_536) || coded(42)
  const isTurned = quarterTurns % 2 === 1
  return { widthPx: isTurned ? height : width, heightPx: isTurned ? width : height, rotation }
}

/** The names people and ffmpeg use for the four-character codes. */
const CODECS: Record<string, string> = {
  avc1: 'h264',
  avc3: 'h264',
  hvc1: 'hevc',
  hev1: 'hevc',
  av01: 'av1',
  vp09: 'vp9',
  mp4v: 'mpeg4',
  jpeg: 'mjpeg',
  apcn: 'prores',
  apch: 'prores',
  mp4a: 'aac',
  Opus: 'opus'
}

function sampleCodec(track: Buffer): string | null {
  const code = inside(track, 'mdia', 'minf', 'stbl', 'stsd').toString('latin1', 12, 16)
  if (!/^[\x20-\x7e]{4}$/.test(code)) return null
  return Object.hasOwn(CODECS, code) ? (CODECS[code] ?? null) : code.trim()
}

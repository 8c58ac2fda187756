import type { ByteSource } from './byte-source.ts'
import { captureTimeAt } from './capture-time.ts'
import { MediaError } from './media-error.ts'
import { type Mp4Info, readMp4 } from './read-mp4.ts'
import { runFfmpeg } from './run-ffmpeg.ts'
import { SNIFF_BYTES, sniffMedia } from './sniff-media.ts'

/** What a video file says about itself, whatever its container. */
export type VideoInfo = Mp4Info

const TIMEOUT_MS = 30_000

export interface ProbeOptions {
  ffmpegPath?: string | null
  /** Gives the same bytes as a file, which ffmpeg needs; not called otherwise. */
  withFile: <T>(work: (filePath: string) => Promise<T>) => Promise<T>
  signal?: AbortSignal
}

/**
 * Reads a video's container without decoding it. MP4 and QuickTime, which aircraft write, need no ffmpeg and only the
 * bytes of their index; other containers do, and so does the length of a fragmented MP4. Raises `MediaError`:
 * `unreadable` when it is no video, `ffmpeg_missing` when only ffmpeg could tell and `ffmpegPath` names none; and the
 * source's errors.
 */
export async function probeVideo(source: ByteSource, options: ProbeOptions): Promise<VideoInfo> {
  const { ffmpegPath, withFile, signal } = options
  const info = await readMp4(source)
  if (info && (info.durationMs !== null || !ffmpegPath)) return info
  const { kind, mimeType } = sniffMedia(await source.read(0, SNIFF_BYTES))
  const isOther = kind === 'video' && !['video/mp4', 'video/quicktime'].includes(mimeType)
  if (!info && !isOther) throw new MediaError('unreadable', `no video stream in this ${mimeType}`)
  if (!ffmpegPath) throw new MediaError('ffmpeg_missing', `reading ${mimeType} takes ffmpeg`)
  const told = await withFile((filePath) => askFfmpeg(ffmpegPath, filePath, signal))
  if (info) {
    return { ...info, durationMs: told?.durationMs ?? null, frameRate: info.frameRate ?? told?.frameRate ?? null }
  }
  if (!told) throw new MediaError('unreadable', `no video stream in this ${mimeType}`)
  return told
}

const frameRate = (rate: number) =>
  Number.isFinite(rate) && rate > 0 && rate < 1000 ? Math.round(rate * 1000) / 1000 : null

/** Reads what `ffmpeg -i` prints about its input; the bundled ffmpeg comes without ffprobe. */
async function askFfmpeg(
  ffmpegPath: string,
  filePath: string,
  signal: AbortSignal | undefined
): Promise<VideoInfo | null> {
  const run = { ffmpegPath, filePath, args: [], timeoutMs: TIMEOUT_MS, maxStdoutBytes: 0, signal }
  const { stderr } = await runFfmpeg(run)
  return parseFfmpegReport(stderr)
}

/** Exported for its test. */
export function parseFfmpegReport(report: string): VideoInfo | null {
  const video = /^\s*Stream #\S+.*?: Video: (\w+).*$/m.exec(report)
  const size = /, (\d{2,5})x(\d{2,5})[ ,]/.exec(video?.[0] ?? '')
  if (!video || !size) return null
  const duration = /Duration: (\d+):(\d\d):(\d\d)\.(\d\d)/.exec(report)?.slice(1).map(Number)
  const [hours = 0, minutes = 0, seconds = 0, hundredths = 0] = duration ?? []
  const turned = Number(/displaymatrix: rotation of (-?\d+)/.exec(report)?.[1] ?? 0)
  const rotation = ((((-turned % 360) + 360) % 360) as VideoInfo['rotation']) || 0
  const [width, height] = [Number(size[1]), Number(size[2])]
  const created = Date.parse(/creation_time\s*: (\S+)/.exec(report)?.[1] ?? '')
  return {
    durationMs: duration ? ((hours * 60 + minutes) * 60 + seconds) * 1000 + hundredths * 10 : null,
    widthPx: rotation % 180 ? height : width,
    heightPx: rotation % 180 ? width : height,
    rotation,
    videoCodec: video[1] ?? null,
    audioCodec: /^\s*Stream #\S+.*?: Audio: (\w+)/m.exec(report)?.[1] ?? null,
    frameRate: frameRate(Number(/([\d.]+) fps/.exec(video[0])?.[1])),
    createdAtMs: captureTimeAt(created, 0)?.epochMs ?? null,
    isTruncated: false
  }
}

import { MediaError } from './media-error.ts'
import { runFfmpeg } from './run-ffmpeg.ts'

const MAX_FRAME_BYTES = 64 << 20

/**
 * One frame of a video as a JPEG in full size, upright: that of a time, or one a little into it, because the first frame is often
 * black or the ground. Raises `MediaError`: `ffmpeg_missing` without an ffmpeg, `unreadable` when ffmpeg finds no frame. Rejects with
 * the signal's reason when that aborts or the time is over; ffmpeg is killed then.
 */
export async function makePoster(options: {
  filePath: string
  ffmpegPath: string | null
  /** Length of the video when known; default: unknown. */
  durationMs?: number | null
  /** Of the frame, from the beginning. */
  atMs?: number
  /** Default 30 000. */
  timeoutMs?: number
  signal?: AbortSignal
}): Promise<Buffer> {
  const { ffmpegPath, filePath, durationMs, signal } = options
  if (!ffmpegPath) throw new MediaError('ffmpeg_missing', 'no ffmpeg was found')
  const timeoutMs = options.timeoutMs ?? 30_000
  let complaint = 'ffmpeg found no frame'
  const startS = options.atMs === undefined ? Math.min(1, (durationMs ?? 0) / 3000) : options.atMs / 1000
  // A file cut short may have nothing at that point, but a frame at its very start; what ends then has one just before.
  const otherS = options.atMs === undefined ? 0 : Math.max(0, startS - 1)
  for (const seekS of startS > 0 ? [startS, otherS] : [0]) {
    const run = await runFfmpeg({
      ffmpegPath,
      filePath,
      inputArgs: ['-loglevel', 'error', '-threads', '1', '-ss', seekS.toFixed(3)],
      args: [
        '-map',
        '0:v:0',
        '-frames:v',
        '1',
        '-c:v',
        'mjpeg',
        '-q:v',
        '3',
        '-pix_fmt',
        'yuvj420p',
        '-f',
        'image2pipe',
        '-'
      ],
      timeoutMs,
      maxStdoutBytes: MAX_FRAME_BYTES,
      signal
    })
    if (run.stdout.length > 0) return run.stdout
    complaint = run.stderr.trim().split('\n')[0] || complaint
  }
  throw new MediaError('unreadable', complaint)
}

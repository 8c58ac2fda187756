import sharp from 'sharp'
import { MediaError } from './media-error.ts'
import { runFfmpeg } from './run-ffmpeg.ts'

const FRAMES = 12
const SIZE_PX = 256
const FRAME_MS = 350
const MAX_FRAME_BYTES = 4 << 20
const FRAME_TIMEOUT_MS = 30_000

/**
 * Moments of a film, evenly spread, as an animated WebP: what a tile shows under the pointer. Of a film whose length is
 * not known, its first seconds. Raises `MediaError` (`unreadable` when no frame is found) and the signal's reason.
 */
export async function makeStrip(request: {
  filePath: string
  ffmpegPath: string
  durationMs: number | null
  signal: AbortSignal
  onProgress: (fraction: number) => void
}): Promise<{ bytes: Buffer; widthPx: number; heightPx: number }> {
  const stepMs = request.durationMs ? request.durationMs / FRAMES : 1000
  const frames: Buffer[] = []
  for (let n = 0; n < FRAMES; n++) {
    request.signal.throwIfAborted()
    const frame = await frameAt(request, ((n + 0.25) * stepMs) / 1000)
    if (frame.length > 0) frames.push(frame)
    else if (!request.durationMs) break // its end
    request.onProgress((n + 1) / FRAMES)
  }
  if (frames.length === 0) throw new MediaError('unreadable', 'ffmpeg found no frame')
  const { data, info } = await sharp(frames, { join: { animated: true } })
    .webp({ quality: 70, effort: 2, loop: 0, delay: frames.map(() => FRAME_MS) })
    .toBuffer({ resolveWithObject: true })
  return { bytes: data, widthPx: info.width, heightPx: info.pageHeight ?? info.height }
}

/** One small picture; empty when there is nothing at that point. */
async function frameAt(
  { filePath, ffmpegPath, signal }: { filePath: string; ffmpegPath: string; signal: AbortSignal },
  seekS: number
): Promise<Buffer> {
  const { stdout } = await runFfmpeg({
    ffmpegPath,
    filePath,
    inputArgs: ['-loglevel', 'error', '-threads', '1', '-ss', seekS.toFixed(3)],
    args: [
      ...['-map', '0:V:0', '-frames:v', '1', '-an'],
      ...['-vf', `scale=${SIZE_PX}:${SIZE_PX}:force_original_aspect_ratio=decrease:force_divisible_by=2`],
      ...['-c:v', 'png', '-f', 'image2pipe', '-']
    ],
    timeoutMs: FRAME_TIMEOUT_MS,
    maxStdoutBytes: MAX_FRAME_BYTES,
    signal
  })
  return stdout
}

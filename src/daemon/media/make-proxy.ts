import { createWriteStream } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { withFileSource } from './byte-source.ts'
import { MediaError } from './media-error.ts'
import { readMp4 } from './read-mp4.ts'
import { runFfmpeg, spawnFfmpeg } from './run-ffmpeg.ts'

export interface FilmRequest {
  filePath: string
  ffmpegPath: string
  /** An empty folder for what is made; the caller removes it. */
  folder: string
  signal: AbortSignal
}

export interface Film {
  filePath: string
  widthPx: number
  heightPx: number
}

export interface ProxyRequest extends FilmRequest {
  /** Length of the film when known; without it nobody can tell how far the work is. */
  durationMs: number | null
  /** How far the work is, 0 to 1. */
  onProgress: (fraction: number) => void
  /** Resolves when the encoder may go on; asked before every piece of its output. Default: always. */
  mayGoOn?: (writtenBytes: number) => Promise<void>
  /** Encoding that gives nothing new for so long, pauses not counted, is given up. Default 300 000. */
  stallTimeoutMs?: number
}

const COPY_TIMEOUT_MS = 3_600_000

/** At most 1080p, on its side for upright films; never enlarged; even numbers, as 4:2:0 needs them. */
const FIT_1080P = [
  "scale=w='if(gte(iw,ih),min(1920,iw),min(1080,iw))'",
  "h='if(gte(iw,ih),min(1080,ih),min(1920,ih))'",
  'force_original_aspect_ratio=decrease',
  'force_divisible_by=2'
].join(':')

/**
 * A film as an H.264 MP4 that every browser plays: at most 1080p and 60 frames a second, 8 bits, AAC sound, the index in
 * front, without the metadata of the camera. Raises `MediaError` (`unreadable`: no film can be decoded from these bytes),
 * an `Error` when the encoder stalls or lacks something, the signal's reason and what `mayGoOn` raises; ffmpeg is killed
 * then.
 *
 * The encoder writes to a pipe of ours. That gives three things a file would not: it pauses when we stop reading, its
 * output is limited while it grows, and it ends when this process is killed.
 */
export async function makeProxy(request: ProxyRequest): Promise<Film> {
  const encodedPath = join(request.folder, 'encoded.mp4')
  await encode(request, encodedPath)
  const filePath = join(request.folder, 'proxy.mp4')
  await copyStreams({ ...request, filePath: encodedPath }, ['-movflags', '+faststart', '-f', 'mp4', filePath])
  const made = await withFileSource(filePath, readMp4)
  if (!made) throw new MediaError('unreadable', 'ffmpeg found no frame')
  return { filePath, widthPx: made.widthPx, heightPx: made.heightPx }
}

/**
 * The same film (a result of {@link makeProxy}) for HLS: a playlist whose segments are byte ranges of one fragmented MP4
 * beside it (RFC 8216 §4.3.2.2).
 */
export async function makeHls(request: FilmRequest): Promise<{ playlistPath: string; mediaPath: string }> {
  const [playlistPath, mediaPath] = [join(request.folder, 'index.m3u8'), join(request.folder, 'media.mp4')]
  await copyStreams(request, [
    ...['-f', 'hls', '-hls_time', '4', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'],
    ...['-hls_flags', 'single_file+independent_segments', '-hls_segment_filename', mediaPath, playlistPath]
  ])
  return { playlistPath, mediaPath }
}

async function encode(request: ProxyRequest, outputPath: string): Promise<void> {
  const { mayGoOn = async () => {}, stallTimeoutMs = 300_000, durationMs, signal } = request
  signal.throwIfAborted()
  const kill = new AbortController()
  const ended = AbortSignal.any([signal, kill.signal])
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => {})
  ended.addEventListener('abort', () => stopped.reject(ended.reason), { once: true })
  const child = spawnFfmpeg({ ...request, inputArgs: INPUT_ARGS, args: encoderArgs() }, ended)
  // An abort is told as an error, too, and before the process is gone.
  let startError: Error | undefined
  child.once('error', (error) => {
    startError = error
  })
  const closed = new Promise<{ exitCode: number | null; exitSignal: string | null }>((resolve) =>
    child.once('close', (exitCode, exitSignal) => resolve({ exitCode, exitSignal }))
  )

  let paused = false
  let lastNews = ''
  let quietTicks = 0
  const report = watchReport(child.stderr, (news, outTimeMs) => {
    if (news === lastNews) return
    lastNews = news
    quietTicks = 0
    if (durationMs) request.onProgress(Math.min(outTimeMs / durationMs, 0.99))
  })
  // Counted in ticks: a laptop whose lid was closed has not lost the time.
  const stallTimer = setInterval(() => {
    if (!paused && ++quietTicks === 10) kill.abort(new Error(`ffmpeg made nothing for ${stallTimeoutMs} ms`))
  }, stallTimeoutMs / 10)
  try {
    await pipeline(
      child.stdout,
      async function* (chunks: AsyncIterable<Buffer>) {
        let writtenBytes = 0
        for await (const chunk of chunks) {
          paused = true
          await Promise.race([mayGoOn(writtenBytes), stopped.promise])
          paused = false
          writtenBytes += chunk.length
          yield chunk
        }
      },
      createWriteStream(outputPath)
    )
    const { exitCode, exitSignal } = await closed
    if (startError) throw startError
    if (exitCode !== 0) throw failureOf(report.problem(), exitSignal)
  } catch (error) {
    signal.throwIfAborted()
    kill.signal.throwIfAborted()
    throw error
  } finally {
    clearInterval(stallTimer)
    kill.abort()
    await closed
  }
}

const INPUT_ARGS = ['-nostats', '-loglevel', 'error', '-progress', 'pipe:2', '-stats_period', '1']

function encoderArgs(): string[] {
  const threads = String(Math.max(1, Math.floor(availableParallelism() / 2)))
  return [
    // The first film that is no still, and its sound if there is any.
    ...['-map', '0:V:0', '-map', '0:a:0?', '-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1'],
    // As many frames as there are: a gap of hours between two time stamps is not filled.
    ...['-vf', `${FIT_1080P},format=yuv420p`, '-fps_mode', 'vfr', '-fpsmax', '60'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-maxrate', '8M', '-bufsize', '16M'],
    ...['-threads', threads, '-force_key_frames', 'expr:gte(t,n_forced*2)', '-sc_threshold', '0'],
    ...['-c:a', 'aac', '-b:a', '128k', '-ac', '2'],
    ...['-movflags', '+empty_moov+default_base_moof', '-frag_duration', '500000', '-flush_packets', '1'],
    ...['-f', 'mp4', 'pipe:1']
  ]
}

/** Reads what ffmpeg says: `key=value` lines in blocks that end with `progress=`, and complaints between them. */
function watchReport(stderr: NodeJS.ReadableStream, onNews: (news: string, outTimeMs: number) => void) {
  let problem = ''
  let block: Record<string, string> = {}
  createInterface({ input: stderr }).on('line', (line) => {
    const [, key, value] = /^(\w+)=\s*(\S+)$/.exec(line) ?? []
    if (key === undefined || value === undefined) problem ||= line.slice(0, 500)
    else if (key !== 'progress') block[key] = value
    else {
      onNews(
        `${block['frame']} ${block['out_time_us']} ${block['total_size']}`,
        Number(block['out_time_us']) / 1000 || 0
      )
      block = {}
    }
  })
  return { problem: () => problem }
}

/** What a run that ended badly says about the bytes, or about ffmpeg. */
function failureOf(problem: string, exitSignal: string | null): Error {
  if (exitSignal !== null) return new Error(`ffmpeg was killed by ${exitSignal}`)
  if (/^(Unknown encoder|Unrecognized option)/.test(problem)) return new Error(`this ffmpeg cannot encode: ${problem}`)
  return new MediaError('unreadable', problem || 'ffmpeg found no frame')
}

/** Writes what is encoded already into another container. */
async function copyStreams(request: FilmRequest, args: string[]): Promise<void> {
  const { exitCode, stderr } = await runFfmpeg({
    ...request,
    inputArgs: ['-nostats', '-loglevel', 'error'],
    args: ['-c', 'copy', ...args],
    timeoutMs: COPY_TIMEOUT_MS,
    maxStdoutBytes: 0
  })
  if (exitCode !== 0) throw failureOf(stderr.trim().split('\n')[0] ?? '', exitCode === null ? 'SIGKILL' : null)
}

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import type { Readable } from 'node:stream'

export type FfmpegRun = { exitCode: number | null; stdout: Buffer; stderr: string }

const MAX_STDERR_CHARACTERS = 64 * 1024

/** 8192 × 4320; what claims to be larger is not decoded. */
const MAX_PIXELS = 36_000_000

// Playlists, concatenation scripts and the like name other files and hosts; a hostile upload must not reach them.
const SAFE_INPUT = [
  ...['-max_pixels', String(MAX_PIXELS), '-protocol_whitelist', 'file'],
  ...['-format_whitelist', 'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv']
]

export interface FfmpegCall {
  ffmpegPath: string
  filePath: string
  /** Options in front of the input, for example `-ss 1`. */
  inputArgs?: string[]
  /** What follows the input. */
  args: string[]
}

/**
 * Starts ffmpeg on one input file, reading only real media containers from it, at the lowest priority: whoever uploads or
 * looks at the screen comes first. Killed when the signal aborts.
 */
export function spawnFfmpeg(call: FfmpegCall, signal: AbortSignal): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(
    call.ffmpegPath,
    // The `file:` prefix keeps a name with a colon from being taken for a protocol.
    ['-hide_banner', '-nostdin', ...SAFE_INPUT, ...(call.inputArgs ?? []), '-i', `file:${call.filePath}`, ...call.args],
    { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL', windowsHide: true }
  )
  try {
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It has ended already.
  }
  return child
}

/**
 * Runs ffmpeg to its end, see {@link spawnFfmpeg}. It is killed when the time is over, the signal aborts or the output
 * exceeds `maxStdoutBytes`; then this rejects.
 */
export function runFfmpeg(
  options: FfmpegCall & { timeoutMs: number; maxStdoutBytes: number; signal?: AbortSignal | undefined }
): Promise<FfmpegRun> {
  const { promise, resolve, reject } = Promise.withResolvers<FfmpegRun>()
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
  if (signal.aborted) return Promise.reject(signal.reason)
  const child = spawnFfmpeg(options, signal)
  const chunks: Buffer[] = []
  let stdoutBytes = 0
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdoutBytes += chunk.length
    if (stdoutBytes > options.maxStdoutBytes) {
      child.kill('SIGKILL')
      reject(new Error(`ffmpeg gave more than ${options.maxStdoutBytes} bytes`))
    } else chunks.push(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < MAX_STDERR_CHARACTERS) stderr += text
  })
  child.once('error', (error) => reject(signal.aborted ? signal.reason : error))
  child.once('close', (exitCode) => resolve({ exitCode, stdout: Buffer.concat(chunks), stderr }))
  return promise
}

import { withFileSource } from '../../media/byte-source.ts'
import { runFfmpeg } from '../../media/run-ffmpeg.ts'
import { readSegment, type SegmentContent } from './read-segment.ts'

const CHECK_TIMEOUT_MS = 3600_000
const MAX_PROBLEM_CHARACTERS = 300

export interface CheckedFile extends SegmentContent {
  sizeBytes: number
}

export interface CheckOptions {
  filePath: string
  ffmpegPath: string | null
  /** When the next recording begins, from the start of this one; null where there is none. */
  nextAfterMs: number | null
  signal: AbortSignal
}

/** The media server begins anew where its clocks are 5 s apart, and what is sent may come in late by some seconds more. */
const CLOCK_TOLERANCE_MS = 10_000

/**
 * Reads a file through: its structure, how long it claims to be, and (where there is an ffmpeg) every packet in it. `problem` says what
 * is wrong with it. Raises the file system's errors, and the signal's reason.
 */
export async function checkSegmentFile(options: CheckOptions): Promise<CheckedFile> {
  const { filePath, ffmpegPath, signal } = options
  const content = await withFileSource(filePath, async (source) => ({
    ...(await readSegment(source, { isThorough: true })),
    sizeBytes: source.sizeBytes
  }))
  const problem = content.problem ?? clockProblem(content.durationMs, options.nextAfterMs)
  if (problem !== null || ffmpegPath === null) return { ...content, problem }
  return { ...content, problem: await complaintAbout({ filePath, ffmpegPath, signal }) }
}

/** Has every packet of a film read; gives what is wrong with it, null when nothing is. Raises the signal's reason. */
export async function complaintAbout(
  film: Pick<CheckOptions, 'filePath' | 'signal'> & { ffmpegPath: string }
): Promise<string | null> {
  const run = await runFfmpeg({
    ...film,
    inputArgs: ['-v', 'error'],
    args: ['-map', '0', '-c', 'copy', '-f', 'null', '-'],
    timeoutMs: CHECK_TIMEOUT_MS,
    maxStdoutBytes: 0
  })
  return complaintOf(run)
}

/** Times that jump make a file of minutes claim hours. That one is too short shows as a gap, and is no damage. */
function clockProblem(durationMs: number | null, nextAfterMs: number | null): string | null {
  if (durationMs === null || nextAfterMs === null || durationMs <= nextAfterMs + CLOCK_TOLERANCE_MS) return null
  const [told, real] = [durationMs, nextAfterMs].map((ms) => Math.round(ms / 1000))
  return `it claims to be ${told} s long, but the next recording begins after ${real} s`
}

/** The media server lets samples that come too late begin with the one before; players show one of them. */
const HARMLESS = /non monotonically increasing dts .*: (\d+) >= \1\s*$/

/** The first thing of weight that ffmpeg says, without where in ffmpeg it was said; null when there is none. */
export function complaintOf({ exitCode, stderr }: { exitCode: number | null; stderr: string }): string | null {
  const line = stderr.split('\n').find((text) => text.trim() !== '' && !HARMLESS.test(text))
  const text = line?.replace(/^(\[[^\]]*\]\s*)+/, '').trim()
  if (text) return text.slice(0, MAX_PROBLEM_CHARACTERS)
  return exitCode === 0 ? null : `ffmpeg ended with ${exitCode}`
}

import { createReadStream, createWriteStream } from 'node:fs'
import { constants, copyFile, link, open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { runFfmpeg } from '../../media/run-ffmpeg.ts'
import { CUT_OFF } from './read-segment.ts'
import { type CheckedFile, type CheckOptions, checkSegmentFile, complaintOf } from './segment-check.ts'

const REPAIR_TIMEOUT_MS = 2 * 3600_000
/** With less than that of its bytes a repaired file may lack what somebody else can still read in the damaged one. */
const KEPT_SHARE = 0.9

/** A file cannot be repaired; the message says why, in English. */
export class RepairFailed extends Error {
  override readonly name = 'RepairFailed'
}

/**
 * Beside a recording, under names that the media server does not take for recordings: it looks for digits and `.mp4` anywhere in a name.
 */
export function besidePaths(filePath: string): { draft: string; damaged: string } {
  const stem = filePath.replace(/\.mp4$/, '')
  return { draft: `${stem}.repair`, damaged: `${stem}.bad` }
}

/**
 * Replaces a damaged file by what can be read of it, once that is found whole; the damaged one is kept beside it where much of it is
 * lost. Safe to run again after a crash at any point. Throws `RepairFailed` (then the file is as it was), the file system's errors and
 * the signal's reason.
 */
export async function repairSegmentFile(options: CheckOptions): Promise<CheckedFile> {
  const { filePath } = options
  const { draft, damaged } = besidePaths(filePath)
  // What an attempt before this one put in place already.
  const before = await checkSegmentFile(options)
  if (before.problem === null) return before
  try {
    const { repaired, isCopy } = await makeDraft(options, before, draft)
    await sync(draft)
    await keepBeside(filePath, damaged)
    await rename(draft, filePath)
    // What was written anew may lack anything, whatever its size.
    if (isCopy && repaired.sizeBytes >= before.sizeBytes * KEPT_SHARE) await rm(damaged, { force: true })
    return repaired
  } finally {
    await rm(draft, { force: true })
  }
}

/** The gentlest way that gives a whole file: all whole parts as they are; then all tracks written anew; then the pictures alone. */
async function makeDraft(
  options: CheckOptions,
  before: CheckedFile,
  draft: string
): Promise<{ repaired: CheckedFile; isCopy: boolean }> {
  const { filePath, ffmpegPath, signal } = options
  const ways: (() => Promise<string | null>)[] = []
  const hasBeginning = before.durationMs !== null && before.wholeBytes < before.sizeBytes
  const copy = () => copyBeginning(filePath, draft, before.wholeBytes, signal)
  // Behind a hole in the middle there may be more.
  const isCutOff = before.problem?.startsWith(CUT_OFF) ?? false
  if (hasBeginning && isCutOff) ways.push(copy)
  if (ffmpegPath !== null) ways.push(() => remux({ ffmpegPath, filePath, signal }, draft, '0'))
  if (hasBeginning && !isCutOff) ways.push(copy)
  if (ffmpegPath !== null) ways.push(() => remux({ ffmpegPath, filePath, signal }, draft, '0:v'))
  let problem = before.problem
  for (const way of ways) {
    problem = await way()
    if (problem !== null) continue
    const made = await checkSegmentFile({ ...options, filePath: draft })
    if (made.problem === null) return { repaired: made, isCopy: way === copy }
    problem = made.problem
  }
  throw new RepairFailed(ffmpegPath === null ? 'no ffmpeg was found' : (problem ?? 'nothing can be read of it'))
}

async function copyBeginning(from: string, to: string, sizeBytes: number, signal: AbortSignal): Promise<null> {
  await pipeline(createReadStream(from, { end: sizeBytes - 1 }), createWriteStream(to), { signal })
  return null
}

/**
 * Writes the packets anew in parts, as the media server reads them, at times that follow each other: what comes over RTMP sometimes goes
 * back in time. Gives what ffmpeg says when it cannot.
 */
async function remux(
  { ffmpegPath, filePath, signal }: { ffmpegPath: string; filePath: string; signal: AbortSignal },
  draft: string,
  tracks: '0' | '0:v'
): Promise<string | null> {
  const run = await runFfmpeg({
    ffmpegPath,
    filePath,
    inputArgs: ['-v', 'error', '-fflags', '+genpts+igndts+discardcorrupt', '-err_detect', 'ignore_err'],
    args: [
      ...['-map', tracks, '-c', 'copy', '-map_metadata', '-1', '-video_track_timescale', '90000'],
      ...['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4', '-y', `file:${draft}`]
    ],
    timeoutMs: REPAIR_TIMEOUT_MS,
    maxStdoutBytes: 0,
    signal
  })
  return run.exitCode === 0 ? null : complaintOf(run)
}

/** Of what was repaired twice, the first damaged file holds most. */
async function keepBeside(filePath: string, damaged: string): Promise<void> {
  await link(filePath, damaged).catch(async (error: NodeJS.ErrnoException) => {
    // Some file systems have no links.
    if (error.code !== 'EEXIST') await copyFile(filePath, damaged, constants.COPYFILE_EXCL)
  })
}

async function sync(filePath: string): Promise<void> {
  const file = await open(filePath, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

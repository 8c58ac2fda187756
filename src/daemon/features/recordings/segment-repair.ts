import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { copyFile, link, rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { syncFile } from '../../files.ts'
import { JobDeferred } from '../../jobs/define-job.ts'
import { runFfmpeg } from '../../media/run-ffmpeg.ts'
import { CUT_OFF } from './read-segment.ts'
import { type CheckedFile, type CheckOptions, checkSegmentFile, complaintOf } from './segment-check.ts'

const REPAIR_TIMEOUT_MS = 2 * 3600_000
/** With less than that of its bytes a repaired file may lack what somebody else can still read in the damaged one. */
const KEPT_SHARE = 0.9
const WRITTEN_REST_MS = 60_000

/** A file cannot be repaired; the message says why, in English. */
export class RepairFailed extends Error {
  override readonly name = 'RepairFailed'
}

/**
 * Beside a recording, under names that the media server does not take for recordings: it looks for digits and `.mp4` anywhere in a name.
 */
export function besidePaths(filePath: string): { draft: string; copy: string; damaged: string } {
  const stem = filePath.replace(/\.mp4$/, '')
  return { draft: `${stem}.repair`, copy: `${stem}.copy`, damaged: `${stem}.bad` }
}

/**
 * Makes a whole file of what can be read of a damaged one, beside it, and gives it to `finish`, which calls `replace` while nobody else
 * changes or deletes the file, or does not; that throws `JobDeferred` for a file that was written to meanwhile. The damaged one is kept beside it unless all of it that is whole is in the new one. Safe to
 * run again after a crash at any point. Throws `RepairFailed`, the file system's errors, the signal's reason and what `finish` throws:
 * then the file is as it was.
 */
export async function repairSegmentFile(
  options: CheckOptions,
  finish: (repaired: CheckedFile, replace: () => Promise<void>) => Promise<void>
): Promise<void> {
  const { filePath } = options
  const { draft } = besidePaths(filePath)
  const stateBefore = await stateOf(filePath)
  // What an attempt before this one put in place already.
  const before = await checkSegmentFile(options)
  if (before.problem === null) return finish(before, async () => undefined)
  try {
    const { repaired, isCopy } = await makeDraft(options, before, draft)
    await syncFile(draft)
    // Behind a hole there may be more than what was written anew; and what ffmpeg wrote may lack anything, whatever its size.
    const isAll = isCopy && isCutOff(before) && repaired.sizeBytes >= before.sizeBytes * KEPT_SHARE
    await finish(repaired, async () => {
      // Its writer would go on in a file that has no name any more.
      if ((await stateOf(filePath)) !== stateBefore) throw new JobDeferred(WRITTEN_REST_MS, 'it is still written')
      await replaceFile(filePath, isAll)
    })
  } finally {
    await rm(draft, { force: true })
  }
}

/** Tells whether a file was written to in between. */
async function stateOf(filePath: string): Promise<string> {
  const { size, mtimeMs } = await stat(filePath)
  return `${size} ${mtimeMs}`
}

/** Puts the draft in place of the file. Without the damaged one beside it there is nothing to go back to: it is kept until that is done. */
async function replaceFile(filePath: string, isAll: boolean): Promise<void> {
  const { draft, damaged } = besidePaths(filePath)
  const isFirst = await keepBeside(filePath)
  await rename(draft, filePath)
  if (isAll && isFirst) await rm(damaged, { force: true })
}

const isCutOff = ({ problem }: CheckedFile): boolean => problem?.startsWith(CUT_OFF) ?? false

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
  if (hasBeginning && isCutOff(before)) ways.push(copy)
  if (ffmpegPath !== null) ways.push(() => remux({ ffmpegPath, filePath, signal }, draft, '0'))
  if (hasBeginning && !isCutOff(before)) ways.push(copy)
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

/** Of what was repaired twice, the first damaged file holds most: it stays, and this gives false. */
async function keepBeside(filePath: string): Promise<boolean> {
  const { copy, damaged } = besidePaths(filePath)
  if (existsSync(damaged)) return false
  await link(filePath, damaged).catch(async () => {
    // Some file systems have no links. A copy gets its name once all of it is on the disk.
    await copyFile(filePath, copy)
    await syncFile(copy)
    await rename(copy, damaged)
  })
  return true
}

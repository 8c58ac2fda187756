import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { newId } from '../../ids.ts'
import { type FfmpegCall, runFfmpeg, spawnFfmpeg } from '../../media/run-ffmpeg.ts'
import { US_PER_S } from './instants.ts'
import { complaintOf } from './segment-check.ts'

/** A part of what some files hold that follow each other. */
export interface FileCut {
  files: { filePath: string; startUs: number }[]
  startUs: number
  endUs: number
}

interface CutOptions {
  cut: FileCut
  ffmpegPath: string
  /** Here a list of the files is kept meanwhile. */
  scratchDir: string
  signal: AbortSignal
}

const CUT_TIMEOUT_MS = 2 * 3600_000
const MAX_STDERR_CHARACTERS = 4096
/** Begins to play at once. */
const STREAMED = ['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4', 'pipe:1']

/**
 * Gives the part as MP4 while it is read; it begins with the last picture before it that needs no other. Fails with what ffmpeg says, also
 * at the end: an answer that breaks off is told from one that is whole.
 */
export async function openCut({ cut, ffmpegPath, scratchDir, signal }: CutOptions): Promise<Readable> {
  const listPath = await writeList(scratchDir, entriesOf(cut))
  const { inputArgs, args } = copyOf(STREAMED)
  const child = spawnFfmpeg({ ffmpegPath, filePath: listPath, inputArgs, args }, signal)
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < MAX_STDERR_CHARACTERS) stderr += chunk.toString()
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => rm(listPath, { force: true }))
  ended.catch(() => undefined)
  async function* film(): AsyncGenerator<Buffer> {
    try {
      yield* child.stdout as AsyncIterable<Buffer>
      const exitCode = await ended
      if (exitCode !== 0) throw new Error(complaintOf({ exitCode, stderr }) ?? `ffmpeg ended with ${exitCode}`)
    } finally {
      child.kill('SIGKILL')
    }
  }
  return Readable.from(film(), { objectMode: false })
}

/** Writes parts of recordings one after another into one file. Throws an `Error` with what ffmpeg says, and the signal's reason. */
export async function joinFiles(options: {
  /** Whole files, or parts of some. */
  parts: readonly (string | FileCut)[]
  outPath: string
  ffmpegPath: string
  scratchDir: string
  signal: AbortSignal
}): Promise<void> {
  const { parts, outPath, ffmpegPath, scratchDir, signal } = options
  const entries = parts.flatMap((part) => (typeof part === 'string' ? [entryOf(part)] : entriesOf(part)))
  const listPath = await writeList(scratchDir, entries)
  try {
    const { inputArgs, args } = copyOf(['-movflags', '+faststart', '-f', 'mp4', '-y', `file:${outPath}`])
    const call = {
      ffmpegPath,
      filePath: listPath,
      inputArgs,
      args,
      timeoutMs: CUT_TIMEOUT_MS,
      maxStdoutBytes: 0,
      signal
    }
    const run = await runFfmpeg(call)
    if (run.exitCode !== 0) throw new Error(complaintOf(run) ?? 'ffmpeg failed')
  } finally {
    await rm(listPath, { force: true })
  }
}

/** Copies what a list of files names; the list is ours, so it may name any. */
function copyOf(output: string[]): Required<Pick<FfmpegCall, 'inputArgs' | 'args'>> {
  return {
    inputArgs: ['-v', 'error', '-format_whitelist', 'concat,mov,mp4', '-f', 'concat', '-safe', '0'],
    args: ['-map', '0:v?', '-map', '0:a?', '-c', 'copy', '-avoid_negative_ts', 'make_zero', ...output]
  }
}

async function writeList(scratchDir: string, entries: readonly string[]): Promise<string> {
  await mkdir(scratchDir, { recursive: true })
  const listPath = join(scratchDir, `cut-${newId()}.txt`)
  await writeFile(listPath, `ffconcat version 1.0\n${entries.join('\n')}\n`, { mode: 0o600 })
  return listPath
}

/** The beginning and the end are cut at the first and the last file; what lies between is taken whole. */
function entriesOf({ files, startUs, endUs }: FileCut): string[] {
  return files.map(({ filePath, startUs: fileUs }, index) => {
    const lines = [entryOf(filePath)]
    if (index === 0 && startUs > fileUs) lines.push(`inpoint ${(startUs - fileUs) / US_PER_S}`)
    if (index === files.length - 1) lines.push(`outpoint ${(endUs - fileUs) / US_PER_S}`)
    return lines.join('\n')
  })
}

/** Quoted as ffmpeg reads it. */
function entryOf(filePath: string): string {
  return `file '${`file:${filePath}`.replaceAll("'", "'\\''")}'`
}

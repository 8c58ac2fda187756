import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { AppError, messageOf } from '../../errors.ts'
import { freeBytesOfDisk } from '../../files.ts'
import { JobDeferred, JobHopeless } from '../../jobs/define-job.ts'
import { withFileSource } from '../../media/byte-source.ts'
import { readMp4 } from '../../media/read-mp4.ts'
import { isOutage } from '../../mediamtx/is-outage.ts'
import { type FileCut, joinFiles } from './cut-files.ts'
import { isoFromUs, US_PER_MS, US_PER_S } from './instants.ts'
import type { Play, Playback } from './playback.service.ts'
import { SHORT_BYTES } from './recording-room.ts'
import type { RecordingServer } from './recording-server.ts'
import { complaintAbout } from './segment-check.ts'
import { endOf, type Span } from './sessions.ts'

export interface ClipCutterDeps {
  log: Logger
  server: RecordingServer
  playback: Playback
  ffmpegPath: () => string | null
  scratchDir: string
  /** Free bytes of the disk of a folder; raises the file system's errors. */
  freeBytesOf?: ((folder: string) => Promise<number>) | undefined
}

export interface CutFile {
  filePath: string
  covered: Span[]
  begins: 'exact' | 'key_frame'
}

const SERVER_REST_MS = 30_000
/** A file that lacks more than that was not given whole. */
const LACKING_SHARE = 0.1
const LACKING_MS = 2000
/** A part that comes from files begins with the picture before it that needs no other, which cameras send every some seconds. */
const EARLY_MS = 30_000
/** What was fetched lies beside what is made of it. */
const COPIES = 2

/** Makes one file of a part of a recording, however many files and breaks are in it. */
export class ClipCutter {
  readonly #deps: ClipCutterDeps

  constructor(deps: ClipCutterDeps) {
    this.#deps = deps
  }

  /** Throws `disk_full` where the part of a recording, as large as its files say, would leave too little room beside it. */
  async assertRoom(clip: { sourceId: string } & Span): Promise<void> {
    const { playback, scratchDir, freeBytesOf = freeBytesOfDisk } = this.#deps
    await mkdir(scratchDir, { recursive: true })
    const sizes = playback.listPlays(clip.sourceId, clip).map(sizeOf)
    const neededBytes = COPIES * sizes.reduce((sum, size) => sum + size, 0) + SHORT_BYTES
    const freeBytes = await freeBytesOf(scratchDir)
    if (freeBytes < neededBytes) throw new AppError('disk_full', { neededBytes, freeBytes })
  }

  /**
   * Gives `use` the part of a recording as an MP4 file, which is there as long as that runs. Throws `JobHopeless` when nothing of it can
   * be read, `JobDeferred` while the media server is needed and does not answer, `disk_full`, an `Error` for a film that is not what was
   * asked for, and the signal's reason.
   */
  async withCut<T>(
    clip: { id: string; sourceId: string } & Span,
    context: { signal: AbortSignal; reportProgress(fraction: number): void },
    use: (file: CutFile) => Promise<T>
  ): Promise<T> {
    const plays = this.#deps.playback.listPlays(clip.sourceId, clip)
    if (plays.length === 0) throw new JobHopeless('nothing that was recorded then can be read')
    await this.assertRoom(clip)
    const folder = join(this.#deps.scratchDir, `clip-${clip.id}`)
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    try {
      const parts: (string | FileCut)[] = []
      for (const [index, play] of plays.entries()) {
        parts.push(await this.#fetchPart(play, join(folder, `${index}.mp4`), context.signal))
        context.reportProgress((index + 1) / (plays.length + 1))
      }
      const [first] = parts
      const filePath = parts.length === 1 && typeof first === 'string' ? first : join(folder, 'clip.mp4')
      if (filePath !== first) {
        await this.#join(parts, filePath, context.signal)
        await this.#assertFilm(filePath, plays, context.signal)
      }
      return await use({ filePath, covered: plays, begins: typeof first === 'string' ? 'exact' : 'key_frame' })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** By the media server, which begins with the very picture; or, where it cannot, as parts of the files. */
  async #fetchPart(play: Play, partPath: string, signal: AbortSignal): Promise<string | FileCut> {
    try {
      const { startUs, endUs, place } = play
      const request = { start: isoFromUs(startUs), durationS: (endUs - startUs) / US_PER_S, format: 'mp4' as const }
      const { body } = await this.#deps.server.client().openPlayback(place.pathName, request, signal)
      await pipeline(Readable.fromWeb(body), createWriteStream(partPath), { signal })
      await assertWhole(partPath, { fromMs: (endUs - startUs) / US_PER_MS })
      return partPath
    } catch (error) {
      signal.throwIfAborted()
      const cut = this.#deps.playback.cutOf(play)
      this.#deps.log.info({ path: play.place.pathName, reason: messageOf(error) }, 'a part of a clip was not fetched')
      if (cut && this.#deps.ffmpegPath() !== null) return cut
      if (isOutage(error)) throw new JobDeferred(SERVER_REST_MS, messageOf(error), { cause: error })
      throw error
    }
  }

  /** Whether what was joined is as long as it must be and can be read through. */
  async #assertFilm(filePath: string, plays: readonly Play[], signal: AbortSignal): Promise<void> {
    const fromMs = plays.reduce((sum, { startUs, endUs }) => sum + (endUs - startUs) / US_PER_MS, 0)
    await assertWhole(filePath, { fromMs, toMs: fromMs * (1 + LACKING_SHARE) + EARLY_MS * plays.length })
    const ffmpegPath = this.#deps.ffmpegPath()
    const complaint = ffmpegPath === null ? null : await complaintAbout({ filePath, ffmpegPath, signal })
    if (complaint !== null) throw new Error(`what was cut cannot be read: ${complaint}`)
  }

  async #join(parts: (string | FileCut)[], outPath: string, signal: AbortSignal): Promise<void> {
    const ffmpegPath = this.#deps.ffmpegPath()
    if (ffmpegPath === null) throw new JobHopeless('there are breaks in it, and no ffmpeg was found to join the parts')
    await joinFiles({ parts, outPath, ffmpegPath, scratchDir: this.#deps.scratchDir, signal })
  }
}

/**
 * The media server ends an answer early, and without a word, where it meets something that it cannot read; times that jump make hours of
 * minutes.
 */
async function assertWhole(filePath: string, { fromMs, toMs }: { fromMs: number; toMs?: number }): Promise<void> {
  const info = await withFileSource(filePath, readMp4)
  if (info === null || info.isTruncated) throw new Error('what was cut is no whole film')
  const { durationMs } = info
  if (durationMs === null) return
  if (durationMs < fromMs * (1 - LACKING_SHARE) - LACKING_MS) throw new Error(`${durationMs} ms were cut of ${fromMs}`)
  if (toMs !== undefined && durationMs > toMs)
    throw new Error(`what was cut claims ${durationMs} ms, which is too much`)
}

/** About how many bytes it has; 0 where the media server does not say. */
function sizeOf({ span, startUs, endUs }: Play): number {
  return span.segments.reduce((sum, segment) => {
    const lengthUs = endOf(segment) - segment.startUs
    const takenUs = Math.min(endUs, endOf(segment)) - Math.max(startUs, segment.startUs)
    return lengthUs > 0 && takenUs > 0 ? sum + ((segment.sizeBytes ?? 0) * takenUs) / lengthUs : sum
  }, 0)
}

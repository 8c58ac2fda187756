import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { messageOf } from '../../errors.ts'
import { JobDeferred, JobHopeless } from '../../jobs/define-job.ts'
import { withFileSource } from '../../media/byte-source.ts'
import { readMp4 } from '../../media/read-mp4.ts'
import { isOutage } from '../../mediamtx/is-outage.ts'
import { type FileCut, joinFiles } from './cut-files.ts'
import { isoFromUs, US_PER_MS, US_PER_S } from './instants.ts'
import type { Play, Playback } from './playback.service.ts'
import type { RecordingServer } from './recording-server.ts'
import type { Span } from './sessions.ts'

export interface ClipCutterDeps {
  server: RecordingServer
  playback: Playback
  ffmpegPath: () => string | null
  scratchDir: string
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

/** Makes one file of a part of a recording, however many files and breaks are in it. */
export class ClipCutter {
  readonly #deps: ClipCutterDeps

  constructor(deps: ClipCutterDeps) {
    this.#deps = deps
  }

  /**
   * Gives `use` the part of a recording as an MP4 file, which is there as long as that runs. Throws `JobHopeless` when nothing of it can
   * be read, `JobDeferred` while the media server is needed and does not answer, and the signal's reason.
   */
  async withCut<T>(
    clip: { id: string; sourceId: string } & Span,
    context: { signal: AbortSignal; reportProgress(fraction: number): void },
    use: (file: CutFile) => Promise<T>
  ): Promise<T> {
    const plays = this.#deps.playback.listPlays(clip.sourceId, clip)
    if (plays.length === 0) throw new JobHopeless('nothing that was recorded then can be read')
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
      if (filePath !== first) await this.#join(parts, filePath, context.signal)
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
      await assertWhole(partPath, (endUs - startUs) / US_PER_MS)
      return partPath
    } catch (error) {
      signal.throwIfAborted()
      const cut = this.#deps.playback.cutOf(play)
      if (cut && this.#deps.ffmpegPath() !== null) return cut
      if (isOutage(error)) throw new JobDeferred(SERVER_REST_MS, messageOf(error), { cause: error })
      throw error
    }
  }

  async #join(parts: (string | FileCut)[], outPath: string, signal: AbortSignal): Promise<void> {
    const ffmpegPath = this.#deps.ffmpegPath()
    if (ffmpegPath === null) throw new JobHopeless('there are breaks in it, and no ffmpeg was found to join the parts')
    await joinFiles({ parts, outPath, ffmpegPath, scratchDir: this.#deps.scratchDir, signal })
  }
}

/** The media server ends an answer early, and without a word, where it meets something that it cannot read. */
async function assertWhole(filePath: string, expectedMs: number): Promise<void> {
  const info = await withFileSource(filePath, readMp4)
  const durationMs = info?.durationMs ?? null
  if (info === null || info.isTruncated) throw new Error('the media server gave no whole file')
  if (durationMs !== null && durationMs < expectedMs * (1 - LACKING_SHARE) - LACKING_MS)
    throw new Error(`the media server gave ${durationMs} ms of ${expectedMs}`)
}

import { access } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { AppError } from '../../errors.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { MediaMtxError } from '../../mediamtx/errors.ts'
import { type FileCut, openCut } from './cut-files.ts'
import { isoFromUs, US_PER_S } from './instants.ts'
import type { RecordingPlace, RecordingPlaces } from './recorded-sources.ts'
import type { RecordingIndex } from './recording-index.ts'
import type { RecordingServer } from './recording-server.ts'
import { checkSegmentJob } from './recordings.jobs.ts'
import type { SegmentRow, SegmentsRepository } from './segments.repository.ts'
import { endOf, type PlayableSpan, playableSpans, type Span } from './sessions.ts'

export interface PlaybackDeps {
  log: Logger
  queue: JobQueue
  server: RecordingServer
  places: RecordingPlaces
  segments: SegmentsRepository
  index: RecordingIndex
  ffmpegPath: () => string | null
  scratchDir: string
}

/** A part of a recording that is played in one go. */
export interface Play extends Span {
  place: RecordingPlace
  span: PlayableSpan
}

/** Finds what can be played, in our own index: one damaged file would spoil every answer of the media server. */
export class Playback {
  readonly #deps: PlaybackDeps

  constructor(deps: PlaybackDeps) {
    this.#deps = deps
  }

  /** Throws `source_not_found`. */
  listSpans(sourceId: string, window: { fromUs: number; toUs: number }): PlayableSpan[] {
    const { places, segments } = this.#deps
    places.get(sourceId)
    return playableSpans(segments.listWindow(sourceId, window))
  }

  /**
   * What is played from an instant on, at most for so long, and at most up to the next break. Where nothing was recorded then, it begins
   * with what comes next. Throws `source_not_found`, `recording_not_found`.
   */
  find(sourceId: string, atUs: number, durationS: number): Play {
    const { segments } = this.#deps
    const place = this.#deps.places.get(sourceId)
    for (let fromUs = atUs; ; ) {
      const toUs = Math.round(fromUs + durationS * US_PER_S)
      const rows = segments.listWindow(sourceId, { fromUs, toUs })
      const span = playableSpans(rows).find(({ endUs, isOpen }) => isOpen || endUs > fromUs)
      if (span) {
        const startUs = Math.max(fromUs, span.startUs)
        // What is still written has more by the time that it is played.
        const endUs = Math.round(startUs + durationS * US_PER_S)
        return { place, span, startUs, endUs: span.isOpen ? endUs : Math.min(endUs, span.endUs) }
      }
      const next = segments.findAfter(sourceId, rows.at(-1)?.startUs ?? fromUs)
      if (!next) throw new AppError('recording_not_found', { sourceId, start: isoFromUs(atUs) })
      fromUs = next.startUs
    }
  }

  /** The same, after a look at what is on the disk by now. */
  async findNow(sourceId: string, atUs: number, durationS: number): Promise<Play> {
    const { places, segments, index } = this.#deps
    const place = places.get(sourceId)
    if (place.isRecorded || segments.findLast(sourceId)?.state === 'open') await index.scan([place])
    return this.find(sourceId, atUs, durationS)
  }

  /** Whether what was recorded at an instant is damaged. */
  isDamaged(sourceId: string, atUs: number): boolean {
    const segment = this.segmentAt(sourceId, atUs)
    return segment?.state === 'damaged' && endOf(segment) > atUs
  }

  /** Everything in a window that can be played, each part in one go. Throws `source_not_found`. */
  listPlays(sourceId: string, { startUs, endUs }: Span): Play[] {
    const place = this.#deps.places.get(sourceId)
    return this.listSpans(sourceId, { fromUs: startUs, toUs: endUs })
      .map((span) => ({ place, span, startUs: Math.max(startUs, span.startUs), endUs: Math.min(endUs, span.endUs) }))
      .filter((play) => play.endUs > play.startUs)
  }

  /** The file that may hold an instant. */
  segmentAt(sourceId: string, atUs: number): SegmentRow | undefined {
    return this.#deps.segments.listWindow(sourceId, { fromUs: atUs, toUs: atUs + 1 })[0]
  }

  /**
   * Opens what was found, as MP4 with the exact picture first. Where the media server cannot give it, it comes from the files, beginning
   * with a picture that needs no other. Throws `recording_away` while neither has it, `recording_corrupt`, and as the media
   * server does.
   */
  async open(play: Play, format: 'fmp4' | 'mp4', signal: AbortSignal): Promise<Readable> {
    const { server, log, scratchDir } = this.#deps
    const { place, startUs, endUs } = play
    try {
      const request = { start: isoFromUs(startUs), durationS: (endUs - startUs) / US_PER_S, format }
      const { body } = await server.client().openPlayback(place.pathName, request, signal)
      return Readable.fromWeb(body)
    } catch (error) {
      if (signal.aborted) throw error
      const cut = this.cutOf(play)
      const ffmpegPath = this.#deps.ffmpegPath()
      if (isCorrupt(error)) this.#lookAt(play.span)
      else if (cut && ffmpegPath) {
        log.info({ path: place.pathName, reason: String(error) }, 'a recording is played from its files')
        await assertThere(cut)
        return openCut({ cut, ffmpegPath, scratchDir, signal })
      }
      throw isNotFound(error) ? away(error) : error
    }
  }

  /** The same as parts of files that are here; null where they are elsewhere. */
  cutOf({ span, startUs, endUs }: Play): FileCut | null {
    const files: { filePath: string; startUs: number }[] = []
    for (const segment of span.segments) {
      const filePath = this.#deps.index.filePath(segment)
      if (filePath === null) return null
      if (endOf(segment) > startUs && segment.startUs < endUs) files.push({ filePath, startUs: segment.startUs })
    }
    return files.length === 0 ? null : { files, startUs, endUs }
  }

  /** What the media server cannot read is damaged, whatever was found before. */
  #lookAt(span: PlayableSpan): void {
    for (const { id, workspaceId } of span.segments)
      this.#deps.queue.enqueue(checkSegmentJob, { segmentId: id }, { workspaceId })
  }
}

/** Throws `recording_away` where a file that was recorded is not to be found now: that its disk is away says nothing about what is on it. */
async function assertThere({ files }: FileCut): Promise<void> {
  for (const { filePath } of files) await access(filePath).catch((error: unknown) => Promise.reject(away(error)))
}

/** What the index has was recorded, whoever does not find it. */
function away(cause: unknown): AppError {
  return new AppError('recording_away', undefined, { cause })
}

function isNotFound(error: unknown): boolean {
  return error instanceof MediaMtxError && error.code === 'NotFound'
}

function isCorrupt(error: unknown): boolean {
  return error instanceof MediaMtxError && error.code === 'Corrupt'
}

import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { z } from 'zod'
import type { Clip } from '../../../shared/api/recordings.ts'
import type { uploadedMediaSchema } from '../../../shared/api/uploads.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { type Page, pageFrom, unknownCursor } from '../../db/page.ts'
import { AppError, messageOf } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { newId } from '../../ids.ts'
import { type BoundJob, bindJob, type JobContext, JobDeferred, JobHopeless } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import { makePoster } from '../../media/make-poster.ts'
import { MediaError } from '../../media/media-error.ts'
import type { MediaType } from '../../media/sniff-media.ts'
import type { OwnFile } from '../uploads/uploads.service.ts'
import type { ClipCutter } from './clip-cutter.ts'
import { type ClipRow, type ClipsRepository, clipView, type Provenance } from './clips.repository.ts'
import { isoFromUs, nameAt, US_PER_MS, US_PER_S, usOf } from './instants.ts'
import type { Playback } from './playback.service.ts'
import type { RecordingPlace, RecordingPlaces } from './recorded-sources.ts'
import type { RecordingIndex } from './recording-index.ts'
import { cutClipJob } from './recordings.jobs.ts'
import { spanView } from './recordings.service.ts'
import { endOf } from './sessions.ts'

type StoredMedia = z.output<typeof uploadedMediaSchema>

export interface ClipsServiceDeps {
  db: Database
  clock: Clock
  queue: JobQueue
  outbox: Outbox
  places: RecordingPlaces
  clips: ClipsRepository
  index: RecordingIndex
  playback: Playback
  cutter: ClipCutter
  ffmpegPath: () => string | null
  scratchDir: string
  /** Stores a file of the base's own as an asset; `onStored` runs in the transaction that makes it one. */
  storeOwn: (
    file: Readable,
    about: OwnFile,
    onStored: (assetId: string, sha256: string) => void
  ) => Promise<StoredMedia>
  /** Writes things about an asset down, in the current transaction. */
  note: (assetId: string, about: { metadata: Record<string, unknown> }) => unknown
  /** A picture of a stream as it is now. Throws `snapshot_not_available`. */
  pictureOf: (sourceId: string) => Promise<Buffer>
}

const MAX_CLIP_US = 86_400 * US_PER_S
/** What is recorded is on the disk a part later. */
const FLUSH_MS = 3000
const CLIP: MediaType = { kind: 'video', mimeType: 'video/mp4' }
const PICTURE: MediaType = { kind: 'image', mimeType: 'image/jpeg' }

/** Makes assets of recordings: those stay, whatever becomes of what they were cut from. */
export class ClipsService {
  readonly #deps: ClipsServiceDeps

  constructor(deps: ClipsServiceDeps) {
    this.#deps = deps
  }

  /** Has a part of a recording cut. Throws `source_not_found`, `invalid_request`, `recording_not_found`, `disk_full`. */
  async request(
    sourceId: string,
    { start, end, name }: { start: string; end: string; name?: string | undefined }
  ): Promise<{ jobId: string; clipId: string }> {
    const { db, clock, queue, places, clips, index, playback, cutter } = this.#deps
    const place = places.get(sourceId)
    const span = { startUs: usOf(start), endUs: usOf(end) }
    const nowMs = clock.nowMs()
    assertLength(span, nowMs)
    const clipId = newId(nowMs)
    const clip = { ...ownerOf(place), ...span, id: clipId, kind: 'clip' as const }
    const delayMs = Math.max(0, span.endUs / US_PER_MS + FLUSH_MS - nowMs)
    await cutter.assertRoom({ sourceId, ...span })
    return index.scanThen(place, () => {
      if (playback.listPlays(sourceId, span).length === 0)
        throw new AppError('recording_not_found', { sourceId, start, end })
      return db.transaction(() => {
        clips.insert({ ...clip, name: nameFor(place, span.startUs, name, '.mp4') })
        return { jobId: queue.enqueue(cutClipJob, { clipId }, { delayMs, workspaceId: place.workspaceId }), clipId }
      })
    })
  }

  /** Throws `source_not_found`, `invalid_request` for a cursor of another list. */
  list(sourceId: string, query: { cursor?: string | undefined; limit: number }): Page<Clip> {
    const { places, clips } = this.#deps
    places.get(sourceId)
    if (query.cursor !== undefined && clips.find(query.cursor)?.sourceId !== sourceId) throw unknownCursor()
    const found = clips.list(sourceId, { ...query, limit: query.limit + 1 })
    const { items, nextCursor } = pageFrom(found, query.limit, ({ id }) => id)
    return { items: items.map(clipView), nextCursor }
  }

  /** Throws `source_not_found`, `clip_not_found`. */
  get(sourceId: string, clipId: string): Clip {
    this.#deps.places.get(sourceId)
    const clip = this.#deps.clips.find(clipId)
    if (clip?.sourceId !== sourceId) throw new AppError('clip_not_found', { clipId })
    return clipView(clip)
  }

  /**
   * Makes an asset of a picture: of the stream as it is now, or of its recording at a time. Throws `source_not_found`,
   * `recording_not_found`, `snapshot_not_available`, `ObjectStoreError`, and as the media server does.
   */
  async keepPicture(
    sourceId: string,
    { at, name }: { at?: string | undefined; name?: string | undefined }
  ): Promise<StoredMedia> {
    const { clock, places, clips, pictureOf } = this.#deps
    const place = at === undefined ? placeOfLive(places, sourceId) : places.get(sourceId)
    const atUs = at === undefined ? clock.nowMs() * US_PER_MS : usOf(at)
    const jpeg = at === undefined ? await pictureOf(sourceId) : await this.#pictureAt(place, atUs)
    const id = newId(clock.nowMs())
    const span = { startUs: atUs, endUs: atUs }
    const clip = { ...ownerOf(place), ...span, id, kind: 'snapshot' as const, name: nameFor(place, atUs, name, '.jpg') }
    const provenance = { ...provenanceOf(place, span), covered: [], begins: 'exact' as const }
    return this.#store(Readable.from([jpeg]), clip, PICTURE, (assetId, sha256) => {
      clips.insert(clip)
      this.#noteReady(clip, assetId, sha256, provenance)
    })
  }

  bindJob(): BoundJob {
    return bindJob(cutClipJob, ({ clipId }, context) => this.#cut(clipId, context))
  }

  /** Gives up what nobody works on: it would keep its recording for ever. */
  giveUpAbandoned(): void {
    const { db, clips } = this.#deps
    db.transaction(() => {
      for (const clip of clips.listAbandoned()) this.#noteFailed(clip, 'the work was cancelled or given up')
    })
  }

  async #cut(clipId: string, context: JobContext): Promise<void> {
    const { db, clips, places, index } = this.#deps
    const clip = clips.find(clipId)
    if (!clip || clip.state === 'ready') return
    try {
      // Tried again by somebody after it was given up.
      if (clip.state === 'failed') db.transaction(() => clips.setWaiting(clipId))
      const place = places.get(clip.sourceId)
      await index.scan([place])
      await this.#deps.cutter.withCut(clip, context, async ({ filePath, covered, begins }) => {
        const provenance = { ...provenanceOf(place, clip), covered: covered.map(spanView), begins }
        await whenStoreAnswers(async () => {
          await this.#store(createReadStream(filePath), clip, CLIP, (assetId, sha256) =>
            this.#noteReady(clip, assetId, sha256, provenance)
          )
        })
      })
    } catch (error) {
      context.signal.throwIfAborted()
      const isLast = context.attempt >= cutClipJob.maxAttempts && !(error instanceof JobDeferred)
      if (isLast || error instanceof JobHopeless) db.transaction(() => this.#noteFailed(clip, messageOf(error)))
      throw error
    }
  }

  #store(
    bytes: Readable,
    clip: Pick<ClipRow, 'id' | 'sourceId' | 'workspaceId' | 'name' | 'startUs'>,
    type: MediaType,
    onStored: (assetId: string, sha256: string) => void
  ): Promise<StoredMedia> {
    const { id: externalId, sourceId: owner, workspaceId, name } = clip
    const reference = { namespace: 'live', owner, externalId, kind: 'strong' as const }
    const takenAtMs = Math.floor(clip.startUs / US_PER_MS)
    return this.#deps.storeOwn(bytes, { workspaceId, name, type, takenAtMs, reference, isProcessed: true }, onStored)
  }

  #noteReady(
    { id, workspaceId, sourceId }: Pick<ClipRow, 'id' | 'workspaceId' | 'sourceId'>,
    assetId: string,
    sha256: string,
    provenance: Provenance
  ): void {
    const { clips, outbox, note } = this.#deps
    clips.setReady(id, assetId, sha256, provenance)
    note(assetId, { metadata: { ...provenance } })
    outbox.append('clip.ready', id, { workspaceId, sourceId, assetId, sha256 })
  }

  #noteFailed({ id, workspaceId, sourceId }: ClipRow, problem: string): void {
    this.#deps.clips.setFailed(id, problem)
    this.#deps.outbox.append('clip.failed', id, { workspaceId, sourceId, problem })
  }

  async #pictureAt(place: RecordingPlace, atUs: number): Promise<Buffer> {
    const { index, playback, ffmpegPath } = this.#deps
    await index.scan([place])
    const segment = playback.segmentAt(place.sourceId, atUs)
    if (!segment || segment.state === 'damaged' || endOf(segment) <= atUs)
      throw new AppError('recording_not_found', { sourceId: place.sourceId, at: isoFromUs(atUs) })
    const filePath = index.filePath(segment)
    try {
      if (filePath === null) return await this.#pictureOfServer(place, atUs)
      const atMs = (atUs - segment.startUs) / US_PER_MS
      return await makePoster({ filePath, atMs, ffmpegPath: ffmpegPath() })
    } catch (error) {
      if (!(error instanceof MediaError)) throw error
      throw new AppError('snapshot_not_available', { reason: error.message }, { cause: error })
    }
  }

  /** What lies elsewhere is fetched for it, a second of it. */
  async #pictureOfServer(place: RecordingPlace, atUs: number): Promise<Buffer> {
    const { playback, scratchDir, ffmpegPath } = this.#deps
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS)
    const filePath = join(scratchDir, `picture-${newId()}.mp4`)
    await mkdir(scratchDir, { recursive: true })
    try {
      const film = await playback.open(playback.find(place.sourceId, atUs, 1), 'mp4', signal)
      await pipeline(film, createWriteStream(filePath), { signal })
      return await makePoster({ filePath, atMs: 0, ffmpegPath: ffmpegPath() })
    } finally {
      await rm(filePath, { force: true })
    }
  }
}

const FETCH_TIMEOUT_MS = 60_000

/** Throws `source_not_found`. */
function placeOfLive(places: RecordingPlaces, sourceId: string): RecordingPlace {
  places.source(sourceId)
  return places.get(sourceId)
}

const ownerOf = ({ sourceId, workspaceId }: RecordingPlace) => ({ sourceId, workspaceId })

/** Throws `invalid_request`. */
function assertLength({ startUs, endUs }: { startUs: number; endUs: number }, nowMs: number): void {
  const message =
    endUs <= startUs
      ? 'must be later than start'
      : endUs - startUs > MAX_CLIP_US
        ? 'must be at most a day after start'
        : endUs > nowMs * US_PER_MS
          ? 'must not be in the future'
          : null
  if (message !== null) throw new AppError('invalid_request', { in: 'body', issues: [{ path: 'end', message }] })
}

function provenanceOf(
  { sourceId, name, pathName }: RecordingPlace,
  { startUs, endUs }: { startUs: number; endUs: number }
): Omit<Provenance, 'covered' | 'begins'> {
  return {
    source_id: sourceId,
    source_name: name,
    path: pathName,
    start: isoFromUs(startUs),
    end: isoFromUs(endUs)
  }
}

/** As somebody called it, else after its stream and its time. */
function nameFor(place: RecordingPlace, atUs: number, given: string | undefined, extension: string): string {
  if (given === undefined) return nameAt(place, atUs, extension)
  return given.toLowerCase().endsWith(extension) ? given : `${given}${extension}`
}

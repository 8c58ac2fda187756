import { buffer } from 'node:stream/consumers'
import type { Logger } from 'pino'
import { type MediaProblem, thumbnailSizesPx } from '../../../shared/api/assets.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import { judgeContent } from '../../media/judge-content.ts'
import { makePoster } from '../../media/make-poster.ts'
import {
  makeThumbnails,
  type Thumbnail,
  type ThumbnailFormat,
  type Thumbnails,
  thumbnailFormats
} from '../../media/make-thumbnails.ts'
import { MediaError } from '../../media/media-error.ts'
import { sniffFile } from '../../media/sniff-media.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import { withLocalFile } from '../../object-store/with-local-file.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import { chooseFormat } from './choose-format.ts'
import { makeRenditionsJob } from './renditions.jobs.ts'
import type { RenditionSource, RenditionsRepository, StoredRendition } from './renditions.repository.ts'

export interface RenditionsServiceDeps {
  db: Database
  store: ObjectStore
  repository: RenditionsRepository
  queue: JobQueue
  removals: ObjectRemovals
  outbox: Outbox
  clock: Clock
  log: Logger
  /** Where copies of objects from an external store may lie for a while. */
  scratchDir: string
  /** The ffmpeg to use at this moment, null when there is none. */
  ffmpegPath: () => string | null
}

/** Every preview is stored in this format; others are made from it when somebody asks. */
const STORED_FORMAT: ThumbnailFormat = 'webp'

/** Problems of the bytes themselves, as opposed to those of this machine or of the kind of file. */
const DAMAGE: ReadonlySet<MediaProblem> = new Set(['unreadable', 'truncated', 'corrupt'])

/** Makes the previews of assets, in a job, and finds the right one for a viewer. */
export class RenditionsService {
  readonly #deps: RenditionsServiceDeps
  readonly #conversions = new Map<string, Promise<StoredRendition>>()
  #lastConversion: Promise<unknown> = Promise.resolve()

  constructor(deps: RenditionsServiceDeps) {
    this.#deps = deps
  }

  /** Queues the making of an asset's previews, in the current transaction if there is one. */
  enqueue(assetId: string): void {
    this.#deps.queue.enqueue(makeRenditionsJob, { assetId })
  }

  /** Queues the assets that only lacked an ffmpeg, once there is one. Call it at every start. */
  enqueueWaiting(): void {
    const { db, repository, ffmpegPath } = this.#deps
    if (ffmpegPath() === null) return
    db.transaction(() => {
      for (const assetId of repository.listWaitingForFfmpeg()) this.enqueue(assetId)
    })
  }

  /** Whether a preview is kept at this key. */
  isInUse(key: string): boolean {
    return this.#deps.repository.hasKey(key)
  }

  /** Lets go of an asset's previews, for good. Call it in the transaction that deletes the asset. */
  release(assetId: string): void {
    this.#deps.repository.deleteAll(assetId)
    this.#removeAll(assetId)
  }

  /** Also those that no row tells of any more, or not yet. */
  #removeAll(assetId: string): void {
    for (const sizePx of thumbnailSizesPx)
      for (const format of thumbnailFormats) this.#deps.removals.request(keyOf(assetId, sizePx, format), null)
  }

  bindJob(): BoundJob {
    return bindJob(makeRenditionsJob, ({ assetId }, { signal }) => whenStoreAnswers(() => this.#make(assetId, signal)))
  }

  /**
   * The stored preview that suits an Accept header best; another format is made and kept when the viewer takes only
   * that or says to prefer it. Throws `asset_not_found`, `rendition_not_available` (`details` tell why), and
   * `ObjectStoreError`.
   */
  async find(assetId: string, sizePx: number, accept: string | undefined): Promise<StoredRendition> {
    const { repository } = this.#deps
    const state = repository.findState(assetId)
    if (!state) throw new AppError('asset_not_found', { assetId })
    const stored = repository.list(assetId, String(sizePx))
    const original = stored.find(({ format }) => format === STORED_FORMAT)
    if (!original) throw new AppError('rendition_not_available', { ...state })
    const format = chooseFormat(
      accept,
      stored.map((rendition) => rendition.format)
    )
    return stored.find((rendition) => rendition.format === format) ?? this.#convert(assetId, sizePx, original, format)
  }

  /** The bytes of a preview are gone from the store: has it made anew. */
  healLost(assetId: string, sizePx: number, rendition: StoredRendition): void {
    const { db, repository, log } = this.#deps
    log.warn({ assetId, key: rendition.key }, 'a preview is gone from the store and is made again')
    db.transaction(() => {
      repository.delete(assetId, String(sizePx), rendition.format)
      if (rendition.format === STORED_FORMAT) this.enqueue(assetId)
    })
  }

  async #make(assetId: string, signal: AbortSignal): Promise<void> {
    const { db, repository, outbox, clock, store, scratchDir } = this.#deps
    const source = repository.findSource(assetId)
    if (!source) return db.transaction(() => this.#removeAll(assetId))
    try {
      const made = await withLocalFile(store, source, { scratchDir, signal }, (filePath) =>
        this.#picture(filePath, source, signal)
      )
      const stored: (StoredRendition & { sizePx: number })[] = []
      for (const thumbnail of made.thumbnails) stored.push(await this.#store(assetId, thumbnail))
      db.transaction(() => {
        if (!repository.findSource(assetId)) {
          // The asset was purged meanwhile.
          this.#removeAll(assetId)
          return
        }
        for (const { sizePx, ...rendition } of stored) {
          repository.put(assetId, String(sizePx), rendition)
          repository.deleteOtherFormats(assetId, String(sizePx), rendition.format)
        }
        repository.setReady(assetId, made, clock.nowMs())
        if (made.damage) outbox.append('asset.damaged', assetId, { damage: made.damage })
        outbox.append('rendition.ready', assetId)
      })
    } catch (error) {
      signal.throwIfAborted()
      const problem = problemOf(error)
      if (!problem) throw error
      const now = repository.findSource(assetId)
      if (!now) return
      // Bytes that were moved are looked at where they are now.
      if (now.key !== source.key || now.etag !== source.etag) return this.enqueue(assetId)
      const damage = DAMAGE.has(problem) ? problem : null
      db.transaction(() => {
        repository.setUnavailable(assetId, problem, damage, clock.nowMs())
        outbox.append(damage ? 'asset.damaged' : 'asset.updated', assetId, damage ? { damage } : {})
      })
    }
  }

  /** Previews of whatever can be looked at; goes by the content. Raises `MediaError`. */
  async #picture(filePath: string, source: RenditionSource, signal: AbortSignal): Promise<Thumbnails> {
    const { type, isWrong } = judgeContent(source, await sniffFile(filePath))
    if (isWrong) throw new MediaError('unreadable', `the content is not ${type.mimeType}`)
    const request = { sizesPx: [...thumbnailSizesPx], format: STORED_FORMAT, signal }
    if (type.kind === 'image') return makeThumbnails({ ...request, input: filePath })
    if (type.kind !== 'video') throw new MediaError('unsupported_type', `there are no previews of ${type.mimeType}`)
    const ffmpegPath = this.#deps.ffmpegPath()
    const poster = await makePoster({ filePath, ffmpegPath, durationMs: source.durationMs, signal })
    return makeThumbnails({ ...request, input: poster })
  }

  async #store(assetId: string, thumbnail: Thumbnail): Promise<StoredRendition & { sizePx: number }> {
    const { sizePx, format, bytes, widthPx, heightPx } = thumbnail
    const key = keyOf(assetId, sizePx, format)
    await this.#deps.store.put(key, bytes, { contentType: `image/${format}` })
    return { sizePx, format, key, widthPx, heightPx, sizeBytes: bytes.length, createdAtMs: this.#deps.clock.nowMs() }
  }

  /** One conversion per preview and format at a time, and one altogether: viewers must not starve the daemon. */
  #convert(
    assetId: string,
    sizePx: number,
    original: StoredRendition,
    format: ThumbnailFormat
  ): Promise<StoredRendition> {
    const name = `${assetId} ${sizePx} ${format}`
    const running = this.#conversions.get(name)
    if (running) return running
    const conversion = this.#lastConversion
      .then(() => this.#convertNow(assetId, sizePx, original, format))
      .finally(() => this.#conversions.delete(name))
    this.#conversions.set(name, conversion)
    this.#lastConversion = conversion.catch(() => undefined)
    return conversion
  }

  async #convertNow(
    assetId: string,
    sizePx: number,
    original: StoredRendition,
    format: ThumbnailFormat
  ): Promise<StoredRendition> {
    const { db, repository, store } = this.#deps
    const input = await buffer((await store.getStream(original.key)).stream)
    const [thumbnail] = (await makeThumbnails({ input, sizesPx: [sizePx], format })).thumbnails
    if (!thumbnail) throw new Error('no thumbnail was made')
    const { sizePx: _, ...rendition } = await this.#store(assetId, thumbnail)
    if (!repository.findState(assetId)) {
      db.transaction(() => this.#removeAll(assetId))
      throw new AppError('asset_not_found', { assetId })
    }
    repository.put(assetId, String(sizePx), rendition)
    return rendition
  }
}

const keyOf = (assetId: string, sizePx: number, format: ThumbnailFormat) => `renditions/${assetId}/${sizePx}.${format}`

/** Why there can be no preview of these bytes; null for what trying again may cure. */
function problemOf(error: unknown): MediaProblem | null {
  if (error instanceof MediaError) return error.problem
  if (!(error instanceof ObjectStoreError)) return null
  if (error.code === 'NotFound') return 'bytes_missing'
  return error.code === 'PreconditionFailed' ? 'bytes_changed' : null
}

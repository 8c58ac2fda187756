import { buffer } from 'node:stream/consumers'
import type { Logger } from 'pino'
import { type MediaProblem, previewSizesPx } from '../../../shared/api/assets.ts'
import { renditionNames } from '../../../shared/api/renditions.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import { makeThumbnails, type Thumbnail, type ThumbnailFormat, type Thumbnails } from '../../media/make-thumbnails.ts'
import { perceptualHash } from '../../media/perceptual-hash.ts'
import type { ObjectKeys } from '../../object-keys.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { withLocalFile } from '../../object-store/with-local-file.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import type { SimilarFeature } from '../similar/create-similar.ts'
import { chooseFormat } from './choose-format.ts'
import { pictureInput } from './picture-input.ts'
import { problemOf } from './problem-of.ts'
import { isMadeFromPreviews, type RenditionOrders } from './rendition-orders.ts'
import { makeRenditionsJob } from './renditions.jobs.ts'
import type { RenditionSource, RenditionsRepository, StoredRendition } from './renditions.repository.ts'

export interface RenditionsServiceDeps {
  db: Database
  store: ObjectStore
  keys: ObjectKeys
  repository: RenditionsRepository
  orders: RenditionOrders
  /** Keeps what assets look like; see `SimilarFeature`. */
  looks: Pick<SimilarFeature, 'note' | 'forget'>
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

type StoredPicture = StoredRendition<ThumbnailFormat>

/** Makes the previews of assets, in a job, and finds the right picture for a viewer. */
export class RenditionsService {
  readonly #deps: RenditionsServiceDeps
  readonly #conversions = new Map<string, Promise<StoredPicture>>()
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

  /** Whether a rendition is kept at this key. */
  isInUse(key: string): boolean {
    return this.#deps.repository.hasKey(key)
  }

  /** Lets go of everything made of an asset, for good. Call it in the transaction that deletes the asset. */
  release(assetId: string): void {
    this.#deps.repository.deleteAll(assetId)
    this.#deps.looks.forget(assetId)
    this.#removeAll(assetId)
  }

  /** Also what no row tells of any more, or not yet. */
  #removeAll(assetId: string): void {
    const { keys, removals } = this.#deps
    for (const folder of keys.renditionFolders(assetId)) removals.requestBelow(folder)
  }

  bindJob(): BoundJob {
    return bindJob(makeRenditionsJob, ({ assetId }, { signal }) => whenStoreAnswers(() => this.#make(assetId, signal)))
  }

  /**
   * The stored picture that suits an Accept header best; another format, or a size below that of a preview, is made and
   * kept when somebody wants it. What is not there is made soon, for somebody looks at it. Throws `asset_not_found`,
   * `rendition_not_available` (`details` tell why), and `ObjectStoreError`.
   */
  async find(assetId: string, sizePx: number, accept: string | undefined): Promise<StoredPicture> {
    const { repository } = this.#deps
    const source = repository.findSource(assetId)
    if (!source) throw new AppError('asset_not_found', { assetId })
    const stored = repository.listPictures(assetId, sizePx)
    const original = stored.find(({ format }) => format === STORED_FORMAT) ?? this.#larger(assetId, sizePx, source)
    if (!original) {
      this.#hurry(assetId, sizePx, source)
      throw new AppError('rendition_not_available', { preview: source.preview, previewProblem: source.previewProblem })
    }
    // A size that is not there yet counts as there in the format of what it is made from.
    const atHand = stored.length > 0 ? stored : [original]
    const format = chooseFormat(
      accept,
      atHand.map((rendition) => rendition.format)
    )
    return stored.find((rendition) => rendition.format === format) ?? this.#convert(assetId, sizePx, original, format)
  }

  /** The preview that a size is made from. */
  #larger(assetId: string, sizePx: number, source: RenditionSource): StoredPicture | undefined {
    if (!isMadeFromPreviews(sizePx, source)) return undefined
    const previewPx = previewSizesPx.find((size) => size >= sizePx) ?? Math.max(...previewSizesPx)
    return this.#deps.repository.listPictures(assetId, previewPx).find(({ format }) => format === STORED_FORMAT)
  }

  #hurry(assetId: string, sizePx: number, source: RenditionSource): void {
    const { orders } = this.#deps
    if (source.preview === 'pending') orders.hurryPreviews(assetId)
    else if (source.preview === 'ready' && !isMadeFromPreviews(sizePx, source)) {
      const name = renditionNames.find((each) => each === String(sizePx))
      if (name) orders.order(assetId, name, { interactive: true })
    }
  }

  /** The bytes of a picture are gone from the store: has it made anew. */
  healLost(assetId: string, sizePx: number, rendition: StoredPicture): void {
    const { db, repository, log } = this.#deps
    log.warn({ assetId, key: rendition.key }, 'a preview is gone from the store and is made again')
    db.transaction(() => {
      repository.delete(assetId, String(sizePx), rendition.format)
      if (rendition.format === STORED_FORMAT && isPreviewSize(sizePx)) this.enqueue(assetId)
    })
  }

  async #make(assetId: string, signal: AbortSignal): Promise<void> {
    const { db, repository, looks, outbox, clock, store, scratchDir } = this.#deps
    const source = repository.findSource(assetId)
    if (!source) return db.transaction(() => this.#removeAll(assetId))
    try {
      const made = await withLocalFile(store, source, { scratchDir, signal }, (filePath) =>
        this.#picture(filePath, source, signal)
      )
      const smallest = made.thumbnails[0]
      const look = smallest ? await perceptualHash(smallest.bytes) : null
      const stored: (StoredPicture & { sizePx: number })[] = []
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
        repository.forgetProblems(assetId)
        looks.note(assetId, look)
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

  /** Previews of whatever can be looked at. Raises `MediaError`. */
  async #picture(filePath: string, source: RenditionSource, signal: AbortSignal): Promise<Thumbnails> {
    const input = await pictureInput({ filePath, source, ffmpegPath: this.#deps.ffmpegPath(), signal })
    return makeThumbnails({ input, sizesPx: [...previewSizesPx], format: STORED_FORMAT, signal })
  }

  async #store(assetId: string, thumbnail: Thumbnail): Promise<StoredPicture & { sizePx: number }> {
    const { sizePx, format, bytes, widthPx, heightPx } = thumbnail
    const { store, keys } = this.#deps
    const key = keys.rendition(assetId, `${sizePx}.${format}`)
    await store.put(key, bytes, { contentType: `image/${format}` })
    return { sizePx, format, key, widthPx, heightPx, sizeBytes: bytes.length, createdAtMs: this.#deps.clock.nowMs() }
  }

  /** One conversion per preview and format at a time, and one altogether: viewers must not starve the daemon. */
  #convert(assetId: string, sizePx: number, original: StoredPicture, format: ThumbnailFormat): Promise<StoredPicture> {
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
    original: StoredPicture,
    format: ThumbnailFormat
  ): Promise<StoredPicture> {
    const { db, repository, store } = this.#deps
    const input = await buffer((await store.getStream(original.key)).stream)
    const [thumbnail] = (await makeThumbnails({ input, sizesPx: [sizePx], format })).thumbnails
    if (!thumbnail) throw new Error('no thumbnail was made')
    const { sizePx: _, ...rendition } = await this.#store(assetId, thumbnail)
    if (!repository.findSource(assetId)) {
      db.transaction(() => this.#removeAll(assetId))
      throw new AppError('asset_not_found', { assetId })
    }
    repository.put(assetId, String(sizePx), rendition)
    return rendition
  }
}

const isPreviewSize = (sizePx: number): boolean => previewSizesPx.some((size) => size === sizePx)

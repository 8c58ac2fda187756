import { createReadStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { MediaProblem } from '../../../shared/api/assets.ts'
import type { RenditionName } from '../../../shared/api/renditions.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { Outbox } from '../../events/outbox.ts'
import { freeBytesOfDisk } from '../../files.ts'
import { newId } from '../../ids.ts'
import { type BoundJob, bindJob, type JobContext, JobDeferred } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import { makeHls, makeProxy } from '../../media/make-proxy.ts'
import { makeStrip } from '../../media/make-strip.ts'
import { makeThumbnails } from '../../media/make-thumbnails.ts'
import { MediaError } from '../../media/media-error.ts'
import type { ObjectKeys } from '../../object-keys.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { withLocalFile } from '../../object-store/with-local-file.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import { pictureInput } from './picture-input.ts'
import { problemOf } from './problem-of.ts'
import { makeFilmJob, makePictureJob } from './renditions.jobs.ts'
import {
  contentTypes,
  type RenditionSource,
  type RenditionsRepository,
  type StoredRendition
} from './renditions.repository.ts'

export interface RenditionMakerDeps {
  db: Database
  store: ObjectStore
  keys: ObjectKeys
  repository: RenditionsRepository
  queue: JobQueue
  removals: ObjectRemovals
  outbox: Outbox
  clock: Clock
  /** Where files lie while they are made; emptied at every start. */
  scratchDir: string
  /** The ffmpeg to use at this moment, null when there is none. */
  ffmpegPath: () => string | null
  /** Resolves when uploads leave room for a film to go on. */
  whenEased: () => Promise<void>
}

type MadeName = Extract<RenditionName, '2048' | 'strip' | 'proxy' | 'hls'>
type Work = { assetId: string; source: RenditionSource; context: JobContext }
type Made = Omit<StoredRendition, 'key' | 'createdAtMs' | 'sizeBytes'> & { file: string; content: Buffer | string }

/** Free space that films leave to uploads. */
const KEEP_FREE_BYTES = 4 * 1024 ** 3
const NO_ROOM_PAUSE_MS = 600_000
/** How often, in written bytes, the free space is looked at. */
const ROOM_CHECK_BYTES = 32 << 20

/** Makes the renditions that are not previews, in jobs. A rendition is visible when all its files are stored, not before. */
export class RenditionMaker {
  readonly #deps: RenditionMakerDeps

  constructor(deps: RenditionMakerDeps) {
    this.#deps = deps
  }

  bindJobs(): BoundJob[] {
    return [
      bindJob(makePictureJob, ({ assetId, name }, context) => this.#run(assetId, name, context)),
      bindJob(makeFilmJob, ({ assetId, name }, context) => this.#run(assetId, name, context))
    ]
  }

  #run(assetId: string, name: MadeName, context: JobContext): Promise<void> {
    return whenStoreAnswers(async () => {
      const { db, repository } = this.#deps
      const source = repository.findSource(assetId)
      if (!source) return
      try {
        await this.#make(name, { assetId, source, context })
      } catch (error) {
        context.signal.throwIfAborted()
        const problem = problemOf(error)
        if (!problem) throw error
        db.transaction(() => this.#noteProblem(assetId, name, source, problem))
      }
    })
  }

  #noteProblem(assetId: string, name: MadeName, source: RenditionSource, problem: MediaProblem): void {
    const { repository, queue, outbox } = this.#deps
    const now = repository.findSource(assetId)
    if (!now) return
    if (now.key === source.key && now.etag === source.etag) {
      repository.putProblem(assetId, name, problem)
      outbox.append('asset.updated', assetId)
      return
    }
    // Bytes that were moved are looked at where they are now.
    if (name === 'proxy' || name === 'hls') queue.enqueue(makeFilmJob, { assetId, name })
    else queue.enqueue(makePictureJob, { assetId, name })
  }

  async #make(name: MadeName, work: Work): Promise<void> {
    if (name === 'hls') await this.#makeHls(work)
    else if (name === 'proxy') await this.#makeProxy(work)
    else await this.#withOriginal(work, (filePath) => this.#makePicture(name, filePath, work))
  }

  async #makePicture(name: '2048' | 'strip', filePath: string, { assetId, source, context }: Work): Promise<void> {
    const { signal, reportProgress: onProgress } = context
    if (name === 'strip') {
      const { bytes, ...size } = await makeStrip({
        ...source,
        filePath,
        ffmpegPath: this.#ffmpeg(),
        signal,
        onProgress
      })
      await this.#publish(assetId, name, [{ file: 'strip.webp', format: 'webp', content: bytes, ...size }])
      return
    }
    const sizesPx = [Number(name)]
    const input = await pictureInput({ filePath, source, ffmpegPath: this.#deps.ffmpegPath(), signal })
    const { thumbnails } = await makeThumbnails({ input, sizesPx, format: 'webp', signal })
    await this.#publish(
      assetId,
      name,
      thumbnails.map(({ bytes, format, widthPx, heightPx }) => ({
        file: `${name}.${format}`,
        format,
        content: bytes,
        widthPx,
        heightPx
      }))
    )
  }

  async #makeProxy(work: Work): Promise<void> {
    const { assetId, source, context } = work
    const ffmpegPath = this.#ffmpeg()
    await this.#withOriginal(work, (filePath) =>
      this.#inFolder(async (folder) => {
        const { filePath: content, ...size } = await makeProxy({
          ...{ filePath, ffmpegPath, folder, durationMs: source.durationMs, signal: context.signal },
          onProgress: (fraction) => context.reportProgress(fraction),
          mayGoOn: this.#whileThereIsRoom(folder)
        })
        await this.#publish(assetId, 'proxy', [{ file: 'proxy.mp4', format: 'mp4', content, ...size }])
      })
    )
  }

  /** The proxy in another container: nothing is encoded twice. */
  async #makeHls(work: Work): Promise<void> {
    const { store, scratchDir } = this.#deps
    const { signal } = work.context
    const ffmpegPath = this.#ffmpeg()
    let proxy = await this.#storedProxy(work.assetId)
    if (!proxy) await this.#makeProxy(work)
    proxy ??= await this.#storedProxy(work.assetId)
    if (!proxy) return // The asset was purged meanwhile.
    const { widthPx, heightPx } = proxy
    await withLocalFile(store, proxy, { scratchDir, signal }, (filePath) =>
      this.#inFolder(async (folder) => {
        const { playlistPath, mediaPath } = await makeHls({ filePath, ffmpegPath, folder, signal })
        await this.#publish(work.assetId, 'hls', [
          { file: 'hls.mp4', format: 'mp4', content: mediaPath, widthPx, heightPx },
          { file: 'hls.m3u8', format: 'm3u8', content: playlistPath, widthPx, heightPx }
        ])
      })
    )
  }

  async #storedProxy(assetId: string): Promise<(StoredRendition & { etag: string }) | null> {
    const rendition = this.#deps.repository.list(assetId, 'proxy')[0]
    const stored = rendition && (await this.#deps.store.head(rendition.key))
    return stored ? { ...rendition, etag: stored.etag } : null
  }

  #ffmpeg(): string {
    const path = this.#deps.ffmpegPath()
    if (path === null) throw new MediaError('ffmpeg_missing', 'no ffmpeg was found')
    return path
  }

  #withOriginal({ source, context }: Work, work: (filePath: string) => Promise<void>): Promise<void> {
    const { store, scratchDir } = this.#deps
    return withLocalFile(store, source, { scratchDir, signal: context.signal }, work)
  }

  async #inFolder(work: (folder: string) => Promise<void>): Promise<void> {
    const folder = join(this.#deps.scratchDir, newId())
    await mkdir(folder, { recursive: true })
    try {
      await work(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** Films wait for uploads, and never take the room that uploads need. */
  #whileThereIsRoom(folder: string): (writtenBytes: number) => Promise<void> {
    let nextLookBytes = 0
    return async (writtenBytes) => {
      await this.#deps.whenEased()
      if (writtenBytes < nextLookBytes) return
      nextLookBytes = writtenBytes + ROOM_CHECK_BYTES
      const freeBytes = await freeBytesOfDisk(folder)
      // It is written twice more: with its index in front, and into the store.
      if (freeBytes - 2 * writtenBytes < KEEP_FREE_BYTES)
        throw new JobDeferred(NO_ROOM_PAUSE_MS, 'the disk is too full to make films')
    }
  }

  /** Stores the files, then shows them all at once. */
  async #publish(assetId: string, name: MadeName, made: Made[]): Promise<void> {
    const { db, store, keys, repository, outbox, clock } = this.#deps
    const stored: StoredRendition[] = []
    for (const { file, content, ...rendition } of made) {
      const key = keys.rendition(assetId, file)
      const sizeBytes = typeof content === 'string' ? (await stat(content)).size : content.length
      const body = typeof content === 'string' ? { stream: createReadStream(content), sizeBytes } : content
      await store.put(key, body, { contentType: contentTypes[rendition.format] })
      stored.push({ ...rendition, key, sizeBytes, createdAtMs: clock.nowMs() })
    }
    db.transaction(() => {
      // The asset was purged meanwhile.
      if (!repository.findSource(assetId)) return this.#removeAll(assetId)
      for (const rendition of stored) repository.put(assetId, name, rendition)
      outbox.append('rendition.ready', assetId, { name })
    })
  }

  #removeAll(assetId: string): void {
    const { keys, removals } = this.#deps
    for (const folder of keys.renditionFolders(assetId)) removals.requestBelow(folder)
  }
}

import type { Logger } from 'pino'
import type { z } from 'zod'
import { previewSizesPx } from '../../../shared/api/assets.ts'
import type { Job } from '../../../shared/api/jobs.ts'
import {
  getHls,
  getRendition,
  type RenditionName,
  type RenditionStatus,
  renditionNames
} from '../../../shared/api/renditions.ts'
import { endpointUrl } from '../../../shared/api-client.ts'
import type { RenditionsConfig } from '../../config/settings/renditions.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import { type JobDefinition, URGENT_PRIORITY } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { needsProxy } from '../../media/needs-proxy.ts'
import { makeFilmJob, makePictureJob, makeRenditionsJob } from './renditions.jobs.ts'
import type {
  RenditionFormat,
  RenditionSource,
  RenditionsRepository,
  StoredRendition
} from './renditions.repository.ts'

export interface RenditionOrdersDeps {
  db: Database
  repository: RenditionsRepository
  queue: JobQueue
  log: Logger
  config: RenditionsConfig
  /** The ffmpeg to use at this moment, null when there is none. */
  ffmpegPath: () => string | null
}

type Found = Pick<RenditionStatus, 'state' | 'problem'>

/** Knows what can be made of an asset, how far it is, and has it made: once, however many ask. */
export class RenditionOrders {
  readonly #deps: RenditionOrdersDeps

  constructor(deps: RenditionOrdersDeps) {
    this.#deps = deps
  }

  /** Every rendition this kind of asset has. Throws `asset_not_found`. */
  list(assetId: string): RenditionStatus[] {
    const source = this.#source(assetId)
    return namesFor(source).map((name) => this.#status(assetId, name, source))
  }

  /**
   * Has a rendition made unless it is there, cannot be had or is being made; `interactive` puts it first. Throws
   * `asset_not_found`, and `rendition_not_available` for what this kind of asset does not have.
   */
  order(assetId: string, name: RenditionName, options: { interactive: boolean }): RenditionStatus {
    const source = this.#source(assetId)
    if (!namesFor(source).includes(name)) throw new AppError('rendition_not_available', { kind: source.kind })
    return this.#deps.db.transaction(() => {
      const { state } = this.#status(assetId, name, source)
      if (!['ready', 'running', 'unavailable'].includes(state)) this.#enqueue(assetId, name, options)
      return this.#status(assetId, name, source)
    })
  }

  /** A stored file of a rendition. Throws `asset_not_found`, `rendition_not_available` (`details` tell why). */
  find(assetId: string, name: 'strip' | 'proxy' | 'hls', format: RenditionFormat): StoredRendition {
    const file = this.#deps.repository.list(assetId, name).find((stored) => stored.format === format)
    if (file) return file
    const { state, problem, jobId } = this.#status(assetId, name, this.#source(assetId))
    throw new AppError('rendition_not_available', { state, problem, jobId })
  }

  /** The bytes of a rendition are gone from the store: has it made anew. */
  healLost(assetId: string, name: RenditionName): void {
    const { db, repository, log } = this.#deps
    log.warn({ assetId, name }, 'a rendition is gone from the store and is made again')
    db.transaction(() => {
      repository.deleteFormats(assetId, name)
      this.#enqueue(assetId, name, { interactive: true })
    })
  }

  /** The codec of an asset's film is known now: has the proxy made ahead that it needs. Call it in that transaction. */
  noteCodec(assetId: string): void {
    const source = this.#deps.repository.findSource(assetId)
    if (this.#deps.config.proxy !== 'auto' || source?.kind !== 'video') return
    if (!needsProxy(source.mimeType, source.videoCodec)) return
    const { state } = this.#status(assetId, 'proxy', source)
    if (state === 'absent') this.#enqueue(assetId, 'proxy', { interactive: false })
  }

  /** Somebody looks at a preview that is not there yet: it is made before those nobody looks at. */
  hurryPreviews(assetId: string): void {
    const { queue } = this.#deps
    if (queue.find(makeRenditionsJob, { assetId })?.state !== 'queued') return
    queue.enqueue(makeRenditionsJob, { assetId }, { priority: URGENT_PRIORITY })
  }

  /** Orders again what only lacked an ffmpeg, once there is one. Call it at every start. */
  enqueueWaiting(): void {
    const { db, repository, ffmpegPath } = this.#deps
    if (ffmpegPath() === null) return
    db.transaction(() => {
      for (const { assetId, name } of repository.takeWaitingForFfmpeg()) this.#enqueue(assetId, name)
    })
  }

  #source(assetId: string): RenditionSource {
    const source = this.#deps.repository.findSource(assetId)
    if (!source) throw new AppError('asset_not_found', { assetId })
    return source
  }

  #enqueue(assetId: string, name: RenditionName, options: { interactive: boolean } = { interactive: false }): void {
    const { queue } = this.#deps
    const { definition, payload } = jobFor(assetId, name)
    const job = queue.find(definition, payload)
    if (job?.state === 'dead' || job?.state === 'cancelled') queue.retry(job.id)
    queue.enqueue(definition, payload, options.interactive ? { priority: URGENT_PRIORITY } : {})
  }

  #status(assetId: string, name: RenditionName, source: RenditionSource): RenditionStatus {
    const { queue, repository } = this.#deps
    const files = repository.list(assetId, name)
    const { definition, payload } = jobFor(assetId, name)
    const job = queue.find(definition, payload)
    const found = this.#found(assetId, name, source, { files, job })
    return {
      name,
      ...found,
      jobId: job?.id ?? null,
      progress: found.state === 'running' ? (job?.progress ?? null) : null,
      path: pathOf(assetId, name),
      files: files.map(({ format, widthPx, heightPx, sizeBytes }) => ({
        name,
        format,
        width: widthPx,
        height: heightPx,
        sizeBytes
      }))
    }
  }

  #found(
    assetId: string,
    name: RenditionName,
    source: RenditionSource,
    { files, job }: { files: StoredRendition[]; job: Job | undefined }
  ): Found {
    const is = (state: Found['state'], problem: Found['problem'] = null): Found => ({ state, problem })
    const isPreview = isMadeFromPreviews(Number(name), source)
    if (files.length > 0 || (isPreview && source.preview === 'ready')) return is('ready')
    if (job?.state === 'running' || job?.state === 'queued') return is(job.state)
    const problem = isPreview ? source.previewProblem : this.#problem(assetId, name)
    // What only lacks an ffmpeg that is there by now can be had after all.
    if (problem !== null && !(problem === 'ffmpeg_missing' && this.#deps.ffmpegPath() !== null))
      return is('unavailable', problem)
    return is(job?.state === 'dead' ? 'failed' : 'absent')
  }

  #problem(assetId: string, name: RenditionName) {
    const isFilm = name === 'proxy' || name === 'hls'
    if (isFilm && this.#deps.config.proxy === 'off') return 'switched_off'
    return this.#deps.repository.findProblem(assetId, name)
  }
}

/** What an asset of this kind has. */
function namesFor(source: RenditionSource): readonly RenditionName[] {
  if (source.kind === 'video') return renditionNames
  return source.kind === 'image' ? renditionNames.filter((name) => Number(name) > 0) : []
}

/** Sizes up to the largest preview come from the previews, and so does a larger one of a picture that is not larger. */
export function isMadeFromPreviews(sizePx: number, source: Pick<RenditionSource, 'widthPx' | 'heightPx'>): boolean {
  const largestPx = Math.max(...previewSizesPx)
  const longestSidePx = Math.max(source.widthPx ?? Number.POSITIVE_INFINITY, source.heightPx ?? 0)
  return sizePx <= largestPx || (sizePx > largestPx && longestSidePx <= largestPx)
}

function jobFor(assetId: string, name: RenditionName): { definition: JobDefinition<z.ZodType>; payload: unknown } {
  const couple = <Payload extends z.ZodType>(definition: JobDefinition<Payload>, payload: z.output<Payload>) => ({
    definition: definition as unknown as JobDefinition,
    payload
  })
  if (name === 'proxy' || name === 'hls') return couple(makeFilmJob, { assetId, name })
  if (name === '2048' || name === 'strip') return couple(makePictureJob, { assetId, name })
  return couple(makeRenditionsJob, { assetId })
}

function pathOf(assetId: string, name: RenditionName): string {
  if (name === 'hls') return endpointUrl(getHls.path, { params: { assetId, file: 'index.m3u8' } })
  return endpointUrl(getRendition.path, { params: { assetId, name } })
}

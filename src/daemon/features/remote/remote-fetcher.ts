import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../clock.ts'
import type { RemoteConfig } from '../../config/settings/remote.ts'
import { AppError } from '../../errors.ts'
import { FetchFailed, type FetchRules, failureOf, fetchSafely } from '../../http/safe-fetch.ts'
import { readImageSize } from '../../media/image-size.ts'
import { sniffMedia } from '../../media/sniff-media.ts'
import type { ObjectKeys } from '../../object-keys.ts'
import { withObjectSource } from '../../object-store/object-source.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import { measured } from '../uploads/measured-stream.ts'
import { UploadLimits } from '../uploads/upload-limits.ts'
import type { KeptFile, RemoteEntry } from './remote.repository.ts'

export interface RemoteFetcherDeps {
  store: ObjectStore
  keys: ObjectKeys
  removals: ObjectRemovals
  clock: Clock
  config: RemoteConfig
  rules: FetchRules
  userAgent: string
  /** Throws `blob_quarantined`. */
  assertNotQuarantined: (sha256: string) => void
}

/** `isNew`: the bytes were fetched, and lie at a key that is removed some time unless that is cancelled; else they are those of before. */
export interface FetchOutcome {
  file: KeptFile
  isNew: boolean
}

/** Longer than any fetch takes. */
const ABANDONED_AFTER_MS = 24 * 3_600_000
/** What an origin calls a version of a file, at most. */
const MAX_VALIDATOR_CHARS = 1024

/** Gets files from their origins into the store. */
export class RemoteFetcher {
  readonly #deps: RemoteFetcherDeps
  readonly #limits: UploadLimits

  constructor(deps: RemoteFetcherDeps) {
    this.#deps = deps
    this.#limits = new UploadLimits(deps.config)
  }

  /**
   * The file as its origin has it now, its bytes durable; the origin is asked whether it changed where the bytes are here. Throws
   * `FetchFailed`, `ObjectStoreError`, the reason of `signal`.
   */
  async fetch({ url, file }: Pick<RemoteEntry, 'url' | 'file'>, signal: AbortSignal): Promise<FetchOutcome> {
    const { rules, config, clock, userAgent } = this.#deps
    const known = file && (await this.#isWhole(file)) ? file : null
    const deadline = AbortSignal.timeout(config.timeoutMs)
    try {
      const fetched = await fetchSafely(new URL(url), {
        rules,
        headers: { accept: '*/*', 'user-agent': userAgent },
        conditions: (asked) => (known?.originUrl === asked.href ? conditionsOf(known) : {}),
        signal: AbortSignal.any([signal, deadline])
      })
      try {
        const nowMs = clock.nowMs()
        const times = { fetchedAtMs: nowMs, freshUntilMs: nowMs + config.maxAgeMs }
        if (fetched.answer.statusCode === 304 && known) return { file: { ...known, ...times }, isNew: false }
        const stored = await this.#store(url, fetched.answer)
        return { file: { ...stored, ...times, originUrl: fetched.url.href }, isNew: true }
      } finally {
        fetched.answer.destroy()
      }
    } catch (error) {
      signal.throwIfAborted()
      if (deadline.aborted)
        throw new FetchFailed('origin_timeout', `not complete within ${config.timeoutMs / 1000} s`, { isFinal: false })
      throw error
    }
  }

  async #store(
    url: string,
    answer: IncomingMessage
  ): Promise<Omit<KeptFile, 'fetchedAtMs' | 'freshUntilMs' | 'originUrl'>> {
    const { store, keys, removals } = this.#deps
    this.#assertAnnounced(answer.headers['content-length'])
    const key = keys.cachedRemote(url)
    removals.request(key, null, { afterMs: ABANDONED_AFTER_MS })
    let broken: Error | undefined
    answer.once('error', (error) => {
      broken = error
    })
    try {
      const bytes = measured(answer, this.#limits.maxSizeBytes)
      const { mimeType, kind } = sniffMedia(await bytes.head)
      bytes.limitTo(this.#limits.maxSizeOf(mimeType))
      const { etag, sizeBytes, ...stored } = await store.uploadStream(key, bytes.stream, { contentType: mimeType })
      const sha256 = stored.sha256 ?? (await store.sha256Of(key))
      this.#deps.assertNotQuarantined(sha256)
      if (kind === 'image') await this.#assertPixels({ key, etag, sizeBytes }, mimeType)
      const { etag: originEtag, 'last-modified': originLastModified } = answer.headers
      return {
        key,
        storeEtag: etag,
        mimeType,
        sizeBytes,
        sha256,
        originEtag: validator(originEtag),
        originLastModified: validator(originLastModified)
      }
    } catch (error) {
      removals.request(key, null)
      throw broken ? failureOf(broken) : refusalOf(error)
    }
  }

  #assertAnnounced(length: string | undefined): void {
    if (Number(length ?? 0) > this.#limits.maxSizeBytes)
      throw new FetchFailed('too_large', `the origin announces ${length} bytes`, { isFinal: true })
  }

  async #assertPixels(object: { key: string; etag: string; sizeBytes: number }, mimeType: string): Promise<void> {
    const size = await withObjectSource(this.#deps.store, object, (source) => readImageSize(source, mimeType))
    if (size) this.#limits.assertPixels(size)
  }

  async #isWhole({ key, storeEtag, sizeBytes }: KeptFile): Promise<boolean> {
    const stat = await this.#deps.store.head(key)
    return stat?.etag === storeEtag && stat.sizeBytes === sizeBytes
  }
}

function conditionsOf({ originEtag, originLastModified }: KeptFile): Record<string, string> {
  return {
    ...(originEtag === null ? {} : { 'if-none-match': originEtag }),
    ...(originLastModified === null ? {} : { 'if-modified-since': originLastModified })
  }
}

const validator = (header: string | undefined): string | null =>
  header === undefined || header.length > MAX_VALIDATOR_CHARS ? null : header

/** What a refusal by our own rules means for the task. */
function refusalOf(error: unknown): unknown {
  if (error instanceof ObjectStoreError || !(error instanceof AppError)) return error
  const options = { isFinal: true, cause: error }
  switch (error.code) {
    case 'payload_too_large':
      return new FetchFailed('too_large', `more than ${String(error.details?.['maxSizeBytes'])} bytes`, options)
    case 'media_type_not_allowed':
      return new FetchFailed('type_not_allowed', `the content is ${String(error.details?.['mimeType'])}`, options)
    case 'too_many_pixels':
      return new FetchFailed('too_many_pixels', 'the picture has too many pixels', options)
    case 'blob_quarantined':
      return new FetchFailed('quarantined', 'these bytes are quarantined', options)
    default:
      return error
  }
}

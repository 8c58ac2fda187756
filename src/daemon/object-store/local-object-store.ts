import { addAbortSignal, type Readable } from 'node:stream'
import { etagListMatches } from '../embedded-store/engine/etags.ts'
import type { ObjectInfo, StorageEngine } from '../embedded-store/engine/storage-engine.ts'
import { fillBody } from './fill-body.ts'
import { fromStorageError, translated } from './local-errors.ts'
import { LocalPartUploads } from './local-parts.ts'
import { assertPortableMetadata } from './metadata-rules.ts'
import {
  type CopyOptions,
  type CredentialsRequest,
  type IssueCredentials,
  type ListOptions,
  type ListResult,
  type LocalPath,
  type ObjectStat,
  type ObjectStore,
  ObjectStoreError,
  type OpenedObject,
  type PresignedRequest,
  type PutOptions,
  type PutResult,
  type SizedBody,
  type StoreHealth,
  type TemporaryCredentials,
  type UploadOptions
} from './object-store.ts'
import type { Presigner } from './presigner.ts'

const DEFAULT_CONTENT_TYPE = 'binary/octet-stream'
const MAX_PAGE = 1000
const WRITE_BYTES = 1024 ** 2

export type LocalObjectStoreOptions = {
  engine: StorageEngine
  /** Must exist. */
  bucket: string
  issueCredentials: IssueCredentials
  presigner: Presigner
}

/** The embedded store, used in process: no HTTP, no signatures, the same objects its endpoint serves. */
export class LocalObjectStore implements ObjectStore {
  readonly kind = 'local'
  readonly bucket: string
  readonly parts: LocalPartUploads
  readonly #engine: StorageEngine
  readonly #issueCredentials: IssueCredentials
  readonly #presigner: Presigner

  constructor(options: LocalObjectStoreOptions) {
    this.#engine = options.engine
    this.bucket = options.bucket
    this.parts = new LocalPartUploads(options.engine, options.bucket)
    this.#issueCredentials = options.issueCredentials
    this.#presigner = options.presigner
  }

  async put(key: string, body: SizedBody, options: PutOptions = {}): Promise<PutResult> {
    const [chunks, sizeBytes] = 'stream' in body ? [body.stream, body.sizeBytes] : [pieces(body), body.length]
    return this.#store(key, chunks, sizeBytes, options)
  }

  async uploadStream(key: string, stream: Readable, options: UploadOptions = {}): Promise<PutResult> {
    return this.#store(key, options.signal ? addAbortSignal(options.signal, stream) : stream, null, options)
  }

  async head(key: string): Promise<ObjectStat | null> {
    try {
      return toStat(await this.#engine.headObject(this.bucket, key))
    } catch (error) {
      const known = fromStorageError(error)
      if (known instanceof ObjectStoreError && known.code === 'NotFound') return null
      throw known
    }
  }

  async getStream(
    key: string,
    { range, ifMatch }: { range?: { start: number; end?: number }; ifMatch?: string } = {}
  ): Promise<{ stat: ObjectStat; stream: Readable; sizeBytes: number }> {
    return translated(async () => {
      const handle = await this.#engine.openObject(this.bucket, key)
      try {
        const { info } = handle
        if (ifMatch !== undefined && !etagListMatches(ifMatch, info.etag))
          throw new ObjectStoreError('PreconditionFailed', `${key} is another version by now.`)
        const end = Math.min(range?.end ?? info.sizeBytes - 1, info.sizeBytes - 1)
        const stream = handle.read(range && { start: range.start, end })
        return { stat: toStat(info), stream, sizeBytes: end + 1 - (range?.start ?? 0) }
      } finally {
        handle.close()
      }
    })
  }

  async open(key: string, { ifMatch }: { ifMatch?: string } = {}): Promise<OpenedObject> {
    return translated(async () => {
      const handle = await this.#engine.openObject(this.bucket, key)
      const { etag, sizeBytes } = handle.info
      if (ifMatch !== undefined && !etagListMatches(ifMatch, etag)) {
        handle.close()
        throw new ObjectStoreError('PreconditionFailed', `${key} is another version by now.`)
      }
      return {
        sizeBytes,
        readAt: (buffer, position) => translated(() => handle.readAt(buffer, position)),
        close: () => handle.close()
      }
    })
  }

  async localPath(key: string): Promise<LocalPath> {
    return translated(() => this.#engine.localFile(this.bucket, key))
  }

  async sha256Of(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<string> {
    return translated(() => this.#engine.digestOf(this.bucket, key, signal))
  }

  async list({ prefix, delimiter, cursor, limit = MAX_PAGE }: ListOptions = {}): Promise<ListResult> {
    const page = await translated(() =>
      this.#engine.listObjects({
        bucket: this.bucket,
        prefix,
        delimiter,
        after: cursor,
        limit: Math.min(limit, MAX_PAGE)
      })
    )
    const result: ListResult = { objects: [], prefixes: [], cursor: page.next }
    for (const entry of page.entries) {
      if ('prefix' in entry) result.prefixes.push(entry.prefix)
      else {
        const { key, sizeBytes, etag, lastModifiedMs } = entry.object
        result.objects.push({ key, sizeBytes, etag, lastModifiedMs })
      }
    }
    return result
  }

  async delete(key: string, { ifMatch }: { ifMatch?: string } = {}): Promise<void> {
    try {
      await this.#engine.deleteObject(this.bucket, key, ifMatch === undefined ? undefined : { ifMatch })
    } catch (error) {
      const known = fromStorageError(error)
      if (!(known instanceof ObjectStoreError && known.code === 'NotFound')) throw known
    }
  }

  async deleteMany(keys: string[]): ReturnType<ObjectStore['deleteMany']> {
    const result: Awaited<ReturnType<ObjectStore['deleteMany']>> = { deleted: [], failed: [] }
    await Promise.all(
      keys.map(async (key) => {
        try {
          await this.delete(key)
          result.deleted.push(key)
        } catch (error) {
          if (!(error instanceof ObjectStoreError)) throw error
          result.failed.push({ key, error })
        }
      })
    )
    return result
  }

  async copy(
    source: string,
    target: string,
    { replace, ifMatch, targetIfMatch }: CopyOptions = {}
  ): Promise<PutResult> {
    assertPortableMetadata(replace?.metadata)
    return translated(async () => {
      const info = await this.#engine.copyObject({
        source: { bucket: this.bucket, key: source, etag: ifMatch },
        bucket: this.bucket,
        key: target,
        replace: replace && { headers: { 'content-type': replace.contentType }, metadata: replace.metadata },
        precondition: { ifMatch: targetIfMatch }
      })
      return toResult(info)
    })
  }

  presignGet(key: string, options: Parameters<ObjectStore['presignGet']>[1]): Promise<PresignedRequest> {
    return this.#presigner.get(key, options)
  }

  presignPut(key: string, options: Parameters<ObjectStore['presignPut']>[1]): Promise<PresignedRequest> {
    return this.#presigner.put(key, options)
  }

  async issueCredentials(request: CredentialsRequest): Promise<TemporaryCredentials> {
    return this.#issueCredentials(request)
  }

  async health(key: string): Promise<StoreHealth> {
    const started = performance.now()
    const found = await translated(() => this.#engine.health())
    if (found.writable) {
      await this.put(key, Buffer.from(key))
      await this.head(key)
      await this.delete(key)
    }
    return {
      ...found,
      latencyMs: performance.now() - started,
      clockSkewMs: 0,
      server: null
    }
  }

  async close(): Promise<void> {
    this.#presigner.close()
  }

  async #store(
    key: string,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    sizeBytes: number | null,
    options: PutOptions
  ): Promise<PutResult> {
    const { contentType = DEFAULT_CONTENT_TYPE, metadata = {}, sha256, ifNoneMatch, ifMatch } = options
    assertPortableMetadata(metadata)
    return translated(async () => {
      await this.#engine.checkPrecondition(this.bucket, key, { ifNoneMatch, ifMatch })
      // A long stream is where it costs time.
      const body = await this.#engine.openBody({ sizeBytes, withoutMd5: sizeBytes === null })
      await fillBody(body, chunks, sha256)
      const info = await this.#engine.putObject({
        bucket: this.bucket,
        key,
        body,
        headers: { 'content-type': contentType },
        metadata,
        precondition: { ifNoneMatch, ifMatch }
      })
      return toResult(info)
    })
  }
}

/** One buffer in steps, so that writing it leaves room for others. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += WRITE_BYTES) yield bytes.subarray(at, at + WRITE_BYTES)
}

function toStat(info: ObjectInfo): ObjectStat {
  const { key, sizeBytes, etag, lastModifiedMs, metadata, sha256 } = info
  return {
    key,
    sizeBytes,
    etag,
    lastModifiedMs,
    contentType: info.headers['content-type'] ?? DEFAULT_CONTENT_TYPE,
    metadata,
    sha256
  }
}

function toResult({ etag, sizeBytes, sha256 }: ObjectInfo): PutResult {
  return { etag, sizeBytes, sha256 }
}

import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { assertPortableMetadata } from './metadata-rules.ts'
import { type MeteredBody, meterBody } from './metered-body.ts'
import {
  type ObjectStat,
  ObjectStoreError,
  type PutOptions,
  type PutResult,
  type SizedBody,
  type UploadOptions
} from './object-store.ts'
import { toBase64, translated, unquote } from './s3-answers.ts'
import { fromS3Error } from './s3-errors.ts'

const MIB = 1024 ** 2

/** Sends objects to an S3 server and looks afterwards at what arrived. */
export class S3Uploader {
  readonly #s3: S3Client
  readonly #bucket: string
  readonly #singleRequestMaxBytes: number
  readonly #partSizeBytes: number
  readonly #takesConditions: boolean
  readonly #head: (key: string) => Promise<ObjectStat | null>

  constructor(deps: {
    s3: S3Client
    bucket: string
    /** Larger bodies travel in parts. */
    singleRequestMaxBytes: number
    partSizeBytes: number
    /** False where conditions have to be looked at before a write, which leaves a moment between. */
    takesConditions: boolean
    head: (key: string) => Promise<ObjectStat | null>
  }) {
    this.#s3 = deps.s3
    this.#bucket = deps.bucket
    this.#singleRequestMaxBytes = deps.singleRequestMaxBytes
    this.#partSizeBytes = deps.partSizeBytes
    this.#takesConditions = deps.takesConditions
    this.#head = deps.head
  }

  /** See `ObjectStore.put`. */
  async put(key: string, body: SizedBody, options: PutOptions = {}): Promise<PutResult> {
    assertPortableMetadata(options.metadata)
    if (!this.#takesConditions) await this.#assertConditions(key, options)
    if (!('stream' in body)) return this.#putBytes(key, body, options)
    const metered = meterBody(body.stream, { sizeBytes: body.sizeBytes, sha256: options.sha256 })
    if (body.sizeBytes > this.#singleRequestMaxBytes) return this.#uploadInParts(key, metered, options, body.sizeBytes)
    return this.#sending(metered, async () => {
      const command = new PutObjectCommand({
        ...this.#putInput(key, options),
        Body: metered.stream,
        ContentLength: body.sizeBytes,
        ChecksumSHA256: toBase64(options.sha256)
      })
      const { ETag } = await this.#s3.send(command, { abortSignal: metered.signal })
      return this.#verified(key, unquote(ETag), metered.result())
    })
  }

  /** See `ObjectStore.uploadStream`. */
  async uploadStream(key: string, stream: Readable, options: UploadOptions = {}): Promise<PutResult> {
    assertPortableMetadata(options.metadata)
    if (!this.#takesConditions) await this.#assertConditions(key, options)
    return this.#uploadInParts(key, meterBody(stream, { signal: options.signal }), options)
  }

  async #putBytes(key: string, bytes: Uint8Array, options: PutOptions): Promise<PutResult> {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    if (options.sha256 !== undefined && options.sha256 !== sha256)
      throw new ObjectStoreError('ChecksumMismatch', 'The bytes have another sha256 than announced.')
    const input = { ...this.#putInput(key, options), Body: bytes, ChecksumSHA256: toBase64(sha256) }
    const { ETag } = await withConflictRetries(() => translated(() => this.#s3.send(new PutObjectCommand(input))))
    return this.#verified(key, unquote(ETag), { sizeBytes: bytes.length, sha256 })
  }

  async #uploadInParts(key: string, body: MeteredBody, options: PutOptions, sizeBytes = 0): Promise<PutResult> {
    return this.#sending(body, async () => {
      const upload = new Upload({
        client: this.#s3,
        params: { ...this.#putInput(key, options), Body: body.stream },
        queueSize: 4,
        partSize: Math.max(this.#partSizeBytes, Math.ceil(sizeBytes / 9000 / MIB) * MIB)
      })
      body.signal.addEventListener('abort', () => void upload.abort())
      const { ETag } = await upload.done()
      return this.#verified(key, unquote(ETag), body.result())
    })
  }

  /** Runs the sending of a body; when its source failed, that is the error and not the aborted request. */
  async #sending<T>(body: MeteredBody, send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (error) {
      body.cancel()
      throw body.signal.aborted ? body.signal.reason : fromS3Error(error)
    }
  }

  #putInput(key: string, { contentType, metadata, ifMatch, ifNoneMatch }: PutOptions) {
    return {
      Bucket: this.#bucket,
      Key: key,
      ContentType: contentType,
      Metadata: metadata,
      ...(this.#takesConditions && {
        IfNoneMatch: ifNoneMatch,
        IfMatch: ifMatch === undefined ? undefined : `"${ifMatch}"`
      })
    }
  }

  async #assertConditions(key: string, { ifMatch, ifNoneMatch }: PutOptions): Promise<void> {
    if (ifMatch === undefined && ifNoneMatch === undefined) return
    const stored = await this.#head(key)
    if (ifMatch !== undefined && stored === null) throw new ObjectStoreError('NotFound', `There is no object ${key}.`)
    if (stored !== null && (ifNoneMatch !== undefined || stored.etag !== ifMatch))
      throw new ObjectStoreError('PreconditionFailed', `There is another object ${key} already.`)
  }

  /** Looks at what arrived. Another version in its place means that someone replaced it since, which is theirs to judge. */
  async #verified(
    key: string,
    etag: string,
    sent: { sizeBytes: number; sha256: string }
  ): Promise<{ etag: string; sizeBytes: number; sha256: string }> {
    const stored = await this.#head(key)
    if (stored?.etag === etag) {
      if (stored.sizeBytes !== sent.sizeBytes || (stored.sha256 !== null && stored.sha256 !== sent.sha256))
        throw new ObjectStoreError('ChecksumMismatch', `The object store holds other bytes of ${key} than were sent.`)
    }
    return { etag, ...sent }
  }
}

/** Two conditional writes of one key at the same moment can make a server answer "conflict": it has to be asked again. */
async function withConflictRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'Conflict' || attempt === 5) throw error
      await delay(Math.random() * 100 * attempt)
    }
  }
}

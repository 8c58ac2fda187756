import { type FileHandle, open } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  paginateListParts,
  S3Client,
  UploadPartCommand
} from '@aws-sdk/client-s3'
import type { CardFile } from './photo-card.ts'
import type { StorageGrant } from './pilot-api.ts'
import { encodeRfc3986, signChunkedPut } from './signed-chunks.ts'

export type UploaderOptions = {
  /**
   * How bodies are framed: `signed-chunks` as the AWS SDK for Android does, `checksum-trailer` as the AWS SDK for
   * JavaScript does for streams.
   */
  framing: 'signed-chunks' | 'checksum-trailer'
  /** Files of at least this size go up in parts. */
  multipartFromBytes: number
  /** At least 5 MiB. */
  partBytes: number
  /** Slows the upload down to this rate, as a radio link does; as fast as possible when left out. */
  bytesPerSecond?: number
}

export type ObjectUpload = {
  grant: StorageGrant
  key: string
  file: CardFile
  /** Called with the payload bytes of the file that have left, those of earlier tries included. */
  onSent?(sentBytes: number): void
  /** Breaks the connection after so many payload bytes of this try: `UploadCut` is raised. */
  cutAfterBytes?: number | undefined
}

/** The connection was broken in the middle of a body, as it was asked to be. */
export class UploadCut extends Error {
  override readonly name = 'UploadCut'
}

/** The object store answered, and refused. */
export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal'
  readonly status: number
  constructor(status: number, code: string) {
    super(`${code} (HTTP ${status})`)
    this.status = status
  }
}

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** Uploads files to S3 as a controller does. Remembers unfinished multipart uploads and goes on with their missing parts. */
export class ObjectUploader {
  readonly #options: UploaderOptions
  readonly #agent = new Agent({ keepAlive: true })
  readonly #unfinished = new Map<string, string>()
  #client: { grant: StorageGrant; s3: S3Client } | undefined

  constructor(options: UploaderOptions) {
    this.#options = options
  }

  /** Resolves once the store has answered 200 for the whole object. Raises `UploadCut`, `StoreRefusal` or a network error. */
  async upload(upload: ObjectUpload): Promise<void> {
    const file = await open(upload.file.filePath)
    try {
      if (upload.file.sizeBytes >= this.#options.multipartFromBytes) await this.#uploadParts(upload, file)
      else await this.#put(upload, file, { start: 0, sizeBytes: upload.file.sizeBytes }, this.#meter(upload, 0))
    } catch (error) {
      throw asRefusal(error)
    } finally {
      await file.close()
    }
  }

  close(): void {
    this.#agent.destroy()
    this.#client?.s3.destroy()
  }

  async #uploadParts(upload: ObjectUpload, file: FileHandle): Promise<void> {
    const { grant, key } = upload
    const s3 = this.#s3(grant)
    const target = { Bucket: grant.bucket, Key: key }
    const { uploadId, done } = (await this.#findUnfinished(upload)) ?? (await this.#begin(upload))
    const { partBytes } = this.#options
    const meter = this.#meter(
      upload,
      [...done.values()].reduce((sum, part) => sum + part.sizeBytes, 0)
    )
    for (let start = 0, number = 1; start < upload.file.sizeBytes; start += partBytes, number++) {
      if (done.has(number)) continue
      const sizeBytes = Math.min(partBytes, upload.file.sizeBytes - start)
      const etag = await this.#put(upload, file, { start, sizeBytes, part: { uploadId, number } }, meter)
      done.set(number, { etag, sizeBytes })
    }
    const parts = [...done].sort(([a], [b]) => a - b).map(([PartNumber, { etag }]) => ({ PartNumber, ETag: etag }))
    await s3.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId: uploadId, MultipartUpload: { Parts: parts } })
    )
    this.#unfinished.delete(memoryOf(upload))
  }

  async #begin(upload: ObjectUpload): Promise<Unfinished> {
    const target = { Bucket: upload.grant.bucket, Key: upload.key, ContentType: contentType(upload.key) }
    const { UploadId: uploadId = '' } = await this.#s3(upload.grant).send(new CreateMultipartUploadCommand(target))
    this.#unfinished.set(memoryOf(upload), uploadId)
    return { uploadId, done: new Map() }
  }

  /** The upload an earlier try began, and its parts as the store has them; undefined when the store has it no more. */
  async #findUnfinished(upload: ObjectUpload): Promise<Unfinished | undefined> {
    const uploadId = this.#unfinished.get(memoryOf(upload))
    if (!uploadId) return undefined
    const target = { Bucket: upload.grant.bucket, Key: upload.key, UploadId: uploadId }
    const done: Unfinished['done'] = new Map()
    try {
      for await (const page of paginateListParts({ client: this.#s3(upload.grant) }, target)) {
        for (const part of page.Parts ?? [])
          done.set(part.PartNumber ?? 0, { etag: part.ETag ?? '', sizeBytes: part.Size ?? 0 })
        // MinIO names a next part on the last page as well, and the SDK would begin again from there.
        if (!page.IsTruncated) break
      }
    } catch (error) {
      // It was completed, and only the answer was lost; or it was aborted. Either way it cannot be gone on with.
      if (!(error instanceof Error) || error.name !== 'NoSuchUpload') throw error
      this.#unfinished.delete(memoryOf(upload))
      return undefined
    }
    return { uploadId, done }
  }

  /** Sends one body, an object or a part of it, and gives its ETag. */
  #put(upload: ObjectUpload, file: FileHandle, range: BodyRange, meter: Meter): Promise<string> {
    return this.#options.framing === 'signed-chunks'
      ? this.#putSignedChunks(upload, file, range, meter)
      : this.#putWithSdk(upload, file, range, meter)
  }

  async #putSignedChunks({ grant, key, file: card }: ObjectUpload, file: FileHandle, range: BodyRange, meter: Meter) {
    const path = [grant.bucket, ...key.split('/')].map(encodeRfc3986).join('/')
    const url = new URL(path, `${grant.endpoint}/`)
    if (range.part) {
      url.searchParams.set('partNumber', String(range.part.number))
      url.searchParams.set('uploadId', range.part.uploadId)
    }
    const put = signChunkedPut({
      url,
      key: {
        accessKeyId: grant.credentials.access_key_id,
        secretAccessKey: grant.credentials.access_key_secret,
        sessionToken: grant.credentials.security_token,
        region: grant.region
      },
      headers: range.part ? {} : { 'content-md5': Buffer.from(card.fingerprint, 'hex').toString('base64') },
      sizeBytes: range.sizeBytes
    })
    const body = put.frame(meter(readChunks(file, range, put.chunkBytes)))
    const headers = { ...put.headers, 'content-type': contentType(key) }
    const answer = await new Promise<{ status: number; etag: string; text: string }>((resolve, reject) => {
      const outgoing = request(url, { method: 'PUT', headers, agent: this.#agent }, (response) => {
        const { statusCode: status = 0, headers } = response
        const parts: Buffer[] = []
        const finish = () => resolve({ status, etag: headers.etag ?? '', text: Buffer.concat(parts).toString() })
        response.on('data', (chunk: Buffer) => parts.push(chunk)).once('end', finish)
        // A server that refuses early closes while we still write; its status line has arrived all the same.
        response.once('error', finish)
      })
      outgoing.once('error', reject)
      pipeline(Readable.from(body), outgoing, (error) => error && reject(error))
    })
    if (answer.status !== 200)
      throw new StoreRefusal(answer.status, /<Code>(\w+)<\/Code>/.exec(answer.text)?.[1] ?? 'no error code')
    return answer.etag
  }

  async #putWithSdk({ grant, key }: ObjectUpload, file: FileHandle, range: BodyRange, meter: Meter) {
    const abort = new AbortController()
    let failure: unknown
    async function* guarded() {
      try {
        yield* meter(readChunks(file, range, 64 * 1024))
      } catch (error) {
        // The SDK does not notice a body that fails, only one whose request is aborted.
        failure = error
        abort.abort()
      }
    }
    const target = { Bucket: grant.bucket, Key: key, Body: Readable.from(guarded()), ContentLength: range.sizeBytes }
    const options = { abortSignal: abort.signal }
    try {
      const answer = range.part
        ? await this.#s3(grant).send(
            new UploadPartCommand({ ...target, UploadId: range.part.uploadId, PartNumber: range.part.number }),
            options
          )
        : await this.#s3(grant).send(new PutObjectCommand({ ...target, ContentType: contentType(key) }), options)
      return answer.ETag ?? ''
    } catch (error) {
      throw failure ?? error
    }
  }

  #s3(grant: StorageGrant): S3Client {
    if (this.#client?.grant === grant) return this.#client.s3
    this.#client?.s3.destroy()
    const s3 = new S3Client({
      endpoint: grant.endpoint,
      region: grant.region,
      forcePathStyle: true,
      maxAttempts: 1,
      // Every error is raised; without a logger of ours the SDK also writes some of them to the console.
      logger: SILENT,
      credentials: {
        accessKeyId: grant.credentials.access_key_id,
        secretAccessKey: grant.credentials.access_key_secret,
        sessionToken: grant.credentials.security_token
      }
    })
    this.#client = { grant, s3 }
    return s3
  }

  /** Counts, paces and, where asked to, cuts the bodies of one try. */
  #meter({ onSent, cutAfterBytes = Number.POSITIVE_INFINITY }: ObjectUpload, earlierBytes: number): Meter {
    const { bytesPerSecond } = this.#options
    const startedAt = performance.now()
    let sent = 0
    return async function* (chunks) {
      for await (const chunk of chunks) {
        if (sent + chunk.length > cutAfterBytes) throw new UploadCut(`connection cut after ${sent} bytes`)
        yield chunk
        sent += chunk.length
        onSent?.(earlierBytes + sent)
        const aheadMs = bytesPerSecond ? startedAt + (sent / bytesPerSecond) * 1000 - performance.now() : 0
        if (aheadMs > 0) await pause(aheadMs)
      }
    }
  }
}

/** A multipart upload on its way, with the parts that are stored already. */
type Unfinished = { uploadId: string; done: Map<number, { etag: string; sizeBytes: number }> }
type BodyRange = { start: number; sizeBytes: number; part?: { uploadId: string; number: number } }
type Meter = (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>

const memoryOf = ({ file, key }: ObjectUpload) => `${file.fingerprint} ${key}`

const CHUNKS_PER_READ = 8

/** The range as chunks of exactly `chunkBytes`, the last one excepted; reads several of them at a time. */
async function* readChunks(file: FileHandle, range: BodyRange, chunkBytes: number): AsyncGenerator<Buffer> {
  const end = range.start + range.sizeBytes
  for (let position = range.start; position < end; ) {
    const block = Buffer.allocUnsafe(Math.min(chunkBytes * CHUNKS_PER_READ, end - position))
    let filled = 0
    while (filled < block.length) {
      const { bytesRead } = await file.read(block, filled, block.length - filled, position + filled)
      if (bytesRead === 0) throw new Error('the file on the card became shorter while it was read')
      filled += bytesRead
    }
    position += block.length
    for (let at = 0; at < block.length; at += chunkBytes) yield block.subarray(at, at + chunkBytes)
  }
}

function contentType(name: string): string {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  const known: Record<string, string> = {
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    mp4: 'video/mp4',
    mov: 'video/quicktime'
  }
  return known[extension] ?? 'application/octet-stream'
}

function asRefusal(error: unknown): unknown {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
  return error instanceof Error && status ? new StoreRefusal(status, error.name) : error
}

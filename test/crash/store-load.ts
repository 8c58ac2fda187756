import { createHash, randomFillSync } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand
} from '@aws-sdk/client-s3'
import { z } from 'zod'
import type { SeededRandom } from '../../src/demo/seeded-random.ts'
import { KeyHistory, type Version, type Write } from './key-history.ts'

export const BUCKET = 'media'
export const OWNER = 'crash'
export const MIN_PART_BYTES = 64 * 1024

/** What the child tells when it can be used, and what its audit found before. */
export const readySchema = z.object({
  port: z.number(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  problems: z.array(z.string())
})
export type StoreChildReady = z.infer<typeof readySchema>

export type Part = { bytes: Buffer; etag: string }
/** An upload that was acknowledged. The last of `sent` is the newest; those before it are gone once it is acknowledged. */
export type Upload = {
  uploadId: string
  key: string
  contentType: string
  stamp: string
  parts: Map<number, { acknowledged: Part | null; underWay: Part[] }>
  /** The end that was asked for; `write` is what a completion makes. */
  ending: { write: Write | null; listed: { PartNumber: number; ETag: string }[] } | null
}

const KIB = 1024
const MIB = KIB * KIB
const CLIENTS = 4
const KEYS_PER_CLIENT = 6
const SHARED_KEYS = 6
const MAX_OPEN_UPLOADS = 12

/** The answer that the store is dead and gave none. */
class Unanswered extends Error {}

/**
 * Several clients that write to one bucket, one request each at a time (parts side by side), and the account of what they asked for
 * and what they were answered. Some keys belong to one client, on the others all of them write at once.
 */
export class StoreLoad {
  readonly histories = new Map<string, KeyHistory>()
  /** Neither completed nor aborted with an answer. */
  readonly uploads = new Set<Upload>()
  /** Uploads that were begun without an answer: as many may be there that nobody knows. */
  unansweredUploads = 0
  /** Answers that no client should get. */
  problems: string[] = []
  acknowledged = 0
  readonly #pool = Buffer.alloc(6 * MIB)
  #stamps = 0
  #left: Upload[] = []
  #s3!: S3Client
  #random!: SeededRandom
  #onEvent: () => void = () => {}

  constructor() {
    randomFillSync(this.#pool)
    for (let client = 0; client < CLIENTS; client++)
      for (let at = 0; at < KEYS_PER_CLIENT; at++) this.histories.set(privateKey(client, at), new KeyHistory())
    for (let at = 0; at < SHARED_KEYS; at++) this.histories.set(sharedKey(at), new KeyHistory())
  }

  /** Lets all clients work until none gets an answer any more. `onEvent` hears of each request and each answer. */
  async run(s3: S3Client, random: SeededRandom, onEvent: () => void): Promise<void> {
    this.#s3 = s3
    this.#random = random
    this.#onEvent = onEvent
    this.#left = [...this.uploads]
    await Promise.all(Array.from({ length: CLIENTS }, (_, client) => this.#work(client)))
  }

  async #work(client: number): Promise<void> {
    try {
      for (;;) await this.#step(client)
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
    }
  }

  #step(client: number): Promise<void> {
    const key = this.#anyKey(client)
    const dice = this.#random.next()
    if (dice < 0.34) return this.#put(key, this.#size())
    if (dice < 0.42) return this.#putIf(key)
    if (dice < 0.52) return this.#delete(key)
    if (dice < 0.58) return this.#deleteSome(client)
    if (dice < 0.7) return this.#copy(client, key)
    const left = dice < 0.78 || this.uploads.size > MAX_OPEN_UPLOADS ? this.#takeLeft(client) : undefined
    if (left) return this.#end(left)
    return this.#upload(client, key)
  }

  async #put(
    key: string,
    sizeBytes: number,
    condition: { IfNoneMatch?: string; IfMatch?: string } = {}
  ): Promise<void> {
    const { bytes, contentType, stamp } = this.#content(sizeBytes)
    await this.#change(key, { bytes, etag: md5(bytes), contentType, stamp }, () =>
      this.#s3.send(
        new PutObjectCommand({
          Bucket: BUCKET,
          Key: key,
          Body: bytes,
          ContentType: contentType,
          Metadata: { stamp },
          ...condition
        })
      )
    )
  }

  #putIf(key: string): Promise<void> {
    const current = this.#history(key).settled()
    const condition = current ? { IfMatch: current.etag } : { IfNoneMatch: '*' }
    return this.#put(key, this.#size(), condition)
  }

  #delete(key: string): Promise<void> {
    return this.#change(key, null, () => this.#s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key })))
  }

  async #deleteSome(client: number): Promise<void> {
    const keys = [...new Set(Array.from({ length: 3 }, () => this.#anyKey(client)))]
    const writes = keys.map((key) => ({ history: this.#history(key), write: this.#history(key).begin(null) }))
    const Delete = { Objects: keys.map((Key) => ({ Key })) }
    const answer = await this.#ask(() => this.#s3.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete })))
    for (const error of answer?.Errors ?? []) this.problems.push(`DeleteObjects: ${error.Key}: ${error.Code}`)
    for (const { history, write } of writes)
      if (answer) history.acknowledge(write)
      else history.refuse(write)
  }

  async #copy(client: number, key: string): Promise<void> {
    const from = this.#source(client, key)
    if (!from) return this.#put(key, this.#size())
    const version =
      this.#random.next() < 0.5 ? from.version : { ...from.version, ...this.#content(0, from.version.bytes) }
    const replaced =
      version === from.version
        ? {}
        : {
            MetadataDirective: 'REPLACE' as const,
            ContentType: version.contentType,
            Metadata: { stamp: version.stamp }
          }
    await this.#change(key, version, () =>
      this.#s3.send(
        new CopyObjectCommand({
          Bucket: BUCKET,
          Key: key,
          CopySource: `${BUCKET}/${from.key}`,
          CopySourceIfMatch: from.version.etag,
          ...replaced
        })
      )
    )
  }

  async #upload(client: number, key: string): Promise<void> {
    const { contentType, stamp } = this.#content(0)
    this.unansweredUploads++
    const created = await this.#ask(() =>
      this.#s3.send(
        new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: key, ContentType: contentType, Metadata: { stamp } })
      )
    )
    this.unansweredUploads--
    if (!created?.UploadId) return
    const upload: Upload = { uploadId: created.UploadId, key, contentType, stamp, parts: new Map(), ending: null }
    this.uploads.add(upload)
    const numbers = Array.from({ length: this.#random.integer(1, 4) }, (_, at) => at * 2 + 1)
    const sent = await Promise.allSettled(
      numbers.map((number) =>
        this.#random.next() < 0.25 ? this.#copyPart(client, upload, number) : this.#sendPart(upload, number)
      )
    )
    for (const each of sent) if (each.status === 'rejected') throw each.reason
    const again = numbers[this.#random.integer(0, 8)]
    if (again !== undefined) await this.#sendPart(upload, again)
    if (this.#random.next() < 0.8) await this.#end(upload)
  }

  async #sendPart(upload: Upload, number: number): Promise<void> {
    const { bytes } = this.#content(this.#random.integer(MIN_PART_BYTES, 6 * MIN_PART_BYTES))
    await this.#changePart(upload, number, bytes, () =>
      this.#s3.send(
        new UploadPartCommand({
          Bucket: BUCKET,
          Key: upload.key,
          UploadId: upload.uploadId,
          PartNumber: number,
          Body: bytes
        })
      )
    )
  }

  async #copyPart(client: number, upload: Upload, number: number): Promise<void> {
    const from = this.#source(client, upload.key)
    if (!from || from.version.bytes.length <= MIN_PART_BYTES) return this.#sendPart(upload, number)
    const start = this.#random.integer(0, from.version.bytes.length - MIN_PART_BYTES - 1)
    const end = Math.min(start + 4 * MIN_PART_BYTES, from.version.bytes.length) - 1
    await this.#changePart(upload, number, from.version.bytes.subarray(start, end + 1), () =>
      this.#s3.send(
        new UploadPartCopyCommand({
          Bucket: BUCKET,
          Key: upload.key,
          UploadId: upload.uploadId,
          PartNumber: number,
          CopySource: `${BUCKET}/${from.key}`,
          CopySourceIfMatch: from.version.etag,
          CopySourceRange: `bytes=${start}-${end}`
        })
      )
    )
  }

  async #changePart(upload: Upload, number: number, bytes: Buffer, send: () => Promise<unknown>): Promise<void> {
    const part = { bytes, etag: md5(bytes) }
    const slot = upload.parts.get(number) ?? { acknowledged: null, underWay: [] }
    upload.parts.set(number, slot)
    slot.underWay.push(part)
    const answer = await this.#ask(send)
    slot.underWay = slot.underWay.filter((each) => each !== part)
    if (answer) slot.acknowledged = part
  }

  /** Completes the upload, or aborts it. */
  async #end(upload: Upload): Promise<void> {
    const { Bucket, Key, UploadId } = { Bucket: BUCKET, Key: upload.key, UploadId: upload.uploadId }
    const parts = [...upload.parts]
      .flatMap(([number, { acknowledged }]) => (acknowledged ? [{ number, ...acknowledged }] : []))
      .sort((a, b) => a.number - b.number)
    if (parts.length === 0 || this.#random.next() < 0.2) {
      upload.ending = { write: null, listed: [] }
      await this.#ask(() => this.#s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })))
      this.uploads.delete(upload)
      return
    }
    const md5s = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex')))
    const version = {
      bytes: Buffer.concat(parts.map(({ bytes }) => bytes)),
      etag: `${md5(md5s)}-${parts.length}`,
      contentType: upload.contentType,
      stamp: upload.stamp
    }
    const history = this.#history(upload.key)
    const write = history.begin(version)
    const listed = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }))
    upload.ending = { write, listed }
    const completed = await this.#ask(() =>
      this.#s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: listed } }))
    )
    this.uploads.delete(upload)
    if (completed) history.acknowledge(write)
    else history.refuse(write)
  }

  async #change(key: string, version: Version, send: () => Promise<unknown>): Promise<void> {
    const history = this.#history(key)
    const write = history.begin(version)
    if (await this.#ask(send)) history.acknowledge(write)
    else history.refuse(write)
  }

  /** The answer; null for a refusal that is to be expected. Raises `Unanswered` when there was none. */
  async #ask<T>(send: () => Promise<T>): Promise<T | null> {
    this.#onEvent()
    try {
      const answer = await send()
      this.acknowledged++
      return answer
    } catch (error) {
      // An answer that was cut off is none.
      if (!(error instanceof S3ServiceException) || (error.$metadata.httpStatusCode ?? 0) < 400)
        throw new Unanswered('', { cause: error })
      // The object that a condition or a copy meant was replaced or deleted by another client.
      if (!EXPECTED_REFUSALS.has(error.name)) this.problems.push(`${error.name}: ${error.message}`)
      return null
    } finally {
      this.#onEvent()
    }
  }

  /** An upload from before the last start that this client may end. */
  #takeLeft(client: number): Upload | undefined {
    const at = this.#left.findIndex(({ key }) => isOf(client, key))
    return at < 0 ? undefined : this.#left.splice(at, 1)[0]
  }

  /** An object to copy from that nobody else writes to. */
  #source(client: number, notKey: string): { key: string; version: NonNullable<Version> } | null {
    const key = privateKey(client, this.#random.integer(0, KEYS_PER_CLIENT - 1))
    const version = this.#history(key).settled()
    return version && key !== notKey ? { key, version } : null
  }

  #anyKey(client: number): string {
    if (this.#random.next() < 0.3) return sharedKey(this.#random.integer(0, SHARED_KEYS - 1))
    return privateKey(client, this.#random.integer(0, KEYS_PER_CLIENT - 1))
  }

  #size(): number {
    const dice = this.#random.next()
    if (dice < 0.05) return 0
    return dice < 0.85 ? this.#random.integer(1, 100 * KIB) : this.#random.integer(MIB, 4 * MIB)
  }

  /** Something to store that never was before. */
  #content(sizeBytes: number, bytes?: Buffer): { bytes: Buffer; contentType: string; stamp: string } {
    const stamp = `stamp-${++this.#stamps}`
    const from = this.#random.integer(0, MIB)
    const made = bytes ?? Buffer.from(this.#pool.subarray(from, from + sizeBytes))
    if (!bytes) made.write(stamp)
    return { bytes: made, contentType: `application/x-${stamp}`, stamp }
  }

  #history(key: string): KeyHistory {
    const history = this.histories.get(key)
    if (!history) throw new Error(`${key} is no key of the load.`)
    return history
  }
}

const EXPECTED_REFUSALS = new Set(['PreconditionFailed', 'NoSuchKey'])

const privateKey = (client: number, at: number) => `client-${client}/${at}`
const sharedKey = (at: number) => `shared/${at}`
const isOf = (client: number, key: string) => key.startsWith(`client-${client}/`) || key.startsWith('shared/')

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  UploadPartCopyCommand
} from '@aws-sdk/client-s3'
import { newId } from '../../ids.ts'
import { unquote } from '../../object-store/s3-answers.ts'
import { encodeCopySource } from '../../object-store/s3-copier.ts'
import { wasRepeated } from '../../object-store/s3-errors.ts'
import { startBodyHashes } from '../engine/body-hashes.ts'
import { type CompletionPlan, compositeEtag, hashOfRequest, planCompletion } from '../engine/complete-upload.ts'
import { assertObjectKey } from '../engine/names.ts'
import { preconditionFailed } from '../engine/preconditions.ts'
import { skipScan } from '../engine/skip-scan.ts'
import {
  type BucketInfo,
  type ByteRange,
  type ChecksumAlgorithm,
  type CompletedUpload,
  type CompleteUploadRequest,
  type CreateUploadRequest,
  type ListUploadsPage,
  type ListUploadsRequest,
  type ObjectInfo,
  type PartInfo,
  type StorageEngine,
  StorageError,
  type UploadInfo,
  type UploadRef,
  type WritePrecondition
} from '../engine/storage-engine.ts'
import type { GatewayPart, GatewayRows, GatewayUpload } from './gateway-rows.ts'
import type { Spool } from './spool.ts'
import { asked, bytesOf, findObject, protection, representation, type Upstream } from './upstream.ts'

const MIN_PART_BYTES = 5 * 1024 ** 2
const MAX_PARTS = 10_000
const DAY_MS = 24 * 3_600_000
const IDLE_MS = 7 * DAY_MS

type Deps = {
  upstream: Upstream
  rows: GatewayRows
  spool: Spool
  /** The bucket, when it is the one there is. */
  only: (bucket: string) => BucketInfo
  head: (bucket: string, key: string) => Promise<ObjectInfo>
  checkPrecondition: (bucket: string, key: string, condition: WritePrecondition | undefined) => Promise<void>
  clock: () => number
}

/** Multipart uploads, each of them one of the store behind. */
export class GatewayUploads {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async create(request: CreateUploadRequest): Promise<UploadInfo> {
    const { upstream, rows, only, clock } = this.#deps
    const { bucket, key, owner, headers = {}, metadata = {}, checksum = null } = request
    only(bucket)
    assertObjectKey(key)
    const command = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ...representation(headers, metadata) })
    const { UploadId } = await asked(() => upstream.s3.send(command))
    if (UploadId === undefined) throw new StorageError('StoreOffline', 'The store behind gave the upload no id.')
    const info = { uploadId: newId(), bucket, key, owner, createdAtMs: clock(), headers, metadata, checksum }
    rows.addUpload(info, UploadId)
    return info
  }

  /** Raises `NoSuchUpload`, also for one that is completed. */
  head(upload: UploadRef): GatewayUpload {
    const found = this.#find(upload)
    if (found.completed) throw noSuchUpload()
    return found
  }

  async putPart({ upload, number, body }: Parameters<StorageEngine['putPart']>[0]): Promise<PartInfo> {
    const { upstream, spool } = this.#deps
    return spool.handOn(body, async (whole) => {
      assertPartNumber(number)
      const { info, upstreamId } = this.head(upload)
      const command = new UploadPartCommand({
        Bucket: info.bucket,
        Key: info.key,
        UploadId: upstreamId,
        PartNumber: number,
        Body: whole.read(),
        ContentLength: whole.sizeBytes,
        ContentMD5: protection(upstream, whole).ContentMD5
      })
      const { ETag } = await asked(() => upstream.s3.send(command))
      const checksum = (info.checksum && whole.checksums[info.checksum.algorithm]) ?? null
      return this.#keep(upload, { number, sizeBytes: whole.sizeBytes, etag: whole.etag, checksum }, ETag)
    })
  }

  async copyPart({ upload, number, source, range }: Parameters<StorageEngine['copyPart']>[0]): Promise<PartInfo> {
    const { upstream, head } = this.#deps
    assertPartNumber(number)
    const { info, upstreamId } = this.head(upload)
    const original = await head(source.bucket, source.key)
    if (source.etag !== undefined && source.etag !== original.etag)
      throw preconditionFailed('x-amz-copy-source-if-match')
    if (range && range.end >= original.sizeBytes)
      throw new StorageError('InvalidRange', 'The range is not inside the source.', { sizeBytes: original.sizeBytes })
    const checksum = info.checksum && (await checksumOfSource(upstream, original, range, info.checksum.algorithm))
    const command = new UploadPartCopyCommand({
      Bucket: info.bucket,
      Key: info.key,
      UploadId: upstreamId,
      PartNumber: number,
      CopySource: encodeCopySource(source.bucket, source.key),
      CopySourceIfMatch: `"${original.etag}"`,
      CopySourceRange: range && `bytes=${range.start}-${range.end}`
    })
    const { CopyPartResult } = await asked(() => upstream.s3.send(command))
    const sizeBytes = range ? range.end - range.start + 1 : original.sizeBytes
    return this.#keep(
      upload,
      { number, sizeBytes, etag: unquote(CopyPartResult?.ETag), checksum },
      CopyPartResult?.ETag
    )
  }

  listParts(
    upload: UploadRef,
    { after = 0, limit }: { after?: number; limit: number }
  ): { parts: PartInfo[]; truncated: boolean } {
    this.head(upload)
    const parts = this.#deps.rows.parts(upload.uploadId).filter(({ number }) => number > after)
    return { parts: parts.slice(0, limit), truncated: limit > 0 && parts.length > limit }
  }

  async complete(request: CompleteUploadRequest): Promise<CompletedUpload> {
    const { rows, clock } = this.#deps
    const { upload } = request
    const known = this.#find(upload)
    const { info, completed } = known
    const requestHash = hashOfRequest(request.parts)
    if (completed) {
      if (completed.requestHash !== requestHash) throw noSuchUpload()
      const { etag, sizeBytes, checksum } = completed
      return { ...info, etag, sizeBytes, checksum, lastModifiedMs: clock(), sha256: null }
    }
    const plan = await planCompletion(request, info.checksum, rows.parts(upload.uploadId), MIN_PART_BYTES)
    const etag = await this.#completeUpstream(request, known, plan, requestHash)
    const { sizeBytes, checksum } = plan
    rows.setCompleted(upload.uploadId, { requestHash, etag, sizeBytes, checksum }, clock())
    return { ...info, etag, sizeBytes, checksum, lastModifiedMs: clock(), sha256: null }
  }

  /** Gives the ETag. That it is under way is remembered first: the store behind may do it without the answer arriving. */
  async #completeUpstream(
    { precondition }: CompleteUploadRequest,
    { info, upstreamId, completingHash }: GatewayUpload,
    plan: CompletionPlan<GatewayPart>,
    requestHash: string
  ): Promise<string> {
    const { upstream, rows, checkPrecondition } = this.#deps
    const command = new CompleteMultipartUploadCommand({
      Bucket: info.bucket,
      Key: info.key,
      UploadId: upstreamId,
      MultipartUpload: {
        Parts: plan.parts.map(({ number, upstreamEtag }) => ({ PartNumber: number, ETag: upstreamEtag }))
      },
      ...(upstream.takesConditions && { IfMatch: precondition?.ifMatch, IfNoneMatch: precondition?.ifNoneMatch })
    })
    try {
      await checkPrecondition(info.bucket, info.key, precondition)
      rows.setCompleting(info.uploadId, requestHash)
      const { ETag } = await asked(() => upstream.s3.send(command))
      return unquote(ETag)
    } catch (error) {
      if (!(error instanceof StorageError) || error.code === 'StoreOffline') throw error
      // Our own object, from a try whose answer was lost, is what such a refusal may be about.
      const mayBeDone = completingHash === requestHash || wasRepeated(error.cause)
      const isAboutIt = error.code === 'NoSuchUpload' || (error.code === 'PreconditionFailed' && mayBeDone)
      const done = isAboutIt ? await this.#findCompleted(info, plan) : null
      if (done !== null) return done
      rows.setCompleting(info.uploadId, null)
      throw error
    }
  }

  /** The ETag of the object, when it is the one of this plan. */
  async #findCompleted({ key }: UploadInfo, plan: CompletionPlan<GatewayPart>): Promise<string | null> {
    const there = await findObject(this.#deps.upstream, key)
    if (there === null || there.sizeBytes !== plan.sizeBytes) return null
    // A store that encrypts may give parts ETags of its own, and make that of the object of those.
    const ofTheirs = compositeEtag(plan.parts.map(({ upstreamEtag }) => ({ etag: unquote(upstreamEtag) })))
    return there.etag === plan.etag || there.etag === ofTheirs ? there.etag : null
  }

  async abort(upload: UploadRef): Promise<void> {
    const { info, upstreamId } = this.head(upload)
    await this.#abort(info, upstreamId)
    this.#deps.rows.removeUpload(upload.uploadId)
  }

  list({ bucket, prefix = '', delimiter = '', after, limit }: ListUploadsRequest): ListUploadsPage {
    this.#deps.only(bucket)
    // `key NUL id` sorts as keys do and then by id: no key holds a NUL.
    const all = this.#deps.rows.uploads(bucket).map((info) => ({ info, name: `${info.key}\0${info.uploadId}` }))
    all.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    const page = skipScan({
      prefix,
      delimiter,
      after:
        after === undefined
          ? null
          : after.uploadId === undefined
            ? `${after.key}\0\u{10ffff}`
            : `${after.key}\0${after.uploadId}`,
      limit,
      scan: ({ key, inclusive }, end) =>
        all.filter(({ name }) => isAfter(name, key, inclusive) && (end === null || !isAfter(name, end, true))),
      keyOf: ({ name }) => name
    })
    const entries = page.entries.map((entry) => ('prefix' in entry ? entry : { upload: entry.row.info }))
    const last = entries.at(-1)
    if (!page.more || last === undefined) return { entries, next: null }
    const next =
      'prefix' in last ? { key: last.prefix, uploadId: null } : { key: last.upload.key, uploadId: last.upload.uploadId }
    return { entries, next }
  }

  /** Gives up uploads that nobody goes on with, and forgets what was completed long ago. Raises `StoreOffline`. */
  async forgetOld(): Promise<void> {
    const { rows, clock } = this.#deps
    const nowMs = clock()
    for (const { info, completed } of rows.changedBefore(nowMs - DAY_MS))
      if (completed) rows.removeUpload(info.uploadId)
    for (const { info, upstreamId } of rows.changedBefore(nowMs - IDLE_MS))
      try {
        await this.#abort(info, upstreamId)
        rows.removeUpload(info.uploadId)
      } catch (error) {
        // What is refused of one upload is tried again another day, and does not keep the others.
        if (!(error instanceof StorageError) || error.code === 'StoreOffline') throw error
      }
  }

  #find(upload: UploadRef): GatewayUpload {
    this.#deps.only(upload.bucket)
    const found = this.#deps.rows.findUpload(upload)
    if (!found) throw noSuchUpload()
    return found
  }

  #keep(upload: UploadRef, part: Omit<PartInfo, 'lastModifiedMs'>, upstreamEtag: string | undefined): PartInfo {
    const info = { ...part, lastModifiedMs: this.#deps.clock() }
    this.head(upload)
    this.#deps.rows.setPart(upload.uploadId, { ...info, upstreamEtag: upstreamEtag ?? '' })
    return info
  }

  async #abort({ bucket, key }: UploadInfo, upstreamId: string): Promise<void> {
    const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: upstreamId })
    await asked(() => this.#deps.upstream.s3.send(command)).catch((error: unknown) => {
      if (!(error instanceof StorageError && error.code === 'NoSuchUpload')) throw error
    })
  }
}

const isAfter = (name: string, other: string, inclusive: boolean) => {
  const order = Buffer.compare(Buffer.from(name), Buffer.from(other))
  return inclusive ? order >= 0 : order > 0
}

function noSuchUpload(): StorageError {
  return new StorageError('NoSuchUpload', 'The specified upload does not exist.')
}

function assertPartNumber(number: number): void {
  if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS)
    throw new StorageError('InvalidPartNumber', `A part number is between 1 and ${MAX_PARTS}.`, { partNumber: number })
}

/** Stores give no checksum of a stretch of an object, and not every algorithm; the bytes are read for it. */
async function checksumOfSource(
  upstream: Upstream,
  source: ObjectInfo,
  range: ByteRange | undefined,
  algorithm: ChecksumAlgorithm
): Promise<string | null> {
  const hashes = await startBodyHashes([algorithm], { withoutMd5: true })
  for await (const chunk of await bytesOf(upstream, source, range)) await hashes.update(chunk)
  return (await hashes.digest()).checksums[algorithm] ?? null
}

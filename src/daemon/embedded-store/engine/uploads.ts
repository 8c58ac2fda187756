import { randomBytes } from 'node:crypto'
import { setImmediate as turnOfOthers } from 'node:timers/promises'
import { z } from 'zod'
import { newId } from '../../ids.ts'
import type { BodyStaging, PublishedBlob } from './body-writer.ts'
import { type CompletionPlan, hashOfRequest, planCompletion } from './complete-upload.ts'
import { FILES_PER_TURN } from './damage.ts'
import { checksumOf, readExtents, sliceExtents } from './extent-stream.ts'
import { AFTER_ALL_TEXT } from './listing.ts'
import { assertObjectKey } from './names.ts'
import { type ObjectRow, storedHeaders, userMetadata } from './object-rows.ts'
import type { Objects, ObjectsDeps } from './objects.ts'
import { assertPrecondition } from './preconditions.ts'
import { type ScanStart, skipScan } from './skip-scan.ts'
import { slice } from './slice.ts'
import {
  type BodyWriter,
  type ByteRange,
  type CompletedUpload,
  type CompleteUploadRequest,
  type CopySource,
  type CreateUploadRequest,
  type ListUploadsPage,
  type ListUploadsRequest,
  type PartInfo,
  StorageError,
  type UploadInfo,
  type UploadRef
} from './storage-engine.ts'
import { Unhurried } from './unhurried.ts'
import { type PartRow, partInfoOf, type UploadRow, type UploadRows, uploadInfoOf } from './upload-rows.ts'

const MAX_PART_NUMBER = 10_000
const COMPLETED_MEMORY_MS = 24 * 3_600_000
const ROWS_PER_STEP = 32

/** The answer of a completion, as remembered for a repeat. */
const completedUpload: z.ZodType<CompletedUpload> = z.object({
  bucket: z.string(),
  key: z.string(),
  sizeBytes: z.number(),
  etag: z.string(),
  lastModifiedMs: z.number(),
  headers: storedHeaders,
  metadata: userMetadata,
  checksum: z
    .object({
      algorithm: z.enum(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']),
      type: z.enum(['FULL_OBJECT', 'COMPOSITE']),
      value: z.string()
    })
    .nullable(),
  sha256: z.string().nullable()
})

type UploadsDeps = ObjectsDeps & {
  objects: Objects
  uploads: UploadRows
  staging: BodyStaging
  /** Least size of a part that another follows. */
  minPartBytes: number
  idleUploadMs: number
}

/** Multipart uploads: parts are blobs, completion strings them together as extents. */
export class Uploads {
  readonly #deps: UploadsDeps

  constructor(deps: UploadsDeps) {
    this.#deps = deps
  }

  async create(request: CreateUploadRequest): Promise<UploadInfo> {
    const { bucket, key, owner, headers = {}, metadata = {}, checksum } = request
    const { activity, commits, buckets, uploads, now } = this.#deps
    assertObjectKey(key)
    return activity.during(() =>
      commits.run(() => {
        const row: Omit<UploadRow, 'bucket'> = {
          id: randomBytes(16).toString('base64url'),
          bucketId: buckets.idOf(bucket),
          key,
          owner,
          headersJson: JSON.stringify(headers),
          metadataJson: JSON.stringify(metadata),
          checksumAlgorithm: checksum?.algorithm ?? null,
          checksumType: checksum?.type ?? null,
          createdAtMs: now()
        }
        uploads.insert(row)
        return uploadInfoOf({ ...row, bucket })
      })
    )
  }

  head(upload: UploadRef): UploadInfo {
    return uploadInfoOf(this.#find(upload))
  }

  async putPart({ upload, number, body }: { upload: UploadRef; number: number; body: BodyWriter }): Promise<PartInfo> {
    return this.#deps.objects.commitBody(
      body,
      () => {
        assertPartNumber(number)
        this.#find(upload)
      },
      (blob) => this.#recordPart(upload, number, blob)
    )
  }

  /** Copies the bytes into a blob of their own: the part's ETag is their md5, so they have to be read in any case. */
  async copyPart({
    upload,
    number,
    source,
    range
  }: {
    upload: UploadRef
    number: number
    source: CopySource
    range?: ByteRange
  }): Promise<PartInfo> {
    const { objects, staging, files, damage } = this.#deps
    assertPartNumber(number)
    const { checksum } = this.head(upload)
    const { row, extents } = objects.findSource(source)
    const { start, end } = range ?? { start: 0, end: row.sizeBytes - 1 }
    if (range && (start < 0 || end < start || end >= row.sizeBytes))
      throw new StorageError('InvalidRange', 'The range reaches beyond the source object.', {
        sizeBytes: row.sizeBytes
      })
    const slices = sliceExtents(extents, start, end)
    const release = files.hold(slices.map((slice) => slice.blobId))
    try {
      await damage.assertWhole(source.key, extents)
      // A stretch of a blob has no checksum of its own, and as a part of its own wrong bytes would look right for ever.
      for (const slice of slices) if (checksumOf(slice) === null) await damage.assertIntact(source.key, slice.blobId)
      const body = await staging.open({
        sizeBytes: end + 1 - start,
        checksums: checksum ? [checksum.algorithm] : []
      })
      try {
        for await (const chunk of readExtents(files, slices)) await body.write(chunk)
        await body.finish()
      } catch (error) {
        await body.discard()
        throw await damage.explain(source.key, error)
      }
      return await this.putPart({ upload, number, body })
    } finally {
      release()
    }
  }

  listParts(
    upload: UploadRef,
    { after = 0, limit }: { after?: number; limit: number }
  ): { parts: PartInfo[]; truncated: boolean } {
    const { id } = this.#find(upload)
    if (limit <= 0) return { parts: [], truncated: false }
    const rows = this.#deps.uploads.partsAfter(id, after, limit + 1)
    return { parts: rows.slice(0, limit).map(partInfoOf), truncated: rows.length > limit }
  }

  async complete(request: CompleteUploadRequest): Promise<CompletedUpload> {
    const { uploads, activity, commits, events, minPartBytes } = this.#deps
    return activity.during(async () => {
      const { upload } = request
      for (;;) {
        const repeated = this.#answerOfRepeat(request)
        if (repeated) return repeated
        const row = this.#find(upload)
        const stored = uploads.allParts(row.id)
        const plan = await planCompletion(request, uploadInfoOf(row).checksum, stored, minPartBytes)
        await this.#assertWhole(plan.parts)
        const info = await commits.run(() => {
          const current = uploads.find(upload)
          // A part re-sent, or the upload completed or aborted, while the plan was made.
          if (!current || !sameBlobs(uploads.allParts(row.id), stored)) return null
          return this.#recordObject(request, current, plan)
        })
        if (!info) continue
        events.committed(info)
        await this.#deps.hooks.atStep?.('committed')
        return info
      }
    })
  }

  /** An object made of a part whose file is lost could never be read; the sender still has its bytes. Raises `InvalidPart`. */
  async #assertWhole(parts: readonly PartRow[]): Promise<void> {
    const { blobs, files, damage } = this.#deps
    for (const [at, { number, etag, blobId, sizeBytes }] of parts.entries()) {
      if (at % FILES_PER_TURN === FILES_PER_TURN - 1) await turnOfOthers()
      if (blobs.find(blobId)?.state === 'ok' && (await files.sizeOf(blobId)) === sizeBytes) continue
      await damage.report(blobId, 'The payload file of a part is missing or has the wrong size.')
      throw new StorageError('InvalidPart', 'The bytes of a part were lost. Please send it again.', {
        partNumber: number,
        etag
      })
    }
  }

  async abort(upload: UploadRef): Promise<void> {
    const { activity, commits } = this.#deps
    await activity.during(() => commits.run(() => this.#remove(this.#find(upload).id)))
  }

  list({ bucket, prefix = '', delimiter = '', after, limit }: ListUploadsRequest): ListUploadsPage {
    const { buckets, uploads } = this.#deps
    const bucketId = buckets.idOf(bucket)
    const marker = after?.uploadId ? { key: after.key, uploadId: after.uploadId } : null
    const scan = function* (start: ScanStart, end: string | null): Iterable<UploadRow> {
      if (marker && !start.inclusive && start.key === marker.key)
        yield* uploads.laterOfKey(bucketId, marker.key, marker.uploadId)
      yield* uploads.scan(bucketId, start, end ?? AFTER_ALL_TEXT)
    }
    const page = skipScan({
      prefix,
      delimiter,
      after: after?.key ?? null,
      limit,
      scan,
      keyOf: (row: UploadRow) => row.key
    })
    const entries = page.entries.map((entry) => ('prefix' in entry ? entry : { upload: uploadInfoOf(entry.row) }))
    const last = page.more ? entries.at(-1) : undefined
    if (!last) return { entries, next: null }
    const next =
      'prefix' in last ? { key: last.prefix, uploadId: null } : { key: last.upload.key, uploadId: last.upload.uploadId }
    return { entries, next }
  }

  /** Drops a bucket's uploads. Call inside a transaction. */
  removeOfBucket(bucketId: number): void {
    for (const id of this.#deps.uploads.idsInBucket(bucketId)) this.#remove(id)
  }

  /** Aborts uploads that saw no part for long, and forgets old completions. Gives the number aborted. */
  async expire(): Promise<number> {
    const { commits, activity } = this.#deps
    let aborted = 0
    for (const pace = new Unhurried(1); ; await pace.step()) {
      const { more, ended } = await commits.run(() => {
        let ended = 0
        const more = slice(() => {
          const done = this.#expireSome()
          if (done === 'upload') ended++
          return done !== 'nothing'
        })
        return { more, ended }
      })
      aborted += ended
      if (!more || activity.closed) return aborted
    }
  }

  /**
   * One step of the expiry; says what it ended. An upload can have thousands of parts, so they go a few at a time and the
   * upload with the last of them. A part that arrives meanwhile keeps the upload, with the parts it still has.
   */
  #expireSome(): 'some rows' | 'upload' | 'nothing' {
    const { uploads, blobs, now, idleUploadMs } = this.#deps
    if (uploads.forgetCompleted(now() - COMPLETED_MEMORY_MS, ROWS_PER_STEP) > 0) return 'some rows'
    const idle = uploads.firstIdleSince(now() - idleUploadMs)
    if (idle === undefined) return 'nothing'
    const parts = uploads.partsAfter(idle, 0, ROWS_PER_STEP)
    for (const { number, blobId } of parts) {
      uploads.deletePart(idle, number)
      blobs.dropReference(blobId, now())
    }
    if (parts.length === ROWS_PER_STEP) return 'some rows'
    uploads.delete(idle)
    return 'upload'
  }

  #find(upload: UploadRef): UploadRow {
    const { uploads, buckets } = this.#deps
    buckets.idOf(upload.bucket)
    const row = uploads.find(upload)
    if (!row) throw noSuchUpload(upload.uploadId)
    return row
  }

  #recordPart(upload: UploadRef, number: number, blob: PublishedBlob): PartInfo {
    const { uploads, blobs, now } = this.#deps
    const row = this.#find(upload)
    const nowMs = now()
    const checksum = row.checksumAlgorithm && blob.checksums[row.checksumAlgorithm]
    if (checksum === undefined) throw new Error(`The part was opened without ${row.checksumAlgorithm}.`)
    const part: PartInfo = { number, sizeBytes: blob.sizeBytes, etag: blob.etag, lastModifiedMs: nowMs, checksum }
    const replaced = uploads.partBlob(row.id, number)
    blobs.insert(blob, nowMs)
    uploads.putPart(row.id, { ...part, blobId: blob.id })
    if (replaced) blobs.dropReference(replaced, nowMs)
    uploads.touch(row.id, nowMs)
    return part
  }

  #recordObject(
    request: CompleteUploadRequest,
    upload: UploadRow,
    { parts, sizeBytes, etag, checksum }: CompletionPlan<PartRow>
  ): CompletedUpload {
    const { rows, uploads, blobs, now } = this.#deps
    const { bucketId, bucket, key } = upload
    assertPrecondition(key, rows.find(bucketId, key)?.etag ?? null, request.precondition)
    const nowMs = now()
    const row: ObjectRow = {
      bucketId,
      key,
      rev: newId(nowMs),
      sizeBytes,
      etag,
      lastModifiedMs: nowMs,
      sha256: parts.length === 1 ? (parts[0]?.sha256 ?? null) : null,
      checksumAlgorithm: checksum?.algorithm ?? null,
      checksumType: checksum?.type ?? null,
      checksumValue: checksum?.value ?? null,
      headersJson: upload.headersJson,
      metadataJson: upload.metadataJson,
      partCount: parts.length
    }
    // The extents take over the references of the listed parts; the others lose theirs with the upload.
    for (const part of parts) blobs.addReference(part.blobId)
    rows.replace(
      row,
      parts.map((part) => ({ blobId: part.blobId, offsetBytes: 0, lengthBytes: part.sizeBytes }))
    )
    rows.insertParts(row.rev, parts)
    this.#remove(upload.id)
    const completed = rows.toSummary(bucket, row)
    uploads.insertCompleted(
      request.upload,
      { requestHash: hashOfRequest(request.parts), resultJson: JSON.stringify(completed) },
      nowMs
    )
    return completed
  }

  #answerOfRepeat({ upload, parts }: CompleteUploadRequest): CompletedUpload | null {
    const completed = this.#deps.uploads.findCompleted(upload)
    if (!completed || completed.requestHash !== hashOfRequest(parts)) return null
    return completedUpload.parse(JSON.parse(completed.resultJson))
  }

  #remove(uploadId: string): void {
    const { uploads, blobs, now } = this.#deps
    const parts = uploads.allParts(uploadId)
    uploads.delete(uploadId)
    for (const { blobId } of parts) blobs.dropReference(blobId, now())
  }
}

function assertPartNumber(number: number): void {
  if (!Number.isInteger(number) || number < 1 || number > MAX_PART_NUMBER)
    throw new StorageError('InvalidPartNumber', `Part numbers go from 1 to ${MAX_PART_NUMBER}.`, { partNumber: number })
}

function noSuchUpload(uploadId: string): StorageError {
  return new StorageError('NoSuchUpload', 'The upload does not exist; it may have been completed or aborted.', {
    uploadId
  })
}

function sameBlobs(a: readonly { blobId: string }[], b: readonly { blobId: string }[]): boolean {
  return a.length === b.length && a.every((part, at) => part.blobId === b[at]?.blobId)
}

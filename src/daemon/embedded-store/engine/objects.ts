import type { Readable } from 'node:stream'
import { newId } from '../../ids.ts'
import type { Activity } from './activity.ts'
import type { BlobFiles } from './blob-files.ts'
import type { BlobRows } from './blob-rows.ts'
import { type EngineHooks, type PublishedBlob, StagedBody } from './body-writer.ts'
import type { Buckets } from './buckets.ts'
import type { Damage } from './damage.ts'
import { asStorageError } from './disk-errors.ts'
import type { EngineEvents } from './engine-events.ts'
import { ExtentReader, sliceExtents, streamExtents } from './extent-stream.ts'
import type { GroupCommit } from './group-commit.ts'
import { assertObjectKey } from './names.ts'
import type { ExtentRow, ObjectRow, ObjectRows } from './object-rows.ts'
import { assertPrecondition, noSuchKey, preconditionFailed } from './preconditions.ts'
import type { SpaceLedger } from './space-ledger.ts'
import {
  type BodyWriter,
  type ByteRange,
  type CopyObjectRequest,
  type CopySource,
  type ObjectHandle,
  type ObjectInfo,
  type PutObjectRequest,
  StorageError,
  type WritePrecondition
} from './storage-engine.ts'

export type ObjectsDeps = {
  commits: GroupCommit
  files: BlobFiles
  blobs: BlobRows
  rows: ObjectRows
  buckets: Buckets
  damage: Damage
  events: EngineEvents
  ledger: SpaceLedger
  activity: Activity
  hooks: EngineHooks
  now: () => number
}

/** Whole objects: put, read, delete, copy. */
export class Objects {
  readonly #deps: ObjectsDeps

  constructor(deps: ObjectsDeps) {
    this.#deps = deps
  }

  async put(request: PutObjectRequest): Promise<ObjectInfo> {
    const { bucket, key, headers = {}, metadata = {}, checksumAlgorithm, precondition } = request
    const { buckets, rows, blobs, events, now } = this.#deps
    const info = await this.commitBody(
      request.body,
      () => this.#assertWritable(bucket, key, precondition),
      (blob) => {
        const bucketId = buckets.idOf(bucket)
        assertPrecondition(key, rows.find(bucketId, key)?.etag ?? null, precondition)
        const nowMs = now()
        const checksum = checksumAlgorithm && blob.checksums[checksumAlgorithm]
        if (checksumAlgorithm && !checksum) throw new Error(`The body was opened without ${checksumAlgorithm}.`)
        const row: ObjectRow = {
          bucketId,
          key,
          rev: newId(nowMs),
          sizeBytes: blob.sizeBytes,
          etag: blob.etag,
          lastModifiedMs: nowMs,
          sha256: blob.sha256,
          checksumAlgorithm: checksumAlgorithm ?? null,
          checksumType: checksumAlgorithm ? 'FULL_OBJECT' : null,
          checksumValue: checksum ?? null,
          headersJson: JSON.stringify(headers),
          metadataJson: JSON.stringify(metadata),
          partCount: null
        }
        blobs.insert(blob, nowMs)
        rows.replace(row, [{ blobId: blob.id, offsetBytes: 0, lengthBytes: blob.sizeBytes }])
        return rows.toInfo(bucket, row)
      }
    )
    events.committed(info)
    return info
  }

  /**
   * Publishes a finished body and lets `record` enter it in the index, in one durable transaction. `check` runs before the
   * bytes are flushed, to spare that when the answer is no already. The body is gone when either refuses.
   */
  async commitBody<T>(body: BodyWriter, check: () => void, record: (blob: PublishedBlob) => T): Promise<T> {
    const { activity, commits, files, hooks } = this.#deps
    if (!(body instanceof StagedBody)) throw new TypeError('The body was not opened by this engine.')
    let end = () => {}
    try {
      end = activity.begin()
      check()
    } catch (error) {
      await body.discard()
      end()
      throw error
    }
    // Until a row names the file it looks like one that an interrupted write left behind.
    const release = files.hold([body.blobId])
    try {
      const blob = await body.publish()
      let result: T
      try {
        result = await commits.run(() => record(blob))
      } catch (error) {
        // After a failure of the disk the commit may still have reached it; that is looked at when it works again.
        if (error instanceof StorageError) await files.remove(blob.id)
        else files.strays.add(blob.id)
        throw asStorageError(error)
      }
      await hooks.atStep?.('committed')
      return result
    } finally {
      release()
      end()
    }
  }

  async checkPrecondition(bucket: string, key: string, precondition: WritePrecondition): Promise<void> {
    this.#assertWritable(bucket, key, precondition)
  }

  async head(bucket: string, key: string): Promise<ObjectInfo> {
    const { row, extents } = this.find(bucket, key)
    await this.#deps.damage.assertWhole(key, extents)
    return this.#deps.rows.toInfo(bucket, row)
  }

  async open(bucket: string, key: string): Promise<ObjectHandle> {
    const { files, rows, damage } = this.#deps
    const { row, extents } = this.find(bucket, key)
    const release = files.hold(extents.map((extent) => extent.blobId))
    try {
      await damage.assertWhole(key, extents)
    } catch (error) {
      release()
      throw error
    }
    return new OpenObject({ info: rows.toInfo(bucket, row), extents, files, damage, release })
  }

  async delete(bucket: string, key: string, precondition?: WritePrecondition): Promise<{ existed: boolean }> {
    const { activity, commits, buckets, rows, now } = this.#deps
    return activity.during(() =>
      commits.run(() => {
        const bucketId = buckets.idOf(bucket)
        if (precondition) assertPrecondition(key, rows.find(bucketId, key)?.etag ?? null, precondition)
        return { existed: rows.remove(bucketId, key, now()) }
      })
    )
  }

  async copy({ source, bucket, key, replace, precondition }: CopyObjectRequest): Promise<ObjectInfo> {
    const { activity, commits, buckets, rows, blobs, events, ledger, now, damage } = this.#deps
    assertObjectKey(key)
    if ((await ledger.measure()).availableBytes < 0)
      throw new StorageError('StorageFull', 'The space reserve of the object store is used up.')
    await damage.assertWhole(source.key, this.findSource(source).extents)
    const info = await activity.during(() =>
      commits.run(() => {
        const { row: from, extents } = this.findSource(source)
        const bucketId = buckets.idOf(bucket)
        assertPrecondition(key, rows.find(bucketId, key)?.etag ?? null, precondition)
        const nowMs = now()
        const row: ObjectRow = {
          ...from,
          bucketId,
          key,
          rev: newId(nowMs),
          lastModifiedMs: nowMs,
          headersJson: replace ? JSON.stringify(replace.headers) : from.headersJson,
          metadataJson: replace ? JSON.stringify(replace.metadata) : from.metadataJson
        }
        for (const { blobId } of extents) blobs.addReference(blobId)
        const parts = rows.toInfo(bucket, from).parts ?? []
        rows.replace(row, extents)
        rows.insertParts(row.rev, parts)
        return rows.toInfo(bucket, row)
      })
    )
    events.committed(info)
    return info
  }

  /** The current version and where its bytes lie. Raises `NoSuchBucket`, `NoSuchKey`. */
  find(bucket: string, key: string): { row: ObjectRow; extents: ExtentRow[] } {
    const row = this.#deps.rows.find(this.#deps.buckets.idOf(bucket), key)
    if (!row) throw noSuchKey(key)
    return { row, extents: this.#deps.rows.extents(row.rev) }
  }

  /** As {@link find}, for the version the source names. Raises `PreconditionFailed` when that was replaced. */
  findSource({ bucket, key, etag }: CopySource): { row: ObjectRow; extents: ExtentRow[] } {
    const found = this.find(bucket, key)
    if (etag !== undefined && etag !== found.row.etag) throw preconditionFailed('x-amz-copy-source-if-match')
    return found
  }

  #assertWritable(bucket: string, key: string, precondition: WritePrecondition | undefined): void {
    const { buckets, rows } = this.#deps
    assertObjectKey(key)
    assertPrecondition(key, rows.find(buckets.idOf(bucket), key)?.etag ?? null, precondition)
  }
}

class OpenObject implements ObjectHandle {
  readonly info: ObjectInfo
  readonly isLocal = true
  readonly #extents: readonly ExtentRow[]
  readonly #files: BlobFiles
  readonly #damage: Damage
  readonly #release: () => void
  #reader: ExtentReader | undefined

  constructor(parts: {
    info: ObjectInfo
    extents: readonly ExtentRow[]
    files: BlobFiles
    damage: Damage
    release: () => void
  }) {
    this.info = parts.info
    this.#extents = parts.extents
    this.#files = parts.files
    this.#damage = parts.damage
    this.#release = parts.release
  }

  read(range?: ByteRange): Readable {
    const { sizeBytes, key } = this.info
    const { start, end } = range ?? { start: 0, end: sizeBytes - 1 }
    if (range && (start < 0 || start >= sizeBytes || end < start))
      throw new StorageError('InvalidRange', 'The requested range is not satisfiable.', { sizeBytes })
    const slices = sliceExtents(this.#extents, start, Math.min(end, sizeBytes - 1))
    const release = this.#files.hold(slices.map((slice) => slice.blobId))
    const stream = streamExtents(this.#files, slices, (error) => this.#damage.explain(key, error))
    stream.once('close', release)
    return stream
  }

  async readAt(buffer: Buffer, position: number): Promise<number> {
    this.#reader ??= new ExtentReader(this.#files, this.#extents)
    try {
      return await this.#reader.readAt(buffer, position)
    } catch (error) {
      throw await this.#damage.explain(this.info.key, error)
    }
  }

  close(): void {
    this.#reader?.close()
    this.#reader = undefined
    this.#release()
  }
}

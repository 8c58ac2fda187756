import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { UploadFields } from '../../../shared/api/uploads.ts'
import type { ProblemCode } from '../../../shared/problem.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { SNIFF_BYTES, sniffMedia } from '../../media/sniff-media.ts'
import type { ObjectKeys } from '../../object-keys.ts'
import {
  type ObjectStat,
  type ObjectStore,
  ObjectStoreError,
  type PresignedRequest
} from '../../object-store/object-store.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import { KeyedLock } from '../ingest/keyed-lock.ts'
import type { WorkspaceQuota } from '../workspaces/workspace-quota.ts'
import { IDLE_MS, partCount, partSizeFor, sizeOfPart } from './part-plan.ts'
import type { NewUpload, PendingUpload, PendingUploadsRepository, UploadedPart } from './pending-uploads.repository.ts'
import { safeName } from './safe-name.ts'
import type { UploadLimits } from './upload-limits.ts'
import type { ReceivedFile, UploadedMedia, UploadsService } from './uploads.service.ts'

export interface PendingUploadsServiceDeps {
  db: Database
  store: ObjectStore
  keys: ObjectKeys
  repository: PendingUploadsRepository
  uploads: UploadsService
  removals: ObjectRemovals
  clock: Clock
  limits: UploadLimits
  quota: WorkspaceQuota
  /** Throws `workspace_not_found` where workspaces are not made by using them. */
  assertWorkspace: (workspaceId: string) => void
}

/** A file that somebody wants to upload. */
export interface AnnouncedFile {
  name: string
  sizeBytes: number
  fields: UploadFields
}

/** What a client is told: the file is stored already, or how to upload it. */
export type Begun<How> = { stored: UploadedMedia } | ({ uploadId: string } & How)

/** After a link has expired, a transfer that began before may still end. */
const LINGER_MS = 24 * 3_600_000
/** Some servers (MinIO) drop an upload a day after its begin, whatever arrives meanwhile. */
const FOREIGN_LIFE_MS = 20 * 3_600_000
const SWEPT_AT_ONCE = 100
/** Completing again cannot help where the bytes themselves are refused. */
const REFUSED_BYTES: ReadonlySet<ProblemCode> = new Set([
  'blob_quarantined',
  'digest_mismatch',
  'media_type_not_allowed',
  'payload_too_large',
  'too_many_pixels'
])
const TOLD_MISSING = 100

/** Uploads that take more than one call: by a signed link to the store, or in parts that survive everything. */
export class PendingUploadsService {
  readonly #deps: PendingUploadsServiceDeps
  readonly #locks = new KeyedLock()
  readonly #runningParts = new Map<string, AbortController>()

  constructor(deps: PendingUploadsServiceDeps) {
    this.#deps = deps
  }

  /**
   * Gives a link to upload to, or the asset at once when the workspace has these bytes already (told by their digest). Throws
   * `payload_too_large`, `quota_exceeded`, `ObjectStoreError`.
   */
  async beginByLink(
    file: AnnouncedFile & { linkSeconds: number }
  ): Promise<Begun<{ key: string; request: PresignedRequest }>> {
    const { store, keys, clock } = this.#deps
    const fields = await this.#checked(file)
    if ('stored' in fields) return fields
    const nowMs = clock.nowMs()
    const id = newId(nowMs)
    const key = keys.incoming(id)
    const { sizeBytes, linkSeconds } = file
    const request = await store.presignPut(key, { expiresInSeconds: linkSeconds, sizeBytes })
    const expiresAtMs = request.expiresAtMs + LINGER_MS
    this.#open({ id, key, sizeBytes, fields, parts: null, appended: null, expiresAtMs }, nowMs)
    return { uploadId: id, key, request }
  }

  /** Begins an upload in parts; otherwise as {@link beginByLink}. */
  async beginInParts(
    file: AnnouncedFile
  ): Promise<Begun<{ partSizeBytes: number; partCount: number; expiresAtMs: number }>> {
    const fields = await this.#checked(file)
    if ('stored' in fields) return fields
    const { sizeBytes } = file
    const { id, parts, expiresAtMs } = await this.#beginParts({ id: newId(), sizeBytes, fields, appended: null })
    const { partSizeBytes } = parts
    return { uploadId: id, partSizeBytes, partCount: partCount(sizeBytes, partSizeBytes), expiresAtMs }
  }

  /**
   * Begins an upload that is sent from its beginning to its end. Throws `payload_too_large`, `workspace_not_found`, `quota_exceeded`,
   * `ObjectStoreError`.
   */
  async beginAppended(
    { name, sizeBytes, fields }: AnnouncedFile,
    { id, metadata }: { id: string; metadata: Record<string, string | null> }
  ): Promise<void> {
    this.#deps.limits.assertSize(sizeBytes)
    this.#deps.assertWorkspace(fields.workspaceId)
    const appended = { offsetBytes: 0, metadata }
    await this.#beginParts({ id, sizeBytes, fields: { ...fields, name: safeName(name) }, appended })
  }

  /**
   * Stores one part, in the place of one it may have been before. Who sends the same part later takes over: the earlier transfer
   * ends with `upload_taken_over`. Throws `upload_not_found`, `part_not_found`, `part_size_wrong`, `digest_mismatch`,
   * `ObjectStoreError`.
   */
  async putPart(
    uploadId: string,
    number: number,
    body: { stream: Readable; sizeBytes: number | null; sha256: string | undefined }
  ): Promise<UploadedPart> {
    const { upload, parts } = this.#inParts(uploadId)
    const sizeBytes = sizeOfPart(upload.sizeBytes, parts.partSizeBytes, number)
    if (sizeBytes === null) throw new AppError('part_not_found', { number })
    if (body.sizeBytes !== sizeBytes)
      throw new AppError('part_size_wrong', { number, expectedBytes: sizeBytes, announcedBytes: body.sizeBytes })
    const name = `${uploadId} ${number}`
    const takeOver = new AbortController()
    this.#runningParts.get(name)?.abort(new AppError('upload_taken_over', { number }))
    this.#runningParts.set(name, takeOver)
    try {
      // In the order they came, so that the last one is what stays.
      return await this.#locks.run(name, () => this.#storePart(upload, number, body, sizeBytes, takeOver.signal))
    } finally {
      if (this.#runningParts.get(name) === takeOver) this.#runningParts.delete(name)
    }
  }

  /** Throws `upload_not_found`. */
  find(uploadId: string): PendingUpload & { received: UploadedPart[] } {
    const { repository } = this.#deps
    const upload = repository.find(uploadId)
    if (!upload) throw new AppError('upload_not_found', { uploadId })
    return { ...upload, received: repository.listParts(uploadId) }
  }

  /**
   * Makes an asset of what was uploaded; its id is the upload's. Again gives the same asset. Throws `upload_not_found`,
   * `upload_incomplete` while bytes are missing, `ObjectStoreError`, and what `UploadsService.admit` throws: bytes that are refused
   * are removed, and an upload in parts ends with that.
   */
  complete(uploadId: string): Promise<UploadedMedia> {
    return this.#locks.run(uploadId, () => this.#complete(this.find(uploadId)))
  }

  /** Gives an upload up; a finished one stays what it is. Throws `upload_not_found`. */
  abort(uploadId: string): Promise<void> {
    return this.#locks.run(uploadId, async () => {
      const upload = this.find(uploadId)
      if (upload.state === 'open') await this.#forget(upload)
    })
  }

  /** Forgets uploads whose time is over, with what was sent for them; `signal` ends it early. Raises `ObjectStoreError`. */
  async sweep(signal: AbortSignal): Promise<void> {
    const { repository, clock } = this.#deps
    for (let found = SWEPT_AT_ONCE; found === SWEPT_AT_ONCE; ) {
      const expired = repository.listExpired(clock.nowMs(), SWEPT_AT_ONCE)
      found = expired.length
      for (const { id } of expired) {
        if (signal.aborted) return
        await this.#locks.run(id, async () => {
          const upload = repository.find(id)
          if (upload && upload.expiresAtMs <= clock.nowMs()) await this.#forget(upload)
        })
      }
    }
  }

  async #checked({ name, sizeBytes, fields }: AnnouncedFile): Promise<UploadFields | { stored: UploadedMedia }> {
    const { uploads, limits } = this.#deps
    limits.assertSize(sizeBytes)
    const named = { ...fields, name: safeName(name) }
    const stored = await uploads.admitKnown(sizeBytes, named)
    return stored ? { stored } : named
  }

  async #beginParts(file: Pick<NewUpload, 'id' | 'sizeBytes' | 'fields' | 'appended'>) {
    const { store, keys, clock } = this.#deps
    const nowMs = clock.nowMs()
    const { key, id: storeUploadId } = await store.parts.begin(keys.incoming(file.id), {
      contentType: 'application/octet-stream'
    })
    const parts = { storeUploadId, partSizeBytes: partSizeFor(file.sizeBytes) }
    const upload = { ...file, key, parts, expiresAtMs: nowMs + (store.kind === 'local' ? IDLE_MS : FOREIGN_LIFE_MS) }
    try {
      this.#open(upload, nowMs)
    } catch (error) {
      await store.parts.abort({ key, id: storeUploadId })
      throw error
    }
    return upload
  }

  #open(upload: NewUpload, nowMs: number): void {
    const { db, repository, quota } = this.#deps
    db.transaction(() => {
      quota.assertRoomToBegin(upload.fields.workspaceId, upload.sizeBytes)
      repository.insert(upload, nowMs)
    })
  }

  #inParts(uploadId: string) {
    const upload = this.find(uploadId)
    if (upload.parts === null || upload.appended || upload.state === 'done')
      throw new AppError('upload_not_found', { uploadId })
    return { upload, parts: upload.parts }
  }

  async #storePart(
    { id, key }: PendingUpload,
    number: number,
    { stream, sha256 }: { stream: Readable; sha256: string | undefined },
    sizeBytes: number,
    signal: AbortSignal
  ): Promise<UploadedPart> {
    const { db, store, repository, clock } = this.#deps
    signal.throwIfAborted()
    const { parts } = this.#inParts(id)
    try {
      const stored = await store.parts.put(
        { key, id: parts.storeUploadId },
        number,
        { stream, sizeBytes },
        { sha256, signal }
      )
      const part = { number, ...stored }
      db.transaction(() => {
        if (!repository.find(id)) throw new AppError('upload_not_found', { uploadId: id })
        repository.putPart(id, part)
        if (store.kind === 'local') repository.setExpiry(id, clock.nowMs() + IDLE_MS)
      })
      return part
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ObjectStoreError)) throw error
      if (error.code === 'ChecksumMismatch') throw new AppError('digest_mismatch', { number }, { cause: error })
      if (error.code === 'NotFound') throw new AppError('upload_not_found', { uploadId: id }, { cause: error })
      throw error
    }
  }

  async #complete(upload: PendingUpload & { received: UploadedPart[] }): Promise<UploadedMedia> {
    const { uploads, repository, removals } = this.#deps
    if (upload.state === 'done') return uploads.describe(upload.id, upload.isDuplicate ?? false)
    const stat = await this.#whole(upload)
    try {
      const file = await this.#take(upload, stat)
      try {
        return await uploads.admit(file, upload.fields, {
          assetId: upload.id,
          onAdmitted: (isDuplicate) => {
            repository.setDone(upload.id, isDuplicate)
            removals.request(upload.key, stat.etag)
          }
        })
      } catch (error) {
        uploads.discard(file)
        throw error
      }
    } catch (error) {
      if (error instanceof AppError && REFUSED_BYTES.has(error.code)) {
        // Other bytes can be sent by the same link; joined parts cannot be sent again one by one.
        if (upload.parts) await this.#forget(upload)
        else removals.request(upload.key, stat.etag)
      }
      throw error
    }
  }

  /** The uploaded object, joined from its parts if need be. */
  async #whole(upload: PendingUpload & { received: UploadedPart[] }): Promise<ObjectStat> {
    const { store } = this.#deps
    const { key, sizeBytes, parts, received } = upload
    const present = await store.head(key)
    // Parts that were joined before the program ended, too.
    if (present?.sizeBytes === sizeBytes) return present
    if (parts === null)
      throw new AppError('upload_incomplete', { expectedBytes: sizeBytes, foundBytes: present?.sizeBytes ?? null })
    const here = new Set(received.map(({ number }) => number))
    const count = partCount(sizeBytes, parts.partSizeBytes)
    const missing = Array.from({ length: count }, (_, index) => index + 1).filter((number) => !here.has(number))
    if (missing.length > 0)
      throw new AppError('upload_incomplete', {
        missingCount: missing.length,
        missingParts: missing.slice(0, TOLD_MISSING)
      })
    await this.#join(upload, parts.storeUploadId)
    const stat = await store.head(key)
    if (stat?.sizeBytes !== sizeBytes) throw new Error(`the parts of ${key} are not what they were`)
    return stat
  }

  async #join(
    { id, key, received }: PendingUpload & { received: UploadedPart[] },
    storeUploadId: string
  ): Promise<void> {
    try {
      await this.#deps.store.parts.complete({ key, id: storeUploadId }, received)
    } catch (error) {
      if (!(error instanceof ObjectStoreError)) throw error
      if (error.code === 'NotFound') throw new AppError('upload_not_found', { uploadId: id }, { cause: error })
      // A part is being sent anew at this moment.
      if (error.code === 'InvalidArgument') throw new AppError('upload_incomplete', {}, { cause: error })
      throw error
    }
  }

  /** Puts the bytes where no link leads to. */
  async #take(upload: PendingUpload, { etag, sha256 }: ObjectStat): Promise<ReceivedFile> {
    const { store, uploads } = this.#deps
    try {
      const { stream } = await store.getStream(upload.key, {
        ifMatch: etag,
        ...(upload.sizeBytes > 0 && { range: { start: 0, end: Math.min(SNIFF_BYTES, upload.sizeBytes) - 1 } })
      })
      const place = uploads.placeFor(upload.fields.name ?? 'file', sniffMedia(await buffer(stream)))
      const copy = await store.copy(upload.key, place.key, {
        ifMatch: etag,
        replace: { contentType: place.type.mimeType, metadata: {} }
      })
      return { ...place, ...copy, sha256: sha256 ?? copy.sha256 ?? (await store.sha256Of(place.key)) }
    } catch (error) {
      if (error instanceof ObjectStoreError && (error.code === 'PreconditionFailed' || error.code === 'NotFound'))
        throw new AppError('upload_incomplete', { expectedBytes: upload.sizeBytes, foundBytes: null }, { cause: error })
      throw error
    }
  }

  async #forget({ id, key, parts, expiresAtMs }: PendingUpload): Promise<void> {
    const { db, store, repository, removals, clock } = this.#deps
    if (parts) await store.parts.abort({ key, id: parts.storeUploadId })
    const stat = await store.head(key)
    db.transaction(() => {
      repository.delete(id)
      if (stat) removals.request(key, stat.etag)
      // A link stays good for its time, whatever becomes of the upload.
      if (!parts) removals.request(key, null, { afterMs: Math.max(0, expiresAtMs - clock.nowMs()) })
    })
  }
}

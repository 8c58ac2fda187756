import { buffer } from 'node:stream/consumers'
import type { UploadFields } from '../../../shared/api/uploads.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { SNIFF_BYTES, sniffMedia } from '../../media/sniff-media.ts'
import {
  type ObjectStat,
  type ObjectStore,
  ObjectStoreError,
  type PresignedRequest
} from '../../object-store/object-store.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import { KeyedLock } from '../ingest/keyed-lock.ts'
import type { PendingUpload, PendingUploadsRepository } from './pending-uploads.repository.ts'
import { safeName } from './safe-name.ts'
import type { ReceivedFile, UploadedMedia, UploadsService } from './uploads.service.ts'

export interface DirectUploadsServiceDeps {
  db: Database
  store: ObjectStore
  repository: PendingUploadsRepository
  uploads: UploadsService
  removals: ObjectRemovals
  clock: Clock
  maxSizeBytes: number
}

/** What a client is told that wants to upload to the store itself. */
export type DirectUpload = { stored: UploadedMedia } | { uploadId: string; key: string; request: PresignedRequest }

/** After the link has expired, a transfer that began before may still end. */
const LINGER_MS = 24 * 3_600_000
const SWEPT_AT_ONCE = 100

/** Uploads past the daemon: the client sends the bytes to the store with a signed link, and says when they are there. */
export class DirectUploadsService {
  readonly #deps: DirectUploadsServiceDeps
  readonly #locks = new KeyedLock()

  constructor(deps: DirectUploadsServiceDeps) {
    this.#deps = deps
  }

  /**
   * Gives a link to upload to, or the asset at once when the workspace has these bytes already (told by their digest). Throws
   * `payload_too_large`, `ObjectStoreError`.
   */
  async begin(request: {
    name: string
    sizeBytes: number
    fields: UploadFields
    linkSeconds: number
  }): Promise<DirectUpload> {
    const { store, repository, uploads, clock, maxSizeBytes } = this.#deps
    const { sizeBytes, linkSeconds } = request
    if (sizeBytes > maxSizeBytes) throw new AppError('payload_too_large', { maxSizeBytes })
    const fields = { ...request.fields, name: safeName(request.name) }
    const stored = await uploads.admitKnown(sizeBytes, fields)
    if (stored) return { stored }
    const nowMs = clock.nowMs()
    const id = newId(nowMs)
    const key = `incoming/${id}`
    const signed = await store.presignPut(key, { expiresInSeconds: linkSeconds, sizeBytes })
    const expiresAtMs = signed.expiresAtMs + LINGER_MS
    repository.insert({ id, key, sizeBytes, fields, expiresAtMs }, nowMs)
    return { uploadId: id, key, request: signed }
  }

  /**
   * Makes an asset of what was uploaded; its id is the upload's. Again gives the same asset. Throws `upload_not_found`,
   * `upload_incomplete` while the bytes are not there, `digest_mismatch`, `ObjectStoreError`.
   */
  complete(uploadId: string): Promise<UploadedMedia> {
    return this.#locks.run(uploadId, () => this.#complete(this.find(uploadId)))
  }

  /** Throws `upload_not_found`. */
  find(uploadId: string): PendingUpload {
    const upload = this.#deps.repository.find(uploadId)
    if (!upload) throw new AppError('upload_not_found', { uploadId })
    return upload
  }

  /** Gives an upload up; a finished one stays what it is. Throws `upload_not_found`. */
  abort(uploadId: string): Promise<void> {
    return this.#locks.run(uploadId, async () => {
      const upload = this.find(uploadId)
      if (upload.state === 'open') this.#forget(upload)
    })
  }

  /** Forgets uploads whose time is over, with what was sent for them. */
  async sweep(): Promise<void> {
    const { repository, clock } = this.#deps
    for (let found = SWEPT_AT_ONCE; found === SWEPT_AT_ONCE; ) {
      const expired = repository.listExpired(clock.nowMs(), SWEPT_AT_ONCE)
      found = expired.length
      for (const { id } of expired)
        await this.#locks.run(id, async () => {
          const upload = repository.find(id)
          if (upload) this.#forget(upload)
        })
    }
  }

  async #complete(upload: PendingUpload): Promise<UploadedMedia> {
    const { store, uploads, repository, removals } = this.#deps
    if (upload.state === 'done') return this.#again(upload)
    const stat = await store.head(upload.key)
    if (stat?.sizeBytes !== upload.sizeBytes)
      throw new AppError('upload_incomplete', { expectedBytes: upload.sizeBytes, foundBytes: stat?.sizeBytes ?? null })
    const file = await this.#take(upload, stat)
    return uploads.admit(file, upload.fields, {
      assetId: upload.id,
      onAdmitted: (isDuplicate) => {
        repository.setDone(upload.id, isDuplicate)
        removals.request(upload.key, stat.etag)
      }
    })
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

  #again(upload: PendingUpload): UploadedMedia {
    return this.#deps.uploads.describe(upload.id, upload.isDuplicate ?? false)
  }

  #forget({ id, key }: PendingUpload): void {
    const { db, repository, removals } = this.#deps
    db.transaction(() => {
      repository.delete(id)
      removals.request(key, null)
    })
  }
}

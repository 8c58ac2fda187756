import { Readable } from 'node:stream'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { KeyedLock } from '../ingest/keyed-lock.ts'
import { IDLE_MS, partCount, sizeOfPart } from './part-plan.ts'
import type { PendingUpload, PendingUploadsRepository } from './pending-uploads.repository.ts'
import type { PendingUploadsService } from './pending-uploads.service.ts'
import type { UploadTail, UploadTails } from './upload-tails.ts'
import type { UploadedMedia } from './uploads.service.ts'

export interface AppendedUploadsDeps {
  db: Database
  store: ObjectStore
  repository: PendingUploadsRepository
  pending: PendingUploadsService
  tails: UploadTails
  clock: Clock
}

/** An upload of which only its end is missing. */
export type AppendedUpload = PendingUpload & {
  parts: NonNullable<PendingUpload['parts']>
  appended: NonNullable<PendingUpload['appended']>
}

/**
 * Uploads that are sent from their beginning to their end, in pieces of any size. What fills a part goes to the store; the rest
 * waits in a file. Only what is durable counts: a part in the store, or a file that was synced and whose size is in the catalogue.
 */
export class AppendedUploadsService {
  readonly #deps: AppendedUploadsDeps
  readonly #locks = new KeyedLock()

  constructor(deps: AppendedUploadsDeps) {
    this.#deps = deps
  }

  /**
   * An upload, and how far it is. One that has all its bytes and is no asset yet (the store did not answer then) is completed first.
   * Throws `upload_not_found`, and what completing throws.
   */
  find(uploadId: string): Promise<AppendedUpload> {
    return this.#locks.run(uploadId, async () => {
      const upload = await this.#durable(uploadId)
      if (upload.state === 'done' || upload.appended.offsetBytes < upload.sizeBytes) return upload
      await this.#finish(upload)
      return this.#known(uploadId)
    })
  }

  /**
   * Adds bytes from `offsetBytes` on, and gives the new offset. What came before a connection broke is kept, too. Throws
   * `upload_not_found`, `upload_offset_wrong`, `payload_too_large`, `ObjectStoreError`, and as the stream does.
   */
  append(uploadId: string, offsetBytes: number, stream: Readable): Promise<number> {
    return this.#locks.run(uploadId, async () => {
      const upload = await this.#durable(uploadId)
      if (upload.appended.offsetBytes !== offsetBytes)
        throw new AppError('upload_offset_wrong', { uploadId, offsetBytes: upload.appended.offsetBytes })
      await this.#withTail(upload, async (tail, number) => {
        let part = number
        for await (const chunk of stream as AsyncIterable<Buffer>)
          for (let at = 0; at < chunk.length; ) {
            const piece = chunk.subarray(at, at + this.#sizeOf(upload, part) - tail.sizeBytes)
            await tail.append(piece)
            at += piece.length
            if (await this.#storePart(upload, part, tail)) part++
          }
      })
      return this.#known(uploadId).appended.offsetBytes
    })
  }

  /** Gives an upload up. Throws `upload_not_found`, `invalid_request` for a finished one. */
  abort(uploadId: string): Promise<void> {
    return this.#locks.run(uploadId, async () => {
      if (this.#known(uploadId).state === 'done')
        throw new AppError('invalid_request', { reason: 'the upload is finished' })
      await this.#deps.pending.abort(uploadId)
      await this.#dropTail(uploadId)
    })
  }

  /** Makes an asset of an upload that has all its bytes; see `PendingUploadsService.complete`. */
  finish(uploadId: string): Promise<UploadedMedia> {
    return this.#locks.run(uploadId, async () => this.#finish(await this.#durable(uploadId)))
  }

  /** Removes tails whose upload is over; one that is being written to has its turn another time. */
  async sweep(signal: AbortSignal): Promise<void> {
    for (const uploadId of await this.#deps.tails.list()) {
      if (signal.aborted) return
      if (!this.#locks.isHeld(uploadId)) await this.#locks.run(uploadId, () => this.#dropTail(uploadId))
    }
  }

  /** Removes the tail of an upload that is over. */
  async #dropTail(uploadId: string): Promise<void> {
    const { tails, repository } = this.#deps
    if (repository.find(uploadId)?.state !== 'open') await tails.remove(uploadId)
  }

  async #finish(upload: AppendedUpload): Promise<UploadedMedia> {
    const { pending } = this.#deps
    try {
      if (upload.state === 'open') await this.#withTail(upload, async () => {})
      return await pending.complete(upload.id)
    } finally {
      await this.#dropTail(upload.id)
    }
  }

  /** Runs `work` with the bytes that fill no part yet; what is there afterwards is durable, also when `work` failed. */
  async #withTail(upload: AppendedUpload, work: (tail: UploadTail, part: number) => Promise<void>): Promise<void> {
    const { tailBytes, part } = this.#placeOf(upload)
    const tail = await this.#deps.tails.open(upload.id, tailBytes)
    try {
      const wasFull = await this.#storePart(upload, part, tail)
      await work(tail, wasFull ? part + 1 : part)
    } finally {
      try {
        await this.#keepTail(upload.id, tail)
      } finally {
        await tail.close()
      }
    }
  }

  /** Puts a tail that fills its part into the store. False when it does not, or all parts are there. */
  async #storePart(upload: AppendedUpload, number: number, tail: UploadTail): Promise<boolean> {
    const { db, store, repository } = this.#deps
    const { id, key, parts } = upload
    if (number > partCount(upload.sizeBytes, parts.partSizeBytes)) return false
    if (tail.sizeBytes < this.#sizeOf(upload, number)) return false
    const body = { stream: tail.sizeBytes === 0 ? Readable.from([]) : tail.read(), sizeBytes: tail.sizeBytes }
    const stored = await store.parts.put({ key, id: parts.storeUploadId }, number, body)
    db.transaction(() => {
      this.#known(id)
      repository.putPart(id, { number, ...stored })
      this.#setOffset(id, (number - 1) * parts.partSizeBytes + tail.sizeBytes)
    })
    await tail.clear()
    return true
  }

  async #keepTail(uploadId: string, tail: UploadTail): Promise<void> {
    const { db, repository } = this.#deps
    if (tail.sizeBytes === 0) return
    await tail.sync()
    db.transaction(() => {
      const { parts } = this.#known(uploadId)
      this.#setOffset(uploadId, repository.countParts(uploadId) * parts.partSizeBytes + tail.sizeBytes)
    })
  }

  #setOffset(uploadId: string, offsetBytes: number): void {
    const { store, repository, clock } = this.#deps
    repository.setOffset(uploadId, offsetBytes)
    if (store.kind === 'local') repository.setExpiry(uploadId, clock.nowMs() + IDLE_MS)
  }

  /** What more than one part could hold is more than was announced. */
  #sizeOf(upload: AppendedUpload, number: number): number {
    const sizeBytes = sizeOfPart(upload.sizeBytes, upload.parts.partSizeBytes, number)
    if (sizeBytes === null) throw new AppError('payload_too_large', { maxSizeBytes: upload.sizeBytes })
    return sizeBytes
  }

  /** Takes back what a tail had that is lost (a data folder was restored without it). */
  async #durable(uploadId: string): Promise<AppendedUpload> {
    const { tails, repository } = this.#deps
    const upload = this.#known(uploadId)
    const { tailBytes, part } = this.#placeOf(upload)
    if (upload.state === 'done' || (await tails.sizeOf(uploadId)) >= tailBytes) return upload
    repository.setOffset(uploadId, (part - 1) * upload.parts.partSizeBytes)
    return this.#known(uploadId)
  }

  /** The part that comes next, and how much of it the tail has. */
  #placeOf({ id, sizeBytes, parts, appended }: AppendedUpload): { part: number; tailBytes: number } {
    const stored = this.#deps.repository.countParts(id)
    return { part: stored + 1, tailBytes: appended.offsetBytes - Math.min(stored * parts.partSizeBytes, sizeBytes) }
  }

  #known(uploadId: string): AppendedUpload {
    const upload = this.#deps.repository.find(uploadId)
    if (!upload?.parts || !upload.appended) throw new AppError('upload_not_found', { uploadId })
    return { ...upload, parts: upload.parts, appended: upload.appended }
  }
}

import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { messageOf } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { newId } from '../../ids.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { guessMediaType } from '../../media/guess-media-type.ts'
import type { ObjectKeys } from '../../object-keys.ts'
import { type ObjectStat, type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import type { BlobRow, BlobsRepository } from './blobs.repository.ts'
import { captureMoment } from './capture-moment.ts'
import { checkBytesJob, discardObjectJob, fingerprintJob, tidyUploadJob } from './ingest.jobs.ts'
import type { IngestRepository } from './ingest.repository.ts'
import { isWhole } from './is-whole.ts'
import { KeyedLock } from './keyed-lock.ts'
import { captureFrom, reportOfFoundObject, type UploadReport } from './upload-report.ts'
import type { IngestedObject, UploadsRepository } from './uploads.repository.ts'

export interface IngestServiceDeps {
  db: Database
  store: ObjectStore
  keys: ObjectKeys
  repository: IngestRepository
  blobs: BlobsRepository
  uploads: UploadsRepository
  outbox: Outbox
  queue: JobQueue
  removals: ObjectRemovals
  clock: Clock
  log: Logger
  /** Enqueues what other features do with a new asset (or one whose bytes came back); runs inside the transaction. */
  onNewAsset: (assetId: string) => void
}

export interface RecordedUpload {
  assetId: string
  sizeBytes: number
}

/** Where an upload was found. `key` differs from the reported one only for legacy key roots. */
interface FoundUpload {
  report: UploadReport
  stat: ObjectStat
  /** Nobody reported it; the reconciler found it. */
  isAdopted: boolean
}

/** An overwritten key is looked at again this often before the store is taken to be out of order. */
const LOOKS = 4

/** Takes uploaded objects into the catalogue. A key can be reported many times, and its object replaced at any moment. */
export class IngestService {
  readonly #deps: IngestServiceDeps
  readonly #locks = new KeyedLock()

  constructor(deps: IngestServiceDeps) {
    this.#deps = deps
  }

  /**
   * Records a reported upload: everything in one transaction, or nothing. The same report again changes nothing. Looks for
   * the object at the reported key, then at `otherKeys`. Raises `ObjectStoreError` while the store cannot tell.
   */
  recordUpload(report: UploadReport, otherKeys: string[] = []): Promise<RecordedUpload | 'object_missing'> {
    return this.#locks.run(report.objectKey, () => this.#record(report, [report.objectKey, ...otherKeys], false))
  }

  /** Records an object nobody reported. Raises `ObjectStoreError`. */
  adoptObject(workspaceId: string, objectKey: string): Promise<RecordedUpload | 'object_missing'> {
    const report = reportOfFoundObject(workspaceId, objectKey)
    return this.#locks.run(objectKey, () => this.#record(report, [objectKey], true))
  }

  /** Tells watchers that a controller gave up on a file. */
  noteFailedUpload(report: UploadReport, result: number): void {
    const { workspaceId, name, objectKey } = report
    this.#deps.outbox.append('upload.failed', workspaceId, { workspaceId, name, objectKey, result })
  }

  /** Notes how far the upload of a mission is. */
  recordGroup(workspaceId: string, groupId: string, counters: { expected: number; uploaded: number }): void {
    const { db, repository, outbox, clock } = this.#deps
    db.transaction(() => {
      const nowMs = clock.nowMs()
      repository.ensureWorkspace(workspaceId, nowMs)
      const flightId = repository.ensureFlight(workspaceId, groupId, '', nowMs)
      repository.setFlightCounters(flightId, counters)
      outbox.append('flight.updated', flightId, counters)
    })
  }

  /** The object at `headKey` is definitely gone: the file is wanted again, and an asset that lived there is damaged. */
  forgetGoneObject(file: { id: number; headKey: string }): void {
    const { db, blobs, uploads, log } = this.#deps
    db.transaction(() => {
      if (!uploads.deleteFile(file.id, file.headKey)) return
      log.warn({ key: file.headKey }, 'an uploaded object is gone; the controller may send it again')
      for (const blob of blobs.list(file.headKey)) this.markLost(blob, 'bytes_missing')
    })
  }

  /** What is at `key` is not what was stored there: has the catalogue brought in line with that. */
  doubtBytes(key: string): void {
    this.#deps.queue.enqueue(checkBytesJob, { key })
  }

  /**
   * Makes controllers free to upload an asset's file again and has its uploaded objects removed. Call it in the transaction
   * that bins or deletes the asset.
   */
  forgetAsset(assetId: string): void {
    const { uploads, queue } = this.#deps
    for (const otherId of uploads.shelveFiles(assetId)) uploads.unshelveFiles(otherId)
    for (const { workspaceId, objectKey, etag } of uploads.listObjectsOfAsset(assetId)) {
      uploads.putObject({ workspaceId, objectKey, etag, assetId, state: 'forgotten' })
      queue.enqueue(tidyUploadJob, { workspaceId, objectKey, etag })
    }
  }

  /** Takes {@link forgetAsset} back as far as nobody uploaded the file meanwhile. Call it in the transaction that restores. */
  rememberAsset(assetId: string): void {
    const { uploads, queue } = this.#deps
    uploads.unshelveFiles(assetId)
    for (const { workspaceId, objectKey, etag, state, blob } of uploads.listObjectsOfAsset(assetId)) {
      if (state !== 'forgotten') continue
      // Where the bytes are elsewhere, the object may be gone already or is about to.
      const isHome = blob.key === objectKey && blob.etag === etag
      uploads.putObject({ workspaceId, objectKey, etag, assetId, state: isHome ? 'present' : 'moved' })
      if (!isHome) queue.enqueue(tidyUploadJob, { workspaceId, objectKey, etag })
    }
  }

  /** Lets go of all that controllers uploaded of an asset, for good. Call it in the transaction that deletes the asset. */
  releaseUploads(assetId: string): void {
    const { uploads, removals } = this.#deps
    for (const { workspaceId, objectKey, etag, blob } of uploads.listObjectsOfAsset(assetId)) {
      uploads.deleteObject(workspaceId, objectKey, etag)
      removals.request(objectKey, etag, { store: blob.store })
    }
    uploads.deleteFilesOfAsset(assetId)
  }

  /** Lets go of bytes, unless an asset has them. Call it in the transaction that deletes one. Gives the bytes that become free. */
  releaseBlob(blobId: string): number {
    const { blobs, removals } = this.#deps
    const blob = blobs.find(blobId)
    if (!blob || blobs.listAssetIds(blobId).length > 0) return 0
    blobs.delete(blobId)
    removals.request(blob.key, blob.etag, { store: blob.store })
    return blob.sizeBytes
  }

  /** Whether the catalogue has use for this version of an object (`etag` empty: for any). */
  isInUse(key: string, etag: string): boolean {
    const { blobs, uploads } = this.#deps
    return blobs.list(key).some((blob) => etag === '' || blob.etag === etag) || uploads.hasObject(key, etag)
  }

  /** Marks a blob's assets as damaged and tells it once. Call it in a transaction. */
  markLost(blob: Pick<BlobRow, 'id' | 'key'>, damage: 'bytes_missing' | 'bytes_changed'): void {
    const { blobs, outbox, clock, log } = this.#deps
    for (const assetId of blobs.setBytesLost(blob.id, damage, clock.nowMs())) {
      log.error({ assetId, key: blob.key, damage }, 'an asset has lost its bytes')
      outbox.append('asset.damaged', assetId, { damage })
    }
  }

  /** The bytes of a blob are there again, at `place`; what is wrong with them is found out anew. Call it in a transaction. */
  markFound(blob: Pick<BlobRow, 'id' | 'sha256'>, place: { key: string; etag: string }): void {
    const { blobs, outbox, queue, clock, log } = this.#deps
    blobs.setPlace(blob.id, place)
    for (const assetId of blobs.clearDamage(blob.id, clock.nowMs())) {
      log.info({ assetId }, 'an asset has its bytes again')
      this.#deps.onNewAsset(assetId)
      if (blob.sha256 === null) queue.enqueue(fingerprintJob, { blobId: blob.id, assetId })
      outbox.append('asset.updated', assetId)
    }
  }

  /**
   * Has the uploaded objects of these assets brought in line with where their bytes are now, and the object at `spare`, which
   * is not needed for them any more, removed if it is none of those. Call it in a transaction.
   */
  tidyUploads(assetIds: string[], spare: { key: string; etag: string }): void {
    const { uploads, queue } = this.#deps
    const objects = assetIds.flatMap((assetId) => uploads.listObjectsOfAsset(assetId))
    for (const { workspaceId, objectKey, etag } of objects)
      queue.enqueue(tidyUploadJob, { workspaceId, objectKey, etag })
    if (!objects.some(({ objectKey }) => objectKey === spare.key))
      queue.enqueue(discardObjectJob, { key: spare.key, etag: spare.etag })
  }

  /** Runs `work` while no report about this key is being recorded. */
  whileQuiet<T>(objectKey: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.run(objectKey, work)
  }

  /** Whether {@link whileQuiet} would begin at once. */
  isQuiet(objectKey: string): boolean {
    return !this.#locks.isHeld(objectKey)
  }

  async #record(report: UploadReport, keys: string[], isAdopted: boolean): Promise<RecordedUpload | 'object_missing'> {
    const { uploads, store } = this.#deps
    let replaced: unknown
    for (let look = 0; look < LOOKS; look++) {
      const stat = await headFirst(store, keys)
      if (!stat) return this.#recordMoved(report)
      const upload: FoundUpload = { report, stat, isAdopted }
      const known = uploads.findObject(report.workspaceId, stat.key, stat.etag)
      if (known && known.state !== 'forgotten') return this.#recordAgain(upload, known)
      const twin = this.#findTwin(upload)
      if (twin) return this.#recordAgain(upload, twin)
      try {
        return await this.#recordNew(upload)
      } catch (error) {
        if (!isReplaced(error)) throw error
        replaced = error
      }
    }
    throw replaced
  }

  /** An asset that has these very bytes and stands for the same file: by its fingerprint, or by its key. */
  #findTwin({ report, stat }: FoundUpload): Pick<IngestedObject, 'assetId' | 'isLost' | 'blob'> | undefined {
    const { uploads } = this.#deps
    const hasSameBytes = ({ blob }: { blob: BlobRow }): boolean =>
      blob.sizeBytes === stat.sizeBytes &&
      (stat.sha256 !== null && blob.sha256 !== null ? stat.sha256 === blob.sha256 : stat.etag === blob.etag)
    const file = report.fingerprint === null ? undefined : uploads.findFile(report.workspaceId, report.fingerprint)
    if (file && hasSameBytes(file)) return file
    return uploads
      .listObjects(report.workspaceId, stat.key)
      .find((object) => object.state !== 'forgotten' && hasSameBytes(object))
  }

  async #recordNew(upload: FoundUpload): Promise<RecordedUpload> {
    const { db, repository, blobs, queue, outbox, clock } = this.#deps
    const { report, stat } = upload
    const nowMs = clock.nowMs()
    const assetId = newId(nowMs)
    const blob = await this.#place(upload, nowMs)
    await this.#orUnpin(blob, stat, () =>
      db.transaction(() => {
        repository.ensureWorkspace(report.workspaceId, nowMs)
        const deviceId = this.#noteDevice(report, nowMs)
        const flightId = this.#noteFlight(report, nowMs)
        const moment = captureMoment(report, nowMs)
        const existing = blobs.list(blob.key).find((other) => other.etag === blob.etag)
        if (existing) this.markFound(existing, blob)
        else blobs.insert(blob, nowMs)
        const blobId = existing?.id ?? blob.id
        repository.insertAsset(
          {
            id: assetId,
            blobId,
            ...guessMediaType(report.name),
            sizeBytes: stat.sizeBytes,
            deviceId,
            flightId,
            moment,
            capture: captureFrom(report, moment.zoneOffsetMin)
          },
          report,
          nowMs
        )
        this.#noteUpload(upload, assetId)
        for (const other of blobs.list(blob.key)) if (other.id !== blobId) this.markLost(other, 'bytes_changed')
        queue.enqueue(fingerprintJob, { blobId, assetId })
        this.#deps.onNewAsset(assetId)
        this.#announce(assetId, upload)
        if (flightId !== null) outbox.append('flight.updated', flightId)
      })
    )
    return { assetId, sizeBytes: stat.sizeBytes }
  }

  /** A version that became an asset before, or another copy of one: no new asset. */
  async #recordAgain(
    upload: FoundUpload,
    known: Pick<IngestedObject, 'assetId' | 'isLost' | 'blob'> & Partial<Pick<IngestedObject, 'state'>>
  ): Promise<RecordedUpload> {
    const { db, uploads, queue, store, clock } = this.#deps
    const { report, stat } = upload
    const nowMs = clock.nowMs()
    // Bytes in a store that is not connected are of no use until it is; these are here.
    const replacement = known.isLost || known.blob.store !== store.kind ? await this.#place(upload, nowMs) : undefined
    await this.#orUnpin(replacement, stat, () =>
      db.transaction(() => {
        if (replacement) this.markFound(known.blob, replacement)
        const before =
          report.fingerprint === null ? undefined : uploads.findFile(report.workspaceId, report.fingerprint)
        const hadNoReport = this.#noteUpload(upload, known.assetId)
        if (hadNoReport) this.#complete(known.assetId, report, nowMs)
        if (before && (before.objectKey !== report.objectKey || before.assetId !== known.assetId))
          this.#announce(known.assetId, upload)
        // The controller wrote a second copy of bytes that are kept already.
        if (!before || before.objectKey !== report.objectKey || known.state === 'moved')
          queue.enqueue(tidyUploadJob, { workspaceId: report.workspaceId, objectKey: stat.key, etag: stat.etag })
      })
    )
    return { assetId: known.assetId, sizeBytes: stat.sizeBytes }
  }

  /**
   * A report for an object that was removed as a duplicate. Several files may have been at its key, also one that nobody saw;
   * only a fingerprint that stands for the removed bytes already says that it was these.
   */
  async #recordMoved(report: UploadReport): Promise<RecordedUpload | 'object_missing'> {
    const { db, uploads, store, clock } = this.#deps
    const { workspaceId, objectKey, fingerprint } = report
    const file = fingerprint === null ? undefined : uploads.findFile(workspaceId, fingerprint)
    const isOfFile = ({ state, blob }: IngestedObject) => state === 'moved' && blob.id === file?.blob.id
    if (fingerprint === null || !file || !uploads.listObjects(workspaceId, objectKey).some(isOfFile))
      return 'object_missing'
    const { assetId, blob } = file
    if (!(await isWhole(store, blob))) {
      this.doubtBytes(blob.key)
      return 'object_missing'
    }
    db.transaction(() => {
      if (!uploads.deleteAdoptedFiles(assetId)) return
      const nowMs = clock.nowMs()
      uploads.upsertFile({ report, fingerprint, assetId, headKey: blob.key, isAdopted: false }, nowMs)
      this.#complete(assetId, report, nowMs)
    })
    return { assetId, sizeBytes: blob.sizeBytes }
  }

  /**
   * Decides where the bytes stay. A store that copies for nothing keeps them under a key of ours, out of the controllers'
   * reach; elsewhere they stay where they were uploaded. Raises `PreconditionFailed` or `NotFound` when they are not there
   * any more.
   */
  async #place(upload: FoundUpload, nowMs: number): Promise<Omit<BlobRow, 'sha256' | 'store'>> {
    const { store, keys } = this.#deps
    const { stat, report } = upload
    const id = newId(nowMs)
    if (store.kind !== 'local') return { id, key: stat.key, etag: stat.etag, sizeBytes: stat.sizeBytes }
    const key = keys.pinned(id, report.name, nowMs)
    const { etag, sizeBytes } = await store.copy(stat.key, key, { ifMatch: stat.etag })
    return { id, key, etag, sizeBytes }
  }

  /** Runs `work`; when it fails, the copy made for it goes again. */
  async #orUnpin(blob: { key: string } | undefined, stat: ObjectStat, work: () => void): Promise<void> {
    try {
      work()
    } catch (error) {
      if (blob && blob.key !== stat.key) {
        await this.#deps.store.delete(blob.key).catch((reason: unknown) => {
          this.#deps.log.warn({ key: blob.key, reason: messageOf(reason) }, 'a needless copy was left behind')
        })
      }
      throw error
    }
  }

  /** Ties the uploaded version and its fingerprint to the asset. True when nobody had reported that asset before. */
  #noteUpload(upload: FoundUpload, assetId: string): boolean {
    const { uploads, removals, clock } = this.#deps
    const { report, stat, isAdopted } = upload
    const nowMs = clock.nowMs()
    removals.cancel(stat.key, stat.etag)
    uploads.putObject({
      workspaceId: report.workspaceId,
      objectKey: stat.key,
      etag: stat.etag,
      assetId,
      state: 'present'
    })
    const headKey = stat.key === report.objectKey ? null : stat.key
    if (!isAdopted) {
      const wasAdopted = uploads.deleteAdoptedFiles(assetId)
      if (report.fingerprint === null) return wasAdopted
      const isFirst = !uploads.hasFiles(assetId)
      uploads.upsertFile({ report, fingerprint: report.fingerprint, assetId, headKey, isAdopted }, nowMs)
      return isFirst
    }
    // The entity tag of a single PUT is the MD5 of the bytes, and Pilot's fingerprint most likely is, too.
    const fingerprint = /^[0-9a-f]{32}$/i.test(stat.etag) ? stat.etag.toUpperCase() : undefined
    if (fingerprint !== undefined && !uploads.findFile(report.workspaceId, fingerprint))
      uploads.upsertFile({ report, fingerprint, assetId, headKey, isAdopted }, nowMs)
    return false
  }

  #complete(assetId: string, report: UploadReport, nowMs: number): void {
    const { repository, outbox } = this.#deps
    const deviceId = this.#noteDevice(report, nowMs)
    const flightId = this.#noteFlight(report, nowMs)
    repository.completeAsset(assetId, report, { deviceId, flightId, moment: captureMoment(report, nowMs) }, nowMs)
    outbox.append('asset.updated', assetId)
  }

  #noteDevice(report: UploadReport, nowMs: number): string | null {
    const { droneSerial: serial, droneModelKey: modelKey, payloadModelKey } = report
    return serial === null ? null : this.#deps.repository.noteDevice({ serial, modelKey, payloadModelKey }, nowMs)
  }

  #noteFlight(report: UploadReport, nowMs: number): string | null {
    if (report.groupId === null) return null
    return this.#deps.repository.ensureFlight(report.workspaceId, report.groupId, report.path, nowMs)
  }

  #announce(assetId: string, { report, stat: { sizeBytes } }: FoundUpload): void {
    const { workspaceId, name, objectKey } = report
    const type = guessMediaType(name)
    this.#deps.outbox.append('asset.arrived', assetId, {
      workspaceId,
      name,
      objectKey,
      ...type,
      sizeBytes,
      owner: null
    })
  }
}

async function headFirst(store: ObjectStore, keys: string[]): Promise<ObjectStat | null> {
  for (const key of keys) {
    const stat = await store.head(key)
    if (stat) return { ...stat, key }
  }
  return null
}

/** The object is not the version that was looked at a moment ago. */
function isReplaced(error: unknown): boolean {
  return error instanceof ObjectStoreError && (error.code === 'PreconditionFailed' || error.code === 'NotFound')
}

import type { Readable } from 'node:stream'
import type { AssetSummary } from '../../../shared/api/assets.ts'
import { type NewReference, newReferenceSchema, type Reference } from '../../../shared/api/references.ts'
import type { UploadFields } from '../../../shared/api/uploads.ts'
import { currentActor } from '../../audit/acting.ts'
import { type Clock, localDay } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { parsePart } from '../../http/parse-part.ts'
import { newId } from '../../ids.ts'
import { guessMediaType } from '../../media/guess-media-type.ts'
import { readImageSize } from '../../media/image-size.ts'
import { typeByContent } from '../../media/judge-content.ts'
import { type MediaType, sniffMedia } from '../../media/sniff-media.ts'
import type { ObjectKeys } from '../../object-keys.ts'
import { withObjectSource } from '../../object-store/object-source.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import type { WorkspaceScope } from '../../workspace-scope.ts'
import type { BlobKeeper, StoredBytes } from '../ingest/blob-keeper.ts'
import { captureMoment } from '../ingest/capture-moment.ts'
import type { WorkspaceQuota } from '../workspaces/workspace-quota.ts'
import { measured } from './measured-stream.ts'
import type { MediaRepository } from './media.repository.ts'
import { safeName } from './safe-name.ts'
import type { UploadLimits } from './upload-limits.ts'

/** Longer than any upload takes. */
const ABANDONED_AFTER_MS = 3 * 24 * 3_600_000

export interface UploadsServiceDeps {
  db: Database
  store: ObjectStore
  keys: ObjectKeys
  repository: MediaRepository
  blobs: BlobKeeper
  removals: ObjectRemovals
  outbox: Outbox
  clock: Clock
  limits: UploadLimits
  quota: WorkspaceQuota
  /** Throws `workspace_not_found` where workspaces are not made by using them. */
  assertWorkspace: (workspaceId: string) => void
  /** Throws `blob_quarantined`. */
  assertNotQuarantined: (sha256: string) => void
  getSummary: (assetId: string) => AssetSummary
  /** The oldest references of an asset. */
  listReferences: (assetId: string) => Reference[]
  /** Throws what the making of references throws. */
  createReference: (assetId: string, request: NewReference) => Reference
  /** Enqueues what other features do with a new asset; runs inside the transaction. */
  onNewAsset: (assetId: string) => void
}

/** Where a new file is kept, and what it is. */
export interface Place {
  blobId: string
  key: string
  name: string
  type: MediaType
}

/** A file whose bytes are durable and that is no asset yet. */
export type ReceivedFile = Place & StoredBytes

export interface UploadedMedia {
  asset: AssetSummary
  sha256: string
  isDuplicate: boolean
  reference: Reference | null
}

/** The same where its bytes are kept, which may be those of another asset. */
type KeptFile = Pick<ReceivedFile, 'name' | 'type' | 'sizeBytes' | 'sha256' | 'blobId'> & { objectKey: string }

/** A file that the base made: a clip, a snapshot, what stands for a stream. */
export interface OwnFile {
  workspaceId: string
  name: string
  type: MediaType
  /** What holds it. */
  reference: NewReference
  /** Whether it is looked at, previewed and judged as an upload is. */
  isProcessed: boolean
  /** When its content was taken; now when left out. */
  takenAtMs?: number
}

/** Files of applications: bytes first, then one transaction for everything else. */
export class UploadsService {
  readonly #deps: UploadsServiceDeps

  constructor(deps: UploadsServiceDeps) {
    this.#deps = deps
  }

  /**
   * Stores a file as it comes, under a key of ours. Throws `media_type_not_allowed`, `payload_too_large`, `ObjectStoreError`, and
   * as the stream does.
   */
  async receive(source: Readable, givenName: string): Promise<ReceivedFile> {
    const { store, limits } = this.#deps
    const bytes = measured(source, limits.maxSizeBytes)
    const place = this.placeFor(givenName, sniffMedia(await bytes.head))
    bytes.limitTo(limits.maxSizeOf(place.type.mimeType))
    const stored = await store.uploadStream(place.key, bytes.stream, { contentType: place.type.mimeType })
    return { ...place, ...stored, sha256: stored.sha256 ?? (await store.sha256Of(place.key)) }
  }

  /**
   * A new key for a file with this name and content. What comes to lie there and does not become an asset is removed after
   * some time, even if the program ends in between. Throws `media_type_not_allowed`.
   */
  placeFor(givenName: string, content: MediaType): Place {
    const { keys, removals, clock, limits } = this.#deps
    const name = safeName(givenName)
    const type = typeByContent(guessMediaType(name), content)
    limits.maxSizeOf(type.mimeType)
    const nowMs = clock.nowMs()
    const blobId = newId(nowMs)
    const key = keys.pinned(blobId, name, nowMs, type.kind)
    removals.request(key, null, { afterMs: ABANDONED_AFTER_MS })
    return { blobId, key, name, type }
  }

  /** Lets go of a received file that does not become an asset. */
  discard(file: ReceivedFile): void {
    this.#deps.db.transaction(() => this.#deps.removals.request(file.key, file.etag))
  }

  /**
   * Makes an asset of a received file, or of the same bytes that are here already; `onAdmitted` runs in the same transaction. Throws
   * `digest_mismatch`, `blob_quarantined`, `payload_too_large`, `too_many_pixels`, `quota_exceeded`, `ObjectStoreError`.
   */
  async admit(
    file: ReceivedFile,
    fields: UploadFields,
    options: { assetId?: string; onAdmitted?: (isDuplicate: boolean) => void } = {}
  ): Promise<UploadedMedia> {
    const { db, blobs, removals } = this.#deps
    this.#deps.assertWorkspace(fields.workspaceId)
    if (fields.sha256 !== undefined && fields.sha256 !== file.sha256)
      throw new AppError('digest_mismatch', { expected: fields.sha256, found: file.sha256 })
    this.#deps.assertNotQuarantined(file.sha256)
    await this.#assertAllowed(file)
    const known = await blobs.findWhole(file.sha256)
    const name = fields.name === undefined ? file.name : safeName(fields.name)
    return db.transaction(() => {
      removals.cancel(file.key, '')
      const { blobId, isDuplicate } = blobs.keep(file, known)
      options.onAdmitted?.(isDuplicate)
      return this.#admit({ ...file, name, blobId, objectKey: file.key }, fields, isDuplicate, options.assetId)
    })
  }

  /**
   * Makes an asset of a file that the base made itself: no limit for uploads and no quota holds for it. `onStored` runs in the
   * transaction; with `isProcessed` false nothing is done with the asset then. Throws `ObjectStoreError`, and as the stream does.
   */
  async storeOwn(
    source: Readable,
    file: OwnFile,
    onStored: (assetId: string, sha256: string) => void = () => {}
  ): Promise<UploadedMedia> {
    const { db, store, keys, blobs, removals, clock } = this.#deps
    const { type } = file
    const nowMs = clock.nowMs()
    const name = safeName(file.name)
    const blobId = newId(nowMs)
    const key = keys.pinned(blobId, name, nowMs, type.kind)
    removals.request(key, null, { afterMs: ABANDONED_AFTER_MS })
    const stored = await store.uploadStream(key, source, { contentType: type.mimeType })
    const sha256 = stored.sha256 ?? (await store.sha256Of(key))
    const received: ReceivedFile = { blobId, key, name, type, ...stored, sha256 }
    const known = await blobs.findWhole(sha256)
    return db.transaction(() => {
      removals.cancel(key, '')
      const kept = blobs.keep(received, known)
      const asset = { ...file, ...received, blobId: kept.blobId, objectKey: key, access: 'workspace' as const }
      const { id, reference } = this.#insert(asset, file.reference, kept.isDuplicate)
      onStored(id, sha256)
      if (file.isProcessed) this.#deps.onNewAsset(id)
      return { asset: this.#deps.getSummary(id), sha256, isDuplicate: kept.isDuplicate, reference }
    })
  }

  /**
   * Makes an asset of bytes that the workspace has already, by their digest; null when it has not, or as somebody else's private
   * file only. (Whoever knows the digest of somebody else's file shall not get the file by it.) Throws `media_type_not_allowed`,
   * `payload_too_large`, `too_many_pixels`, `quota_exceeded`, `blob_quarantined`, `ObjectStoreError`.
   */
  async admitKnown(sizeBytes: number, fields: UploadFields & { name: string }): Promise<UploadedMedia | null> {
    const { db, repository, blobs, limits } = this.#deps
    const { sha256, workspaceId, name } = fields
    this.#deps.assertWorkspace(workspaceId)
    if (sha256 !== undefined) this.#deps.assertNotQuarantined(sha256)
    const known = sha256 === undefined ? undefined : await blobs.findWhole(sha256)
    if (sha256 === undefined || known?.sizeBytes !== sizeBytes) return null
    return db.transaction(() => {
      const twin = repository.findTwin(workspaceId, known.id, currentActor().id)
      if (!twin) return null
      limits.assertFile({ mimeType: twin.type.mimeType, sizeBytes })
      if (twin.type.kind === 'image' && twin.size) limits.assertPixels(twin.size)
      return this.#admit({ ...twin, name, sizeBytes, sha256, blobId: known.id }, fields, true)
    })
  }

  /** An upload that is an asset by now. Throws `asset_not_found`. */
  describe(assetId: string, isDuplicate: boolean): UploadedMedia {
    const { getSummary, listReferences, repository } = this.#deps
    const asset = getSummary(assetId)
    return {
      asset,
      sha256: repository.sha256Of(assetId) ?? '',
      isDuplicate,
      reference: listReferences(assetId)[0] ?? null
    }
  }

  /** The same as somebody is told who may only know of the files in `scope`. */
  toldTo(scope: WorkspaceScope, media: UploadedMedia): UploadedMedia {
    if (scope === 'all' || !media.isDuplicate) return media
    return { ...media, isDuplicate: this.#deps.repository.hasTwin(media.asset.id, scope) }
  }

  async #assertAllowed(file: ReceivedFile): Promise<void> {
    const { store, limits } = this.#deps
    const { mimeType, kind } = file.type
    limits.assertFile({ mimeType, sizeBytes: file.sizeBytes })
    if (kind !== 'image') return
    const size = await withObjectSource(store, file, (source) => readImageSize(source, mimeType))
    if (size) limits.assertPixels(size)
  }

  #admit(file: KeptFile, fields: UploadFields, isDuplicate: boolean, givenId?: string): UploadedMedia {
    const { workspaceId, access } = fields
    this.#deps.quota.assertRoom(workspaceId, file.sizeBytes)
    const { id, reference } = this.#insert({ ...file, workspaceId, access }, referenceOf(fields), isDuplicate, givenId)
    this.#deps.onNewAsset(id)
    return { asset: this.#deps.getSummary(id), sha256: file.sha256, isDuplicate, reference }
  }

  #insert(
    file: KeptFile & Pick<UploadFields, 'workspaceId' | 'access'> & Pick<OwnFile, 'takenAtMs'>,
    wanted: NewReference | null,
    isDuplicate: boolean,
    givenId?: string
  ): Pick<UploadedMedia, 'reference'> & { id: string } {
    const { repository, outbox, clock } = this.#deps
    const nowMs = clock.nowMs()
    const id = givenId ?? newId(nowMs)
    const moment =
      file.takenAtMs === undefined
        ? captureMoment({ name: file.name, createdTime: null }, nowMs)
        : {
            takenAtMs: file.takenAtMs,
            takenDay: localDay(file.takenAtMs),
            zoneOffsetMin: null,
            source: 'callback' as const
          }
    repository.insert({ ...file, id, ownerId: currentActor().id, moment }, nowMs)
    const reference = wanted && this.#deps.createReference(id, wanted)
    const { workspaceId, name, objectKey, type, sizeBytes } = file
    const owner = wanted?.owner ?? null
    outbox.append('asset.arrived', id, { workspaceId, name, objectKey, ...type, sizeBytes, owner, isDuplicate })
    return { id, reference }
  }
}

/** The reference that the fields ask for; null when they name no holder. */
function referenceOf({
  workspaceId: _,
  name: __,
  sha256: ___,
  access: ____,
  ...reference
}: UploadFields): NewReference | null {
  if (reference.namespace === undefined) return null
  return parsePart('form', newReferenceSchema, reference)
}

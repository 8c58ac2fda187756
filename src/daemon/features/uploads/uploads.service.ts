import type { Readable } from 'node:stream'
import type { AssetSummary } from '../../../shared/api/assets.ts'
import { type NewReference, newReferenceSchema, type Reference } from '../../../shared/api/references.ts'
import type { UploadFields } from '../../../shared/api/uploads.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { parsePart } from '../../http/parse-part.ts'
import { newId } from '../../ids.ts'
import { judgeContent } from '../../media/judge-content.ts'
import { type MediaType, sniffMedia } from '../../media/sniff-media.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import type { BlobKeeper, StoredBytes } from '../ingest/blob-keeper.ts'
import { captureMoment } from '../ingest/capture-moment.ts'
import { guessMediaType, pinnedKey } from '../ingest/guess-media-type.ts'
import { measured } from './measured-stream.ts'
import type { MediaRepository } from './media.repository.ts'
import { safeName } from './safe-name.ts'

export interface UploadsServiceDeps {
  db: Database
  store: ObjectStore
  repository: MediaRepository
  blobs: BlobKeeper
  removals: ObjectRemovals
  outbox: Outbox
  clock: Clock
  maxSizeBytes: number
  getSummary: (assetId: string) => AssetSummary
  /** Throws what the making of references throws. */
  createReference: (assetId: string, request: NewReference) => Reference
  /** Enqueues what other features do with a new asset; runs inside the transaction. */
  onNewAsset: (assetId: string) => void
}

/** A file whose bytes are durable and that is no asset yet. */
export interface ReceivedFile extends StoredBytes {
  name: string
  type: MediaType
}

export interface UploadedMedia {
  asset: AssetSummary
  sha256: string
  isDuplicate: boolean
  reference: Reference | null
}

/** Files of applications: bytes first, then one transaction for everything else. */
export class UploadsService {
  readonly #deps: UploadsServiceDeps

  constructor(deps: UploadsServiceDeps) {
    this.#deps = deps
  }

  /** Stores a file as it comes, under a key of ours. Throws `payload_too_large`, `ObjectStoreError`, and as the stream does. */
  async receive(source: Readable, givenName: string): Promise<ReceivedFile> {
    const { store, clock, maxSizeBytes } = this.#deps
    const name = safeName(givenName)
    const bytes = measured(source, maxSizeBytes)
    const { type } = judgeContent(guessMediaType(name), sniffMedia(await bytes.head))
    const nowMs = clock.nowMs()
    const blobId = newId(nowMs)
    const key = pinnedKey(blobId, name, nowMs, type.kind)
    const { etag, sizeBytes } = await store.uploadStream(key, bytes.stream, { contentType: type.mimeType })
    return { blobId, key, etag, sizeBytes, sha256: bytes.sha256(), name, type }
  }

  /** Lets go of a received file that does not become an asset. */
  discard(file: ReceivedFile): void {
    this.#deps.db.transaction(() => this.#deps.removals.request(file.key, file.etag))
  }

  /** Makes an asset of a received file, or of the same bytes that are here already. Throws `digest_mismatch`, `ObjectStoreError`. */
  async admit(file: ReceivedFile, fields: UploadFields): Promise<UploadedMedia> {
    const { db, repository, blobs, outbox, clock } = this.#deps
    if (fields.sha256 !== undefined && fields.sha256 !== file.sha256)
      throw new AppError('digest_mismatch', { expected: fields.sha256, found: file.sha256 })
    const known = await blobs.findWhole(file.sha256)
    const name = fields.name === undefined ? file.name : safeName(fields.name)
    const { workspaceId } = fields
    return db.transaction(() => {
      const nowMs = clock.nowMs()
      const assetId = newId(nowMs)
      const { blobId, isDuplicate } = blobs.keep(file, known)
      const moment = captureMoment({ name, createdTime: null }, nowMs)
      const { key: objectKey, sizeBytes, type } = file
      repository.insert({ id: assetId, workspaceId, blobId, objectKey, name, type, sizeBytes, moment }, nowMs)
      const wanted = referenceOf(fields)
      const reference = wanted && this.#deps.createReference(assetId, wanted)
      this.#deps.onNewAsset(assetId)
      outbox.append('asset.arrived', assetId, { workspaceId, name, objectKey })
      return { asset: this.#deps.getSummary(assetId), sha256: file.sha256, isDuplicate, reference }
    })
  }
}

/** The reference that the fields ask for; null when they name no holder. */
function referenceOf({ workspaceId: _, name: __, sha256: ___, ...reference }: UploadFields): NewReference | null {
  if (reference.namespace === undefined) return null
  return parsePart('form', newReferenceSchema, reference)
}

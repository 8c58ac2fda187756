import type { Readable } from 'node:stream'
import { DataStore, Upload } from '@tus/server'
import { uploadFieldsSchema } from '../../../shared/api/uploads.ts'
import { parsePart } from '../../http/parse-part.ts'
import type { AppendedUploadsService } from './appended-uploads.service.ts'
import { IDLE_MS } from './part-plan.ts'
import type { PendingUploadsService } from './pending-uploads.service.ts'

/** What tus clients say of themselves about a file; names are taken from it, types are not believed. */
const CLIENT_FIELDS: ReadonlySet<string> = new Set(['filename', 'filetype', 'type', 'relativePath'])

/** What the tus library asks of a store, over our own uploads. Its methods raise what those raise. */
export class TusStore extends DataStore {
  override extensions = ['creation', 'creation-with-upload', 'expiration', 'termination']
  readonly #pending: PendingUploadsService
  readonly #appended: AppendedUploadsService

  constructor(deps: { pending: PendingUploadsService; appended: AppendedUploadsService }) {
    super()
    this.#pending = deps.pending
    this.#appended = deps.appended
  }

  /** Throws `invalid_request` for metadata that is none of an upload. */
  override async create(upload: Upload): Promise<Upload> {
    const { id, size: sizeBytes = 0, metadata = {} } = upload
    const given = Object.entries(metadata).filter(([name, value]) => value !== null && !CLIENT_FIELDS.has(name))
    const fields = parsePart('Upload-Metadata', uploadFieldsSchema, Object.fromEntries(given))
    const name = fields.name ?? metadata['filename'] ?? 'file'
    await this.#pending.beginAppended({ name, sizeBytes, fields }, { id, metadata })
    return upload
  }

  override write(stream: Readable, uploadId: string, offsetBytes: number): Promise<number> {
    return this.#appended.append(uploadId, offsetBytes, stream)
  }

  override async getUpload(uploadId: string): Promise<Upload> {
    const { state, sizeBytes, appended, expiresAtMs } = await this.#appended.find(uploadId)
    return new Upload({
      id: uploadId,
      size: sizeBytes,
      offset: state === 'done' ? sizeBytes : appended.offsetBytes,
      metadata: appended.metadata,
      // The library counts the time from here on, ours begins anew with every byte.
      creation_date: new Date(expiresAtMs - IDLE_MS).toISOString()
    })
  }

  override remove(uploadId: string): Promise<void> {
    return this.#appended.abort(uploadId)
  }

  override getExpiration(): number {
    return IDLE_MS
  }
}

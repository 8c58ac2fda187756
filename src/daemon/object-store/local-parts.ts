import { addAbortSignal } from 'node:stream'
import type { StorageEngine, UploadRef } from '../embedded-store/engine/storage-engine.ts'
import { fillBody } from './fill-body.ts'
import { fromStorageError, translated } from './local-errors.ts'
import { ObjectStoreError, type PartUpload, type PartUploads, type PutResult } from './object-store.ts'

/** The creator whose uploads these are; those of S3 clients have other ones. */
const OWNER = 'flightcase'

/** Parts in the embedded store: completing joins their extents and copies nothing. */
export class LocalPartUploads implements PartUploads {
  readonly #engine: StorageEngine
  readonly #bucket: string

  constructor(engine: StorageEngine, bucket: string) {
    this.#engine = engine
    this.#bucket = bucket
  }

  async begin(key: string, { contentType }: { contentType: string }): Promise<PartUpload> {
    const { uploadId } = await translated(() =>
      this.#engine.createUpload({ bucket: this.#bucket, key, owner: OWNER, headers: { 'content-type': contentType } })
    )
    return { key, id: uploadId }
  }

  async put(
    upload: PartUpload,
    number: number,
    { stream, sizeBytes }: Parameters<PartUploads['put']>[2],
    { sha256, signal }: NonNullable<Parameters<PartUploads['put']>[3]> = {}
  ): Promise<{ etag: string; sha256: string }> {
    if (signal) addAbortSignal(signal, stream)
    return translated(async () => {
      await this.#engine.headUpload(this.#ref(upload))
      const body = await this.#engine.openBody({ sizeBytes, withoutMd5: true })
      const digests = await fillBody(body, stream, sha256)
      const { etag } = await this.#engine.putPart({ upload: this.#ref(upload), number, body })
      return { etag, sha256: digests.sha256 }
    })
  }

  async complete(upload: PartUpload, parts: readonly { number: number; etag: string }[]): Promise<PutResult> {
    const { etag, sizeBytes, sha256 } = await translated(() =>
      this.#engine.completeUpload({ upload: this.#ref(upload), parts: [...parts] })
    )
    return { etag, sizeBytes, sha256 }
  }

  async abort(upload: PartUpload): Promise<void> {
    try {
      await this.#engine.abortUpload(this.#ref(upload))
    } catch (error) {
      const known = fromStorageError(error)
      if (!(known instanceof ObjectStoreError && known.code === 'NotFound')) throw known
    }
  }

  #ref({ key, id }: PartUpload): UploadRef {
    return { bucket: this.#bucket, key, uploadId: id, owner: OWNER }
  }
}

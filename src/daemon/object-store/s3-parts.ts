import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand
} from '@aws-sdk/client-s3'
import { meterBody } from './metered-body.ts'
import { type ObjectStat, ObjectStoreError, type PartUpload, type PartUploads, type PutResult } from './object-store.ts'
import { toBase64, translated, unquote } from './s3-answers.ts'
import { fromS3Error } from './s3-errors.ts'

/** Parts on an S3 server. */
export class S3PartUploads implements PartUploads {
  readonly #s3: S3Client
  readonly #bucket: string
  readonly #head: (key: string) => Promise<ObjectStat | null>

  constructor(deps: { s3: S3Client; bucket: string; head: (key: string) => Promise<ObjectStat | null> }) {
    this.#s3 = deps.s3
    this.#bucket = deps.bucket
    this.#head = deps.head
  }

  async begin(key: string, { contentType }: { contentType: string }): Promise<PartUpload> {
    const command = new CreateMultipartUploadCommand({ Bucket: this.#bucket, Key: key, ContentType: contentType })
    const { UploadId } = await translated(() => this.#s3.send(command))
    if (UploadId === undefined) throw new ObjectStoreError('Protocol', 'The object store gave the upload no id.')
    return { key, id: UploadId }
  }

  async put(
    upload: PartUpload,
    number: number,
    { stream, sizeBytes }: Parameters<PartUploads['put']>[2],
    { sha256, signal }: NonNullable<Parameters<PartUploads['put']>[3]> = {}
  ): Promise<{ etag: string; sha256: string }> {
    const metered = meterBody(stream, { sizeBytes, sha256, signal })
    try {
      const command = new UploadPartCommand({
        ...this.#ref(upload),
        PartNumber: number,
        Body: metered.stream,
        ContentLength: sizeBytes,
        ChecksumSHA256: toBase64(sha256)
      })
      const { ETag } = await this.#s3.send(command, { abortSignal: metered.signal })
      return { etag: unquote(ETag), sha256: metered.result().sha256 }
    } catch (error) {
      metered.cancel()
      throw metered.signal.aborted ? metered.signal.reason : missing(error)
    }
  }

  async complete(upload: PartUpload, parts: readonly { number: number; etag: string }[]): Promise<PutResult> {
    try {
      const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: `"${etag}"` }))
      const command = new CompleteMultipartUploadCommand({ ...this.#ref(upload), MultipartUpload: { Parts } })
      const { ETag } = await this.#s3.send(command)
      const stat = await this.#head(upload.key)
      if (stat?.etag !== unquote(ETag))
        throw new ObjectStoreError('Conflict', `Another object took the place of ${upload.key}.`)
      return { etag: stat.etag, sizeBytes: stat.sizeBytes, sha256: null }
    } catch (error) {
      throw missing(error)
    }
  }

  async abort(upload: PartUpload): Promise<void> {
    try {
      await this.#s3.send(new AbortMultipartUploadCommand(this.#ref(upload)))
    } catch (error) {
      const known = missing(error)
      if (known.code !== 'NotFound') throw known
    }
  }

  #ref({ key, id }: PartUpload) {
    return { Bucket: this.#bucket, Key: key, UploadId: id }
  }
}

/** `NoSuchUpload` is what is not found here. */
function missing(error: unknown): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error
  const known = fromS3Error(error)
  if (error instanceof Error && error.name === 'NoSuchUpload')
    return new ObjectStoreError('NotFound', 'There is no such upload.', { cause: error })
  return known
}

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCopyCommand
} from '@aws-sdk/client-s3'
import { ObjectStoreError } from './object-store.ts'

const MIB = 1024 ** 2
/** Small enough for a slow disk to copy it soon, large enough for the biggest object to have few parts. */
const REQUEST_MAX_BYTES = 256 * MIB
const MAX_PARTS = 10_000
const SILENCE_MS = 10 * 60_000

export type CopyInput = {
  Bucket: string
  Key: string
  CopySource: string
  CopySourceIfMatch: string
  IfMatch: string | undefined
  ContentType: string
  Metadata: Record<string, string>
  MetadataDirective: 'COPY' | 'REPLACE'
}

/** The value of `x-amz-copy-source`: the SDK expects it encoded. */
export function encodeCopySource(bucket: string, key: string): string {
  return `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
}

/**
 * Copies inside an S3 server. Many servers say nothing until they have copied, so it asks for little at a time, waits long for
 * the answer, and does not ask again for what was not answered: that would only be copied twice.
 */
export class S3Copier {
  readonly #s3: S3Client
  readonly #requestMaxBytes: number

  /** `requestMaxBytes`: larger objects are copied in parts of this size, at least 5 MiB; 256 MiB when left out. */
  constructor(config: S3ClientConfig, options: { requestMaxBytes?: number; silenceMs?: number }) {
    const { requestMaxBytes = REQUEST_MAX_BYTES, silenceMs = SILENCE_MS } = options
    this.#requestMaxBytes = requestMaxBytes
    this.#s3 = new S3Client({ ...config, requestHandler: { connectionTimeout: 5000, socketTimeout: silenceMs } })
    this.#s3.middlewareStack.add(
      (next) => async (args) => {
        try {
          return await next(args)
        } catch (error) {
          // Under this name the SDK would try again.
          if (error instanceof Error && error.name === 'TimeoutError')
            throw new ObjectStoreError('Unreachable', `The object store did not answer a copy: ${error.message}`)
          throw error
        }
      },
      { step: 'deserialize', name: 'flightcaseSilence' }
    )
  }

  /** Gives the ETag as answered. Raises the SDK's errors, and `Unreachable` when the server stays silent. */
  async copy(input: CopyInput, sizeBytes: number, abortSignal?: AbortSignal): Promise<string | undefined> {
    const options = abortSignal && { abortSignal }
    if (sizeBytes > this.#requestMaxBytes) return this.#copyInParts(input, sizeBytes, options)
    return (await this.#s3.send(new CopyObjectCommand(input), options)).CopyObjectResult?.ETag
  }

  close(): void {
    this.#s3.destroy()
  }

  async #copyInParts(
    input: CopyInput,
    sizeBytes: number,
    options?: { abortSignal: AbortSignal }
  ): Promise<string | undefined> {
    const { CopySource, CopySourceIfMatch, IfMatch, ContentType, Metadata, MetadataDirective: _, ...target } = input
    const s3 = this.#s3
    const created = await s3.send(new CreateMultipartUploadCommand({ ...target, ContentType, Metadata }), options)
    const upload = { ...target, UploadId: created.UploadId }
    try {
      const partBytes = Math.max(this.#requestMaxBytes, Math.ceil(sizeBytes / MAX_PARTS))
      const Parts: { PartNumber: number; ETag: string | undefined }[] = []
      for (let start = 0; start < sizeBytes; start += partBytes) {
        const PartNumber = Parts.length + 1
        const CopySourceRange = `bytes=${start}-${Math.min(start + partBytes, sizeBytes) - 1}`
        const part = { ...upload, PartNumber, CopySource, CopySourceIfMatch, CopySourceRange }
        const { CopyPartResult } = await s3.send(new UploadPartCopyCommand(part), options)
        Parts.push({ PartNumber, ETag: CopyPartResult?.ETag })
      }
      const complete = new CompleteMultipartUploadCommand({ ...upload, IfMatch, MultipartUpload: { Parts } })
      return (await s3.send(complete, options)).ETag
    } catch (error) {
      // Whatever the abort answers, the failure of the copy is what the caller has to know; idle uploads expire on the server.
      await s3.send(new AbortMultipartUploadCommand(upload)).catch(() => {})
      throw error
    }
  }
}

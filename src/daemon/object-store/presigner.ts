import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type ObjectStore, ObjectStoreError, type PresignedRequest } from './object-store.ts'

const MAX_EXPIRY_SECONDS = 7 * 24 * 3600

export type StaticKey = { accessKeyId: string; secretAccessKey: string }

export type PresignerOptions = {
  bucket: string
  region: string
  /** Base URL as clients see the store, read at each signing: it may follow the network. */
  endpoint: () => string
  credentials: () => StaticKey
  forcePathStyle: boolean
  clock?: () => number
}

/** Makes URLs that let their holder read or write one object for a while. */
export class Presigner {
  readonly #options: PresignerOptions
  #client: { endpoint: string; accessKeyId: string; s3: S3Client } | undefined

  constructor(options: PresignerOptions) {
    this.#options = options
  }

  /** See `ObjectStore.presignGet`. */
  async get(key: string, options: Parameters<ObjectStore['presignGet']>[1]): Promise<PresignedRequest> {
    const command = new GetObjectCommand({
      Bucket: this.#options.bucket,
      Key: key,
      ResponseContentDisposition: options.responseDisposition,
      ResponseContentType: options.responseContentType
    })
    const expiry = this.#expiry(options.expiresInSeconds)
    const url = await getSignedUrl(this.#s3(), command, expiry.signing)
    return { method: 'GET', url, headers: {}, expiresAtMs: expiry.atMs }
  }

  /** See `ObjectStore.presignPut`. Every header in the answer is part of the signature. */
  async put(key: string, options: Parameters<ObjectStore['presignPut']>[1]): Promise<PresignedRequest> {
    const headers: Record<string, string> = {}
    if (options.contentType !== undefined) headers['content-type'] = options.contentType
    if (options.sizeBytes !== undefined) headers['content-length'] = String(options.sizeBytes)
    if (options.ifNoneMatch !== undefined) headers['if-none-match'] = options.ifNoneMatch
    const command = new PutObjectCommand({
      Bucket: this.#options.bucket,
      Key: key,
      ContentType: options.contentType,
      ContentLength: options.sizeBytes,
      IfNoneMatch: options.ifNoneMatch
    })
    const expiry = this.#expiry(options.expiresInSeconds)
    // Without naming them the presigner signs the host alone and the headers would be free to change.
    const signableHeaders = new Set(['host', ...Object.keys(headers)])
    const url = await getSignedUrl(this.#s3(), command, { ...expiry.signing, signableHeaders })
    return { method: 'PUT', url, headers, expiresAtMs: expiry.atMs }
  }

  close(): void {
    this.#client?.s3.destroy()
    this.#client = undefined
  }

  #expiry(seconds: number): { signing: { expiresIn: number; signingDate: Date }; atMs: number } {
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_EXPIRY_SECONDS)
      throw new ObjectStoreError('InvalidArgument', `A URL is valid for 1 to ${MAX_EXPIRY_SECONDS} seconds.`)
    // Signatures count whole seconds.
    const nowMs = Math.floor((this.#options.clock ?? Date.now)() / 1000) * 1000
    return { signing: { expiresIn: seconds, signingDate: new Date(nowMs) }, atMs: nowMs + seconds * 1000 }
  }

  #s3(): S3Client {
    const endpoint = this.#options.endpoint()
    const credentials = this.#options.credentials()
    if (this.#client?.endpoint === endpoint && this.#client.accessKeyId === credentials.accessKeyId)
      return this.#client.s3
    this.close()
    const s3 = new S3Client({
      endpoint,
      region: this.#options.region,
      forcePathStyle: this.#options.forcePathStyle,
      credentials,
      // With the SDK's default a CRC32 of the empty body would be baked into the URL.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED'
    })
    this.#client = { endpoint, accessKeyId: credentials.accessKeyId, s3 }
    return s3
  }
}

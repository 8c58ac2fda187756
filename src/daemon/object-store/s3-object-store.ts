import { createHash } from 'node:crypto'
import { addAbortSignal, Readable } from 'node:stream'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  type S3Client
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { assertPortableMetadata } from './metadata-rules.ts'
import {
  type CopyOptions,
  type CredentialsRequest,
  type IssueCredentials,
  type ListOptions,
  type ListResult,
  type ObjectStat,
  type ObjectStore,
  ObjectStoreError,
  type PresignedRequest,
  type PutOptions,
  type PutResult,
  type SizedBody,
  type StoreHealth,
  type TemporaryCredentials,
  type UploadOptions
} from './object-store.ts'
import { Presigner } from './presigner.ts'
import { headerOf, toStat, totalSize, translated, unquote } from './s3-answers.ts'
import { openS3Client, type S3Server, s3ClientConfig } from './s3-client.ts'
import { encodeCopySource, S3Copier } from './s3-copier.ts'
import { fromS3Error, isMissingBucket } from './s3-errors.ts'
import { S3PartUploads } from './s3-parts.ts'
import { S3Uploader } from './s3-uploader.ts'
import { buildSessionPolicy } from './session-policy.ts'

const MIB = 1024 ** 2
const PART_BYTES = 16 * MIB
const MAX_PAGE = 1000
/** S3 takes no more in one PUT. */
const SINGLE_REQUEST_MAX_BYTES = 5 * 1024 * MIB
const MAX_CLOCK_SKEW_MS = 5 * 60_000
const DEFAULT_ROLE_ARN = 'arn:aws:iam::000000000000:role/flightcase-uploader'

export type S3ObjectStoreOptions = S3Server & {
  /** Base URL clients use, for presigned URLs; the same when left out. */
  publicEndpoint?: () => string
  /** Makes them instead, where clients talk to something that stands before the server. */
  presigner?: Presigner
  /** Issues temporary credentials instead of the server's AssumeRole. */
  issueCredentials?: IssueCredentials
  /** Where AssumeRole is answered; the S3 endpoint when left out. */
  stsEndpoint?: string
  sts?: {
    /** Null leaves it out of the request, for servers that take any value for a real role. */
    roleArn?: string | null
    policyMode?: 'strict' | 'relaxed'
  }
  /** Objects above this size travel in parts. 5 GiB, the S3 limit, unless given. */
  singleRequestMaxBytes?: number
  /** The size of such parts, at least 5 MiB; larger ones are used when there would be too many. 16 MiB unless given. */
  partSizeBytes?: number
  /** Larger objects are copied in parts of this size. 256 MiB unless given. */
  copyRequestMaxBytes?: number
  /** How long the server may say nothing while it copies. 10 minutes unless given. */
  copySilenceMs?: number
  clock?: () => number
}

/** A bucket of any S3 server. */
export class S3ObjectStore implements ObjectStore {
  readonly kind = 's3'
  readonly bucket: string
  readonly parts: S3PartUploads
  readonly #options: S3ObjectStoreOptions
  readonly #s3: S3Client
  readonly #sts: STSClient
  readonly #presigner: Presigner
  readonly #uploader: S3Uploader
  readonly #copier: S3Copier
  #clockSkewMs = 0
  #server: string | null = null

  constructor(options: S3ObjectStoreOptions) {
    const { endpoint, region, credentials, bucket, forcePathStyle = true, clock } = options
    this.#options = options
    this.bucket = bucket
    this.#s3 = openS3Client(options)
    this.#watchAnswers()
    this.parts = new S3PartUploads({ s3: this.#s3, bucket, head: (key) => this.head(key) })
    this.#uploader = new S3Uploader({
      s3: this.#s3,
      bucket,
      singleRequestMaxBytes: options.singleRequestMaxBytes ?? SINGLE_REQUEST_MAX_BYTES,
      partSizeBytes: options.partSizeBytes ?? PART_BYTES,
      takesConditions: options.takesConditions ?? true,
      head: (key) => this.head(key)
    })
    const { copyRequestMaxBytes: requestMaxBytes, copySilenceMs: silenceMs } = options
    this.#copier = new S3Copier(s3ClientConfig(options), {
      ...(requestMaxBytes && { requestMaxBytes }),
      ...(silenceMs && { silenceMs })
    })
    this.#sts = new STSClient({ endpoint: options.stsEndpoint ?? endpoint, region, credentials })
    this.#presigner =
      options.presigner ??
      new Presigner({
        bucket,
        region,
        forcePathStyle,
        endpoint: options.publicEndpoint ?? (() => endpoint),
        credentials: () => credentials,
        ...(clock && { clock })
      })
  }

  /** Creates the bucket unless it is there already; to look does not take the right to create. Tells whether it did. */
  async createBucketIfMissing({ signal }: { signal?: AbortSignal } = {}): Promise<boolean> {
    const options = signal && { abortSignal: signal }
    try {
      await this.#s3.send(new HeadBucketCommand({ Bucket: this.bucket }), options)
      return false
    } catch (error) {
      const known = fromS3Error(error)
      if (known.code !== 'NotFound' && !isMissingBucket(error)) throw known
    }
    try {
      await this.#s3.send(new CreateBucketCommand({ Bucket: this.bucket }), options)
      return true
    } catch (error) {
      const known = fromS3Error(error)
      if (known.code !== 'Conflict') throw known
      return false
    }
  }

  put(key: string, body: SizedBody, options: PutOptions = {}): Promise<PutResult> {
    return this.#uploader.put(key, body, options)
  }

  uploadStream(key: string, stream: Readable, options: UploadOptions = {}): Promise<PutResult> {
    return this.#uploader.uploadStream(key, stream, options)
  }

  async head(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectStat | null> {
    try {
      return toStat(key, await this.#headObject(key, signal))
    } catch (error) {
      const known = fromS3Error(error)
      if (known.code !== 'NotFound') throw known
      await this.#assertBucket()
      return null
    }
  }

  async getStream(
    key: string,
    { range, ifMatch, signal }: { range?: { start: number; end?: number }; ifMatch?: string; signal?: AbortSignal } = {}
  ): Promise<{ stat: ObjectStat; stream: Readable; sizeBytes: number }> {
    const output = await translated(() =>
      this.#s3.send(
        new GetObjectCommand({
          Bucket: this.bucket,
          Key: key,
          IfMatch: ifMatch === undefined ? undefined : `"${ifMatch}"`,
          Range: range && `bytes=${range.start}-${range.end ?? ''}`
        }),
        { ...(signal && { abortSignal: signal }) }
      )
    )
    const { Body: stream, ContentLength: sizeBytes } = output
    if (!(stream instanceof Readable) || sizeBytes === undefined)
      throw new ObjectStoreError('Protocol', 'The object store answered a read without a body or its length.')
    return { stat: { ...toStat(key, output), sizeBytes: totalSize(output) }, stream, sizeBytes }
  }

  async open(): Promise<null> {
    return null
  }

  async localPath(): Promise<null> {
    return null
  }

  async sha256Of(key: string, options: { signal?: AbortSignal } = {}): Promise<string> {
    const { signal } = options
    signal?.throwIfAborted()
    try {
      const stat = await this.head(key, options)
      if (!stat) throw new ObjectStoreError('NotFound', `There is no object ${key}.`)
      if (stat.sha256) return stat.sha256
      const { stream } = await this.getStream(key, { ...options, ifMatch: stat.etag })
      const hash = createHash('sha256')
      for await (const chunk of signal ? addAbortSignal(signal, stream) : stream) hash.update(chunk)
      return hash.digest('hex')
    } catch (error) {
      signal?.throwIfAborted()
      throw fromS3Error(error)
    }
  }

  async list({ prefix, delimiter, cursor, limit = MAX_PAGE }: ListOptions = {}): Promise<ListResult> {
    const page = await translated(() =>
      this.#s3.send(
        new ListObjectsV2Command({
          Bucket: this.bucket,
          Prefix: prefix,
          Delimiter: delimiter,
          ContinuationToken: cursor,
          MaxKeys: Math.min(limit, MAX_PAGE)
        })
      )
    )
    return {
      objects: (page.Contents ?? []).map(({ Key = '', Size = 0, ETag, LastModified }) => ({
        key: Key,
        sizeBytes: Size,
        etag: unquote(ETag),
        lastModifiedMs: LastModified?.getTime() ?? 0
      })),
      prefixes: (page.CommonPrefixes ?? []).map((common) => common.Prefix ?? ''),
      cursor: page.NextContinuationToken ?? null
    }
  }

  async delete(key: string, { ifMatch }: { ifMatch?: string } = {}): Promise<void> {
    try {
      await this.#assertVersion(key, ifMatch)
      await this.#s3.send(
        new DeleteObjectCommand({
          Bucket: this.bucket,
          Key: key,
          IfMatch: ifMatch === undefined ? undefined : `"${ifMatch}"`
        })
      )
    } catch (error) {
      const known = fromS3Error(error)
      if (known.code !== 'NotFound') throw known
    }
  }

  async deleteMany(keys: string[]): ReturnType<ObjectStore['deleteMany']> {
    const result: Awaited<ReturnType<ObjectStore['deleteMany']>> = { deleted: [], failed: [] }
    for (let at = 0; at < keys.length; at += MAX_PAGE) {
      const some = keys.slice(at, at + MAX_PAGE)
      const { Errors = [] } = await translated(() =>
        this.#s3.send(
          new DeleteObjectsCommand({
            Bucket: this.bucket,
            Delete: { Objects: some.map((Key) => ({ Key })), Quiet: true }
          })
        )
      )
      for (const { Key = '', Code = 'UnknownError', Message = '' } of Errors) {
        const error = Object.assign(new Error(Message), { name: Code, $metadata: { httpStatusCode: 200 } })
        result.failed.push({ key: Key, error: fromS3Error(error) })
      }
      const failed = new Set(Errors.map((error) => error.Key))
      result.deleted.push(...some.filter((key) => !failed.has(key)))
    }
    return result
  }

  async copy(
    source: string,
    target: string,
    { replace, ifMatch, targetIfMatch, signal }: CopyOptions = {}
  ): Promise<PutResult> {
    assertPortableMetadata(replace?.metadata)
    const from = await this.head(source)
    if (!from) throw new ObjectStoreError('NotFound', `There is no object ${source}.`)
    if (ifMatch !== undefined && ifMatch !== from.etag)
      throw new ObjectStoreError('PreconditionFailed', `${source} is another version by now.`)
    await this.#assertVersion(target, targetIfMatch)
    const { contentType, metadata } = replace ?? from
    const input = {
      Bucket: this.bucket,
      Key: target,
      CopySource: encodeCopySource(this.bucket, source),
      CopySourceIfMatch: `"${from.etag}"`,
      IfMatch: targetIfMatch === undefined ? undefined : `"${targetIfMatch}"`,
      ContentType: contentType,
      Metadata: metadata,
      MetadataDirective: replace ? ('REPLACE' as const) : ('COPY' as const)
    }
    const etag = await this.#copier.copy(input, from.sizeBytes, signal).catch((error: unknown) => {
      signal?.throwIfAborted()
      throw fromS3Error(error)
    })
    return { etag: unquote(etag), sizeBytes: from.sizeBytes, sha256: from.sha256 }
  }

  async presignGet(key: string, options: Parameters<ObjectStore['presignGet']>[1]): Promise<PresignedRequest> {
    this.#assertClock()
    return this.#presigner.get(key, options)
  }

  async presignPut(key: string, options: Parameters<ObjectStore['presignPut']>[1]): Promise<PresignedRequest> {
    this.#assertClock()
    return this.#presigner.put(key, options)
  }

  async issueCredentials(request: CredentialsRequest): Promise<TemporaryCredentials> {
    const { sts = {}, issueCredentials } = this.#options
    if (issueCredentials) return issueCredentials(request)
    const { workspaceId, prefixes, durationSeconds } = request
    const policy = buildSessionPolicy({
      bucket: this.bucket,
      prefixes,
      ...(sts.policyMode && { mode: sts.policyMode })
    })
    const { Credentials } = await translated(() =>
      this.#sts.send(
        new AssumeRoleCommand({
          RoleArn: sts.roleArn === null ? undefined : (sts.roleArn ?? DEFAULT_ROLE_ARN),
          RoleSessionName: `ws-${workspaceId}`.replace(/[^\w+=,.@-]/g, '-').slice(0, 64),
          DurationSeconds: durationSeconds,
          Policy: JSON.stringify(policy)
        })
      )
    )
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {}
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration)
      throw new ObjectStoreError('Protocol', 'AssumeRole was answered without credentials.')
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiresAtMs: Expiration.getTime()
    }
  }

  async health(key: string): Promise<StoreHealth> {
    const started = performance.now()
    await this.put(key, Buffer.from(key))
    const latencyMs = performance.now() - started
    await this.delete(key)
    return {
      latencyMs,
      writable: true,
      freeBytes: null,
      availableBytes: null,
      clockSkewMs: this.#clockSkewMs,
      keptFiles: 0,
      server: this.#server,
      indexProblem: null,
      uncheckedFiles: 0,
      doubtfulPlace: null
    }
  }

  async close(): Promise<void> {
    this.#s3.destroy()
    this.#copier.close()
    this.#sts.destroy()
    this.#presigner.close()
  }

  /** Some servers ignore conditions on deletes and copies, so they are looked at here as well. */
  async #assertVersion(key: string, etag: string | undefined): Promise<void> {
    if (etag === undefined) return
    const stat = await this.head(key)
    if (!stat) throw new ObjectStoreError('NotFound', `There is no object ${key}.`)
    if (stat.etag !== etag) throw new ObjectStoreError('PreconditionFailed', `${key} is another version by now.`)
  }

  #headObject(key: string, signal: AbortSignal | undefined): Promise<HeadObjectCommandOutput> {
    const command = new HeadObjectCommand({ Bucket: this.bucket, Key: key, ChecksumMode: 'ENABLED' })
    return this.#s3.send(command, { ...(signal && { abortSignal: signal }) })
  }

  /** A HEAD answer cannot tell a missing object from a missing bucket. */
  async #assertBucket(): Promise<void> {
    try {
      await this.#s3.send(new HeadBucketCommand({ Bucket: this.bucket }))
    } catch (error) {
      const known = fromS3Error(error)
      if (known.code === 'NotFound' || isMissingBucket(error))
        throw new ObjectStoreError('Protocol', `The bucket ${this.bucket} does not exist.`, { cause: error })
      if (known.code !== 'AccessDenied') throw known
    }
  }

  #watchAnswers(): void {
    const now = this.#options.clock ?? Date.now
    this.#s3.middlewareStack.add(
      (next) => async (args) => {
        const output = await next(args)
        const date = Date.parse(headerOf(output.response, 'date') ?? '')
        if (!Number.isNaN(date)) this.#clockSkewMs = date - now()
        this.#server = headerOf(output.response, 'server')
        return output
      },
      { step: 'deserialize', priority: 'low', name: 'flightcaseAnswers' }
    )
  }

  #assertClock(): void {
    if (Math.abs(this.#clockSkewMs) > MAX_CLOCK_SKEW_MS)
      throw new ObjectStoreError(
        'ClockSkew',
        'This clock and the clock of the object store differ by more than 5 minutes.'
      )
  }
}

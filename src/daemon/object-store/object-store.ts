import type { Readable } from 'node:stream'

/** What is known of a stored object without its bytes. `etag` carries no quotes; it is no content hash. */
export type ObjectStat = {
  key: string
  sizeBytes: number
  etag: string
  lastModifiedMs: number
  contentType: string
  metadata: Record<string, string>
  /** Hex, when the store knows the digest of the whole object; otherwise null (see {@link ObjectStore.sha256Of}). */
  sha256: string | null
}

export type PutOptions = {
  contentType?: string
  metadata?: Record<string, string>
  /** Hex. Checked against the bytes by the store: `ChecksumMismatch`. */
  sha256?: string
  /** Only when nothing is there yet: `PreconditionFailed`. */
  ifNoneMatch?: '*'
  /** Only over this version: `PreconditionFailed`, or `NotFound` when there is none. */
  ifMatch?: string
}
/** A body whose size is known beforehand. A stream must give exactly `sizeBytes`. */
export type SizedBody = Uint8Array | { stream: Readable; sizeBytes: number }
export type PutResult = { etag: string; sizeBytes: number; sha256: string | null }

export type UploadOptions = Omit<PutOptions, 'sha256' | 'ifMatch'> & { signal?: AbortSignal }

export type ListOptions = { prefix?: string; delimiter?: string; cursor?: string; limit?: number }
export type ListResult = {
  objects: { key: string; sizeBytes: number; etag: string; lastModifiedMs: number }[]
  /** Common prefixes, when a delimiter was given. */
  prefixes: string[]
  /** Pass it back to go on; null at the end. */
  cursor: string | null
}

export type CopyOptions = {
  /** Replaces the source's content type and metadata together. */
  replace?: { metadata: Record<string, string>; contentType: string }
  /** Only this version of the source. */
  ifMatch?: string
  /** Only over this version of the target. */
  targetIfMatch?: string
  /** Ends waiting for a store that moves the bytes; its reason is raised. Nothing is promised about the target then. */
  signal?: AbortSignal
}

/** One version of an object held open on this machine; close it always, with no read under way. */
export type OpenedObject = {
  sizeBytes: number
  /** Fills (the beginning of) `buffer` from `position` on; gives the number of bytes, at least one. One read at a time. */
  readAt(buffer: Buffer, position: number): Promise<number>
  close(): void
}

/** A file holding exactly the object's bytes. It stays until `release()`; never write to it. */
export type LocalPath = { path: string; release(): void }

/** A URL and the headers its user must send with it, exactly as given. */
export type PresignedRequest = {
  method: 'GET' | 'PUT'
  url: string
  headers: Record<string, string>
  expiresAtMs: number
}

export type CredentialsRequest = {
  workspaceId: string
  /** Key prefixes the holder may write to, each ending in `/`. */
  prefixes: string[]
  /** 900 … 43 200. */
  durationSeconds: number
  deviceId?: string
}
export type TemporaryCredentials = {
  accessKeyId: string
  secretAccessKey: string
  sessionToken: string
  expiresAtMs: number
}
/** Issues temporary credentials limited to the prefixes of the request, in process. */
export type IssueCredentials = (request: CredentialsRequest) => TemporaryCredentials | Promise<TemporaryCredentials>

export type StoreHealth = {
  latencyMs: number
  writable: boolean
  /** Null when the store does not tell. */
  freeBytes: number | null
  /** Of these, what may be filled: some is kept free for the store itself. Null when the store does not tell. */
  availableBytes: number | null
  /** Store clock minus ours. */
  clockSkewMs: number
  /** Files that the store has but does not know, because its index may have lost what they are; 0 when it does not tell. */
  keptFiles: number
  /** What the server calls itself; null when it does not tell, and for the embedded store. */
  server: string | null
  /** What the store found wrong with its own index; null: nothing, or it does not tell. */
  indexProblem: string | null
  /** Files that the store could not open or read when it was to check them; 0 when it does not tell. */
  uncheckedFiles: number
  /** What keeps the place of the store from being safe (exFAT, SMB, Dropbox, …); null: nothing, or it does not tell. */
  doubtfulPlace: string | null
}

/** An object that arrives in parts. `id` is the store's. */
export type PartUpload = { key: string; id: string }

/** Every method may raise what those of {@link ObjectStore} may. An upload that is gone (completed, aborted, expired) is `NotFound`. */
export interface PartUploads {
  begin(key: string, options: { contentType: string }): Promise<PartUpload>
  /**
   * Stores part `number` (1 … 10 000) durably, in the place of one it may have been before. Every part but the last has at least
   * 5 MiB. Raises `InvalidArgument` when the stream has another length, `ChecksumMismatch`, and the signal's reason.
   */
  put(
    upload: PartUpload,
    number: number,
    body: { stream: Readable; sizeBytes: number },
    options?: { sha256?: string | undefined; signal?: AbortSignal | undefined }
  ): Promise<{ etag: string; sha256: string }>
  /** Makes the object of these parts, ascending. */
  complete(upload: PartUpload, parts: readonly { number: number; etag: string }[]): Promise<PutResult>
  /** Drops the parts; one that is gone is fine. */
  abort(upload: PartUpload): Promise<void>
}

/**
 * Where Flightcase keeps bytes: one bucket of the embedded store or of any S3 server, behind the same behaviour. Every method may
 * raise `Unreachable`, `AccessDenied`, `Throttled` and `Protocol` besides the errors it names; an outage is never told as absence.
 */
export interface ObjectStore {
  readonly kind: 'local' | 's3'
  readonly bucket: string
  /** Stores a body of known size; durable when it resolves. Raises `ChecksumMismatch`, `PreconditionFailed`, `StorageFull`. */
  put(key: string, body: SizedBody, options?: PutOptions): Promise<PutResult>
  /** Stores a stream of unknown length. Nothing becomes visible when the stream fails or `signal` aborts. */
  uploadStream(key: string, stream: Readable, options?: UploadOptions): Promise<PutResult>
  /** Objects that arrive in parts, over many requests and restarts. */
  readonly parts: PartUploads
  /** Null when nothing is there; no permission is `AccessDenied`, never null. */
  head(key: string): Promise<ObjectStat | null>
  /** `range` is inclusive. Pass `ifMatch` when resuming: `PreconditionFailed` when the object changed. Raises `NotFound`. */
  getStream(
    key: string,
    options?: { range?: { start: number; end?: number }; ifMatch?: string }
  ): Promise<{ stat: ObjectStat; stream: Readable; sizeBytes: number }>
  /**
   * The object for reads into buffers of the caller; null when the store has none to offer (read the stream then). As {@link getStream}.
   */
  open(key: string, options?: { ifMatch?: string }): Promise<OpenedObject | null>
  /** The object as a file on this machine; null when the store has none to offer (read the stream then). Raises `NotFound`. */
  localPath(key: string): Promise<LocalPath | null>
  /**
   * Digest (hex) of the whole object: the store's own if it has one, else computed by reading, until `signal` aborts. Raises
   * `NotFound` and the signal's reason.
   */
  sha256Of(key: string, options?: { signal?: AbortSignal }): Promise<string>
  /** Ascending UTF-8 byte order, at most 1000 per page. */
  list(options?: ListOptions): Promise<ListResult>
  /**
   * A missing key is success. With `ifMatch` only this version goes: `PreconditionFailed` when it is another one. (An S3 server
   * without conditional deletes leaves a moment between the look and the removal.)
   */
  delete(key: string, options?: { ifMatch?: string }): Promise<void>
  /** Per-key outcome for any number of keys; a missing key is success. */
  deleteMany(keys: string[]): Promise<{ deleted: string[]; failed: { key: string; error: ObjectStoreError }[] }>
  /** Copies inside the bucket; conditions as for {@link delete}. Raises `NotFound`, `PreconditionFailed`. */
  copy(source: string, target: string, options?: CopyOptions): Promise<PutResult>
  /** A URL on the public endpoint. `responseDisposition` overrides the Content-Disposition of the answer. */
  presignGet(
    key: string,
    options: { expiresInSeconds: number; responseDisposition?: string; responseContentType?: string }
  ): Promise<PresignedRequest>
  presignPut(
    key: string,
    options: { expiresInSeconds: number; contentType?: string; sizeBytes?: number; ifNoneMatch?: '*' }
  ): Promise<PresignedRequest>
  /** Temporary credentials that can only add objects under the prefixes (and look at those). */
  issueCredentials(request: CredentialsRequest): Promise<TemporaryCredentials>
  /** Writes, reads back and deletes a small object at `key`. Raises what went wrong. */
  health(key: string): Promise<StoreHealth>
  close(): Promise<void>
}

/** `OtherStore`: the store that answers is not the one that has the object, so it cannot tell whether that is there. */
export type ObjectStoreErrorCode =
  | 'NotFound'
  | 'AccessDenied'
  | 'PreconditionFailed'
  | 'Conflict'
  | 'Throttled'
  | 'StorageFull'
  | 'ClockSkew'
  | 'CredentialsExpired'
  | 'ChecksumMismatch'
  | 'Unsupported'
  | 'Unreachable'
  | 'OtherStore'
  | 'Damaged'
  | 'InvalidArgument'
  | 'Protocol'

/** Codes worth trying again after a pause, without any change. */
const RETRYABLE: ReadonlySet<ObjectStoreErrorCode> = new Set(['Conflict', 'Throttled', 'Unreachable'])

/** What a store answered, in one vocabulary for every driver. The foreign error is the `cause`. */
export class ObjectStoreError extends Error {
  readonly code: ObjectStoreErrorCode
  readonly retryable: boolean

  constructor(code: ObjectStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ObjectStoreError'
    this.code = code
    this.retryable = RETRYABLE.has(code)
  }
}

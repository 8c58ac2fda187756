import type { Readable } from 'node:stream'
import type { StoreMaintenance } from './store-maintenance.ts'

/** Checksum algorithms a client may ask for besides the three that are always computed. */
export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256'
/** Whether a multipart checksum covers the whole object or is a checksum over the part checksums. */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'

/** A stored checksum. `value` is base64 of the big-endian digest, followed by `-N` when it is a composite of N parts. */
export type ObjectChecksum = { algorithm: ChecksumAlgorithm; type: ChecksumType; value: string }

/** Representation headers kept byte-exact with an object, by lower-case name. Values are raw header text (latin-1). */
export const STORED_HEADERS = [
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'cache-control',
  'expires'
] as const
export type StoredHeaders = Partial<Record<(typeof STORED_HEADERS)[number], string>>

/** User metadata: lower-case names without the `x-amz-meta-` prefix, raw header values (latin-1). */
export type UserMetadata = Record<string, string>

export type BucketInfo = { name: string; owner: string; createdAtMs: number; corsJson: string | null }

/** The size of one uploaded part, for reads by part number. `checksum` is base64 in the object's algorithm, if any. */
export type PartLayout = { number: number; sizeBytes: number; checksum: string | null }

/** One committed object. `etag` carries no quotes. `sha256` is hex; null until computed for a multipart object. */
export type ObjectInfo = {
  bucket: string
  key: string
  sizeBytes: number
  etag: string
  lastModifiedMs: number
  headers: StoredHeaders
  metadata: UserMetadata
  checksum: ObjectChecksum | null
  sha256: string | null
  /** Null for an object written by a single PUT. */
  parts: PartLayout[] | null
}

/** What the bytes of a finished body hash to. `checksums` (base64) always holds CRC32C and SHA256, plus those asked for. */
export type BodyDigests = {
  sizeBytes: number
  sha256: string
  /** Hex; null for a body without one. */
  md5: string | null
  /** Of the object or part that the body becomes. */
  etag: string
  checksums: Partial<Record<ChecksumAlgorithm, string>>
}

/**
 * A body on its way to disk: bytes go to a staging file and through the hashes. It holds its share of the free space
 * until it is committed or discarded. Use it from one caller at a time.
 */
export interface BodyWriter {
  /**
   * Takes the next bytes (copied, the chunk may be reused at once). Returns a promise exactly when the caller must wait
   * before writing more. Raises `IncompleteBody` when more than the announced size arrives, `StorageFull` on ENOSPC.
   */
  write(chunk: Uint8Array): Promise<void> | undefined
  /** Ends the body and gives its digests; nothing is visible yet. Raises `IncompleteBody` when bytes are missing. */
  finish(): Promise<BodyDigests>
  /** Drops the staging file and the reservation. Does nothing once the body is committed or discarded. */
  discard(): Promise<void>
}

export type OpenBodyRequest = {
  /** Exact number of bytes to come; null when unknown (space is then reserved while they arrive). */
  sizeBytes: number | null
  /** Algorithms to compute besides sha256, md5 and crc32c. */
  checksums?: readonly ChecksumAlgorithm[]
  /** Spares md5, by far the slowest. S3 clients compare it with what they sent; whoever else writes has no use for it. */
  withoutMd5?: boolean
}

/**
 * Raw `If-Match` / `If-None-Match` field values (`*` or a list of entity tags, RFC 9110 §13.1) for a write or delete.
 * Quotes are optional, weak tags never match.
 */
export type WritePrecondition = { ifMatch?: string | undefined; ifNoneMatch?: string | undefined }

export type PutObjectRequest = {
  bucket: string
  key: string
  /** A finished body. The engine owns it from here on, also when the put fails. */
  body: BodyWriter
  headers?: StoredHeaders
  metadata?: UserMetadata
  /** Which of the body's checksums to remember as the object's checksum. */
  checksumAlgorithm?: ChecksumAlgorithm | undefined
  precondition?: WritePrecondition | undefined
}

/** Inclusive byte positions, as in a Range header: 0 ≤ start ≤ end. */
export type ByteRange = { start: number; end: number }

/** One version of an object held open: replacing or deleting the key does not disturb it. Close it always. */
export interface ObjectHandle {
  readonly info: ObjectInfo
  /** Whether `readAt` reads on this machine, and so costs less than a stream. */
  readonly isLocal: boolean
  /**
   * Streams the range (the whole object when left out; `end` beyond the object is cut). Destroying the stream stops
   * the file reads. A blob that ends early, or was read whole and holds other bytes than were written, destroys the stream with
   * `ObjectDamaged` before its last piece. Raises `InvalidRange` when `start`
   * is not inside the object.
   */
  read(range?: ByteRange): Readable
  /**
   * Fills (the beginning of) `buffer` with the bytes from `position` on and gives their number, at least one. One read at a time.
   * Raises `ObjectDamaged`, for other bytes than were written when reads one after the other reach a blob's end from its beginning;
   * `position` must be inside the object.
   */
  readAt(buffer: Buffer, position: number): Promise<number>
  /** Releases the version, with no `readAt` under way. Streams already handed out finish first. May be called more than once. */
  close(): void
}

/** Names the version to copy from. `etag` pins the version the caller judged; another one is `PreconditionFailed`. */
export type CopySource = { bucket: string; key: string; etag?: string | undefined }

export type CopyObjectRequest = {
  source: CopySource
  bucket: string
  key: string
  /** Replaces headers and metadata together; left out, the source's are kept. */
  replace?: { headers: StoredHeaders; metadata: UserMetadata } | undefined
  precondition?: WritePrecondition | undefined
}

/** Identifies an upload. All four must fit, otherwise `NoSuchUpload`: an id is bound to bucket, key and creator. */
export type UploadRef = { bucket: string; key: string; uploadId: string; owner: string }

export type UploadInfo = UploadRef & {
  createdAtMs: number
  headers: StoredHeaders
  metadata: UserMetadata
  checksum: { algorithm: ChecksumAlgorithm; type: ChecksumType } | null
}

export type CreateUploadRequest = {
  bucket: string
  key: string
  /** Whoever created it (the long-term user, also behind temporary credentials). */
  owner: string
  headers?: StoredHeaders
  metadata?: UserMetadata
  /** Declared checksum; which type an algorithm allows is the caller's rule. Every part must then be opened with it. */
  checksum?: { algorithm: ChecksumAlgorithm; type: ChecksumType } | undefined
}

export type PartInfo = {
  number: number
  sizeBytes: number
  etag: string
  lastModifiedMs: number
  /** Base64, in the upload's declared algorithm; null when none was declared. */
  checksum: string | null
}

export type CompleteUploadRequest = {
  upload: UploadRef
  /** In the order of the request. `etag` with or without quotes; `checksum` is compared when there is one. */
  parts: { number: number; etag: string; checksum?: string | null | undefined }[]
  precondition?: WritePrecondition | undefined
  /** Object-level checksum the client claims, base64 (composites with or without `-N`). Another value is `BadDigest`. */
  expectedChecksum?: string | undefined
  /** Total size the client claims. Another one is `InvalidSize`. */
  expectedSizeBytes?: number | undefined
}

/** The object a completion made. Its part sizes are left out: there can be 10 000. */
export type CompletedUpload = Omit<ObjectInfo, 'parts'>

/**
 * A page of names in ascending UTF-8 byte order. Keys that contain `delimiter` after `prefix` are rolled up into the common
 * prefix ending there. Only entries whose own name (key or common prefix) sorts after `after` are returned.
 */
export type ListRequest = {
  bucket: string
  prefix?: string | undefined
  delimiter?: string | undefined
  after?: string | undefined
  /** Entries per page, common prefixes included; 0 gives an empty page that is not truncated. */
  limit: number
}
export type ListedObject = Pick<ObjectInfo, 'key' | 'sizeBytes' | 'etag' | 'lastModifiedMs' | 'checksum'>
export type ListPage = {
  /** In listing order. */
  entries: ({ object: ListedObject } | { prefix: string })[]
  /** Pass as `after` to go on; null when the listing is complete. */
  next: string | null
}

export type ListUploadsRequest = {
  bucket: string
  prefix?: string | undefined
  delimiter?: string | undefined
  /** Uploads after this key (or common prefix); with `uploadId`, also later uploads of the same key. */
  after?: { key: string; uploadId?: string | undefined } | undefined
  limit: number
}
export type ListUploadsPage = {
  /** Ascending by key, then by creation (upload id order). */
  entries: ({ upload: UploadInfo } | { prefix: string })[]
  next: { key: string; uploadId: string | null } | null
}

export type EngineHealth = {
  /** Bytes left for bodies: free on the volume, less the reserve and what bodies in flight hold. Never negative. */
  availableBytes: number
  freeBytes: number
  /** False while the reserve is breached, or after the disk refused a write (EROFS, EIO). */
  writable: boolean
  /** Files that the index does not know and that stay, because it may have lost what they are; as last counted. */
  keptFiles: number
  /** What the last check of the whole index found wrong with it; null: nothing. */
  indexProblem: string | null
  /** Files that could not be opened or read when they were to be checked, which says nothing about their bytes. */
  uncheckedFiles: number
  /** What keeps the place of the store from being safe (exFAT, SMB, Dropbox, …), where it was begun before that was known; null: nothing. */
  doubtfulPlace: string | null
}

export type ObjectCommitted = {
  bucket: string
  key: string
  sizeBytes: number
  etag: string
  /** Hex; null for a multipart object whose digest is not known yet. */
  sha256: string | null
}
export type ObjectDamaged = { bucket: string; key: string; reason: string }

/**
 * The storage half of the embedded object store: buckets, objects and multipart uploads in one directory of one volume.
 * It knows nothing of HTTP, signatures or permissions. Every method that changes something has made it durable when its
 * promise resolves, and changed nothing when it rejects. All rejections that a caller can act on are {@link StorageError}.
 */
export interface StorageEngine {
  /** The store's own id, for as long as it exists. */
  readonly storeId: string
  readonly maintenance: StoreMaintenance
  /** Creates the bucket; `created` is false when the same owner had it already. Raises `BucketAlreadyExists`. */
  createBucket(request: { name: string; owner: string }): Promise<{ bucket: BucketInfo; created: boolean }>
  /** Raises `NoSuchBucket`. */
  headBucket(name: string): Promise<BucketInfo>
  /** Ascending by name, names after `after` only. */
  listBuckets(request?: { prefix?: string; after?: string; limit?: number }): Promise<BucketInfo[]>
  /** Removes an empty bucket and its unfinished uploads. Raises `NoSuchBucket`, `BucketNotEmpty`. */
  deleteBucket(name: string): Promise<void>
  /** Stores the CORS configuration, null removes it. Raises `NoSuchBucket`. */
  setBucketCors(name: string, corsJson: string | null): Promise<void>

  /** Reserves space and opens a staging file. Raises `StorageFull`, `ReadOnly` before a byte is taken. */
  openBody(request: OpenBodyRequest): Promise<BodyWriter>
  /** Evaluates a write precondition now (it is evaluated again inside the commit). Raises as {@link putObject} does. */
  checkPrecondition(bucket: string, key: string, precondition: WritePrecondition): Promise<void>
  /**
   * Makes a finished body the object. Raises `NoSuchBucket`, `InvalidKey`, `KeyTooLong`, `PreconditionFailed`, and `NoSuchKey`
   * for `If-Match` on a missing object.
   */
  putObject(request: PutObjectRequest): Promise<ObjectInfo>
  /** Raises `NoSuchBucket`, `NoSuchKey`, `ObjectDamaged`. */
  headObject(bucket: string, key: string): Promise<ObjectInfo>
  /** Opens the current version for reading. Raises `NoSuchBucket`, `NoSuchKey`, `ObjectDamaged`. */
  openObject(bucket: string, key: string): Promise<ObjectHandle>
  /** Idempotent. Calls made together share one commit. Raises `NoSuchBucket`; with `ifMatch` as {@link putObject}. */
  deleteObject(bucket: string, key: string, precondition?: { ifMatch?: string }): Promise<{ existed: boolean }>
  /** Makes a second row for the same bytes. Raises as put and head do. */
  copyObject(request: CopyObjectRequest): Promise<ObjectInfo>
  listObjects(request: ListRequest): Promise<ListPage>

  createUpload(request: CreateUploadRequest): Promise<UploadInfo>
  /** Raises `NoSuchBucket`, `NoSuchUpload`. */
  headUpload(upload: UploadRef): Promise<UploadInfo>
  /**
   * Stores a finished body as a part; of two with one number, the one that finishes last stays. The engine owns the body from
   * here on. Raises `NoSuchUpload`, `InvalidPartNumber`.
   */
  putPart(request: { upload: UploadRef; number: number; body: BodyWriter }): Promise<PartInfo>
  /** Stores (a range of) an object as a part. Raises as head and put do, and `InvalidRange` beyond the source. */
  copyPart(request: { upload: UploadRef; number: number; source: CopySource; range?: ByteRange }): Promise<PartInfo>
  /** Ascending by number, numbers above `after` only. */
  listParts(
    upload: UploadRef,
    page: { after?: number; limit: number }
  ): Promise<{ parts: PartInfo[]; truncated: boolean }>
  /**
   * Makes the listed parts the object without moving a byte. The same request repeated within 24 h gives the same answer.
   * Raises `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `BadDigest`, `InvalidSize`, and as put.
   */
  completeUpload(request: CompleteUploadRequest): Promise<CompletedUpload>
  /** Raises `NoSuchUpload`. */
  abortUpload(upload: UploadRef): Promise<void>
  listUploads(request: ListUploadsRequest): Promise<ListUploadsPage>

  /**
   * The object as one ordinary file, for programs that want a path; an object of several extents is first made
   * contiguous. Never write to it. The file stays until `release()`. Raises as head does.
   */
  localFile(bucket: string, key: string): Promise<{ path: string; info: ObjectInfo; release(): void }>
  /**
   * Sha256 (hex) of the current version, read from the bytes once if it is not known. Raises as head does, and the
   * signal's reason.
   */
  digestOf(bucket: string, key: string, signal?: AbortSignal): Promise<string>

  health(): Promise<EngineHealth>
  /** Called after each commit of an object (put, copy, complete). Returns the function that ends the subscription. */
  onObjectCommitted(listener: (event: ObjectCommitted) => void): () => void
  /** Called when an object is found to have lost its bytes. */
  onObjectDamaged(listener: (event: ObjectDamaged) => void): () => void
  /** Resolves when no commit, body or background task is under way. */
  idle(): Promise<void>
  /** Refuses new work, waits for what is under way, closes the index and gives up the lock. May be called twice. */
  close(): Promise<void>
}

/** Why the engine refused. The S3 endpoint maps each code to its error; names follow S3 where S3 has one. */
export type StorageErrorCode =
  | 'NoSuchBucket'
  | 'NoSuchKey'
  | 'NoSuchUpload'
  | 'InvalidBucketName'
  | 'InvalidKey'
  | 'KeyTooLong'
  | 'BucketAlreadyExists'
  | 'BucketNotEmpty'
  | 'PreconditionFailed'
  | 'InvalidRange'
  | 'InvalidPartNumber'
  | 'InvalidPart'
  | 'InvalidPartOrder'
  | 'EntityTooSmall'
  | 'InvalidSize'
  | 'BadDigest'
  | 'IncompleteBody'
  | 'StorageFull'
  | 'ReadOnly'
  | 'ObjectDamaged'
  | 'IndexDamaged'
  | 'StoreLocked'
  | 'StoreOffline'
  | 'StoreClosed'
  // Refusals of a store behind a gateway that no other code says.
  | 'AccessDenied'
  | 'EntityTooLarge'
  | 'InvalidRequest'

/** An expected refusal. `details` hold the facts by name (`key`, `partNumber`, `sizeBytes`, `minSizeBytes`, …). */
export class StorageError extends Error {
  readonly code: StorageErrorCode
  readonly details: Readonly<Record<string, string | number>>

  constructor(
    code: StorageErrorCode,
    message: string,
    details: Record<string, string | number> = {},
    options?: ErrorOptions
  ) {
    super(message, options)
    this.name = 'StorageError'
    this.code = code
    this.details = details
  }
}

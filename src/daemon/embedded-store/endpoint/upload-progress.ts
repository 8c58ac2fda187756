/** Which part of which multipart upload. */
export interface PartOfUpload {
  uploadId: string
  number: number
}

/** One moment in the life of an incoming object body, for the people watching. */
export interface UploadProgressEvent {
  accessKeyId: string
  /** The device the session was issued to. */
  sessionDeviceId: string | null
  bucket: string
  /** Key of the object; for a part of a multipart upload, of the object it will become. */
  key: string
  /** Null for a whole object. Parts come in any order, several at a time, and again after a failure. */
  part: PartOfUpload | null
  receivedBytes: number
  /** Null for a part, whose object's size nobody knows yet, and for a body of unknown size. */
  totalBytes: number | null
  state: 'started' | 'receiving' | 'stored' | 'failed'
  errorCode?: string
}

const MIN_INTERVAL_MS = 250

/** Reports one body: its start, its bytes at most four times a second, and its end exactly once. */
export class UploadProgress {
  readonly #subject: Pick<UploadProgressEvent, 'accessKeyId' | 'sessionDeviceId' | 'bucket' | 'key'>
  readonly #report: (event: UploadProgressEvent) => void
  readonly #clock: () => number
  #totalBytes: number | null = null
  #part: PartOfUpload | null = null
  #receivedBytes = 0
  #reportedAtMs = 0
  #state: 'idle' | 'running' | 'ended' = 'idle'

  constructor(
    subject: Pick<UploadProgressEvent, 'accessKeyId' | 'sessionDeviceId' | 'bucket' | 'key'>,
    report: (event: UploadProgressEvent) => void,
    clock: () => number
  ) {
    this.#subject = subject
    this.#report = report
    this.#clock = clock
  }

  started(sizeBytes: number | null, part: PartOfUpload | null): void {
    this.#totalBytes = part === null ? sizeBytes : null
    this.#part = part
    this.#state = 'running'
    this.#emit('started')
  }

  received(sizeBytes: number): void {
    this.#receivedBytes += sizeBytes
    if (this.#clock() - this.#reportedAtMs >= MIN_INTERVAL_MS) this.#emit('receiving')
  }

  /** Says how it ended; without effect before the start and after the end. */
  ended(state: 'stored' | 'failed', errorCode?: string): void {
    if (this.#state !== 'running') return
    this.#state = 'ended'
    this.#emit(state, errorCode)
  }

  #emit(state: UploadProgressEvent['state'], errorCode?: string): void {
    this.#reportedAtMs = this.#clock()
    this.#report({
      ...this.#subject,
      part: this.#part,
      receivedBytes: this.#receivedBytes,
      totalBytes: this.#totalBytes,
      state,
      ...(errorCode === undefined ? {} : { errorCode })
    })
  }
}

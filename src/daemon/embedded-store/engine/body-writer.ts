import type { FileHandle } from 'node:fs/promises'
import { rm } from 'node:fs/promises'
import type { Activity } from './activity.ts'
import type { BlobFiles } from './blob-files.ts'
import { type BodyHashes, startBodyHashes } from './body-hashes.ts'
import { asStorageError } from './disk-errors.ts'
import type { HashWorkers } from './hash-workers.ts'
import type { SpaceLease, SpaceLedger } from './space-ledger.ts'
import { type BodyDigests, type BodyWriter, type OpenBodyRequest, StorageError } from './storage-engine.ts'

const BUFFER_BYTES = 1024 ** 2
/** Buffers on their way to disk per body, beside the one being filled. */
const MAX_IN_FLIGHT = 2
/** Step in which space is claimed for a body of unknown size, or one that stalled. */
const STEP_BYTES = 64 * 1024 ** 2

/** A blob whose file is in place and durable but which no row names yet. */
export type PublishedBlob = BodyDigests & { id: string }

/** Named moments of a write, and of a check that is about to read a second time; for fault injection in tests. */
export type EngineStep = 'staged' | 'synced' | 'renamed' | 'committed' | 'suspected'
export type EngineHooks = { atStep?: (step: EngineStep) => void | Promise<void> }

/** Opens bodies: claims their space, then their staging file. */
export class BodyStaging {
  readonly #files: BlobFiles
  readonly #ledger: SpaceLedger
  readonly #activity: Activity
  readonly #hooks: EngineHooks
  readonly #hashWorkers: HashWorkers | undefined
  readonly #onWrite: (error?: unknown) => void
  readonly #open = new Set<StagedBody>()
  readonly #spare: Buffer[] = []

  constructor(deps: {
    files: BlobFiles
    ledger: SpaceLedger
    activity: Activity
    hooks: EngineHooks
    /** Left out, everything is hashed on this thread. */
    hashWorkers: HashWorkers | undefined
    /** Told how each write to disk ended: with an error, or well. */
    onWrite: (error?: unknown) => void
  }) {
    this.#files = deps.files
    this.#ledger = deps.ledger
    this.#activity = deps.activity
    this.#hooks = deps.hooks
    this.#hashWorkers = deps.hashWorkers
    this.#onWrite = deps.onWrite
  }

  /** Raises `StorageFull`, `StoreClosed`, and `ReadOnly` when the disk refuses the staging file. */
  async open(request: OpenBodyRequest): Promise<StagedBody> {
    const end = this.#activity.begin()
    let lease: SpaceLease | undefined
    try {
      lease = await this.#ledger.reserve(request.sizeBytes ?? STEP_BYTES)
      // A body smaller than a buffer is hashed sooner than another thread could be asked.
      const large = request.sizeBytes === null || request.sizeBytes >= BUFFER_BYTES
      const { withoutMd5 } = request
      const staged = await this.#files.stage()
      const hashes = await startBodyHashes(request.checksums ?? [], {
        withoutMd5,
        workers: large ? this.#hashWorkers : undefined
      })
      const body: StagedBody = new StagedBody({
        ...staged,
        lease,
        hashes,
        sizeBytes: request.sizeBytes,
        files: this.#files,
        hooks: this.#hooks,
        buffers: {
          take: () => (large ? (this.#spare.pop() ?? sharedBuffer()) : Buffer.allocUnsafe(request.sizeBytes ?? 0)),
          giveBack: (buffer) => {
            if (buffer.length === BUFFER_BYTES && this.#spare.length < 16) this.#spare.push(buffer)
          }
        },
        onWrite: this.#onWrite,
        onEnd: () => {
          this.#open.delete(body)
          end()
        }
      })
      this.#open.add(body)
      return body
    } catch (error) {
      lease?.release()
      end()
      this.#onWrite(error)
      throw asStorageError(error)
    }
  }

  /** Bodies on their way to disk now. */
  get openCount(): number {
    return this.#open.size
  }

  /** Drops every body that nobody has handed in for commit. */
  async discardAll(): Promise<void> {
    await Promise.all([...this.#open].map((body) => body.discard()))
  }
}

/** Shared memory, so that another thread can hash it without a copy. */
const sharedBuffer = () => Buffer.from(new SharedArrayBuffer(BUFFER_BYTES))

type BodyParts = {
  id: string
  path: string
  file: FileHandle
  lease: SpaceLease
  hashes: BodyHashes
  sizeBytes: number | null
  files: BlobFiles
  hooks: EngineHooks
  buffers: { take(): Buffer; giveBack(buffer: Buffer): void }
  onWrite: (error?: unknown) => void
  onEnd: () => void
}

/** The engine's {@link BodyWriter}: writes through 1 MiB buffers, hashing each before it goes to the file. */
export class StagedBody implements BodyWriter {
  readonly #parts: BodyParts
  #state: 'open' | 'finished' | 'publishing' | 'published' | 'discarded' = 'open'
  #receivedBytes = 0
  #buffer: Buffer | undefined
  #filled = 0
  #position = 0
  #inFlight: Promise<void>[] = []
  #failure: { error: unknown } | undefined
  #digests: BodyDigests | undefined

  constructor(parts: BodyParts) {
    this.#parts = parts
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    this.#assertUsable('open')
    const { sizeBytes } = this.#parts
    this.#receivedBytes += chunk.length
    if (sizeBytes !== null && this.#receivedBytes > sizeBytes)
      throw new StorageError('IncompleteBody', 'The body is longer than announced.', { expectedBytes: sizeBytes })
    if (!this.#parts.lease.covers(this.#receivedBytes)) return this.#claimThenTake(chunk)
    const taken = this.#take(chunk, 0)
    if (taken < chunk.length) return this.#takeRest(chunk, taken)
    return this.#inFlight.length >= MAX_IN_FLIGHT ? this.#oldestWritten() : undefined
  }

  async finish(): Promise<BodyDigests> {
    this.#assertUsable('open')
    const { sizeBytes, hashes } = this.#parts
    if (sizeBytes !== null && this.#receivedBytes !== sizeBytes)
      throw new StorageError('IncompleteBody', 'The body is shorter than announced.', {
        expectedBytes: sizeBytes,
        receivedBytes: this.#receivedBytes
      })
    this.#flush()
    await Promise.all(this.#inFlight)
    this.#assertUsable('open')
    this.#digests = { sizeBytes: this.#receivedBytes, ...(await hashes.digest()) }
    this.#assertUsable('open')
    this.#state = 'finished'
    return this.#digests
  }

  async discard(): Promise<void> {
    // Once it is handed in, the engine decides what becomes of it.
    if (this.#state === 'open' || this.#state === 'finished') await this.#drop()
  }

  /** The blob it becomes. */
  get blobId(): string {
    return this.#parts.id
  }

  /**
   * Makes a finished body durable under its blob id. The body is done afterwards, whatever happens; when this raises, its
   * file is gone.
   */
  async publish(): Promise<PublishedBlob> {
    const { id, path, file, files, hooks, onWrite } = this.#parts
    try {
      this.#assertUsable('finished')
    } catch (error) {
      await this.discard()
      throw error
    }
    this.#state = 'publishing'
    try {
      await hooks.atStep?.('staged')
      await file.sync()
      await file.close()
      await hooks.atStep?.('synced')
      await files.publish(path, id)
      await hooks.atStep?.('renamed')
      const digests = this.#digests
      if (!digests) throw new Error('A finished body has digests.')
      this.#state = 'published'
      onWrite()
      return { id, ...digests }
    } catch (error) {
      onWrite(error)
      await files.remove(id).catch(() => {})
      await this.#drop()
      throw asStorageError(error)
    } finally {
      if (this.#state === 'published') this.#end()
    }
  }

  async #drop(): Promise<void> {
    this.#state = 'discarded'
    await Promise.all(this.#inFlight)
    this.#parts.hashes.discard()
    await this.#parts.file.close().catch(() => {})
    await rm(this.#parts.path, { force: true })
    this.#end()
  }

  #assertUsable(expected: 'open' | 'finished'): void {
    if (this.#failure) throw asStorageError(this.#failure.error)
    if (this.#state === expected) return
    if (this.#state === 'discarded') throw new StorageError('StoreClosed', 'The body was discarded.')
    throw new Error(`The body is ${this.#state}, not ${expected}.`)
  }

  async #claimThenTake(chunk: Uint8Array): Promise<void> {
    const { lease, sizeBytes } = this.#parts
    const leftBytes = (sizeBytes ?? Number.POSITIVE_INFINITY) - this.#receivedBytes
    await lease.extend(chunk.length + Math.min(STEP_BYTES, leftBytes))
    await this.#takeRest(chunk, 0)
  }

  async #takeRest(chunk: Uint8Array, from: number): Promise<void> {
    let taken = from
    while (taken < chunk.length) {
      if (this.#inFlight.length >= MAX_IN_FLIGHT) await this.#oldestWritten()
      this.#assertUsable('open')
      taken = this.#take(chunk, taken)
    }
    if (this.#inFlight.length >= MAX_IN_FLIGHT) await this.#oldestWritten()
  }

  async #oldestWritten(): Promise<void> {
    await this.#inFlight[0]
    this.#assertUsable('open')
  }

  /** Copies from `chunk` until it is used up or too much is on its way to disk; gives the position reached. */
  #take(chunk: Uint8Array, from: number): number {
    let taken = from
    while (taken < chunk.length && this.#inFlight.length < MAX_IN_FLIGHT) {
      this.#buffer ??= this.#parts.buffers.take()
      const count = Math.min(this.#buffer.length - this.#filled, chunk.length - taken)
      // A copy: `set` and `copy` move bytes to shared memory word by word, which takes four times as long.
      this.#buffer.fill(chunk.subarray(taken, taken + count), this.#filled, this.#filled + count)
      this.#filled += count
      taken += count
      if (this.#filled === this.#buffer.length) this.#flush()
    }
    return taken
  }

  #flush(): void {
    const buffer = this.#buffer
    if (!buffer || this.#filled === 0) return
    const bytes = buffer.subarray(0, this.#filled)
    const position = this.#position
    this.#position += bytes.length
    this.#buffer = undefined
    this.#filled = 0
    const done: Promise<void> = Promise.all([this.#parts.hashes.update(bytes), this.#writeFully(bytes, position)])
      .then(() => this.#parts.lease.written(bytes.length))
      .catch((error: unknown) => {
        this.#failure ??= { error }
        this.#parts.onWrite(error)
      })
      .finally(() => {
        this.#inFlight.splice(this.#inFlight.indexOf(done), 1)
        this.#parts.buffers.giveBack(buffer)
      })
    this.#inFlight.push(done)
  }

  async #writeFully(bytes: Buffer, position: number): Promise<void> {
    let written = 0
    while (written < bytes.length)
      written += (await this.#parts.file.write(bytes, written, bytes.length - written, position + written)).bytesWritten
  }

  #end(): void {
    this.#parts.lease.release()
    this.#parts.onEnd()
  }
}

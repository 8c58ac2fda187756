import { setImmediate as turnOfOthers } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type Fault, faultOf, faultOfSize } from './blob-check.ts'
import type { BlobFiles } from './blob-files.ts'
import type { BlobRows } from './blob-rows.ts'
import type { EngineHooks } from './body-writer.ts'
import type { EngineEvents } from './engine-events.ts'
import { DamagedBlobError, readFailure } from './extent-stream.ts'
import type { GroupCommit } from './group-commit.ts'
import type { ExtentRow } from './object-rows.ts'
import { once } from './once.ts'
import { StorageError } from './storage-engine.ts'
import type { StoreRoot } from './store-root.ts'

/** So long a comparison counts for copies of parts, of which one object can become thousands. */
const VERIFIED_FOR_MS = 3_600_000

/** An object can have 10 000 parts; looking at all their files takes a while, in which others have their turn. */
export const FILES_PER_TURN = 64

/** Finds out and remembers which blobs lost their bytes. Rows are kept: someone must learn of the loss. */
export class Damage {
  readonly #files: BlobFiles
  readonly #blobs: BlobRows
  readonly #commits: GroupCommit
  readonly #events: EngineEvents
  readonly #root: StoreRoot
  readonly #hooks: EngineHooks
  readonly #log: Logger
  readonly #now: () => number
  readonly #checks = new Map<string, Promise<Fault | null>>()

  constructor(deps: {
    files: BlobFiles
    blobs: BlobRows
    commits: GroupCommit
    events: EngineEvents
    root: StoreRoot
    hooks: EngineHooks
    log: Logger
    now: () => number
  }) {
    this.#files = deps.files
    this.#blobs = deps.blobs
    this.#commits = deps.commits
    this.#events = deps.events
    this.#root = deps.root
    this.#hooks = deps.hooks
    this.#log = deps.log
    this.#now = deps.now
  }

  /** Checks that every file of an object is there with its full size. Raises `ObjectDamaged`, or `StoreOffline`. */
  async assertWhole(key: string, extents: readonly ExtentRow[]): Promise<void> {
    const sizes = new Map<string, number>()
    for (const { blobId, blobSizeBytes, state } of extents) {
      if (state === 'damaged') throw objectDamaged(key)
      sizes.set(blobId, blobSizeBytes)
    }
    let looked = 0
    for (const [blobId, sizeBytes] of sizes) {
      if (++looked % FILES_PER_TURN === 0) await turnOfOthers()
      await this.#assertSize(key, blobId, sizeBytes)
    }
  }

  /**
   * Marks a blob, tells which objects are affected, and keeps its bytes as they are. Raises `StoreOffline` and marks nothing when all
   * files are gone at once.
   */
  async report(blobId: string, reason: string): Promise<void> {
    this.#root.assertThere()
    const affected = await this.#commits.run(() => {
      if (this.#blobs.find(blobId)?.state !== 'ok') return null
      this.#blobs.setDamaged(blobId, reason, this.#now())
      return this.#blobs.objectsIn(blobId)
    })
    if (affected === null) return
    for (const object of affected) this.#events.damaged({ ...object, reason })
    await this.#files
      .quarantine(blobId)
      .catch((error: unknown) => this.#log.warn({ err: error, blobId }, 'damaged bytes could not be kept aside'))
  }

  /**
   * Looks at a damaged blob again: whole after all when its file came back unchanged, else told once more. `beforeRead` is awaited
   * before each read. Raises `StoreOffline`, and the file system's error when the file cannot be checked now.
   */
  async review(blobId: string, beforeRead?: (bytes: number) => Promise<void>): Promise<void> {
    const blob = this.#blobs.find(blobId)
    if (!blob) return
    const intact = (await faultOf(this.#files.path(blobId), blob, beforeRead)) === null
    if (!intact) this.#root.assertThere()
    const affected = await this.#commits.run(() => {
      if (this.#blobs.find(blobId)?.state !== 'damaged') return []
      if (!intact) return this.#blobs.objectsIn(blobId)
      this.#blobs.setOk(blobId)
      return []
    })
    if (intact) await this.#files.releaseQuarantine(blobId)
    for (const object of affected) this.#events.damaged({ ...object, reason: 'The payload file is still damaged.' })
  }

  /**
   * Reads a blob once more that read badly, and reports it when it does so again: once may have been the cable or the memory.
   * Gives whether it is damaged. Raises as {@link review} does.
   */
  async confirm(blobId: string, suspicion: string, beforeRead?: (bytes: number) => Promise<void>): Promise<boolean> {
    await this.#hooks.atStep?.('suspected')
    const blob = this.#blobs.find(blobId)
    const fault = blob ? await faultOf(this.#files.path(blobId), blob, beforeRead) : null
    if (fault === null) this.#log.warn({ blobId, suspicion }, 'a payload file read badly once and well again')
    else await this.report(blobId, fault.reason)
    return fault !== null
  }

  /**
   * Turns a failed read of (held) blobs into the object's error, after confirming and reporting it; other errors come back as they
   * are. Raises as {@link review} does.
   */
  async explain(key: string, error: unknown): Promise<unknown> {
    if (!(error instanceof DamagedBlobError)) return error
    return (await this.confirm(error.blobId, error.message)) ? objectDamaged(key, error) : error
  }

  /** Compares the whole of a (held) blob with what was written, unless that was done just now. Raises as {@link explain} says. */
  async assertIntact(key: string, blobId: string): Promise<void> {
    const blob = this.#blobs.find(blobId)
    if (!blob || (blob.verifiedAtMs ?? 0) > this.#now() - VERIFIED_FOR_MS) return
    const fault = await once(this.#checks, blobId, () => faultOf(this.#files.path(blobId), blob))
    if (fault !== null) throw await this.explain(key, new DamagedBlobError(blobId, fault.reason))
    await this.#commits.run(() => this.#blobs.setVerified(blobId, this.#now()))
  }

  async #assertSize(key: string, blobId: string, sizeBytes: number): Promise<void> {
    const foundBytes = await this.#files.sizeOf(blobId).catch(async (error: unknown) => {
      throw await this.explain(key, readFailure(blobId, error))
    })
    const fault = faultOfSize(foundBytes, { sizeBytes })
    if (fault === null) return
    await this.report(blobId, fault.reason)
    throw objectDamaged(key)
  }
}

function objectDamaged(key: string, cause?: unknown): StorageError {
  return new StorageError('ObjectDamaged', 'The stored bytes of the object are damaged or missing.', { key }, { cause })
}

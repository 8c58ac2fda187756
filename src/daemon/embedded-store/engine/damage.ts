import { createHash } from 'node:crypto'
import type { BlobFiles } from './blob-files.ts'
import type { BlobRows } from './blob-rows.ts'
import type { EngineEvents } from './engine-events.ts'
import { DamagedBlobError, readExtents } from './extent-stream.ts'
import type { GroupCommit } from './group-commit.ts'
import type { ExtentRow } from './object-rows.ts'
import { StorageError } from './storage-engine.ts'
import type { StoreRoot } from './store-root.ts'

/** Finds out and remembers which blobs lost their bytes. Rows are kept: someone must learn of the loss. */
export class Damage {
  readonly #files: BlobFiles
  readonly #blobs: BlobRows
  readonly #commits: GroupCommit
  readonly #events: EngineEvents
  readonly #root: StoreRoot

  constructor(deps: {
    files: BlobFiles
    blobs: BlobRows
    commits: GroupCommit
    events: EngineEvents
    root: StoreRoot
  }) {
    this.#files = deps.files
    this.#blobs = deps.blobs
    this.#commits = deps.commits
    this.#events = deps.events
    this.#root = deps.root
  }

  /** Checks that every file of an object is there with its full size. Raises `ObjectDamaged`, or `StoreOffline`. */
  async assertWhole(key: string, extents: readonly ExtentRow[]): Promise<void> {
    const sizes = new Map<string, number>()
    for (const { blobId, blobSizeBytes, state } of extents) {
      if (state === 'damaged') throw objectDamaged(key)
      sizes.set(blobId, blobSizeBytes)
    }
    await Promise.all([...sizes].map(([blobId, sizeBytes]) => this.#assertSize(key, blobId, sizeBytes)))
  }

  /** Marks a blob and tells which objects are affected. Raises `StoreOffline` and marks nothing when all files are gone at once. */
  async report(blobId: string, reason: string): Promise<void> {
    this.#root.assertThere()
    const affected = await this.#commits.run(() => {
      if (this.#blobs.find(blobId)?.state !== 'ok') return []
      this.#blobs.setState(blobId, 'damaged')
      return this.#blobs.objectsIn(blobId)
    })
    for (const object of affected) this.#events.damaged({ ...object, reason })
  }

  /** Looks at a damaged blob again: whole after all when its file came back unchanged, else told once more. */
  async review(blobId: string): Promise<void> {
    const intact = await this.#hasRecordedBytes(blobId)
    if (!intact) this.#root.assertThere()
    const affected = await this.#commits.run(() => {
      if (this.#blobs.find(blobId)?.state !== 'damaged') return []
      if (!intact) return this.#blobs.objectsIn(blobId)
      this.#blobs.setState(blobId, 'ok')
      return []
    })
    for (const object of affected) this.#events.damaged({ ...object, reason: 'The payload file is still damaged.' })
  }

  /** Turns a failed read of blobs into the object's error, after reporting it; other errors come back as they are. Raises `StoreOffline`. */
  async explain(key: string, error: unknown): Promise<unknown> {
    if (!(error instanceof DamagedBlobError)) return error
    await this.report(error.blobId, error.message)
    return objectDamaged(key, error)
  }

  async #hasRecordedBytes(blobId: string): Promise<boolean> {
    const blob = this.#blobs.find(blobId)
    if (!blob || (await this.#files.sizeOf(blobId)) !== blob.sizeBytes) return false
    const sha256 = createHash('sha256')
    try {
      for await (const chunk of readExtents(this.#files, [{ blobId, offsetBytes: 0, lengthBytes: blob.sizeBytes }]))
        sha256.update(chunk)
    } catch {
      // What cannot be read is what it was taken for.
      return false
    }
    return sha256.digest('hex') === blob.sha256
  }

  async #assertSize(key: string, blobId: string, sizeBytes: number): Promise<void> {
    const found = await this.#files.sizeOf(blobId)
    if (found === sizeBytes) return
    await this.report(blobId, found === null ? 'The payload file is missing.' : 'The payload file has the wrong size.')
    throw objectDamaged(key)
  }
}

function objectDamaged(key: string, cause?: unknown): StorageError {
  return new StorageError('ObjectDamaged', 'The stored bytes of the object are damaged or missing.', { key }, { cause })
}

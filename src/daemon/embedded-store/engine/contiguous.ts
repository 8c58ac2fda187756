import { createHash } from 'node:crypto'
import type { BodyStaging } from './body-writer.ts'
import { readExtents, sliceExtents } from './extent-stream.ts'
import type { ExtentRow, ObjectRow } from './object-rows.ts'
import type { Objects, ObjectsDeps } from './objects.ts'
import { once } from './once.ts'
import { type ObjectInfo, StorageError } from './storage-engine.ts'

type LocalFile = { path: string; info: ObjectInfo; release(): void }

type ContiguousDeps = ObjectsDeps & { objects: Objects; staging: BodyStaging }

/** Objects as one file (made at most once at a time), and their digest as one run of bytes. */
export class Contiguous {
  readonly #deps: ContiguousDeps
  readonly #compactions = new Map<string, Promise<void>>()

  constructor(deps: ContiguousDeps) {
    this.#deps = deps
  }

  /** See `StorageEngine.localFile`. */
  async localFile(bucket: string, key: string): Promise<LocalFile> {
    const { objects, files, damage, rows } = this.#deps
    for (;;) {
      const { row, extents } = objects.find(bucket, key)
      const [only] = extents
      if (only && extents.length === 1 && only.offsetBytes === 0 && only.lengthBytes === only.blobSizeBytes) {
        const release = files.hold([only.blobId])
        try {
          await damage.assertWhole(key, extents)
        } catch (error) {
          release()
          throw error
        }
        return { path: files.path(only.blobId), info: rows.toInfo(bucket, row), release }
      }
      await once(this.#compactions, row.rev, () => this.#compact(row, extents))
    }
  }

  /** See `StorageEngine.digestOf`. */
  async digestOf(bucket: string, key: string, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted()
    const { row, extents } = this.#deps.objects.find(bucket, key)
    return row.sha256 ?? this.#digest(row, extents, signal)
  }

  /**
   * Makes one file of the current version. `beforeWrite` is awaited before each piece of so many bytes; what it raises ends the
   * attempt. Raises `StorageFull` too.
   */
  async compact(bucket: string, key: string, beforeWrite: (bytes: number) => Promise<void>): Promise<void> {
    const { row, extents } = this.#deps.objects.find(bucket, key)
    await this.#compact(row, extents, beforeWrite)
  }

  /** Writes the object's bytes into one blob and points the version there, unless it was replaced meanwhile. */
  async #compact(
    row: ObjectRow,
    extents: readonly ExtentRow[],
    beforeWrite?: (bytes: number) => Promise<void>
  ): Promise<void> {
    const { staging, objects, rows, blobs, now } = this.#deps
    const body = await staging.open({ sizeBytes: row.sizeBytes })
    try {
      await this.#readVerified(row, extents, async (chunk) => {
        await beforeWrite?.(chunk.length)
        await body.write(chunk)
      })
      await body.finish()
    } catch (error) {
      await body.discard()
      throw error
    }
    await objects.commitBody(
      body,
      () => {},
      (blob) => {
        const current = rows.find(row.bucketId, row.key)
        blobs.insert(blob, now())
        if (current?.rev !== row.rev) return blobs.dropReference(blob.id, now())
        rows.swapExtents(row.rev, [{ blobId: blob.id, offsetBytes: 0, lengthBytes: blob.sizeBytes }], now())
        rows.setSha256(row.rev, blob.sha256)
      }
    )
  }

  async #digest(row: ObjectRow, extents: readonly ExtentRow[], signal: AbortSignal | undefined): Promise<string> {
    const { activity, commits, rows } = this.#deps
    return activity.during(async () => {
      const sha256 = createHash('sha256')
      await this.#readVerified(row, extents, (chunk) => {
        if (activity.closed) throw new StorageError('StoreClosed', 'The object store is closed.')
        signal?.throwIfAborted()
        sha256.update(chunk)
      })
      const digest = sha256.digest('hex')
      await commits.run(() => rows.setSha256(row.rev, digest))
      return digest
    })
  }

  /** Gives the bytes of the extents to `take`, comparing each blob with its recorded checksum on the way. */
  async #readVerified(
    row: ObjectRow,
    extents: readonly ExtentRow[],
    take: (chunk: Uint8Array) => Promise<void> | undefined | void
  ): Promise<void> {
    const { files, damage } = this.#deps
    const release = files.hold(extents.map((extent) => extent.blobId))
    try {
      await damage.assertWhole(row.key, extents)
      for await (const chunk of readExtents(files, sliceExtents(extents, 0, row.sizeBytes - 1))) await take(chunk)
    } catch (error) {
      throw await damage.explain(row.key, error)
    } finally {
      release()
    }
  }
}

import { createHash } from 'node:crypto'
import { crc32c } from '@node-rs/crc32'
import type { BodyStaging } from './body-writer.ts'
import { DamagedBlobError, readExtents } from './extent-stream.ts'
import type { ExtentRow, ObjectRow } from './object-rows.ts'
import type { Objects, ObjectsDeps } from './objects.ts'
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

  /** Writes the object's bytes into one blob and points the version there, unless it was replaced meanwhile. */
  async #compact(row: ObjectRow, extents: readonly ExtentRow[]): Promise<void> {
    const { staging, objects, rows, blobs, now } = this.#deps
    const body = await staging.open({ sizeBytes: row.sizeBytes })
    try {
      await this.#readVerified(row.key, extents, (chunk) => body.write(chunk))
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
      await this.#readVerified(row.key, extents, (chunk) => {
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
    key: string,
    extents: readonly ExtentRow[],
    take: (chunk: Uint8Array) => Promise<void> | undefined | void
  ): Promise<void> {
    const { files, damage } = this.#deps
    const release = files.hold(extents.map((extent) => extent.blobId))
    try {
      await damage.assertWhole(key, extents)
      for (const extent of extents) {
        let crc = 0
        for await (const chunk of readExtents(files, [extent])) {
          crc = crc32c(chunk, crc)
          await take(chunk)
        }
        const whole = extent.offsetBytes === 0 && extent.lengthBytes === extent.blobSizeBytes
        if (whole && crcText(crc) !== extent.crc32c)
          throw new DamagedBlobError(extent.blobId, 'The payload file holds other bytes than were written.')
      }
    } catch (error) {
      throw await damage.explain(key, error)
    } finally {
      release()
    }
  }
}

function crcText(crc: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc >>> 0)
  return bytes.toString('base64')
}

/** Joins callers that ask for the same thing while it is being done. */
function once<T>(running: Map<string, Promise<T>>, key: string, task: () => Promise<T>): Promise<T> {
  const known = running.get(key)
  if (known) return known
  const started = task().finally(() => running.delete(key))
  running.set(key, started)
  return started
}

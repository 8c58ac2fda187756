import { closeSync, openSync, read } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { crc32c } from '@node-rs/crc32'
import { isFileError } from '../../files.ts'
import { faultOfError } from './blob-check.ts'
import type { BlobFiles } from './blob-files.ts'
import type { Extent, ExtentRow } from './object-rows.ts'
import { StorageError } from './storage-engine.ts'

const CHUNK_BYTES = 256 * 1024

/** A blob whose file is missing, shorter than its row says, or holds other bytes. */
export class DamagedBlobError extends Error {
  readonly blobId: string

  constructor(blobId: string, reason: string) {
    super(reason)
    this.name = 'DamagedBlobError'
    this.blobId = blobId
  }
}

/** A piece of an object to read, and what is known of the blob it is in. `crc32c`: base64 of the whole blob, empty where unknown. */
export type Stretch = Extent & Pick<ExtentRow, 'blobSizeBytes' | 'crc32c'>

/** The CRC-32C (base64) that the bytes of a stretch must have; null for one that is no whole blob, whose bytes cannot be compared alone. */
export function checksumOf({ lengthBytes, blobSizeBytes, crc32c }: Stretch): string | null {
  return lengthBytes === blobSizeBytes && crc32c !== '' ? crc32c : null
}

/** The stretches of blobs that make up bytes `start`…`end` (inclusive) of an object. */
export function sliceExtents(extents: readonly ExtentRow[], start: number, end: number): Stretch[] {
  const slices: Stretch[] = []
  let position = 0
  for (const { blobId, offsetBytes, lengthBytes, blobSizeBytes, crc32c } of extents) {
    const from = Math.max(start, position)
    const to = Math.min(end + 1, position + lengthBytes)
    if (to > from)
      slices.push({
        blobId,
        offsetBytes: offsetBytes + from - position,
        lengthBytes: to - from,
        blobSizeBytes,
        crc32c
      })
    position += lengthBytes
  }
  return slices
}

/**
 * Reads the stretches one after the other. Fails with {@link DamagedBlobError} when a file has too few bytes, and before the last
 * piece of a whole blob with other bytes than were written: whoever counts what arrives then misses some.
 */
export async function* readExtents(files: BlobFiles, extents: readonly Stretch[]): AsyncGenerator<Buffer> {
  let upcoming: Promise<FileHandle> | undefined
  try {
    for (const [index, extent] of extents.entries()) {
      const file = await (upcoming ?? openBlob(files, extent.blobId))
      upcoming = undefined
      try {
        const following = extents[index + 1]
        if (following) {
          upcoming = openBlob(files, following.blobId)
          // Its failure is raised when its turn comes.
          upcoming.catch(() => {})
        }
        yield* readFile(file, extent)
      } finally {
        await file.close()
      }
    }
  } finally {
    await upcoming?.then(
      (file) => file.close(),
      () => {}
    )
  }
}

/**
 * {@link readExtents} as a stream. Destroying it stops the reads and closes the files. `explain` turns a failure into the error the
 * stream ends with.
 */
export function streamExtents(
  files: BlobFiles,
  extents: readonly Stretch[],
  explain: (error: unknown) => Promise<unknown>
): Readable {
  const explained = async function* () {
    try {
      yield* readExtents(files, extents)
    } catch (error) {
      throw await explain(error)
    }
  }
  return Readable.from(explained(), { objectMode: false, highWaterMark: 2 * CHUNK_BYTES })
}

/** Reads anywhere in the stretches, into buffers of the caller, which spares the memory that a stream takes for every piece. */
export class ExtentReader {
  readonly #files: BlobFiles
  readonly #extents: readonly ExtentRow[]
  #open: { blobId: string; fd: number } | undefined
  /** How far the open blob was read from its beginning on without a gap, and the CRC of that. */
  #sofar = { endBytes: 0, crc: 0 }

  constructor(files: BlobFiles, extents: readonly ExtentRow[]) {
    this.#files = files
    this.#extents = extents
  }

  /**
   * Fails with {@link DamagedBlobError} when a file has too few bytes, or was read from its first byte to its last, in however many
   * reads, and holds other bytes than were written.
   */
  async readAt(buffer: Buffer, position: number): Promise<number> {
    const [stretch] = sliceExtents(this.#extents, position, position + buffer.length - 1)
    if (!stretch) throw new RangeError('a read beyond the end of an object')
    const { blobId } = stretch
    const bytesRead = await this.#readInto(buffer, stretch)
    if (bytesRead === 0) throw new DamagedBlobError(blobId, 'The payload file is shorter than recorded.')
    this.#compare(stretch, buffer.subarray(0, bytesRead))
    return bytesRead
  }

  close(): void {
    if (this.#open) closeSync(this.#open.fd)
    this.#open = undefined
  }

  #readInto(buffer: Buffer, { blobId, offsetBytes, lengthBytes }: Stretch): Promise<number> {
    const fd = this.#fdOf(blobId)
    return new Promise((resolve, reject) => {
      read(fd, buffer, 0, lengthBytes, offsetBytes, (error, bytesRead) =>
        error ? reject(readFailure(blobId, error)) : resolve(bytesRead)
      )
    })
  }

  #compare({ blobId, offsetBytes, blobSizeBytes, crc32c: expected }: Stretch, bytes: Buffer): void {
    if (offsetBytes === 0) this.#sofar = { endBytes: 0, crc: 0 }
    if (expected === '' || offsetBytes !== this.#sofar.endBytes) return
    this.#sofar = { endBytes: offsetBytes + bytes.length, crc: crc32c(bytes, this.#sofar.crc) }
    if (this.#sofar.endBytes === blobSizeBytes && textOf(this.#sofar.crc) !== expected)
      throw new DamagedBlobError(blobId, 'The payload file holds other bytes than were written.')
  }

  /** In place, as the look at the file's size: another thread costs more than the call. */
  #fdOf(blobId: string): number {
    if (this.#open?.blobId === blobId) return this.#open.fd
    this.close()
    this.#sofar = { endBytes: 0, crc: 0 }
    try {
      this.#open = { blobId, fd: openSync(this.#files.path(blobId), 'r') }
    } catch (error) {
      throw readFailure(blobId, error)
    }
    return this.#open.fd
  }
}

/** What a failed call for a payload file means: that its bytes are lost (`DamagedBlobError`), or cannot be had now (`StoreOffline`). */
export function readFailure(blobId: string, error: unknown): unknown {
  const fault = faultOfError(error)
  if (fault !== null) return new DamagedBlobError(blobId, fault.reason)
  if (!isFileError(error)) return error
  return new StorageError('StoreOffline', 'A file of the object store cannot be read now.', {}, { cause: error })
}

async function openBlob(files: BlobFiles, blobId: string): Promise<FileHandle> {
  try {
    return await open(files.path(blobId), 'r')
  } catch (error) {
    throw readFailure(blobId, error)
  }
}

/** Each piece is read while the one before is compared and sent. */
async function* readFile(file: FileHandle, stretch: Stretch): AsyncGenerator<Buffer> {
  const { blobId, offsetBytes, lengthBytes } = stretch
  const expected = checksumOf(stretch)
  let done = 0
  let crc = 0
  const pieceAt = (position: number, wantedBytes: number) =>
    readPiece(file, position, wantedBytes).catch((error: unknown) => {
      throw readFailure(blobId, error)
    })
  let upcoming = pieceAt(offsetBytes, lengthBytes)
  while (done < lengthBytes) {
    const piece = await upcoming
    if (piece.length === 0) throw new DamagedBlobError(blobId, 'The payload file is shorter than recorded.')
    done += piece.length
    if (done < lengthBytes) {
      upcoming = pieceAt(offsetBytes + done, lengthBytes - done)
      // Its failure is raised when its turn comes.
      upcoming.catch(() => {})
    }
    if (expected !== null) crc = crc32c(piece, crc)
    if (expected !== null && done === lengthBytes && textOf(crc) !== expected)
      throw new DamagedBlobError(blobId, 'The payload file holds other bytes than were written.')
    yield piece
  }
}

/** What comes at `position`, at most `wantedBytes`; empty at the end of the file. */
async function readPiece(file: FileHandle, position: number, wantedBytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, wantedBytes))
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
  return bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead)
}

function textOf(crc: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc >>> 0)
  return bytes.toString('base64')
}

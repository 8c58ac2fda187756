import { statfs } from 'node:fs/promises'
import { StorageError } from './storage-engine.ts'

const GIB = 1024 ** 3
/** Room for the index, its journal and the file system's own bookkeeping. */
const OVERHEAD_BYTES = 64 * 1024 ** 2

/** Free and total bytes of the volume. */
export type VolumeSpace = { freeBytes: number; totalBytes: number }

/** Reads the space of the volume that holds `directory`. */
export async function volumeSpace(directory: string): Promise<VolumeSpace> {
  const { bavail, blocks, bsize } = await statfs(directory)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}

/** One body's claim on free space: shrinks as bytes reach the disk, is given back at the end. */
export type SpaceLease = {
  /** Claims more. Raises `StorageFull`. */
  extend(bytes: number): Promise<void>
  /** Bytes of the claim that are on disk now and thus no longer counted as free. */
  written(bytes: number): void
  release(): void
}

/** Hands out the volume's free space, less a reserve, so that bodies arriving together do not promise it twice. */
export class SpaceLedger {
  readonly #space: () => Promise<VolumeSpace>
  readonly #reserveBytes: number | undefined
  #promisedBytes = 0

  /** Without `reserveBytes` the reserve is 2 GiB or 5 % of the volume, whichever is more. */
  constructor(options: { space: () => Promise<VolumeSpace>; reserveBytes?: number | undefined }) {
    this.#space = options.space
    this.#reserveBytes = options.reserveBytes
  }

  /** Claims space for a body of `bytes`. Raises `StorageFull` when the reserve would be touched. */
  async reserve(bytes: number): Promise<SpaceLease> {
    let outstanding = 0
    let released = false
    const extend = async (more: number) => {
      const { availableBytes } = await this.measure()
      if (more > availableBytes)
        throw new StorageError('StorageFull', 'Not enough free space on the volume of the object store.', {
          neededBytes: more,
          availableBytes: Math.max(0, availableBytes)
        })
      if (released) return
      outstanding += more
      this.#promisedBytes += more
    }
    await extend(bytes)
    return {
      extend,
      written: (done) => {
        const settled = Math.min(done, outstanding)
        outstanding -= settled
        this.#promisedBytes -= settled
      },
      release: () => {
        released = true
        this.#promisedBytes -= outstanding
        outstanding = 0
      }
    }
  }

  /** What can be promised now; negative while the reserve is breached. */
  async measure(): Promise<{ freeBytes: number; availableBytes: number }> {
    const { freeBytes, totalBytes } = await this.#space()
    const reserve = this.#reserveBytes ?? Math.max(2 * GIB, Math.floor(totalBytes * 0.05)) + OVERHEAD_BYTES
    return { freeBytes, availableBytes: freeBytes - reserve - this.#promisedBytes }
  }
}

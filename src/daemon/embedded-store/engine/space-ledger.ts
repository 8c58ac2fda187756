import { statfsSync } from 'node:fs'
import { StorageError } from './storage-engine.ts'

const GIB = 1024 ** 3
/** Room for the index, its journal and the file system's own bookkeeping. */
const OVERHEAD_BYTES = 64 * 1024 ** 2

/** Free and total bytes of the volume. */
export type VolumeSpace = { freeBytes: number; totalBytes: number }

/** Reads the space of the volume that holds `directory`. Asked for every body, and in place, as the size of a file is (blob-files.ts). */
export async function volumeSpace(directory: string): Promise<VolumeSpace> {
  const { bavail, blocks, bsize } = statfsSync(directory)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}

/** One body's claim on free space: shrinks as bytes reach the disk, is given back at the end. */
export interface SpaceLease {
  /** Whether that many bytes of the body are claimed for, or on disk already. */
  covers(bytes: number): boolean
  /** Claims more. Raises `StorageFull`. */
  extend(bytes: number): Promise<void>
  /** Bytes of the body that are on disk now and thus no longer counted as free. */
  written(bytes: number): void
  release(): void
}

/** A claim whose body has not come any further for so long gives way to others. */
const STALLED_MS = 5000

/** What a body has claimed in all, and how much of that is on disk. */
type Claim = { claimedBytes: number; writtenBytes: number; movedAtMs: number }

/** Hands out the volume's free space, less a reserve, so that bodies arriving together do not promise it twice. */
export class SpaceLedger {
  readonly #space: () => Promise<VolumeSpace>
  readonly #reserveBytes: number | undefined
  readonly #ballast: { readonly missingBytes: number }
  readonly #now: () => number
  readonly #claims = new Set<Claim>()

  /** Without `reserveBytes` the reserve is 2 GiB or 5 % of the volume, whichever is more. Room for the ballast comes on top. */
  constructor(options: {
    space: () => Promise<VolumeSpace>
    reserveBytes?: number | undefined
    ballast: { readonly missingBytes: number }
    now: () => number
  }) {
    this.#space = options.space
    this.#reserveBytes = options.reserveBytes
    this.#ballast = options.ballast
    this.#now = options.now
  }

  /** Claims space for a body of `bytes`. Raises `StorageFull` when the reserve would be touched. */
  async reserve(bytes: number): Promise<SpaceLease> {
    const claim: Claim = { claimedBytes: 0, writtenBytes: 0, movedAtMs: this.#now() }
    this.#claims.add(claim)
    const lease: SpaceLease = {
      covers: (all) => all <= claim.claimedBytes,
      extend: (more) => this.#extend(claim, more),
      written: (done) => {
        claim.writtenBytes += done
        claim.movedAtMs = this.#now()
      },
      release: () => this.#claims.delete(claim)
    }
    try {
      await lease.extend(bytes)
    } catch (error) {
      lease.release()
      throw error
    }
    return lease
  }

  /** What can be promised now; negative while the reserve is breached. */
  async measure(): Promise<{ freeBytes: number; availableBytes: number }> {
    const space = await this.#space()
    return { freeBytes: space.freeBytes, availableBytes: this.#available(space) }
  }

  async #extend(claim: Claim, bytes: number): Promise<void> {
    const space = await this.#space()
    claim.movedAtMs = this.#now()
    // Before anybody is refused, whoever announced much and sends nothing goes on in small steps.
    if (bytes > this.#available(space)) this.#dropStalled()
    const availableBytes = this.#available(space)
    if (bytes > availableBytes)
      throw new StorageError('StorageFull', 'Not enough free space on the volume of the object store.', {
        neededBytes: bytes,
        availableBytes: Math.max(0, availableBytes)
      })
    claim.claimedBytes += bytes
  }

  #available({ freeBytes, totalBytes }: VolumeSpace): number {
    const reserve = this.#reserveBytes ?? Math.max(2 * GIB, Math.floor(totalBytes * 0.05)) + OVERHEAD_BYTES
    let promisedBytes = 0
    for (const { claimedBytes, writtenBytes } of this.#claims) promisedBytes += Math.max(0, claimedBytes - writtenBytes)
    return freeBytes - reserve - this.#ballast.missingBytes - promisedBytes
  }

  #dropStalled(): void {
    const sinceMs = this.#now() - STALLED_MS
    for (const claim of this.#claims) if (claim.movedAtMs <= sinceMs) claim.claimedBytes = claim.writtenBytes
  }
}

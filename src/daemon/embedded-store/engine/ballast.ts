import { randomFillSync } from 'node:crypto'
import { existsSync, rmSync, statSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type VolumeSpace, volumeSpace } from './space-ledger.ts'

const MIB = 1024 ** 2
const SIZE_BYTES = 64 * MIB
/** On a small volume it is this share of it. */
const SHARE_OF_VOLUME = 0.01
const FILE = 'ballast'

/**
 * A file of no use but to be removed: on a disk without a free byte not even deleting works, as the index has to write for it. It is
 * let go of when the disk is full and made again when there is room.
 */
export class Ballast {
  readonly #path: string
  readonly #space: () => Promise<VolumeSpace>
  readonly #sizeBytes: number
  #presentBytes: number

  private constructor(path: string, space: () => Promise<VolumeSpace>, sizeBytes: number) {
    this.#path = path
    this.#space = space
    this.#sizeBytes = sizeBytes
    this.#presentBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  }

  /**
   * Finds the ballast of a store, and lets go of it if the disk is full: nothing could be opened then. `sizeBytes` is chosen by the
   * volume unless given; 0 for none.
   */
  static async find(
    directory: string,
    options: { space: () => Promise<VolumeSpace>; sizeBytes?: number | undefined }
  ): Promise<Ballast> {
    const { freeBytes, totalBytes } = await options.space()
    const sizeBytes = options.sizeBytes ?? Math.min(SIZE_BYTES, Math.floor(totalBytes * SHARE_OF_VOLUME))
    const ballast = new Ballast(join(directory, FILE), options.space, sizeBytes)
    ballast.#releaseIfFull(freeBytes)
    return ballast
  }

  /** What it will take of the free space. */
  get missingBytes(): number {
    return Math.max(0, this.#sizeBytes - this.#presentBytes)
  }

  /** Gives its room to whoever needs it now. False when there is none left to give. */
  release(): boolean {
    if (this.#presentBytes === 0) return false
    rmSync(this.#path, { force: true })
    this.#presentBytes = 0
    return true
  }

  /**
   * Lets go of it when the disk is full, so that the catalogue beside the store can be written as well, and makes it again when there is
   * room for twice as much. Ends early when `isOver` says so.
   */
  async keep(isOver: () => boolean): Promise<void> {
    const { freeBytes } = await this.#space()
    this.#releaseIfFull(freeBytes)
    if (this.missingBytes === 0 || freeBytes < 2 * this.#sizeBytes) return
    try {
      await this.#make(isOver)
    } catch (error) {
      await rm(this.#path, { force: true })
      this.#presentBytes = 0
      throw error
    }
  }

  #releaseIfFull(freeBytes: number): void {
    if (freeBytes < this.#sizeBytes / 4) this.release()
  }

  /** Of random bytes: zeros take no room where the file system compresses. */
  async #make(isOver: () => boolean): Promise<void> {
    const file = await open(this.#path, 'w', 0o600)
    try {
      this.#presentBytes = 0
      const buffer = randomFillSync(Buffer.alloc(Math.min(MIB, this.#sizeBytes)))
      while (this.missingBytes > 0 && !isOver())
        this.#presentBytes += (await file.write(buffer, 0, Math.min(buffer.length, this.missingBytes))).bytesWritten
    } finally {
      await file.close()
    }
  }
}

/** Lets go of the ballast of the store in a directory if its disk is full: call it before anything is opened on that disk. */
export async function releaseBallastIfFull(directory: string): Promise<void> {
  if (existsSync(join(directory, FILE))) await Ballast.find(directory, { space: () => volumeSpace(directory) })
}

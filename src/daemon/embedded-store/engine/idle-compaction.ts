import type { Logger } from 'pino'
import type { Contiguous } from './contiguous.ts'
import type { ObjectRows, PiecesRow } from './object-rows.ts'
import type { QuietPace } from './quiet-pace.ts'
import type { SpaceLedger } from './space-ledger.ts'
import { StorageError } from './storage-engine.ts'
import { Unhurried } from './unhurried.ts'

const MIB = 1024 ** 2
const MAX_EXTENTS = 64
const LEAST_AVERAGE_BYTES = 4 * MIB
/** Whoever takes an object in may still be copying or removing it. */
const SETTLED_AFTER_MS = 3_600_000
/** The rest is for uploads that begin meanwhile: they are refused before this could give its claim back. */
const LARGEST_SHARE_OF_ROOM = 1 / 4

/** Others need the disk. */
class InterruptedError extends Error {}

/** Whether an object lies in too many or too small pieces: each is a file to open and look at for every read. */
export function isScattered({ extents, sizeBytes }: { extents: number; sizeBytes: number }): boolean {
  return extents > MAX_EXTENTS || (extents > 1 && sizeBytes / extents < LEAST_AVERAGE_BYTES)
}

type IdleCompactionDeps = {
  rows: ObjectRows
  contiguous: Contiguous
  pace: QuietPace
  ledger: SpaceLedger
  /** Whether nobody else writes, beside so many bodies of its own. */
  isIdle: (ownBodies: number) => boolean
  log: Logger
  now: () => number
}

/** Makes one file of objects that arrived in many pieces, while nobody needs the disk. */
export class IdleCompaction {
  readonly #deps: IdleCompactionDeps
  /** The last version that was looked at: later ones have later names. A restart begins anew. */
  #after = ''

  constructor(deps: IdleCompactionDeps) {
    this.#deps = deps
  }

  /** Goes on until all is looked at, somebody else writes, or there is no room. Raises the reason when it is made to stop. */
  async run(): Promise<void> {
    const { rows, isIdle, now } = this.#deps
    const pace = new Unhurried()
    while (isIdle(0)) {
      await pace.step()
      const next = rows.nextInPieces(this.#after)
      if (!next || next.lastModifiedMs > now() - SETTLED_AFTER_MS) return
      // Copies share their blobs: one file for each would hold the bytes twice.
      if (isScattered(next) && next.isWhole && !next.isShared && !(await this.#compact(next))) return
      this.#after = next.rev
    }
  }

  /** Gives whether to go on with the next. */
  async #compact({ bucket, key, sizeBytes }: PiecesRow): Promise<boolean> {
    const { contiguous, pace, ledger, isIdle, log } = this.#deps
    const { availableBytes } = await ledger.measure()
    if (sizeBytes > availableBytes * LARGEST_SHARE_OF_ROOM) return false
    try {
      await contiguous.compact(bucket, key, async (bytes) => {
        // Not waited for, since the room it claims could be what the others need.
        if (!isIdle(1)) throw new InterruptedError()
        await pace.step(bytes)
      })
      return true
    } catch (error) {
      if (error instanceof InterruptedError) return false
      if (!(error instanceof StorageError)) throw error
      log.info({ err: error, bucket, key }, 'an object in many pieces stays so')
      return error.code === 'ObjectDamaged' || error.code === 'NoSuchKey' || error.code === 'NoSuchBucket'
    }
  }
}

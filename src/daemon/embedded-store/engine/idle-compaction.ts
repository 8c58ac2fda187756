import type { Logger } from 'pino'
import { isFileError } from '../../files.ts'
import type { Contiguous } from './contiguous.ts'
import { DamagedBlobError } from './extent-stream.ts'
import type { ObjectRows, PiecesRow } from './object-rows.ts'
import type { QuietPace } from './quiet-pace.ts'
import type { SpaceLedger } from './space-ledger.ts'
import { StorageError, type StorageErrorCode } from './storage-engine.ts'
import { Unhurried } from './unhurried.ts'

const MIB = 1024 ** 2
const MAX_EXTENTS = 64
const LEAST_AVERAGE_BYTES = 4 * MIB
/** Whoever takes an object in may still be copying or removing it. */
const SETTLED_AFTER_MS = 3_600_000
/** The rest is for uploads that begin meanwhile: they are refused before this could give its claim back. */
const LARGEST_SHARE_OF_ROOM = 1 / 4

/** What fails or is interrupted too often is passed over for so long: each attempt reads and writes for nothing. */
const PASS_MS = 24 * 3_600_000
const MOST_INTERRUPTIONS = 3
/** Refusals that say nothing about the other objects. */
const OF_THE_OBJECT = new Set<StorageErrorCode>(['ObjectDamaged', 'NoSuchKey', 'NoSuchBucket'])

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
  /** The last version that was looked at: later ones have later names. A restart, or another day, begins anew. */
  #after = ''
  #anewAtMs = 0
  /** Of the version after that. */
  #interruptions = 0

  constructor(deps: IdleCompactionDeps) {
    this.#deps = deps
  }

  /** Goes on until all is looked at, somebody else writes, or there is no room. Raises the reason when it is made to stop. */
  async run(): Promise<void> {
    const { rows, isIdle, now } = this.#deps
    const pace = new Unhurried()
    if (now() >= this.#anewAtMs) {
      this.#lookedAt('')
      this.#anewAtMs = now() + PASS_MS
    }
    while (isIdle(0)) {
      await pace.step()
      const next = rows.nextInPieces(this.#after)
      if (!next || next.lastModifiedMs > now() - SETTLED_AFTER_MS) return
      // Copies share their blobs: one file for each would hold the bytes twice.
      if (isScattered(next) && next.isWhole && !next.isShared && !(await this.#compact(next))) return
      this.#lookedAt(next.rev)
    }
  }

  #lookedAt(rev: string): void {
    this.#after = rev
    this.#interruptions = 0
  }

  /** Gives whether to go on with the next. */
  async #compact({ rev, bucket, key, sizeBytes }: PiecesRow): Promise<boolean> {
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
      if (error instanceof InterruptedError) {
        if (++this.#interruptions === MOST_INTERRUPTIONS) this.#lookedAt(rev)
        return false
      }
      this.#lookedAt(rev)
      const isRefused = error instanceof StorageError
      if (!isRefused && !isFileError(error) && !(error instanceof DamagedBlobError)) throw error
      log.info({ err: error, bucket, key }, 'an object in many pieces stays so for now')
      return !isRefused || OF_THE_OBJECT.has(error.code)
    }
  }
}

import type { Logger } from 'pino'
import { isFileError } from '../../files.ts'
import type { Activity } from './activity.ts'
import type { Ballast } from './ballast.ts'
import { faultOfSize } from './blob-check.ts'
import type { BlobFiles } from './blob-files.ts'
import type { BlobRow, BlobRows } from './blob-rows.ts'
import type { Damage } from './damage.ts'
import type { GroupCommit } from './group-commit.ts'
import type { IndexKeeper } from './recovery/index-keeper.ts'
import { slice } from './slice.ts'
import { StorageError } from './storage-engine.ts'
import type { StoreRoot } from './store-root.ts'
import { Unhurried } from './unhurried.ts'

const BATCH = 256
const BLOBS_PER_STEP = 16
const GC_INTERVAL_MS = 30_000
const USE_INTERVAL_MS = 5 * 60_000
const HOUR_MS = 3_600_000
/** Unknown blob files are kept for so long, in case somebody has to look into what happened. */
const ORPHAN_AGE_MS = HOUR_MS

type HousekeepingDeps = {
  files: BlobFiles
  blobs: BlobRows
  commits: GroupCommit
  damage: Damage
  activity: Activity
  root: StoreRoot
  indexKeeper: IndexKeeper
  ballast: Ballast
  expireUploads: () => Promise<number>
  log: Logger
  now: () => number
}

/** Housekeeping: removes blobs nobody points at, files nobody knows, and what uploads left behind; finds lost files. */
export class Housekeeping {
  readonly #deps: HousekeepingDeps
  readonly #timers: NodeJS.Timeout[] = []
  #keptFiles = 0
  /** Files that could not be removed when that was tried last, which is told once. */
  readonly #stuck = new Set<string>()

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps
  }

  /** Files that the index does not know and that stay, because it may have lost what they are; as last counted. */
  get keptFiles(): number {
    return this.#keptFiles
  }

  /** Checks the files against the index once and then keeps tidying until {@link stop}. */
  start(): void {
    const { indexKeeper } = this.#deps
    this.#background('check of payload files', () => this.reconcile())
    this.#background('check of the index', () => indexKeeper.checkAtStart())
    this.#background('keeping of the ballast', () => this.keepBallast())
    this.#every(GC_INTERVAL_MS, 'keeping of the ballast', () => this.keepBallast())
    this.#every(GC_INTERVAL_MS, 'removal of unused payload files', () => this.collect())
    this.#every(USE_INTERVAL_MS, 'naming the use of the store', () => this.#deps.root.renewUse())
    this.#every(HOUR_MS, 'copy of the index', () => indexKeeper.backUpIfDue())
    this.#every(HOUR_MS, 'expiry of idle uploads', () => this.expire())
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
  }

  /** Aborts uploads idle for too long and forgets old completions. Gives the number aborted. */
  expire(): Promise<number> {
    return this.#deps.expireUploads()
  }

  /** Lets go of the ballast when the disk is full, and makes it again when there is room. */
  async keepBallast(): Promise<void> {
    const { root, ballast, activity } = this.#deps
    root.assertThere()
    await ballast.keep(() => activity.closed)
  }

  /**
   * Removes the files of blobs whose waiting time is over and that nobody reads. Gives their number. A file that cannot be removed
   * is tried again in the next round.
   */
  async collect(): Promise<number> {
    const { files, blobs, commits, activity, now } = this.#deps
    await this.#removeStrays()
    let removed = 0
    for (const pace = new Unhurried(1); ; await pace.step()) {
      const gone: string[] = []
      // The row goes first: a crash in between leaves an orphan file, which the next start removes.
      const more = await commits.run(() => {
        gone.length = 0
        return slice(() => {
          const due = blobs.due(now(), BLOBS_PER_STEP + files.heldCount).filter((id) => !files.isHeld(id))
          for (const id of due) blobs.delete(id)
          gone.push(...due)
          return due.length > 0
        })
      })
      for (const id of gone) files.strays.add(id)
      await this.#removeStrays()
      removed += gone.filter((id) => !files.strays.has(id)).length
      if (!more || activity.closed) return removed
    }
  }

  /** Removes old files without a row if they can only be leftovers, and reports rows whose file is gone or has another size. */
  async reconcile(): Promise<{ orphans: number }> {
    const { files, activity, root, log } = this.#deps
    root.assertThere()
    let orphans = 0
    const pace = new Unhurried()
    for await (const blobId of files.walk()) {
      if (activity.closed) return { orphans }
      await pace.step()
      if (!(await this.#isOrphan(blobId))) continue
      if (root.mayRemoveUnknownFiles && !(await this.#remove(blobId))) files.strays.add(blobId)
      orphans++
    }
    this.#keptFiles = root.mayRemoveUnknownFiles ? 0 : orphans
    if (orphans > 0 && root.mayRemoveUnknownFiles)
      log.info({ orphans }, 'removed payload files left over from interrupted writes')
    else if (orphans > 0) log.warn({ orphans }, 'payload files that the index does not know are kept')
    await this.#reportLostFiles()
    return { orphans }
  }

  /** Whether a file is left over from an interrupted write. One that may not be looked at is taken for none. */
  async #isOrphan(blobId: string): Promise<boolean> {
    const { files, blobs, now } = this.#deps
    if (blobs.find(blobId)) return false
    const changedAtMs = await files.changedAtMs(blobId).catch((error: unknown) => {
      if (isFileError(error)) return null
      throw error
    })
    if (changedAtMs === null || changedAtMs > now() - ORPHAN_AGE_MS) return false
    // A write in flight holds its file until a row names it: times alone are wrong after a sleep or when the clock is set.
    return !files.isHeld(blobId) && !blobs.find(blobId)
  }

  async #removeStrays(): Promise<void> {
    const { files, blobs } = this.#deps
    for (const id of files.strays) if (blobs.find(id) || (await this.#remove(id))) files.strays.delete(id)
  }

  /** Gives whether the file is gone. */
  async #remove(blobId: string): Promise<boolean> {
    const { files, log } = this.#deps
    try {
      await files.remove(blobId)
      this.#stuck.delete(blobId)
      return true
    } catch (error) {
      if (!isFileError(error)) throw error
      if (!this.#stuck.has(blobId)) log.warn({ err: error, blobId }, 'an unused payload file cannot be removed now')
      this.#stuck.add(blobId)
      return false
    }
  }

  async #reportLostFiles(): Promise<void> {
    const { blobs, activity, log } = this.#deps
    const pace = new Unhurried()
    let unchecked: { blobs: number; err?: unknown } = { blobs: 0 }
    for (let page = blobs.page('', BATCH); page.length > 0; page = blobs.page(page.at(-1)?.id ?? '', BATCH))
      for (const blob of page) {
        if (activity.closed) return
        await pace.step()
        try {
          await this.#look(blob)
        } catch (error) {
          if (!isFileError(error)) throw error
          unchecked = { blobs: unchecked.blobs + 1, err: error }
        }
      }
    if (unchecked.blobs > 0) log.warn(unchecked, 'payload files cannot be looked at now')
  }

  /** Reports a file that is lost, and reads one again, slowly, that was damaged. */
  async #look(blob: BlobRow): Promise<void> {
    const { files, blobs, damage, activity } = this.#deps
    if (blob.state === 'damaged') {
      const pace = new Unhurried(1)
      await damage.review(blob.id, async () => {
        if (activity.closed) throw new StorageError('StoreClosed', 'The object store is closed.')
        await pace.step()
      })
      return
    }
    const fault = faultOfSize(await files.sizeOf(blob.id), blob)
    // Read again: the blob may have been collected since the page was read.
    if (fault !== null && blobs.find(blob.id)) await damage.report(blob.id, fault.reason)
  }

  #every(intervalMs: number, what: string, task: () => Promise<unknown>): void {
    this.#timers.push(setInterval(() => this.#background(what, task), intervalMs).unref())
  }

  #background(what: string, task: () => Promise<unknown>): void {
    const { activity, log } = this.#deps
    if (activity.closed) return
    activity.during(task).catch((error: unknown) => {
      const isClosing = error instanceof StorageError && error.code === 'StoreClosed'
      if (!isClosing) log.error({ err: error }, `${what} failed`)
    })
  }
}

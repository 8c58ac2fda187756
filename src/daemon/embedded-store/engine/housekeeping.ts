import type { Logger } from 'pino'
import type { Activity } from './activity.ts'
import type { Ballast } from './ballast.ts'
import type { BlobFiles } from './blob-files.ts'
import type { BlobRows } from './blob-rows.ts'
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

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps
  }

  /** Files that the index does not know and that stay, because it was restored from a copy; as last counted. */
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

  /** Removes the files of blobs whose waiting time is over and that nobody reads. Gives their number. */
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
      removed += gone.length
      if (!more || activity.closed) return removed
    }
  }

  /** Removes old files without a row if they can only be leftovers, and reports rows whose file is gone or has another size. */
  async reconcile(): Promise<{ orphans: number }> {
    const { files, blobs, activity, root, log, now } = this.#deps
    root.assertThere()
    let orphans = 0
    const pace = new Unhurried()
    for await (const blobId of files.walk()) {
      if (activity.closed) return { orphans }
      await pace.step()
      if (blobs.find(blobId)) continue
      const changedAtMs = await files.changedAtMs(blobId)
      if (changedAtMs === null || changedAtMs > now() - ORPHAN_AGE_MS) continue
      // A write in flight holds its file until a row names it: times alone are wrong after a sleep or when the clock is set.
      if (files.isHeld(blobId) || blobs.find(blobId)) continue
      if (root.mayRemoveUnknownFiles) await files.remove(blobId)
      orphans++
    }
    this.#keptFiles = root.mayRemoveUnknownFiles ? 0 : orphans
    if (orphans > 0 && root.mayRemoveUnknownFiles)
      log.info({ orphans }, 'removed payload files left over from interrupted writes')
    else if (orphans > 0) log.warn({ orphans }, 'payload files that the index does not know are kept')
    await this.#reportLostFiles()
    return { orphans }
  }

  async #removeStrays(): Promise<void> {
    const { files, blobs } = this.#deps
    for (const id of files.strays) {
      if (!blobs.find(id)) await files.remove(id)
      files.strays.delete(id)
    }
  }

  async #reportLostFiles(): Promise<void> {
    const { files, blobs, damage, activity } = this.#deps
    const pace = new Unhurried()
    for (let page = blobs.page('', BATCH); page.length > 0; page = blobs.page(page.at(-1)?.id ?? '', BATCH))
      for (const { id, sizeBytes, state } of page) {
        if (activity.closed) return
        await pace.step()
        if (state === 'damaged') {
          await damage.review(id)
          continue
        }
        const found = await files.sizeOf(id)
        // Read again: the blob may have been collected since the page was read.
        if (found === sizeBytes || !blobs.find(id)) continue
        await damage.report(
          id,
          found === null ? 'The payload file is missing.' : 'The payload file has the wrong size.'
        )
      }
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

import { statSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import type { Logger } from 'pino'
import { StartupError } from '../../../errors.ts'
import { syncFile, syncFolder } from '../../../files.ts'
import type { IndexDatabase } from '../index-database.ts'
import type { SpaceLedger } from '../space-ledger.ts'
import { StorageError } from '../storage-engine.ts'
import type { IndexBackup } from '../store-maintenance.ts'
import { IndexThread } from './index-thread.ts'
import type { RecoveryFolder } from './recovery-folder.ts'
import type { RecoveryLog } from './recovery-log.ts'
import { beginOf } from './recovery-record.ts'

const DAY_MS = 24 * 3_600_000
const KEPT_BACKUPS = 3
/** Once a week, as there is one a day. */
const THOROUGH_EVERY = 7
/** Checked at the start before anything else; that takes a fraction of a second. A larger one is checked beside the work. */
const SMALL_BYTES = 32 * 1024 ** 2

/** Keeps the index from being lost: checks it at the start, and once a day puts a checked copy of it into `recovery/`. */
export class IndexKeeper {
  readonly #indexPath: string
  readonly #db: IndexDatabase
  readonly #folder: RecoveryFolder
  readonly #recovery: RecoveryLog
  readonly #ledger: SpaceLedger
  readonly #log: Logger
  readonly #now: () => number
  readonly #thread = new IndexThread()
  #running: Promise<IndexBackup> | undefined
  #problem: string | null = null

  constructor(deps: {
    indexPath: string
    db: IndexDatabase
    folder: RecoveryFolder
    recovery: RecoveryLog
    ledger: SpaceLedger
    log: Logger
    now: () => number
  }) {
    this.#indexPath = deps.indexPath
    this.#db = deps.db
    this.#folder = deps.folder
    this.#recovery = deps.recovery
    this.#ledger = deps.ledger
    this.#log = deps.log
    this.#now = deps.now
  }

  /** What the last check found wrong with the index; null: nothing. */
  get problem(): string | null {
    return this.#problem
  }

  /** Checks an index that was too large to be checked before the start, and copies it if that is due. */
  async checkAtStart(): Promise<void> {
    if (!isSmall(this.#indexPath)) this.#note(await this.#thread.check(this.#indexPath, 'quick'))
    await this.backUpIfDue()
  }

  /** Makes a copy if the last one is a day old, or the logs have a gap. The log of a new store is a copy by itself for as long. */
  async backUpIfDue(): Promise<void> {
    const ageMs = this.#now() - (await this.#wholeAtMs())
    if (!this.#recovery.hasGap && ageMs >= 0 && ageMs < DAY_MS) return
    try {
      await this.backUp()
    } catch (error) {
      if (!(error instanceof StorageError && error.code === 'StorageFull')) throw error
      this.#log.warn({ err: error }, 'the index of the object store was not copied: the disk is too full')
    }
  }

  /** Makes a copy now. Raises `StorageFull`, and `IndexDamaged` when the copy, thus the index, is not whole. */
  backUp(): Promise<IndexBackup> {
    this.#running ??= this.#backUp().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** The newest copy. */
  last(): IndexBackup | null {
    const number = this.#folder.list().backups.at(-1)
    if (number === undefined) return null
    const path = this.#folder.backup(number)
    return { path, atMs: Math.round(statSync(path).mtimeMs) }
  }

  stop(): Promise<void> {
    return this.#thread.stop()
  }

  async #backUp(): Promise<IndexBackup> {
    const pages = this.#db.pragma('page_count', { simple: true })
    const pageBytes = this.#db.pragma('page_size', { simple: true })
    const lease = await this.#ledger.reserve(Number(pages) * Number(pageBytes))
    try {
      const number = await this.#recovery.rotate()
      const draft = this.#folder.draft(number)
      try {
        // SQLite fills a file that is there and empty; this one is private.
        await (await open(draft, 'w', 0o600)).close()
        const check = number % THOROUGH_EVERY === 0 ? 'thorough' : 'quick'
        this.#note(await this.#thread.copy(this.#indexPath, draft, check))
        if (this.#problem !== null)
          throw new StorageError('IndexDamaged', 'The index of the object store is damaged.', { found: this.#problem })
        await syncFile(draft)
        await rename(draft, this.#folder.backup(number))
      } finally {
        for (const path of this.#folder.drafts()) await rm(path, { force: true })
      }
      await syncFolder(this.#folder.path)
      this.#recovery.hasGap = false
      await this.#removeOld()
      return { path: this.#folder.backup(number), atMs: this.#now() }
    } finally {
      lease.release()
    }
  }

  /** What only copies older than the kept ones would need goes as well. */
  async #removeOld(): Promise<void> {
    const { logs, backups } = this.#folder.list()
    const oldest = backups.at(-KEPT_BACKUPS)
    if (oldest === undefined) return
    for (const number of backups) if (number < oldest) await rm(this.#folder.backup(number))
    for (const number of logs) if (number < oldest) await rm(this.#folder.log(number))
  }

  /** When all that is in the index was last in `recovery/` up to its newest log. */
  async #wholeAtMs(): Promise<number> {
    const backup = this.last()
    if (backup) return backup.atMs
    const [first] = this.#folder.list().logs
    if (first === undefined) return 0
    const begin = await beginOf(this.#folder.log(first))
    return begin?.fromNothing ? begin.atMs : 0
  }

  #note(problems: readonly string[]): void {
    this.#problem = problems[0] ?? null
    if (this.#problem !== null)
      this.#log.error({ index: this.#indexPath, problems }, `the index of the object store is damaged. ${WHAT_TO_DO}`)
  }
}

const WHAT_TO_DO =
  'Nothing is lost by that: stop Flightcase and call "flightcase rebuild-index", which makes it anew from its daily copies and logs.'

/** Raises `StartupError('store_index_damaged')` for an index that is small enough to be checked at once and is not whole. */
export function assertIndexWhole(db: IndexDatabase, indexPath: string): void {
  if (!isSmall(indexPath)) return
  const rows = db.pragma('quick_check(1)') as Record<string, string>[]
  const [found] = rows.flatMap((row) => Object.values(row)).filter((text) => text !== 'ok')
  if (found !== undefined) throw indexDamaged(indexPath, found)
}

function isSmall(indexPath: string): boolean {
  return statSync(indexPath).size <= SMALL_BYTES
}

/** What a start that met a damaged index says of it. */
export function indexDamaged(indexPath: string, found: string, cause?: unknown): StartupError {
  return new StartupError(
    'store_index_damaged',
    `The index of the object store, ${indexPath}, is damaged (${found}). Nothing was changed. ${WHAT_TO_DO}`,
    { cause }
  )
}

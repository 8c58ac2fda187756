import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Logger } from 'pino'
import { z } from 'zod'
import { isMissingFile, replaceFile } from '../../files.ts'
import { newId } from '../../ids.ts'
import { isDiskFull } from './disk-errors.ts'
import type { IndexDatabase } from './index-database.ts'
import { StorageError } from './storage-engine.ts'

const MARK = 'store.json'
/** The index's name of the last use until there was a mark. */
const NEVER_MARKED = ''
const markSchema = z.object({ storeId: z.string().min(1), use: z.string().min(1) })
type Mark = z.infer<typeof markSchema>
type UseRow = { storeId: string; current: string; next: string; doubted: number }

/**
 * The mark of a store: a small file in its directory with an id, and a name for its present use that the index holds as well.
 * Without the file the directory is not the store, but an empty mount point or another disk; where the two names differ, the
 * index is older than the files, and what it does not know is not left over but lost to it.
 */
export class StoreRoot {
  /** For as long as the store exists. */
  readonly id: string
  /** Whether files that the index does not know are leftovers. Once it was another than the last one used, or lost something: false. */
  readonly mayRemoveUnknownFiles: boolean
  readonly #directory: string
  readonly #db: IndexDatabase
  /** How many rows had been changed when the present use was named. */
  #namedAtChange = 0

  private constructor(directory: string, db: IndexDatabase, use: { storeId: string; doubted: boolean }) {
    this.#directory = directory
    this.#db = db
    this.id = use.storeId
    this.mayRemoveUnknownFiles = !use.doubted
  }

  /** Compares mark and index, and names a new use in both. */
  static async begin(directory: string, db: IndexDatabase, log: Logger): Promise<StoreRoot> {
    const mark = readMark(directory)
    const row = db.prepare<[], UseRow>('SELECT store_id AS storeId, current, next, doubted FROM store_use').get()
    const isSame =
      mark === null
        ? (row?.current ?? NEVER_MARKED) === NEVER_MARKED
        : mark.use === row?.current || mark.use === row?.next
    const doubted = row?.doubted === 1 || !isSame
    if (doubted)
      log.warn({ directory }, 'the index of the object store is not the one used last: unknown files are kept')
    const root = new StoreRoot(directory, db, { storeId: mark?.storeId ?? row?.storeId ?? newId(), doubted })
    try {
      db.prepare(
        `INSERT INTO store_use (one, store_id, current, next, doubted) VALUES (1, @storeId, @use, @use, @doubted)
         ON CONFLICT (one) DO UPDATE SET store_id = @storeId, current = @use, doubted = @doubted`
      ).run({ storeId: root.id, use: mark?.use ?? NEVER_MARKED, doubted: doubted ? 1 : 0 })
      await root.#nameUse()
    } catch (error) {
      // A full disk must not keep its owner from making room; one of the index's names is still the one in the mark.
      if (mark === null || !isDiskFull(error)) throw error
      log.warn({ err: error }, 'the disk of the object store is full')
    }
    return root
  }

  /**
   * Names a new use if anything changed since the last one was named: an index that was copied while the store was in use is
   * known by that as well.
   */
  async renewUse(): Promise<void> {
    if (this.#changes() !== this.#namedAtChange) await this.#nameUse()
  }

  /** In the index first: wherever this ends, one of its two names is the one in the mark. */
  async #nameUse(): Promise<void> {
    const use = newId()
    this.#db.prepare('UPDATE store_use SET next = ?').run(use)
    const mark: Mark = { storeId: this.id, use }
    await replaceFile(join(this.#directory, MARK), `${JSON.stringify(mark)}\n`)
    this.#db.prepare('UPDATE store_use SET current = next').run()
    this.#namedAtChange = this.#changes()
  }

  #changes(): number {
    return this.#db.prepare<[], number>('SELECT total_changes()').pluck().get() ?? 0
  }

  /** Whether the store's directory is there, with this store in it. */
  isThere(): boolean {
    try {
      return readMark(this.#directory)?.storeId === this.id
    } catch {
      return false
    }
  }

  /** Raises `StoreOffline` when the directory is gone: nothing can be said about its files then. */
  assertThere(): void {
    if (!this.isThere()) throw new StorageError('StoreOffline', 'The folder of the object store is not there.')
  }
}

/** The id of the store in a directory; null when there is none, or one of a version that had no ids. */
export function storeIdIn(directory: string): string | null {
  return readMark(directory)?.storeId ?? null
}

/**
 * Makes an index that was made anew the one of the store's present use. `storeId` holds where the mark is lost; `doubted`: there are,
 * or may be, files that it does not know.
 */
export function enterUse(
  directory: string,
  db: IndexDatabase,
  { storeId, doubted }: { storeId: string | null; doubted: boolean }
): void {
  const mark = readMark(directory)
  db.prepare(
    `INSERT INTO store_use (one, store_id, current, next, doubted) VALUES (1, @storeId, @use, @use, @doubted)
     ON CONFLICT (one) DO UPDATE SET store_id = @storeId, current = @use, next = @use, doubted = @doubted`
  ).run({ storeId: mark?.storeId ?? storeId ?? newId(), use: mark?.use ?? NEVER_MARKED, doubted: doubted ? 1 : 0 })
}

/** Lets a copied index know that it is one, so that files which it does not know are kept wherever it is used. */
export function markAsCopy(indexPath: string): void {
  const db = new Sqlite(indexPath)
  try {
    db.prepare('UPDATE store_use SET doubted = 1').run()
  } finally {
    db.close()
  }
}

function readMark(directory: string): Mark | null {
  try {
    return markSchema.parse(JSON.parse(readFileSync(join(directory, MARK), 'utf8')))
  } catch (error) {
    if (isMissingFile(error)) return null
    throw error
  }
}

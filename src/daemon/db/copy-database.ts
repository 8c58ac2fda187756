import { closeSync, openSync, rmSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { StartupError } from '../errors.ts'

const ALL_PAGES = 2 ** 31 - 1

/**
 * Puts a copy of a database, as it is at one moment, at `to`, as one private file; also while others read and write it. The copy is checked,
 * and is not flushed yet. Raises `StartupError('database_damaged')`.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  for (const suffix of ['-wal', '-shm', '-journal']) rmSync(to + suffix, { force: true })
  // SQLite fills a file that is there and empty.
  closeSync(openSync(to, 'w', 0o600))
  const source = new Sqlite(from, { readonly: true, fileMustExist: true, timeout: 5000 })
  try {
    // All at once: a copy made in steps begins again whenever somebody writes in between. Writers do not wait for it.
    await source.backup(to, { progress: () => ALL_PAGES })
  } finally {
    source.close()
  }
  const copy = new Sqlite(to)
  try {
    copy.pragma('journal_mode = DELETE')
    const found = copy.pragma('quick_check(1)', { simple: true })
    if (found !== 'ok')
      throw new StartupError('database_damaged', `${from} is damaged (${found}), so it was not copied.`)
  } finally {
    copy.close()
  }
}

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { StartupError } from '../errors.ts'

/**
 * Takes the data folder for this process; returns the function that gives it back. The operating system holds the lock
 * (on a SQLite file), so a killed process never leaves one behind. Throws `StartupError('data_dir_in_use')`.
 */
export function lockDataDir(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = new Sqlite(join(dataDir, 'flightcase.lock'), { timeout: 0 })
  try {
    lock.pragma('journal_mode = DELETE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    if (!(cause instanceof Sqlite.SqliteError && cause.code.startsWith('SQLITE_BUSY'))) throw cause
    throw new StartupError('data_dir_in_use', `Another Flightcase already uses the data folder ${dataDir}.`, { cause })
  }
  return () => lock.close()
}

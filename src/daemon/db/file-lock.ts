import { statSync } from 'node:fs'
import Sqlite from 'better-sqlite3'

/** Whoever only looks whether a lock is taken has it for a moment. */
const WAIT_MS = 1000

/** A handle nobody refers to would be collected, and its lock with it. */
const held = new Set<Sqlite.Database>()

/**
 * Takes `filePath` for this process and returns the function that gives it back; null while somebody else has it. The lock is
 * the operating system's own (taken through SQLite, because Node offers none), so it ends with the process however that
 * ends: a file left behind is never in the way. Its folder must exist.
 */
export function takeFileLock(filePath: string): (() => void) | null {
  const lock = new Sqlite(filePath, { timeout: WAIT_MS })
  try {
    lock.pragma('journal_mode = DELETE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null
    throw error
  }
  held.add(lock)
  return () => {
    held.delete(lock)
    lock.close()
  }
}

/** Whether somebody has the lock now; null where this user cannot look. Changes nothing. */
export function isFileLocked(filePath: string): boolean | null {
  let lock: Sqlite.Database | undefined
  try {
    if (statSync(filePath, { throwIfNoEntry: false }) === undefined) return false
    lock = new Sqlite(filePath, { readonly: true, fileMustExist: true, timeout: 0 })
    lock.pragma('schema_version')
    return false
  } catch (error) {
    return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY') ? true : null
  } finally {
    lock?.close()
  }
}

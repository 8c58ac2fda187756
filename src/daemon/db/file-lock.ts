import Sqlite from 'better-sqlite3'

/** A handle nobody refers to would be collected, and its lock with it. */
const held = new Set<Sqlite.Database>()

/**
 * Takes `filePath` for this process and returns the function that gives it back; null while somebody else has it. The lock is
 * the operating system's own (taken through SQLite, because Node offers none), so it ends with the process however that
 * ends: a file left behind is never in the way. Its folder must exist.
 */
export function takeFileLock(filePath: string): (() => void) | null {
  const lock = new Sqlite(filePath, { timeout: 0 })
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

/** Whether somebody has the lock now. Changes nothing; a file that cannot be read is no lock. */
export function isFileLocked(filePath: string): boolean {
  let lock: Sqlite.Database | undefined
  try {
    lock = new Sqlite(filePath, { readonly: true, fileMustExist: true, timeout: 0 })
    lock.pragma('schema_version')
    return false
  } catch (error) {
    if (error instanceof Sqlite.SqliteError) return error.code.startsWith('SQLITE_BUSY')
    // The folder is not there.
    if (error instanceof TypeError) return false
    throw error
  } finally {
    lock?.close()
  }
}

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

import Database from 'better-sqlite3'
import { StorageError } from './storage-engine.ts'

/**
 * Holds the store's directory for this process. The lock is the operating system's own (taken through SQLite, because Node offers
 * none), so it vanishes with the process however that ends: a lock file left behind is never in the way.
 * Raises `StoreLocked` while another engine holds it. Returns the function that gives it up.
 */
export function acquireStoreLock(filePath: string): () => void {
  const db = new Database(filePath, { timeout: 0 })
  try {
    db.pragma('journal_mode = DELETE')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY'))
      throw new StorageError(
        'StoreLocked',
        `Another Flightcase is using the object store (${filePath}).`,
        {},
        { cause: error }
      )
    throw error
  }
  return () => db.close()
}

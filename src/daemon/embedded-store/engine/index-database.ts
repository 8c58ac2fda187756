import Database from 'better-sqlite3'
import { type Migration, migrate } from '../../db/migrate.ts'
import { planOnce } from '../../db/plan-once.ts'
import { INDEX_MIGRATIONS } from './index-migrations.ts'

export type IndexDatabase = Database.Database

/**
 * Opens the index and brings it to the newest schema, one transaction per migration. Commits are durable against power loss.
 * Raises `StartupError('database_newer')` for a file of a newer program.
 */
export function openIndexDatabase(
  filePath: string,
  migrations: readonly Migration[] = INDEX_MIGRATIONS
): IndexDatabase {
  const db = new Database(filePath)
  try {
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    // macOS: a plain fsync leaves the data in the drive's cache. Other systems ignore the two pragmas.
    db.pragma('fullfsync = ON')
    db.pragma('checkpoint_fullfsync = ON')
    db.pragma('foreign_keys = ON')
    db.pragma('busy_timeout = 5000')
    db.pragma('cache_size = -32768')
    migrate(db, migrations, filePath)
    planOnce(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

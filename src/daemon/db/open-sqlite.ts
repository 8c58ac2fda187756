import { closeSync, existsSync, openSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { type Migration, migrate } from './migrate.ts'
import { planOnce } from './plan-once.ts'

/**
 * Opens (and creates, for this user only) the file, sets WAL with full durability, and brings it to the newest schema. Throws
 * `StartupError('database_newer')` for a file of a newer program; nothing stays open then.
 */
export function openSqlite(filePath: string, migrations: readonly Migration[]): Sqlite.Database {
  // It holds secrets. SQLite makes the files beside it as private as this one.
  if (!existsSync(filePath)) closeSync(openSync(filePath, 'a', 0o600))
  const sql = new Sqlite(filePath)
  try {
    sql.pragma('journal_mode = WAL')
    // A row that was answered for must survive a power cut, so every commit is flushed.
    sql.pragma('synchronous = FULL')
    // macOS: a plain fsync leaves the data in the drive's cache. Other systems ignore the two pragmas.
    sql.pragma('fullfsync = ON')
    sql.pragma('checkpoint_fullfsync = ON')
    sql.pragma('foreign_keys = ON')
    sql.pragma('busy_timeout = 5000')
    sql.pragma('cache_size = -32768')
    migrate(sql, migrations, filePath)
    planOnce(sql)
    return sql
  } catch (error) {
    sql.close()
    throw error
  }
}

import type Sqlite from 'better-sqlite3'
import type { Migration } from '../../db/migrate.ts'
import { openSqlite } from '../../db/open-sqlite.ts'
import { INDEX_MIGRATIONS } from './index-migrations.ts'

export type IndexDatabase = Sqlite.Database

/** Opens the index as {@link openSqlite} does. Raises `StartupError('database_newer')` for a file of a newer program. */
export function openIndexDatabase(
  filePath: string,
  migrations: readonly Migration[] = INDEX_MIGRATIONS
): IndexDatabase {
  return openSqlite(filePath, migrations)
}

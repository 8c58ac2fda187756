import type Sqlite from 'better-sqlite3'
import { StartupError } from '../errors.ts'
import { backUp } from './backup.ts'

/** One forward step. Versions have gaps so that a release branch can fit a repair between two. */
export interface Migration {
  version: number
  name: string
  up(db: Sqlite.Database): void
}

/**
 * Brings `db` to the newest version, one transaction a step, progress in `user_version`. Of a file that holds data a copy is
 * kept first. Throws `StartupError('database_newer')` for a file of a newer program and `StartupError('backup_failed')`:
 * nothing is touched then.
 */
export function migrate(db: Sqlite.Database, migrations: readonly Migration[], filePath: string): void {
  assertAscending(migrations)
  const current = Number(db.pragma('user_version', { simple: true }))
  const newest = migrations.at(-1)?.version ?? 0
  if (current > newest)
    throw new StartupError(
      'database_newer',
      `${filePath} was written by a newer Flightcase (data version ${current}, this program knows ${newest}). ` +
        'Start the newer program, or restore a backup made by this one.'
    )
  const pending = migrations.filter((migration) => migration.version > current)
  if (pending.length === 0) return
  if (current > 0) backUp(db, filePath, current)
  for (const migration of pending) {
    db.transaction(() => {
      migration.up(db)
      db.pragma(`user_version = ${migration.version}`)
    }).exclusive()
  }
}

function assertAscending(migrations: readonly Migration[]): void {
  for (const [index, migration] of migrations.entries()) {
    const previous = migrations[index - 1]
    if (previous && previous.version >= migration.version)
      throw new Error(`migration ${migration.version} does not come after ${previous.version}`)
  }
}

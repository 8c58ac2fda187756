import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { lockDataDir } from '../db/data-dir-lock.ts'
import { dataDirProblem } from '../db/data-dir-problem.ts'
import { type Database, openDatabase } from '../db/database.ts'
import { migrations } from '../db/migrations/all.ts'
import { StartupError } from '../errors.ts'

/**
 * Opens the catalogue of a data folder that a running daemon may be using. Only one of exactly this program's version is
 * shared; migrating one needs the folder for oneself. It never makes one: a token in a new catalogue would open nothing
 * at the base that was meant. Throws `StartupError`: `no_catalogue`, `other_version_running`, `data_dir_unusable`, or what
 * opening a database throws.
 */
export function openCatalogue(dataDir: string): Database {
  const filePath = assertCatalogue(dataDir)
  try {
    return openExisting(dataDir, filePath)
  } catch (error) {
    throw dataDirProblem(dataDir, error)
  }
}

/** Where the catalogue of a data folder is. Throws `StartupError('no_catalogue')`. */
export function assertCatalogue(dataDir: string): string {
  const filePath = join(dataDir, 'flightcase.db')
  if (existsSync(filePath)) return filePath
  throw new StartupError(
    'no_catalogue',
    `There is no base in the folder ${dataDir}, and nothing was made there. Name the data folder of your base with ` +
      '--data-dir (or FLIGHTCASE_DATA_DIR). A new base must be started once first.'
  )
}

function openExisting(dataDir: string, filePath: string): Database {
  if (dataVersionOf(filePath) === migrations.at(-1)?.version) return openDatabase(filePath, migrations)
  const unlock = lockUnlessRunning(dataDir)
  try {
    return openDatabase(filePath, migrations)
  } finally {
    unlock()
  }
}

function dataVersionOf(filePath: string): number {
  const sql = new Sqlite(filePath, { readonly: true })
  try {
    return Number(sql.pragma('user_version', { simple: true }))
  } finally {
    sql.close()
  }
}

function lockUnlessRunning(dataDir: string): () => void {
  try {
    return lockDataDir(dataDir)
  } catch (cause) {
    if (!(cause instanceof StartupError && cause.code === 'data_dir_in_use')) throw cause
    throw new StartupError(
      'other_version_running',
      `The running Flightcase is of another version (or only just starting), so the data folder ${dataDir} was left as it is. ` +
        'Use the program of that version, or stop it first.',
      { cause }
    )
  }
}

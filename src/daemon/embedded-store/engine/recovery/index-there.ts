import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { StartupError } from '../../../errors.ts'
import { BlobFiles } from '../blob-files.ts'
import { storeIdIn } from '../store-root.ts'
import { RecoveryFolder } from './recovery-folder.ts'

/**
 * Raises `StartupError('store_index_missing')` for a directory that holds a store, but no index or one that nothing was ever written to:
 * with a new one, every payload file would be one that nobody knows, and what it could be made from again would go with time. Changes
 * nothing. Raises SQLite's error for an index that it cannot read.
 */
export async function assertIndexThere(directory: string): Promise<void> {
  const indexPath = join(directory, 'index.db')
  const { logs, backups } = new RecoveryFolder(directory).list()
  // Both are made after the index has got its name.
  const hasName = storeIdIn(directory) !== null || logs.length + backups.length > 0
  if (!hasName && !(await new BlobFiles(directory).hasAny())) return
  const found = whatIsThere(indexPath)
  if (found === 'whole' || (found === 'no name' && !hasName)) return
  throw new StartupError(
    'store_index_missing',
    `The index of the object store, ${indexPath}, is ${found === 'missing' ? 'missing' : 'empty'}, but the store is not new. ` +
      'Nothing was changed. Call "flightcase rebuild-index", which makes it anew from its daily copies and logs, or move the ' +
      'folder of the store away to begin with an empty one.'
  )
}

/** Whether a file is an index that a store was using. Raises SQLite's error where it cannot be read. */
export function isUsedIndex(path: string): boolean {
  return whatIsThere(path) === 'whole'
}

/** `no name`: it has tables, but no store has begun to use it. */
function whatIsThere(path: string): 'missing' | 'empty' | 'no name' | 'whole' {
  if (!existsSync(path)) return 'missing'
  // SQLite removes the log (WAL) beside an empty file when it opens that.
  if (statSync(path).size === 0) return 'empty'
  const db = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 5000 })
  try {
    const hasTable = (name: string) => db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined
    if (!hasTable('bucket')) return 'empty'
    return hasTable('store_use') && db.prepare('SELECT 1 FROM store_use').get() !== undefined ? 'whole' : 'no name'
  } finally {
    db.close()
  }
}

import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

/** Keys of all objects in the embedded store of a data folder, ascending. */
export function storedKeys(dataDir: string): string[] {
  const index = new Sqlite(join(dataDir, 'store/index.db'), { readonly: true })
  try {
    const rows = index.prepare<unknown[], { key: string }>('SELECT CAST(key AS TEXT) AS key FROM object ORDER BY key')
    return rows.all().map(({ key }) => key)
  } finally {
    index.close()
  }
}

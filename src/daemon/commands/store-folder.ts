import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { StartupError } from '../errors.ts'

/** The folder of a base's embedded store. Throws `StartupError`: `external_store`, `no_store`. */
export function storeIn({ dataDir, store }: Config): string {
  if (store.mode !== 'embedded')
    throw new StartupError(
      'external_store',
      `This base keeps its media in ${store.endpoint}, not in a store of its own.`
    )
  const directory = join(dataDir, 'store')
  if (existsSync(directory)) return directory
  throw new StartupError(
    'no_store',
    `There is no object store in the folder ${dataDir}. Name the data folder of your base with --data-dir (or FLIGHTCASE_DATA_DIR).`
  )
}

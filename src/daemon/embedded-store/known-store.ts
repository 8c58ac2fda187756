import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { StartupError } from '../errors.ts'
import { isMissingFile } from './engine/disk-errors.ts'
import { storeIdIn } from './engine/store-root.ts'

const FILE = 'store-id'

/**
 * Raises `StartupError('store_not_there')` when the base has a store and `directory` is not it: an empty mount point must not become
 * a new store, in which every file of the catalogue is absent.
 */
export function assertKnownStore(dataDir: string, directory: string): void {
  const known = knownStoreId(dataDir)
  if (known === null || storeIdIn(directory) === known) return
  throw new StartupError(
    'store_not_there',
    `The object store of this base is not in ${directory}. Is its disk connected? Nothing was changed. ` +
      `If it is lost for good, remove ${join(dataDir, FILE)} to begin with an empty store.`
  )
}

/** Remembers beside the catalogue which store belongs to it. */
export async function rememberStore(dataDir: string, storeId: string): Promise<void> {
  if (knownStoreId(dataDir) === storeId) return
  const file = await open(join(dataDir, FILE), 'w', 0o600)
  try {
    await file.writeFile(`${storeId}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

function knownStoreId(dataDir: string): string | null {
  try {
    // Empty: the power went while it was written for the first time.
    return readFileSync(join(dataDir, FILE), 'utf8').trim() || null
  } catch (error) {
    if (isMissingFile(error)) return null
    throw error
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartupError } from '../errors.ts'
import { isMissingFile, replaceFile } from '../files.ts'
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
  await replaceFile(join(dataDir, FILE), `${storeId}\n`)
}

function knownStoreId(dataDir: string): string | null {
  try {
    // Emptied is as good as removed.
    return readFileSync(join(dataDir, FILE), 'utf8').trim() || null
  } catch (error) {
    if (isMissingFile(error)) return null
    throw error
  }
}

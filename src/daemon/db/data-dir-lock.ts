import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StartupError } from '../errors.ts'
import { isFileLocked, takeFileLock } from './file-lock.ts'

const LOCK_NAME = 'flightcase.lock'

/**
 * Takes the data folder for this process, making it when missing; returns the function that gives it back. Throws
 * `StartupError('data_dir_in_use')`, and the system's error when the folder cannot be made or written to.
 */
export function lockDataDir(dataDir: string): () => void {
  makeFolder(dataDir)
  accessSync(dataDir, constants.W_OK | constants.X_OK)
  const unlock = takeFileLock(join(dataDir, LOCK_NAME))
  if (unlock) return unlock
  throw new StartupError('data_dir_in_use', `Another Flightcase already uses the data folder ${dataDir}.`)
}

/** Whether a process has the data folder; null where this user cannot look into it. */
export function isDataDirInUse(dataDir: string): boolean | null {
  return isFileLocked(join(dataDir, LOCK_NAME))
}

/** Parents first: Node's own recursive way tries for ever where a file system says "no such file" to every new folder (/proc). */
function makeFolder(path: string): void {
  if (isFolder(path)) return
  if (dirname(path) !== path) makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Somebody else may have made it just now; a file of that name is not one.
    if (!isFolder(path)) throw error
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { StartupError } from '../errors.ts'
import { takeFileLock } from './file-lock.ts'

/**
 * Takes the data folder for this process, making it when missing; returns the function that gives it back. Throws
 * `StartupError('data_dir_in_use')`.
 */
export function lockDataDir(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const unlock = takeFileLock(join(dataDir, 'flightcase.lock'))
  if (unlock) return unlock
  throw new StartupError('data_dir_in_use', `Another Flightcase already uses the data folder ${dataDir}.`)
}

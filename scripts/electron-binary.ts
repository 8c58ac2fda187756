import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const packageDir = join(import.meta.dirname, '../node_modules/electron')

/**
 * The path of the installed Electron executable, or null. It looks at files only, because importing the `electron`
 * package outside Electron starts a download.
 */
export function findElectronBinary(): string | null {
  const pathFile = join(packageDir, 'path.txt')
  if (!existsSync(pathFile)) return null
  const binary = join(packageDir, 'dist', readFileSync(pathFile, 'utf8').trim())
  return existsSync(binary) ? binary : null
}

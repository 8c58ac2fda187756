import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Where the program is, what it keeps its data in, and whose shell the command is for. */
export interface Installation {
  /** The folder of our package.json. */
  root: string
  dataDir: string
  platform: NodeJS.Platform
}

/**
 * What a person types in a terminal of this computer, in whatever folder, to make a controller token for this very base; null
 * where there is nothing to type: in the packaged desktop app, and in a clone that was not built.
 */
export function tokenCommandOf({ root, dataDir, platform }: Installation): string | null {
  const program = programAt(root, platform)
  if (program === null) return null
  return `${program} token create --role controller --name RC-1 --data-dir ${quote(dataDir, platform)}`
}

function programAt(root: string, platform: NodeJS.Platform): string | null {
  if (/[\\/]node_modules[\\/]/.test(root)) return 'flightcase'
  const isBuiltClone = ['package-lock.json', 'out/daemon/cli.js'].every((path) => existsSync(join(root, path)))
  if (!isBuiltClone) return null
  // npx finds our program, and its own Node, in the folder it is called in only.
  return `${platform === 'win32' ? 'cd /d' : 'cd'} ${quote(root, platform)} && npx flightcase`
}

/** A path as one word of the platform's shell. */
export function quote(path: string, platform: NodeJS.Platform): string {
  return platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", `'\\''`)}'`
}

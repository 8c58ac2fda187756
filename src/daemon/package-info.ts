import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const packageSchema = z.object({ name: z.string(), version: z.string() })

/** The folder of our package.json, whether this runs from source, from the bundle or inside the desktop app's archive. */
export const packageRoot = findPackageRoot(import.meta.dirname)

/** Our version, `x.y.z`. */
export const version = packageSchema.parse(JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))).version

function findPackageRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder) throw new Error(`no package.json above ${start}`)
  }
}

/** Where the desktop app keeps the programs that it comes with; null elsewhere. */
export const resourcesDir: string | null =
  'resourcesPath' in process && typeof process.resourcesPath === 'string' ? process.resourcesPath : null

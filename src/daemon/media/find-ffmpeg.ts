import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

/**
 * Where ffmpeg is: the configured program, else the one `ffmpeg-static` fetched, else the first on PATH; null when there
 * is none. A configured program that cannot be run counts as none, so that a wrong setting shows instead of being
 * papered over.
 */
export function findFfmpeg(options: { configured?: string | undefined; pathVariable?: string | undefined } = {}) {
  if (options.configured) return isExecutable(options.configured) ? options.configured : null
  const bundled = bundledFfmpeg()
  if (bundled && isExecutable(bundled)) return bundled
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg'
  const folders = (options.pathVariable ?? process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null
}

/** The path `ffmpeg-static` would put its program at, whether or not it has been fetched. */
function bundledFfmpeg(): string | null {
  try {
    const path: unknown = createRequire(import.meta.url)('ffmpeg-static')
    // A program inside the packed application cannot be started; the packer leaves a copy beside it.
    return typeof path === 'string' ? path.replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked') : null
  } catch {
    return null // an optional dependency
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

import { existsSync } from 'node:fs'

const usualPaths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The Chromium to use: CHROMIUM_PATH, else one of the usual places; undefined when there is none. */
export function findChromium(): string | undefined {
  return process.env.CHROMIUM_PATH ?? usualPaths.find((path) => existsSync(path))
}

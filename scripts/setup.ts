// Fetches the large binaries that no npm package carries. Each is optional: what cannot be had is said, never fatal.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const binaries = [
  {
    name: 'Electron',
    installer: 'electron/install.js',
    without: '`npm start` runs the daemon alone, with its page in your browser'
  },
  {
    name: 'ffmpeg',
    installer: 'ffmpeg-static/install.js',
    without: 'an ffmpeg on the PATH is used; with none, videos get no preview'
  }
]

for (const { name, installer, without } of binaries) {
  const script = join(import.meta.dirname, '../node_modules', installer)
  const installed =
    existsSync(script) &&
    spawnSync(process.execPath, [script], { stdio: ['ignore', 'inherit', 'pipe'], timeout: 600_000 }).status === 0
  console.log(installed ? `ok       ${name}` : `missing  ${name}: ${without}`)
}

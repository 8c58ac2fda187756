import { execFile } from 'node:child_process'
import { realpath, statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Logger } from 'pino'
import { StartupError } from '../../errors.ts'

/** File system types as Linux reports them (statfs(2)). */
const UNSUITABLE_NUMBERS = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x4d44, 'FAT'],
  [0x2011bab0, 'exFAT']
])

/** File system types as macOS names them (mount(8)). */
const UNSUITABLE_NAMES = new Map([
  ['nfs', 'NFS'],
  ['smbfs', 'SMB'],
  ['afpfs', 'AFP'],
  ['webdav', 'WebDAV'],
  ['msdos', 'FAT'],
  ['exfat', 'exFAT']
])

/** Names of folders that programs keep the same on several computers. */
const SYNCED = [
  { name: /^dropbox( \(.+\))?$/i, service: 'Dropbox' },
  { name: /^onedrive( - .+)?$/i, service: 'OneDrive' },
  { name: /^icloud ?drive$/i, service: 'iCloud' },
  { name: /^(google ?drive|googledrive-.+)$/i, service: 'Google Drive' }
]
/** macOS keeps those of all services below these folders. */
const SYNCED_ON_MACOS = /\/Library\/(Mobile Documents|CloudStorage)(\/|$)/

/**
 * Refuses to begin a store in a place that is not safe for it: on network shares, FAT and exFAT a finished write can still be lost, or locks
 * do not hold; a program that synchronises a folder with other computers changes files behind the store's back, and uploads or takes away
 * every media file. A store that is there already is opened all the same, as somebody's media are in it; then gives what the place is
 * (exFAT, Dropbox, …), null for a safe one. Raises `StartupError`: `store_volume_unsuitable`, `store_folder_synced`. On Windows only shares
 * without a letter are known.
 */
export async function assertSuitablePlace(
  directory: string,
  { isNew, log }: { isNew: boolean; log: Logger },
  describe = unsuitableVolume
): Promise<string | null> {
  const found = (await describe(directory)) ?? null
  const service = syncedBy(await realpath(directory))
  if (found === null && service === null) return null
  const what =
    found === null
      ? `${directory} is synchronised by ${service}, which changes files behind the back of the object store.`
      : `${directory} is on a volume or network share (${found}) that cannot keep media safely.`
  if (isNew) {
    const code = found === null ? 'store_folder_synced' : 'store_volume_unsuitable'
    throw new StartupError(code, `${what} Choose a folder on a local disk that stays on this computer.`)
  }
  log.warn({ directory, place: found ?? service }, `${what} Please move the data folder to a local disk.`)
  return found ?? service
}

/** The service that synchronises a folder, as its path tells; null: none. */
export function syncedBy(directory: string): string | null {
  const names = directory.split(/[\\/]/)
  const known = SYNCED.find(({ name }) => names.some((each) => name.test(each)))
  if (known) return known.service
  return SYNCED_ON_MACOS.test(directory) ? 'a cloud service' : null
}

async function unsuitableVolume(directory: string): Promise<string | undefined> {
  if (process.platform === 'win32') return (await realpath(directory)).startsWith('\\\\') ? 'SMB' : undefined
  if (process.platform === 'darwin') {
    const { stdout } = await promisify(execFile)('/sbin/mount')
    return unsuitableByMounts(stdout, await realpath(directory))
  }
  // Some kernels give the number as a signed one.
  return unsuitableByNumber((await statfs(directory)).type)
}

/** What is wrong with a file system of this type on Linux; undefined: nothing. */
export function unsuitableByNumber(type: number): string | undefined {
  return UNSUITABLE_NUMBERS.get(type >>> 0)
}

/** What is wrong with the volume of a folder, by what mount(8) of macOS prints; undefined: nothing. */
export function unsuitableByMounts(mounts: string, directory: string): string | undefined {
  let nearest = { path: '', type: '' }
  for (const [, path = '', type = ''] of mounts.matchAll(/^.+ on (.+) \(([^,)]+).*\)$/gm)) {
    const isAbove = path === '/' || directory === path || directory.startsWith(`${path}/`)
    if (isAbove && path.length > nearest.path.length) nearest = { path, type }
  }
  return UNSUITABLE_NAMES.get(nearest.type)
}

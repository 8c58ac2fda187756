import { execFile } from 'node:child_process'
import { realpath, statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Logger } from 'pino'
import { StartupError } from '../../errors.ts'

const NETWORK_SHARE = 'a network share'

/** File system types as Linux reports them (statfs(2)). */
const UNSUITABLE_NUMBERS = new Map([
  [0x6969, `${NETWORK_SHARE} (NFS)`],
  [0x517b, `${NETWORK_SHARE} (SMB)`],
  [0xff534d42, `${NETWORK_SHARE} (CIFS)`],
  [0xfe534d42, `${NETWORK_SHARE} (SMB)`],
  [0x4d44, 'a FAT volume'],
  [0x2011bab0, 'an exFAT volume']
])

/** File system types as macOS names them (mount(8)). */
const UNSUITABLE_NAMES = new Map([
  ['nfs', `${NETWORK_SHARE} (NFS)`],
  ['smbfs', `${NETWORK_SHARE} (SMB)`],
  ['afpfs', `${NETWORK_SHARE} (AFP)`],
  ['webdav', `${NETWORK_SHARE} (WebDAV)`],
  ['msdos', 'a FAT volume'],
  ['exfat', 'an exFAT volume']
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
 * Refuses places where a finished write can still be lost or locks do not hold: network shares, FAT and exFAT. Raises
 * `StartupError('store_volume_unsuitable')`. On Windows only shares without a letter are known.
 */
export async function assertSuitableVolume(directory: string, describe = unsuitableVolume): Promise<void> {
  const found = await describe(directory)
  if (found === undefined) return
  throw new StartupError(
    'store_volume_unsuitable',
    `${directory} is on ${found}, which cannot keep media safely. Choose a folder on a local disk.`
  )
}

/**
 * Refuses to begin a store in a folder that a program synchronises with other computers: it changes files behind the store's back, and
 * uploads or takes away every media file. A store that is there already is opened all the same, as somebody's media are in it. Raises
 * `StartupError('store_folder_synced')`.
 */
export async function assertNotSynced(
  directory: string,
  { isNew, log }: { isNew: boolean; log: Logger }
): Promise<void> {
  const service = syncedBy(await realpath(directory))
  if (service === null) return
  const what = `${directory} is synchronised by ${service}, which changes files behind the back of the object store. `
  if (isNew) throw new StartupError('store_folder_synced', `${what}Choose a folder that stays on this computer.`)
  log.warn({ directory, service }, `${what}Please move the data folder to one that stays on this computer.`)
}

/** The service that synchronises a folder, as its path tells; null: none. */
export function syncedBy(directory: string): string | null {
  const names = directory.split(/[\\/]/)
  const known = SYNCED.find(({ name }) => names.some((each) => name.test(each)))
  if (known) return known.service
  return SYNCED_ON_MACOS.test(directory) ? 'a cloud service' : null
}

async function unsuitableVolume(directory: string): Promise<string | undefined> {
  if (process.platform === 'win32') return (await realpath(directory)).startsWith('\\\\') ? NETWORK_SHARE : undefined
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

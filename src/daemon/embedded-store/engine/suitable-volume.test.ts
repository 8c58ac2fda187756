import { mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStorageEngine } from './create-storage-engine.ts'
import { assertSuitablePlace, syncedBy, unsuitableByMounts, unsuitableByNumber } from './suitable-volume.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flightcase-volume-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

describe('volumes that lose or share data', () => {
  const log = pino({ level: 'silent' })

  it('do not become a store; one that is there already goes on, and the place is told', async () => {
    const isFat = async () => 'FAT'
    await expect(assertSuitablePlace(directory, { isNew: true, log }, isFat)).rejects.toMatchObject({
      code: 'store_volume_unsuitable',
      message: expect.stringContaining('FAT')
    })
    expect(await assertSuitablePlace(directory, { isNew: false, log }, isFat)).toBe('FAT')
    expect(await assertSuitablePlace(directory, { isNew: true, log })).toBeNull()
  })

  it('are known on Linux by their number, signed or not', () => {
    for (const type of [0x6969, 0xff534d42, 0xff534d42 | 0, 0x4d44, 0x2011bab0])
      expect(unsuitableByNumber(type)).toBeDefined()
    expect(unsuitableByNumber(0xef53)).toBeUndefined()
  })

  it('are known on macOS by the mount nearest to the folder', () => {
    const mounts = [
      '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)',
      '/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse, protect)',
      '/dev/disk4s1 on /Volumes/USB (2) (exfat, local, nodev, nosuid, noowners)',
      '/dev/disk5s1 on /Volumes/USB (2)/inner (apfs, local)',
      '//pilot@nas/media on /Volumes/media (smbfs, nodev, nosuid, mounted by pilot)'
    ].join('\n')
    expect(unsuitableByMounts(mounts, '/Users/pilot/Flightcase')).toBeUndefined()
    expect(unsuitableByMounts(mounts, '/Volumes/USB (2)/store')).toBe('exFAT')
    expect(unsuitableByMounts(mounts, '/Volumes/USB (2)/inner/store')).toBeUndefined()
    expect(unsuitableByMounts(mounts, '/Volumes/media')).toBe('SMB')
    expect(unsuitableByMounts(mounts, '/Volumes/media-2')).toBeUndefined()
  })
})

describe('folders that are synchronised', () => {
  it.each([
    ['/home/p/Dropbox/base', 'Dropbox'],
    ['/home/p/Dropbox (Survey team)/base', 'Dropbox'],
    ['C:\\Users\\p\\OneDrive - Survey Ltd\\base\\store', 'OneDrive'],
    ['C:\\Users\\p\\iCloudDrive\\base', 'iCloud'],
    ['/Users/p/Library/Mobile Documents/com~apple~CloudDocs/base', 'a cloud service'],
    ['/Users/p/Library/CloudStorage/Box-Box/base', 'a cloud service'],
    ['/Users/p/Library/CloudStorage/GoogleDrive-p@example.com/base', 'Google Drive'],
    ['/home/p/dropbox-alternatives/base', null],
    ['/srv/flightcase', null]
  ])('%s: %s', (path, service) => {
    expect(syncedBy(path)).toBe(service)
  })

  const openEngine = (path: string) =>
    createStorageEngine({ directory: path, log: pino({ level: 'silent' }), ballastBytes: 0 })

  it('do not become a store, also behind a link; one that is there already goes on', async () => {
    const dropbox = join(directory, 'Dropbox')
    await mkdir(join(dropbox, 'new'), { recursive: true })
    await symlink(dropbox, join(directory, 'link'))
    await expect(openEngine(join(directory, 'link', 'new'))).rejects.toMatchObject({
      code: 'store_folder_synced',
      message: expect.stringContaining('Dropbox')
    })
    await (await openEngine(join(directory, 'store'))).close()
    await rename(join(directory, 'store'), join(dropbox, 'store'))
    const engine = await openEngine(join(dropbox, 'store'))
    expect(await engine.health()).toMatchObject({ doubtfulPlace: 'Dropbox' })
    await engine.close()
  })
})

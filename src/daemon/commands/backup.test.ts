import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { uploadMedia } from '../../shared/api/uploads.ts'
import { openDatabase } from '../db/database.ts'
import { migrations } from '../db/migrations/all.ts'
import { createStorageEngine, type OpenStorageEngine } from '../embedded-store/engine/create-storage-engine.ts'
import { verifyStore } from '../embedded-store/engine/recovery/verify-store.ts'
import { runCommand } from '../testing/run-command.ts'
import { storedFile } from '../testing/stored-file.ts'
import { startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts'
import { temporaryFolder } from '../testing/test-database.ts'
import { backupCommand } from './backup.ts'

function backUp(dataDir: string, folder: string, ...args: string[]) {
  return runCommand(backupCommand(), [folder, '--data-dir', dataDir, ...args])
}

async function upload(base: TestDaemon, bytes: Uint8Array): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob([bytes as never]), 'a.bin')
  const answer = await base.fetch(uploadMedia.path, { method: 'POST', body: form })
  return uploadMedia.response.parse(await answer.json()).asset.id
}

async function download(base: TestDaemon, assetId: string): Promise<Buffer | number> {
  const answer = await base.fetch(`/media/${assetId}`)
  return answer.ok ? Buffer.from(await answer.arrayBuffer()) : answer.status
}

test('what was backed up while uploads arrived is delivered byte by byte after a disaster', async () => {
  const base = await startTestDaemon()
  const { dataDir } = base
  const folder = temporaryFolder('backup')
  const sent = new Map<string, Buffer>()
  const send = async () => {
    const bytes = randomBytes(50_000)
    sent.set(await upload(base, bytes), bytes)
  }
  for (let n = 0; n < 5; n++) await send()
  const before = [...sent.keys()]
  let isDone = false
  const sending = (async () => {
    while (!isDone) await send()
  })()
  const { code, text } = await backUp(dataDir, folder)
  isDone = true
  await sending
  expect(code).toBe(0)
  expect(text).toContain(`The backup in ${folder} is complete`)
  expect(statSync(join(folder, 'store', 'root.key')).mode & 0o777).toBe(0o600)
  await base.daemon.stop()
  rmSync(dataDir, { recursive: true })

  await expect(startTestDaemon({ dataDir: folder })).rejects.toMatchObject({ code: 'is_a_backup' })
  cpSync(folder, dataDir, { recursive: true })
  rmSync(join(dataDir, 'backup.json'))
  const restored = await startTestDaemon({ dataDir })
  for (const assetId of before) expect(await download(restored, assetId)).toEqual(sent.get(assetId))
  for (const [assetId, bytes] of sent) expect([bytes, 404]).toContainEqual(await download(restored, assetId))
  expect(await download(restored, await upload(restored, Buffer.from('afterwards')))).toEqual(Buffer.from('afterwards'))
})

describe('a base', () => {
  let nowMs = Date.now()
  /** A data folder with a catalogue, and a store with one bucket. */
  async function aBase(): Promise<{ dataDir: string; engine: OpenStorageEngine }> {
    const dataDir = temporaryFolder('base')
    openDatabase(join(dataDir, 'flightcase.db'), migrations).close()
    const directory = join(dataDir, 'store')
    mkdirSync(directory)
    const log = pino({ level: 'silent' })
    const engine = await createStorageEngine({ directory, log, reserveBytes: 0, clock: () => nowMs })
    onTestFinished(() => engine.close())
    await engine.createBucket({ name: 'media', owner: 'o' })
    return { dataDir, engine }
  }

  const found = (folder: string) => verifyStore(join(folder, 'store'), { deep: true, isInUse: false })

  test('is copied again into the same folder: only what is new, and nothing is removed', async () => {
    const { dataDir, engine } = await aBase()
    const folder = temporaryFolder('backup')
    await storedFile(engine, 'stays', 'one')
    await storedFile(engine, 'goes', 'four')
    mkdirSync(join(dataDir, 'recordings', 'camera'), { recursive: true })
    writeFileSync(join(dataDir, 'recordings', 'camera', 'a.mp4'), 'film')
    expect((await backUp(dataDir, folder)).text).toContain('3 new files')
    await engine.deleteObject('media', 'goes')
    nowMs += 120_000
    expect(await engine.housekeeping.collect()).toBe(1)
    await storedFile(engine, 'comes', 'seven')
    const second = await backUp(dataDir, folder)
    expect(second.text).toContain('1 new file,')
    expect(second.text).toContain('It keeps 1 file')
    expect(await found(folder)).toMatchObject({ objects: 2, damaged: [], nameless: [{ sizeBytes: 4 }] })
    expect(readFileSync(join(folder, 'recordings', 'camera', 'a.mp4'), 'utf8')).toBe('film')
    expect((await backUp(dataDir, folder)).text).toContain('0 new files')
    expect(readdirSync(folder).filter((name) => /draft|new$/.test(name))).toEqual([])
  })

  test('is copied without its media where that is wanted', async () => {
    const { dataDir, engine } = await aBase()
    const folder = temporaryFolder('backup')
    await storedFile(engine, 'a', 'bytes')
    expect((await backUp(dataDir, folder, '--without-media')).text).toContain('Media and recordings are not in it')
    expect(existsSync(join(folder, 'store', 'blobs'))).toBe(false)
    expect(existsSync(join(folder, 'store', 'index.db'))).toBe(true)
  })

  test('with damaged media is copied but for that, of which is kept what is left, and that is told', async () => {
    const { dataDir, engine } = await aBase()
    const folder = temporaryFolder('backup')
    const [changed, missing] = [await storedFile(engine, 'bit', 'abc'), await storedFile(engine, 'gone', 'x')]
    await storedFile(engine, 'whole', 'whole')
    chmodSync(changed, 0o600)
    writeFileSync(changed, 'abd')
    rmSync(missing)
    const { code, text } = await backUp(dataDir, folder)
    expect(code).toBe(1)
    expect(text).toContain(`media/bit: ${changed} holds other bytes than were written`)
    expect(text).toContain(`media/gone: ${missing} is missing`)
    expect(text).toContain('is complete but for 2 files')
    const { damaged } = await found(folder)
    expect(damaged.map(({ what }) => what)).toEqual(['missing', 'missing'])
    const quarantine = join(folder, 'store', 'quarantine')
    expect(readdirSync(quarantine).map((name) => readFileSync(join(quarantine, name), 'utf8'))).toEqual(['abd'])
  })

  test('is copied again where a file read badly, until it reads well', async () => {
    const { dataDir, engine } = await aBase()
    const folder = temporaryFolder('backup')
    const path = await storedFile(engine, 'k', 'abc')
    chmodSync(path, 0o600)
    writeFileSync(path, 'abd')
    const line = `media/k: ${path} holds other bytes than were written`
    expect(await backUp(dataDir, folder)).toMatchObject({ code: 1, text: expect.stringContaining(line) })
    writeFileSync(path, 'xbd')
    expect(await backUp(dataDir, folder)).toMatchObject({ code: 1, text: expect.stringContaining(line) })
    const quarantine = join(folder, 'store', 'quarantine')
    // What is left of a file may become less from time to time.
    expect(readdirSync(quarantine).map((name) => readFileSync(join(quarantine, name), 'utf8'))).toEqual(['abd'])
    writeFileSync(path, 'abc')
    expect(await backUp(dataDir, folder)).toMatchObject({ code: 0, text: expect.stringContaining('1 new file,') })
    expect(await found(folder)).toMatchObject({ objects: 1, damaged: [] })
    expect(readdirSync(quarantine)).toEqual([])
    // A good copy stays, whatever becomes of the file.
    writeFileSync(path, 'xyz')
    expect(await backUp(dataDir, folder)).toMatchObject({ code: 0 })
    expect(await found(folder)).toMatchObject({ damaged: [] })
  })

  test('is copied but for a file that cannot be opened now, which is told as that', async () => {
    const { dataDir, engine } = await aBase()
    const folder = temporaryFolder('backup')
    await storedFile(engine, 'other', 'other')
    const path = await storedFile(engine, 'locked', 'locked')
    const aside = join(dataDir, 'aside')
    renameSync(path, aside)
    // As with a file that another program keeps for itself, every attempt to open it is refused.
    symlinkSync('x'.repeat(300), path)
    const first = await backUp(dataDir, folder)
    expect(first).toMatchObject({ code: 1, text: expect.stringContaining(`media/locked: ${path} (ENAMETOOLONG)`) })
    expect(first.text).not.toContain('Damaged')
    rmSync(path)
    renameSync(aside, path)
    expect((await backUp(dataDir, folder)).code).toBe(0)
    expect(await found(folder)).toMatchObject({ objects: 2, damaged: [] })
  })

  test.skipIf(process.platform === 'win32')(
    'whose disk goes away meanwhile is not taken for one that lost its media',
    async () => {
      const { dataDir, engine } = await aBase()
      const folder = temporaryFolder('backup')
      await backUp(dataDir, folder)
      const before = readFileSync(join(folder, 'store', 'index.db'))
      const path = await storedFile(engine, 'k', 'bytes')
      rmSync(path)
      execFileSync('mkfifo', [path])
      const running = backUp(dataDir, folder)
      running.catch(() => {})
      // Resolves once the backup reads the file.
      const writer = await open(path, 'w')
      renameSync(join(dataDir, 'store'), join(dataDir, 'away'))
      await writer.close()
      await expect(running).rejects.toMatchObject({ code: 'store_not_there' })
      expect(readFileSync(join(folder, 'store', 'index.db'))).toEqual(before)
      renameSync(join(dataDir, 'away'), join(dataDir, 'store'))
    }
  )

  test('whose catalogue is damaged leaves the earlier backup as it was', async () => {
    const { dataDir } = await aBase()
    const folder = temporaryFolder('backup')
    await backUp(dataDir, folder)
    const before = readFileSync(join(folder, 'flightcase.db'))
    const path = join(dataDir, 'flightcase.db')
    const bytes = readFileSync(path)
    for (let at = 4096 * 3; at < bytes.length; at += 8192) bytes.fill(0x5a, at, at + 4096)
    writeFileSync(path, bytes)
    await expect(backUp(dataDir, folder)).rejects.toThrow(/damaged|malformed/)
    expect(readFileSync(join(folder, 'flightcase.db'))).toEqual(before)
    expect(readdirSync(folder).filter((name) => name.includes('draft'))).toEqual([])
  })

  test('is not copied into itself, over something else, or over the backup of another base', async () => {
    const { dataDir } = await aBase()
    const other = await aBase()
    const folder = temporaryFolder('backup')
    await expect(backUp(dataDir, join(dataDir, 'backup'))).rejects.toMatchObject({ code: 'backup_inside' })
    writeFileSync(join(folder, 'letter.txt'), 'dear')
    await expect(backUp(dataDir, folder)).rejects.toMatchObject({ code: 'not_a_backup' })
    rmSync(join(folder, 'letter.txt'))
    await backUp(dataDir, folder)
    await expect(backUp(other.dataDir, folder)).rejects.toMatchObject({ code: 'not_a_backup' })
    await expect(backUp(temporaryFolder('nothing'), folder)).rejects.toMatchObject({ code: 'no_catalogue' })
  })
})

import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { temporaryFolder } from '../../../testing/test-database.ts'
import { createStorageEngine } from '../create-storage-engine.ts'
import { BUCKET, EngineHarness } from '../engine-harness.ts'
import { openIndexDatabase } from '../index-database.ts'
import { rebuildIndex } from './rebuild-index.ts'
import { verifyStore } from './verify-store.ts'

let store: EngineHarness
beforeEach(async () => {
  store = await EngineHarness.open()
  await store.put('k', 'only copy')
  await store.engine.maintenance.backUpIndex()
  await store.engine.close()
})
afterEach(() => store.dispose())

const index = () => join(store.directory, 'index.db')
const recoveryFiles = async () => (await readdir(join(store.directory, 'recovery'))).toSorted()

/** What a disk may leave of an index that was lost. */
const remains = {
  nothing: () => rm(index()),
  'an empty file': () => truncate(index(), 0),
  'a database without tables': async () => {
    await rm(index())
    const sql = new Sqlite(index())
    sql.pragma('journal_mode = WAL')
    sql.close()
  },
  'tables that never were of a store': async () => {
    await rm(index())
    openIndexDatabase(index()).close()
  }
}

it.each(Object.entries(remains))('an index of which there is %s does not begin a new store', async (_, lose) => {
  await lose()
  const left = await readFile(index()).catch(() => null)
  const before = await recoveryFiles()
  await expect(store.reopen()).rejects.toMatchObject({
    code: 'store_index_missing',
    message: expect.stringContaining('rebuild-index')
  })
  expect(await recoveryFiles()).toEqual(before)
  expect(await readFile(index()).catch(() => null)).toEqual(left)
  await rebuildIndex(store.directory)
  await store.reopen()
  expect(String(await store.get('k'))).toBe('only copy')
})

it('a log that belongs to an empty index is not opened by it', async () => {
  await truncate(index(), 0)
  await writeFile(`${index()}-wal`, 'what SQLite removes beside an empty file')
  await expect(store.reopen()).rejects.toMatchObject({ code: 'store_index_missing' })
  expect(String(await readFile(`${index()}-wal`))).toMatch(/^what SQLite/)
})

it('a store without a file is no new one either, nor is one that lost its mark', async () => {
  await store.reopen()
  await store.engine.deleteObject(BUCKET, 'k')
  await store.engine.close()
  await rm(join(store.directory, 'blobs'), { recursive: true })
  await rm(index())
  await expect(store.reopen()).rejects.toMatchObject({ code: 'store_index_missing' })
  await rm(join(store.directory, 'store.json'))
  await expect(store.reopen()).rejects.toMatchObject({ code: 'store_index_missing' })
})

it('a first start that was killed is made up for', async () => {
  const directory = temporaryFolder('first-start')
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'index.db'), '')
  for (const _ of ['empty', 'whole']) {
    const engine = await createStorageEngine({ directory, log: pino({ level: 'silent' }), reserveBytes: 0 })
    await engine.close()
  }
})

it('an empty copy is no copy, and verify says that an index is empty', async () => {
  await truncate(join(store.directory, 'recovery', '000002.bak'), 0)
  await truncate(index(), 0)
  expect((await verifyStore(store.directory, { deep: false, isInUse: false })).indexProblems).toHaveLength(1)
  expect(await rebuildIndex(store.directory)).toMatchObject({ backup: null, objects: 1 })
})

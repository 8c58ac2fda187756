import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { BUCKET, EngineHarness, OWNER } from '../engine-harness.ts'
import { rebuildIndex } from './rebuild-index.ts'
import { lineOf } from './recovery-record.ts'

const TWO_HOURS_MS = 2 * 3_600_000

let store: EngineHarness
beforeEach(async () => {
  store = await EngineHarness.open({ minPartBytes: 1 })
  // What follows is in the log of SQLite (WAL) alone.
  await store.reopen()
  await store.engine.idle()
})
afterEach(() => store.dispose())

const index = () => join(store.directory, 'index.db')
const log = (number: number) => join(store.directory, 'recovery', `00000${number}.log`)
const recoveryFiles = async () => (await readdir(join(store.directory, 'recovery'))).toSorted()
const linesOf = async (path: string) => (await readFile(path, 'utf8')).trimEnd().split('\n')

/** Takes back what is committed until the returned function is called: as a WAL that is lost, or an older copy that is restored. */
async function losingCommits(): Promise<() => Promise<void>> {
  const before = `${index()}.before`
  await cp(index(), before)
  return async () => {
    await store.engine.close()
    await rename(before, index())
  }
}

/** Starts the engine when everything that was written until now is long past, and waits for its first check. */
async function startLater(): Promise<void> {
  await store.reopen({ clock: () => Date.now() + TWO_HOURS_MS })
  await store.engine.idle()
  await store.engine.housekeeping.collect()
}

async function loseIndex(): Promise<void> {
  await store.engine.close()
  for (const suffix of ['', '-wal', '-shm']) await rm(index() + suffix, { force: true })
}

it('commits that the index lost are brought in from the log, and again none is lost', async () => {
  await store.put('kept', 'as it was')
  await store.put('overwritten', 'old')
  await store.put('deleted', 'gone')
  await store.reopen()
  const lose = await losingCommits()
  await store.put('new', 'not in the index')
  await store.put('overwritten', 'with another content')
  await store.engine.copyObject({ source: { bucket: BUCKET, key: 'kept' }, bucket: BUCKET, key: 'copy' })
  await store.engine.deleteObject(BUCKET, 'deleted')
  await store.engine.createBucket({ name: 'second', owner: OWNER })
  await lose()
  for (let start = 0; start < 2; start++) {
    await startLater()
    expect(await store.listAll()).toEqual(['copy', 'kept', 'new', 'overwritten'])
    expect(String(await store.get('new'))).toBe('not in the index')
    expect(String(await store.get('overwritten'))).toBe('with another content')
    expect(String(await store.get('copy'))).toBe('as it was')
    expect((await store.engine.listBuckets()).map(({ name }) => name)).toEqual([BUCKET, 'second'])
    expect(await store.engine.maintenance.usage()).toMatchObject({ objects: 4 })
  }
  const sql = new Sqlite(index(), { readonly: true })
  const miscounted = sql.prepare(
    `SELECT id FROM blob WHERE refcount <> (SELECT COUNT(*) FROM extent WHERE blob_id = id)`
  )
  const forgotten = sql.prepare(`SELECT id FROM blob WHERE refcount = 0 AND id NOT IN (SELECT blob_id FROM gc)`)
  expect([miscounted.all(), forgotten.all()]).toEqual([[], []])
  sql.close()
  await store.engine.deleteObject(BUCKET, 'kept')
  await startLater()
  expect(String(await store.get('copy'))).toBe('as it was')
  await loseIndex()
  expect(await rebuildIndex(store.directory)).toMatchObject({ objects: 3, isGapless: true, unreadableLines: 0 })
})

it('they are brought in over several logs', async () => {
  await store.put('old', 'x')
  await store.reopen()
  const lose = await losingCommits()
  await store.put('a', '1')
  await store.engine.maintenance.backUpIndex()
  await store.put('b', '2')
  await store.engine.maintenance.backUpIndex()
  await lose()
  await startLater()
  expect(await store.listAll()).toEqual(['a', 'b', 'old'])
})

it('a part of an upload that the index lost is no leftover', async () => {
  const upload = { bucket: BUCKET, key: 'parts', owner: OWNER }
  const { uploadId } = await store.engine.createUpload({ ...upload, headers: {} })
  await store.reopen()
  const lose = await losingCommits()
  const body = await store.body(Buffer.from('a part'))
  await store.engine.putPart({ upload: { ...upload, uploadId }, number: 1, body })
  await lose()
  // Not even the name of its use tells that the index is older.
  const { use } = JSON.parse(await readFile(join(store.directory, 'store.json'), 'utf8'))
  await setUse(use)
  await startLater()
  expect(await store.blobFiles()).toHaveLength(1)
  expect(await store.engine.health()).toMatchObject({ keptFiles: 1 })
})

it('a start stops where the log does not tell all that was lost, and removes nothing', async () => {
  await store.put('old', 'x')
  await store.reopen()
  const lose = await losingCommits()
  await store.put('a', '1')
  await store.engine.maintenance.backUpIndex()
  await store.put('b', '2')
  await lose()
  await rm(log(1))
  await expect(startLater()).rejects.toMatchObject({
    code: 'store_index_older',
    message: expect.stringContaining('rebuild-index')
  })
  expect(await store.blobFiles()).toHaveLength(3)
  expect(await rebuildIndex(store.directory)).toMatchObject({ objects: 3, isGapless: true })
  await startLater()
  expect(await store.listAll()).toEqual(['a', 'b', 'old'])
})

it('nor where a line of what was lost cannot be read', async () => {
  await store.put('old', 'x')
  await store.reopen()
  const lose = await losingCommits()
  await store.put('a', '1')
  await store.put('b', '2')
  await lose()
  const lines = await linesOf(log(1))
  await writeFile(log(1), `${lines.map((line) => (line.includes('"key":"a"') ? `x${line}` : line)).join('\n')}\n`)
  await expect(startLater()).rejects.toMatchObject({ code: 'store_index_older' })
})

it('commits that the log lost are in a copy soon, and in a new log', async () => {
  for (const key of ['a', 'b', 'c', 'd']) await store.put(key, key)
  await store.engine.close()
  const lines = await linesOf(log(1))
  await writeFile(log(1), `${lines.slice(0, -5).join('\n')}\n`)
  await store.reopen()
  await vi.waitFor(() => expect(store.engine.maintenance.lastIndexBackup()).not.toBeNull(), 20_000)
  await store.engine.idle()
  await loseIndex()
  expect(await rebuildIndex(store.directory)).toMatchObject({ objects: 4, isGapless: true, unreadableLines: 0 })
})

it('a gap of the log stays known until a copy is made', async () => {
  for (const key of ['a', 'b', 'c', 'd']) await store.put(key, key)
  await store.engine.close()
  const lines = await linesOf(log(1))
  await writeFile(log(1), `${lines.slice(0, -5).join('\n')}\n`)
  const isFull = { space: async () => ({ freeBytes: 1000, totalBytes: 10_000_000 }) }
  await store.reopen(isFull)
  await store.engine.idle()
  expect(await recoveryFiles()).toEqual(['000001.log', '000002.log'])
  await store.engine.close()
  for (const suffix of ['-wal', '-shm']) await rm(index() + suffix, { force: true })
  await store.reopen()
  await store.engine.idle()
  expect(store.engine.maintenance.lastIndexBackup()).not.toBeNull()
})

it('a log of another store is not brought in', async () => {
  const other = await EngineHarness.open()
  for (let n = 0; n < 5; n++) await other.put(`other ${n}`, 'x')
  await other.engine.close()
  await store.put('own', 'x')
  await store.engine.close()
  await cp(join(other.directory, 'recovery', '000001.log'), log(1))
  await other.dispose()
  await startLater()
  expect(await store.listAll()).toEqual(['own'])
  expect(await store.engine.maintenance.lastIndexBackup()).not.toBeNull()
})

it('an index and a log of a program that counted no commits go on', async () => {
  await store.put('a', 'x')
  await store.engine.close()
  const lines = (await linesOf(log(1))).map((line) => JSON.parse(line.slice(9)))
  const before = lines.filter(({ what }) => what !== 'commit').map(({ commit, hasGap, ...record }) => record)
  await writeFile(log(1), before.map((record) => lineOf(record)).join(''))
  const sql = new Sqlite(index())
  sql.exec(`DROP TABLE last_commit; CREATE TABLE unlogged (bucket TEXT, bucket_id INTEGER, key TEXT) STRICT;
    INSERT INTO unlogged VALUES (NULL, 1, 'a'); PRAGMA user_version = 60`)
  sql.close()
  await startLater()
  expect(store.engine.root.mayRemoveUnknownFiles).toBe(true)
  await store.put('b', 'y')
  expect(await recoveryFiles()).toEqual(['000001.log'])
  await loseIndex()
  expect(await rebuildIndex(store.directory)).toMatchObject({ objects: 2, isGapless: true, unreadableLines: 0 })
})

async function setUse(use: string): Promise<void> {
  const sql = new Sqlite(index())
  sql.prepare('UPDATE store_use SET current = ?, next = ?').run(use, use)
  sql.close()
}

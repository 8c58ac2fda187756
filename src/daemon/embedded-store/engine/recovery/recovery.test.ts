import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { appendFile, cp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BUCKET, EngineHarness, OWNER } from '../engine-harness.ts'
import type { UploadRef } from '../storage-engine.ts'
import { rebuildIndex } from './rebuild-index.ts'

const DAY_MS = 24 * 3_600_000

let store: EngineHarness
beforeEach(async () => {
  store = await EngineHarness.open({ minPartBytes: 1 })
})
afterEach(() => store.dispose())

const index = () => join(store.directory, 'index.db')
const recoveryFiles = async () => (await readdir(join(store.directory, 'recovery'))).toSorted()

async function partedUpload(key: string): Promise<UploadRef> {
  const { uploadId } = await store.engine.createUpload({
    bucket: BUCKET,
    key,
    owner: OWNER,
    headers: { 'content-type': 'video/mp4' }
  })
  return { bucket: BUCKET, key, owner: OWNER, uploadId }
}

async function putParts(upload: UploadRef, parts: string[]) {
  const sent = []
  for (const [at, text] of parts.entries())
    sent.push(await store.engine.putPart({ upload, number: at + 1, body: await store.body(Buffer.from(text)) }))
  return sent.map(({ number, etag }) => ({ number, etag }))
}

/** Everything that the index is to know, and the bytes. */
async function content() {
  const buckets = await store.engine.listBuckets()
  const objects = []
  for (const { name } of buckets)
    for (const key of await store.listAll({ bucket: name })) {
      const info = await store.engine.headObject(name, key)
      objects.push({ info, bytes: String(await store.get(key, undefined, name)) })
    }
  return { buckets, objects }
}

/** Objects of every kind, and what is no more. `between`: done when half of it has happened. */
async function fill(between: () => Promise<unknown> = async () => {}): Promise<void> {
  const { engine } = store
  await engine.createBucket({ name: 'second', owner: 'owner-2' })
  await engine.createBucket({ name: 'emptied', owner: OWNER })
  await engine.setBucketCors('second', '{"rules":[]}')
  const metadata = { flight: 'lines\u2028and \u00e9' }
  await store.put('single', 'one body', {
    headers: { 'content-type': 'image/jpeg' },
    metadata,
    checksumAlgorithm: 'SHA256'
  })
  await store.put('overwritten', 'old')
  await store.put('deleted', 'gone soon')
  await store.put('original', 'shared bytes')
  await store.put('in a bucket that goes', 'x', { bucket: 'emptied' })
  const early = await partedUpload('parts')
  const parts = await putParts(early, ['first ', 'second ', 'third'])
  await between()
  await engine.completeUpload({ upload: early, parts })
  await store.put('overwritten', 'new')
  await store.put('k\u2028', 'a key with a line separator')
  await engine.copyObject({ source: { bucket: BUCKET, key: 'original' }, bucket: 'second', key: 'copy' })
  await engine.copyObject({ source: { bucket: BUCKET, key: 'parts' }, bucket: 'second', key: 'copied parts' })
  await engine.digestOf('second', 'copied parts')
  await engine.deleteObject(BUCKET, 'original')
  await engine.deleteObject(BUCKET, 'deleted')
  await engine.deleteObject('emptied', 'in a bucket that goes')
  await engine.deleteBucket('emptied')
  const made = await engine.localFile(BUCKET, 'parts')
  made.release()
}

/** Loses the index as a failing disk does, and makes it anew. */
async function loseAndRebuild() {
  await store.engine.close()
  for (const suffix of ['', '-wal', '-shm']) await rm(index() + suffix, { force: true })
  return rebuildIndex(store.directory)
}

describe('a lost index', () => {
  it('is made anew from the log alone, and files of what was deleted stay', async () => {
    await fill()
    const before = await content()
    const files = await store.blobFiles()
    const report = await loseAndRebuild()
    expect(report).toMatchObject({
      backup: null,
      logs: 1,
      unreadableLines: 0,
      isGapless: true,
      damaged: [],
      setAside: null
    })
    expect(report.objects).toBe(before.objects.length)
    await store.reopen({ clock: () => Date.now() + DAY_MS / 2 })
    await store.engine.idle()
    expect(await content()).toEqual(before)
    expect((await store.blobFiles()).toSorted()).toEqual(files.toSorted())
    // Without it their files would never be checked.
    expect(store.engine.maintenance.scrubState().oldestCheckAtMs).toBeGreaterThan(0)
    expect(await store.engine.health()).toMatchObject({ keptFiles: report.nameless.length })
  })

  it('is made anew from a copy and the log since', async () => {
    let waiting: UploadRef | undefined
    await fill(async () => {
      waiting = await partedUpload('unfinished')
      await putParts(waiting, ['kept'])
      await store.engine.maintenance.backUpIndex()
    })
    const before = await content()
    const report = await loseAndRebuild()
    expect(report).toMatchObject({ logs: 1, isGapless: true, damaged: [] })
    expect(report.backup).toBe(join(store.directory, 'recovery', '000002.bak'))
    await store.reopen()
    expect(await content()).toEqual(before)
    if (!waiting) throw new Error('There is an upload.')
    const { parts } = await store.engine.listParts(waiting, { limit: 10 })
    const completed = await store.engine.completeUpload({ upload: waiting, parts })
    expect(completed.sizeBytes).toBe(4)
    expect(await store.engine.maintenance.usage()).toMatchObject({ objects: before.objects.length + 1 })
  })

  it('does without lines that are changed or torn, and says so', async () => {
    await store.put('a', 'its line is changed')
    await store.put('b', 'whole')
    await store.engine.close()
    const log = join(store.directory, 'recovery', '000001.log')
    await writeFile(log, (await readFile(log, 'utf8')).replace('"key":"a"', '"key":"x"'))
    await appendFile(log, '00000000 {"what":"obj')
    expect(await loseAndRebuild()).toMatchObject({ objects: 1, unreadableLines: 2, isGapless: false })
    await store.reopen()
    expect(await store.listAll()).toEqual(['b'])
  })

  it('lists payload files that have no name, and removes none', async () => {
    await store.put('a', 'named')
    await store.engine.maintenance.backUpIndex()
    await store.put('b', 'its line is lost')
    await store.engine.close()
    await rm(join(store.directory, 'recovery', '000002.log'))
    const report = await loseAndRebuild()
    expect(report).toMatchObject({ objects: 1, isGapless: false, nameless: [{ sizeBytes: 16 }] })
    expect(String(await readFile(report.nameless[0]?.path ?? ''))).toBe('its line is lost')
    await store.reopen({ clock: () => Date.now() + DAY_MS / 2 })
    await store.engine.idle()
    expect(await store.blobFiles()).toHaveLength(2)
  })

  it('of a process that was killed holds what the process had answered for', async () => {
    await store.engine.close()
    const plan = { directory: store.directory, action: 'put', step: 'committed' }
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'crash-child.ts'), JSON.stringify(plan)])
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    expect(await loseAndRebuild()).toMatchObject({ objects: 1, objectBytes: 3_000_000, damaged: [], nameless: [] })
  })

  it('names objects whose files are lost as well', async () => {
    await store.put('a', 'bytes')
    const { path, release } = await store.engine.localFile(BUCKET, 'a')
    release()
    await store.engine.close()
    await rm(path)
    expect(await rebuildIndex(store.directory)).toMatchObject({ damaged: [{ bucket: BUCKET, key: 'a' }] })
  })

  it('cannot be made anew while the store is in use, nor out of nothing', async () => {
    await expect(rebuildIndex(store.directory)).rejects.toMatchObject({ code: 'store_in_use' })
    await store.engine.close()
    const before = await readFile(index())
    await rm(join(store.directory, 'recovery'), { recursive: true })
    await expect(rebuildIndex(store.directory)).rejects.toMatchObject({ code: 'nothing_to_rebuild_from' })
    expect(await readFile(index())).toEqual(before)
  })
})

describe('a damaged index', () => {
  /** As a disk does that writes a block to the wrong place. */
  async function overwriteSomePages(path: string): Promise<void> {
    const { size } = await stat(path)
    await overwrite(
      path,
      Array.from({ length: Math.floor(size / 8192) }, (_, n) => 4096 + n * 8192)
    )
  }

  async function overwrite(path: string, positions: readonly number[]): Promise<void> {
    const file = await open(path, 'r+')
    for (const at of positions) await file.write(Buffer.alloc(4096, 0x5a), 0, 4096, at)
    await file.close()
  }

  it('stops the start with what to do, and is made anew; the old one is kept', async () => {
    await fill()
    const before = await content()
    await store.engine.close()
    await overwriteSomePages(index())
    await expect(store.reopen()).rejects.toMatchObject({
      code: 'store_index_damaged',
      message: expect.stringContaining('rebuild-index')
    })
    const { setAside } = await rebuildIndex(store.directory)
    expect(existsSync(setAside ?? '')).toBe(true)
    await store.reopen()
    expect(await content()).toEqual(before)
  })

  it('that is no database at all is told the same way', async () => {
    await store.put('a', 'bytes')
    await store.engine.close()
    await writeFile(index(), 'not a database, but long enough to be taken for one'.repeat(100))
    await expect(store.reopen()).rejects.toMatchObject({ code: 'store_index_damaged' })
    await rebuildIndex(store.directory)
    await store.reopen()
    expect(String(await store.get('a'))).toBe('bytes')
  })

  it('that is too large to be checked before the start is checked beside it', async () => {
    await fill()
    await store.engine.close()
    const sql = new Sqlite(index())
    sql.exec('CREATE TABLE filler (bytes BLOB)')
    sql.prepare('INSERT INTO filler VALUES (zeroblob(?))').run(33 * 1024 ** 2)
    sql.close()
    await store.reopen()
    await store.engine.idle()
    expect((await store.engine.health()).indexProblem).toBeNull()
    await store.engine.close()
    const damaging = new Sqlite(index())
    const root = damaging.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'extent_blob'").pluck().get()
    damaging.close()
    await overwrite(index(), [(Number(root) - 1) * 4096])
    await store.reopen()
    await store.engine.idle()
    expect((await store.engine.health()).indexProblem).not.toBeNull()
  })

  it('is not copied over whole copies, and health tells', async () => {
    await fill()
    await store.reopen()
    await store.engine.maintenance.backUpIndex()
    await overwriteSomePages(index())
    await expect(store.engine.maintenance.backUpIndex()).rejects.toMatchObject({ code: 'IndexDamaged' })
    expect((await store.engine.health()).indexProblem).not.toBeNull()
    expect(await recoveryFiles()).toEqual(['000001.log', '000002.bak', '000002.log', '000003.log'])
  })

  it('where one object cannot be read still gets a log of the others', async () => {
    const sql = new Sqlite(index())
    sql.exec(`CREATE TRIGGER spoil AFTER INSERT ON object WHEN NEW.key = 'spoilt'
      BEGIN UPDATE object SET headers_json = '{' WHERE key = 'spoilt'; END`)
    sql.close()
    await Promise.all(['before', 'spoilt', 'beside'].map((key) => store.put(key, key)))
    await store.put('after', 'x')
    expect(await loseAndRebuild()).toMatchObject({ objects: 3, unreadableLines: 0, nameless: [{ sizeBytes: 6 }] })
    await store.reopen()
    expect(await store.listAll()).toEqual(['after', 'before', 'beside'])
  })

  it('is made anew from an older copy where newer ones are damaged', async () => {
    await store.put('first', '1')
    await store.engine.maintenance.backUpIndex()
    await store.put('second', '2')
    await store.engine.maintenance.backUpIndex()
    await store.put('third', '3')
    await store.engine.close()
    await overwriteSomePages(join(store.directory, 'recovery', '000003.bak'))
    const report = await rebuildIndex(store.directory)
    expect(report).toMatchObject({
      backup: expect.stringContaining('000002.bak'),
      logs: 2,
      objects: 3,
      isGapless: true
    })
  })
})

describe('copies of the index', () => {
  it('are three, with the logs that the oldest needs', async () => {
    await writeFile(join(store.directory, 'recovery', '000001.bak.new'), 'of a process that was killed')
    for (let n = 0; n < 4; n++) {
      await store.put(`k${n}`, 'x')
      await store.engine.maintenance.backUpIndex()
    }
    expect(await recoveryFiles()).toEqual([3, 4, 5].flatMap((n) => [`00000${n}.bak`, `00000${n}.log`]))
    expect(store.engine.maintenance.lastIndexBackup()?.path).toMatch(/000005\.bak$/)
  })

  it('are made when the last one is a day old, also while objects are written', async () => {
    await store.put('a', 'x')
    await store.reopen()
    await store.engine.idle()
    expect(store.engine.maintenance.lastIndexBackup()).toBeNull()
    await store.reopen({ clock: () => Date.now() + 1.1 * DAY_MS })
    for (let n = 0; n < 20; n++) await store.put(`k${n}`, 'x')
    await store.engine.idle()
    expect(store.engine.maintenance.lastIndexBackup()).not.toBeNull()
    expect(await loseAndRebuild()).toMatchObject({ objects: 21, isGapless: true })
  })

  it('are made at once in a store whose index is older than its log', async () => {
    await store.put('a', 'x')
    await store.engine.close()
    await rm(join(store.directory, 'recovery'), { recursive: true })
    await store.reopen()
    await vi.waitFor(() => expect(store.engine.maintenance.lastIndexBackup()).not.toBeNull(), 20_000)
    await store.engine.idle()
    expect(await loseAndRebuild()).toMatchObject({ objects: 1, isGapless: true })
  })

  it('are not made where they would touch the reserve', async () => {
    await store.reopen({ space: async () => ({ freeBytes: 1000, totalBytes: 10_000_000 }) })
    await expect(store.engine.maintenance.backUpIndex()).rejects.toMatchObject({ code: 'StorageFull' })
    expect(await recoveryFiles()).toEqual(['000001.log'])
  })

  it('are given up when the store is closed', async () => {
    await fill()
    const copying = store.engine.maintenance.backUpIndex().catch((error: unknown) => error)
    await store.engine.close()
    // It may have been done already.
    expect(await copying).toEqual(
      expect.toSatisfy((end: object) => 'path' in end || ('code' in end && end.code === 'StoreClosed'))
    )
    expect((await recoveryFiles()).filter((name) => !/\.(bak|log)$/.test(name))).toEqual([])
    expect(await loseAndRebuild()).toMatchObject({ isGapless: true, damaged: [] })
  })

  it('know that they are copies: restored by hand, they cost no file', async () => {
    await store.put('old', 'in the copy')
    const { path } = await store.engine.maintenance.backUpIndex()
    await store.put('new', 'not in the copy')
    await store.engine.close()
    for (const suffix of ['-wal', '-shm']) await rm(index() + suffix, { force: true })
    await cp(path, index())
    await store.reopen({ clock: () => Date.now() + DAY_MS / 2 })
    await store.engine.idle()
    expect(await store.blobFiles()).toHaveLength(2)
    expect(await loseAndRebuild()).toMatchObject({ objects: 2, nameless: [] })
  })
})

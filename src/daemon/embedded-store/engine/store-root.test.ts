import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../../ids.ts'
import { BlobFiles } from './blob-files.ts'
import { BUCKET, EngineHarness } from './engine-harness.ts'
import type { ObjectDamaged } from './storage-engine.ts'

const TWO_HOURS_MS = 2 * 3_600_000

let store: EngineHarness
beforeEach(async () => {
  store = await EngineHarness.open()
})
afterEach(() => store.dispose())

const index = () => join(store.directory, 'index.db')
/** Starts the engine when everything that was written until now is long past, and waits for its first check. */
async function startLater(): Promise<void> {
  await store.reopen({ clock: () => Date.now() + TWO_HOURS_MS })
  await store.engine.idle()
}

/** A payload file that no row names, as an interrupted write leaves it. */
async function leftover(): Promise<string> {
  const path = new BlobFiles(store.directory).path(newId())
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, 'x')
  return path
}

describe('the index', () => {
  it('that is missing stops the start while there are files, and nothing is removed', async () => {
    await store.put('k', 'only copy')
    await store.engine.close()
    await rename(index(), `${index()}.aside`)
    await expect(startLater()).rejects.toMatchObject({ code: 'store_index_missing' })
    expect(await store.blobFiles()).toHaveLength(1)
    await rename(`${index()}.aside`, index())
    await startLater()
    expect(String(await store.get('k'))).toBe('only copy')
  })

  it('that was restored from an older copy costs no file, now or at any later start', async () => {
    await store.put('old', 'in the copy')
    await store.engine.close()
    await cp(index(), `${index()}.copy`)
    await store.reopen()
    await store.put('new', 'not in the copy')
    await store.engine.close()
    for (const name of ['index.db-wal', 'index.db-shm']) await rm(join(store.directory, name), { force: true })
    await rename(`${index()}.copy`, index())
    // Of the log it would get back what it lost.
    await rm(join(store.directory, 'recovery'), { recursive: true })
    for (let start = 0; start < 3; start++) {
      await startLater()
      expect(await store.blobFiles()).toHaveLength(2)
      expect(await store.engine.health()).toMatchObject({ keptFiles: 1 })
    }
    expect(await store.listAll()).toEqual(['old'])
  })

  it('that was copied while the store was in use costs no file either', async () => {
    await store.put('old', 'in the copy')
    const copy = `${index()}.copy`
    const sql = new Sqlite(index(), { readonly: true })
    await sql.backup(copy)
    sql.close()
    await store.put('new', 'not in the copy')
    await store.engine.root.renewUse()
    await store.engine.close()
    for (const name of ['index.db-wal', 'index.db-shm']) await rm(join(store.directory, name), { force: true })
    await rename(copy, index())
    await rm(join(store.directory, 'recovery'), { recursive: true })
    await startLater()
    expect(await store.blobFiles()).toHaveLength(2)
  })

  it('gets no new name while nothing changes', async () => {
    const mark = join(store.directory, 'store.json')
    await store.put('k', 'bytes')
    await store.engine.root.renewUse()
    const named = await readFile(mark, 'utf8')
    await store.engine.root.renewUse()
    expect(await readFile(mark, 'utf8')).toBe(named)
  })

  it('that was used last lets leftovers go', async () => {
    await store.put('k', 'bytes')
    for (let start = 0; start < 2; start++) {
      const path = await leftover()
      await startLater()
      expect(existsSync(path)).toBe(false)
    }
    expect(String(await store.get('k'))).toBe('bytes')
  })

  it.each(['before the mark was written', 'right after it'])(
    'is the one used last also when a start ended %s, and the next one as well',
    async (moment) => {
      const mark = join(store.directory, 'store.json')
      const before = await readFile(mark)
      await store.reopen()
      await store.engine.close()
      if (moment === 'before the mark was written') await writeFile(mark, before)
      const sql = new Sqlite(index())
      sql.prepare('UPDATE store_use SET current = ?').run(JSON.parse(String(before)).use)
      sql.close()
      const marked = await readFile(mark)
      await store.reopen()
      await store.engine.close()
      await writeFile(mark, marked)
      const again = new Sqlite(index())
      again.prepare('UPDATE store_use SET current = ?').run(JSON.parse(String(marked)).use)
      again.close()
      const path = await leftover()
      await startLater()
      expect(existsSync(path)).toBe(false)
    }
  )
})

describe('a folder that is gone', () => {
  let damaged: ObjectDamaged[]
  const away = () => `${store.directory}-away`
  beforeEach(async () => {
    damaged = []
    await store.put('k', 'bytes')
    store.engine.onObjectDamaged((event) => damaged.push(event))
    await rename(store.directory, away())
  })
  const offline = { code: 'StoreOffline' }

  it('is no damage: reads and writes say so, and go on when it is back', async () => {
    const { engine } = store
    await expect(engine.headObject(BUCKET, 'k')).rejects.toMatchObject(offline)
    await expect(engine.openObject(BUCKET, 'k')).rejects.toMatchObject(offline)
    await expect(engine.localFile(BUCKET, 'k')).rejects.toMatchObject(offline)
    await expect(engine.openBody({ sizeBytes: 1 })).rejects.toMatchObject(offline)
    await expect(engine.health()).rejects.toMatchObject(offline)
    await expect(engine.housekeeping.reconcile()).rejects.toMatchObject(offline)
    await rename(away(), store.directory)
    expect(String(await store.get('k'))).toBe('bytes')
    await store.put('more', 'bytes')
    expect(damaged).toEqual([])
  })

  it('is told from another disk that is there in its place', async () => {
    await mkdir(join(store.directory, 'blobs'), { recursive: true })
    await writeFile(join(store.directory, 'store.json'), JSON.stringify({ storeId: 'another', use: 'one' }))
    await expect(store.engine.headObject(BUCKET, 'k')).rejects.toMatchObject(offline)
    await rm(store.directory, { recursive: true })
    await rename(away(), store.directory)
    expect(String(await store.get('k'))).toBe('bytes')
  })
})

it('files that a desktop leaves in the folders are in nobody’s way', async () => {
  await store.put('k', 'bytes')
  await writeFile(join(store.directory, 'blobs', '.DS_Store'), '')
  const old = new Date(Date.now() - TWO_HOURS_MS)
  await utimes(join(store.directory, 'blobs', '.DS_Store'), old, old)
  expect(await store.engine.housekeeping.reconcile()).toEqual({ orphans: 0 })
})

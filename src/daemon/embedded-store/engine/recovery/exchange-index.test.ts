import { existsSync } from 'node:fs'
import { cp, readdir, readFile, rename as realRename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { EngineHarness } from '../engine-harness.ts'
import { rebuildIndex } from './rebuild-index.ts'

/** The steps of renaming and flushing in the folder of the store, and the one before which the computer stops. */
const disk = vi.hoisted(() => ({ steps: [] as string[], stopsAt: Number.POSITIVE_INFINITY }))
const step = vi.hoisted(() => (what: string) => {
  if (disk.steps.length >= disk.stopsAt) throw new Error('the computer stopped')
  disk.steps.push(what)
})
vi.mock(import('node:fs/promises'), async (original) => {
  const fs = await original()
  const nameOf = (path: unknown) => String(path).split(/[\\/]/).at(-1) ?? ''
  const rename: typeof fs.rename = async (from, to) => {
    if (nameOf(from).startsWith('index.db'))
      step(`${nameOf(from)} to ${nameOf(to).replace(/before-.*?(?=-wal|$)/, 'aside')}`)
    await fs.rename(from, to)
  }
  return { ...fs, rename }
})
vi.mock(import('../../../files.ts'), async (original) => {
  const files = await original()
  const syncFolder = async (path: string) => {
    if (path === store?.directory) step('flush')
    await files.syncFolder(path)
  }
  return { ...files, syncFolder }
})

let store: EngineHarness
beforeEach(async () => {
  disk.stopsAt = Number.POSITIVE_INFINITY
  store = await EngineHarness.open()
  await store.reopen()
  await store.put('a', 'in the log of SQLite')
  await store.put('b', 'this one, too')
  for (const suffix of ['', '-wal']) await cp(index() + suffix, `${store.directory}${suffix}.kept`)
  await store.engine.close()
  for (const suffix of ['', '-wal']) await realRename(`${store.directory}${suffix}.kept`, index() + suffix)
  disk.steps = []
})
afterEach(() => store.dispose())

const index = () => join(store.directory, 'index.db')
const asideFiles = async () => (await readdir(store.directory)).filter((name) => name.includes('.before-')).toSorted()

it('the old index goes before its log, and the new one comes when both are gone for good', async () => {
  await rebuildIndex(store.directory)
  expect(disk.steps).toEqual([
    'index.db to index.db.aside',
    'flush',
    'index.db-wal to index.db.aside-wal',
    'flush',
    'index.db.rebuilding to index.db',
    'flush'
  ])
})

it.each([0, 1, 2, 3, 4, 5])('where a power cut comes after %i steps, nothing is lost', async (steps) => {
  const [oldIndex, oldLog] = [await readFile(index()), await readFile(`${index()}-wal`)]
  disk.stopsAt = steps
  await expect(rebuildIndex(store.directory)).rejects.toThrow('the computer stopped')
  disk.stopsAt = Number.POSITIVE_INFINITY
  if (!existsSync(index())) await expect(store.reopen()).rejects.toMatchObject({ code: 'store_index_missing' })
  else if (existsSync(`${index()}-wal`)) expect(await readFile(index())).toEqual(oldIndex)
  await rebuildIndex(store.directory)
  const kept = await Promise.all((await asideFiles()).map((name) => readFile(join(store.directory, name))))
  expect(kept).toEqual(expect.arrayContaining([oldIndex, oldLog]))
  await store.reopen()
  expect(await store.listAll()).toEqual(['a', 'b'])
})

it('what was set aside before stays', async () => {
  for (let n = 0; n < 3; n++) await rebuildIndex(store.directory)
  expect((await asideFiles()).filter((name) => !name.endsWith('-wal'))).toHaveLength(3)
})

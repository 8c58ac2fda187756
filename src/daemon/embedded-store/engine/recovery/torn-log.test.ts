import { appendFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { EngineHarness } from '../engine-harness.ts'
import { rebuildIndex } from './rebuild-index.ts'
import { readLog } from './recovery-record.ts'

/** How many bytes of the next write reach the file before the disk refuses; null: all. */
const disk = vi.hoisted(() => ({ takesBytes: null as number | null }))
vi.mock(import('node:fs'), async (original) => {
  const fs = await original()
  const writeSync = (fd: number, bytes: Uint8Array, ...where: [number, number, number]) => {
    if (disk.takesBytes === null) return fs.writeSync(fd, bytes, ...where)
    const [offset, , position] = where
    fs.writeSync(fd, bytes, offset, disk.takesBytes, position)
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  }
  return { ...fs, writeSync: writeSync as typeof fs.writeSync }
})

let store: EngineHarness
beforeEach(async () => {
  disk.takesBytes = null
  store = await EngineHarness.open()
})
afterEach(() => store.dispose())

const log = () => join(store.directory, 'recovery', '000001.log')

async function unreadableLines(): Promise<number> {
  let count = 0
  for await (const record of readLog(log())) if (record === null) count++
  return count
}

async function loseIndex(): Promise<void> {
  await store.engine.close()
  for (const suffix of ['', '-wal', '-shm']) await rm(join(store.directory, `index.db${suffix}`), { force: true })
}

it.each([
  ['a line that is torn', () => appendFile(log(), '00000000 {"what":"obj')],
  ['zeros', () => appendFile(log(), Buffer.alloc(300_000))],
  ['zeros that end like a line', () => appendFile(log(), Buffer.concat([Buffer.alloc(5000), Buffer.from('\n')]))],
  ['lines of another file', () => appendFile(log(), 'one\ntwo\nthree\n')],
  ['nothing, and the last line without its end', async () => truncate(log(), (await stat(log())).size - 1)]
])('%s at the end of a log after a power cut: cut off, and nothing is written behind it', async (_, cutPower) => {
  await store.put('a', 'whole')
  await store.engine.close()
  await cutPower()
  await store.reopen()
  expect(await unreadableLines()).toBe(0)
  await store.put('b', 'after it')
  await store.engine.close()
  expect(await readdir(join(store.directory, 'recovery'))).toEqual(['000001.log'])
  expect(await unreadableLines()).toBe(0)
  await loseIndex()
  expect(await rebuildIndex(store.directory)).toMatchObject({ objects: 2, unreadableLines: 0, isGapless: true })
})

it('a log that nothing can be read of is left as it is, and a new one with a copy is begun', async () => {
  await store.put('a', 'whole')
  await store.engine.close()
  await truncate(log(), 0)
  await appendFile(log(), Buffer.alloc(5000))
  await store.reopen()
  await store.engine.idle()
  expect((await readdir(join(store.directory, 'recovery'))).toSorted()).toEqual([
    '000001.log',
    '000002.log',
    '000003.bak',
    '000003.log'
  ])
  expect((await stat(log())).size).toBe(5000)
})

it('a log that was begun right before a kill, with nothing in it, is no end', async () => {
  await store.put('a', 'whole')
  await store.engine.close()
  await writeFile(join(store.directory, 'recovery', '000002.log'), '')
  await store.reopen()
  await store.engine.idle()
  expect(store.engine.root.mayRemoveUnknownFiles).toBe(true)
  await store.put('b', 'after it')
  await loseIndex()
  expect(await rebuildIndex(store.directory)).toMatchObject({ objects: 2, unreadableLines: 0, isGapless: true })
})

it('what a full disk took half of is taken back before the next line', async () => {
  disk.takesBytes = 20
  await store.put('a', 'its line is written later')
  disk.takesBytes = 0
  await store.put('b', 'so is this one')
  disk.takesBytes = null
  await store.put('c', 'now')
  await store.engine.close()
  expect(await unreadableLines()).toBe(0)
  await loseIndex()
  expect(await rebuildIndex(store.directory)).toMatchObject({ objects: 3, unreadableLines: 0, isGapless: true })
})

import { existsSync } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { newId } from '../../../ids.ts'
import { BlobFiles } from '../blob-files.ts'
import { EngineHarness } from '../engine-harness.ts'
import { rebuildIndex } from './rebuild-index.ts'

const TWO_HOURS_MS = 2 * 3_600_000

let store: EngineHarness
beforeEach(async () => {
  store = await EngineHarness.open()
  await store.put('first', '1')
  await store.engine.maintenance.backUpIndex()
  await store.put('second', '2')
  await store.engine.maintenance.backUpIndex()
  await store.put('third', '3')
  await store.engine.close()
})
afterEach(() => store.dispose())

const recovery = (name: string) => join(store.directory, 'recovery', name)

/** A file that a bad disk does not give back. */
async function makeUnreadable(path: string): Promise<void> {
  await rm(path)
  await mkdir(path)
}

/** A payload file that no row names. */
async function unknownFile(): Promise<string> {
  const path = new BlobFiles(store.directory).path(newId())
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, 'x')
  return path
}

async function startLater(): Promise<void> {
  await store.reopen({ clock: () => Date.now() + TWO_HOURS_MS })
  await store.engine.idle()
}

/** What is there is known, so that nothing but the gap itself can tell that there may be more. */
async function rebuildWithGap() {
  await makeUnreadable(recovery('000002.log'))
  await rm(recovery('000003.bak'))
  const [second] = await store.blobPaths().then((paths) => findWith(paths, '2'))
  await rm(second ?? '')
  return rebuildIndex(store.directory)
}

async function findWith(paths: string[], content: string): Promise<string[]> {
  const found = await Promise.all(paths.map(async (path) => String(await readFile(path)) === content))
  return paths.filter((_, at) => found[at])
}

it('a log that cannot be read keeps nobody from what the others tell, and is told', async () => {
  await makeUnreadable(recovery('000002.log'))
  await rm(recovery('000003.bak'))
  const report = await rebuildIndex(store.directory)
  expect(report).toMatchObject({ isGapless: false, unreadableLogs: [recovery('000002.log')] })
  expect(report.nameless).toHaveLength(1)
  await startLater()
  expect(await store.listAll()).toEqual(['first', 'third'])
  expect(await store.blobFiles()).toHaveLength(3)
  expect(await store.engine.health()).toMatchObject({ keptFiles: 1 })
})

it('a copy that cannot be read is passed over', async () => {
  await makeUnreadable(recovery('000003.bak'))
  expect(await rebuildIndex(store.directory)).toMatchObject({
    backup: recovery('000002.bak'),
    objects: 3,
    isGapless: true,
    unreadableLogs: []
  })
  await startLater()
  expect(store.engine.root.mayRemoveUnknownFiles).toBe(true)
})

it('after a gap, files that turn up later are kept as well', async () => {
  expect(await rebuildWithGap()).toMatchObject({ objects: 2, isGapless: false, nameless: [] })
  const path = await unknownFile()
  for (let start = 0; start < 2; start++) {
    await startLater()
    expect(existsSync(path)).toBe(true)
    expect(await store.engine.health()).toMatchObject({ keptFiles: 1 })
  }
})

it('after a torn end of the log, too', async () => {
  await appendFile(recovery('000003.log'), Buffer.alloc(5000))
  expect(await rebuildIndex(store.directory)).toMatchObject({ objects: 3, isGapless: true, unreadableLines: 1 })
  const path = await unknownFile()
  await startLater()
  expect(existsSync(path)).toBe(true)
})

it('after a gap a copy is made at once, so that it does not show again', async () => {
  await rebuildWithGap()
  await startLater()
  expect(store.engine.maintenance.lastIndexBackup()?.path).toBe(recovery('000005.bak'))
  await store.put('fourth', '4')
  await store.engine.close()
  expect(await rebuildIndex(store.directory)).toMatchObject({ objects: 3, isGapless: true, unreadableLogs: [] })
})

it('who has decided has the files without a name set aside, and all is as before', async () => {
  await makeUnreadable(recovery('000002.log'))
  await rm(recovery('000003.bak'))
  const report = await rebuildIndex(store.directory, { setsNamelessAside: true })
  const [nameless] = report.nameless
  expect(nameless?.path).toMatch(/nameless/)
  expect(String(await readFile(nameless?.path ?? ''))).toBe('2')
  expect(await readdir(join(store.directory, 'nameless'))).toHaveLength(1)
  const path = await unknownFile()
  await startLater()
  expect(existsSync(path)).toBe(false)
  expect(existsSync(nameless?.path ?? '')).toBe(true)
  expect(await store.engine.health()).toMatchObject({ keptFiles: 0 })
})

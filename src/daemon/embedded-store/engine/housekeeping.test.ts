import { lstat, mkdir, rename, rm, rmdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { newId } from '../../ids.ts'
import { BlobFiles } from './blob-files.ts'
import { BUCKET, EngineHarness, flipBit } from './engine-harness.ts'
import type { ObjectDamaged } from './storage-engine.ts'
import { Unhurried } from './unhurried.ts'

const MIB = 1024 ** 2
const HOUR_MS = 3_600_000

let now: number
let damaged: ObjectDamaged[]
let store: EngineHarness
beforeEach(async () => {
  now = 1_700_000_000_000
  damaged = []
  store = await EngineHarness.open({ clock: () => now })
  store.engine.onObjectDamaged((event) => damaged.push(event))
})
afterEach(() => store.dispose())

async function pathOf(key: string): Promise<string> {
  const { path, release } = await store.engine.localFile(BUCKET, key)
  release()
  return path
}
/** Puts something in the place of a file that cannot be unlinked, as one that another program keeps open on Windows. */
async function nailDown(path: string): Promise<void> {
  await rm(path, { force: true })
  await mkdir(path, { recursive: true })
}
const damagedBlobs = () => store.engine.maintenance.scrubState().damagedBlobs

it('removes all other unused files where one cannot be removed, and that one later', async () => {
  for (const key of ['stuck', 'goes', 'too']) await store.put(key, key)
  const stuck = await pathOf('stuck')
  await nailDown(stuck)
  for (const key of ['stuck', 'goes', 'too']) await store.engine.deleteObject(BUCKET, key)
  now += HOUR_MS
  expect(await store.engine.housekeeping.collect()).toBe(2)
  expect(await store.blobFiles()).toEqual([])
  await store.put('later', 'later')
  await store.engine.deleteObject(BUCKET, 'later')
  now += HOUR_MS
  expect(await store.engine.housekeeping.collect()).toBe(1)
  await rmdir(stuck)
  await writeFile(stuck, 'a file again')
  await store.engine.housekeeping.collect()
  expect(await store.blobFiles()).toEqual([])
})

it('checks on where a leftover file cannot be removed, or a file not be looked at', async () => {
  const files = new BlobFiles(store.directory)
  const leftover = files.path(newId())
  await nailDown(leftover)
  await utimes(leftover, 0, 0)
  const unknown = files.path(newId())
  await mkdir(dirname(unknown), { recursive: true })
  await symlink('x'.repeat(300), unknown)
  await store.put('locked', 'locked')
  await store.put('gone', 'gone')
  const [locked, gone] = [await pathOf('locked'), await pathOf('gone')]
  const aside = join(store.directory, 'aside')
  await rename(locked, aside)
  // As with a folder that may not be entered, every look at it is refused.
  await symlink('x'.repeat(300), locked)
  await rm(gone)
  await store.engine.housekeeping.reconcile()
  expect(damaged.map(({ key }) => key)).toEqual(['gone'])
  await rmdir(leftover)
  await writeFile(leftover, 'a file again')
  await store.engine.housekeeping.collect()
  expect(await store.blobPaths()).toEqual([])
  expect(await lstat(unknown)).toBeDefined()
  await rm(locked)
  await rename(aside, locked)
  expect(String(await store.get('locked'))).toBe('locked')
})

it('does not hold up the end while it reads a damaged file again', async () => {
  await store.put('film', Buffer.alloc(16 * MIB, 'film'))
  const path = await pathOf('film')
  await flipBit(path)
  await expect(store.get('film')).rejects.toThrow()
  await flipBit(path)
  let steps = 0
  const spy = vi.spyOn(Unhurried.prototype, 'step').mockImplementation(async () => {
    if (++steps === 5) void store.engine.close()
  })
  onTestFinished(() => spy.mockRestore())
  await store.reopen()
  await vi.waitFor(() => expect(steps).toBeGreaterThanOrEqual(5), 20_000)
  spy.mockRestore()
  await store.reopen()
  // Ended before it had read the file, it does not know yet that it is whole.
  expect(damagedBlobs()).toBe(1)
  await store.engine.idle()
  expect(damagedBlobs()).toBe(0)
})

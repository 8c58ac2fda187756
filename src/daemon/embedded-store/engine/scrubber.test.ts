import { copyFile, open, readdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { BUCKET, EngineHarness, flipBit, OWNER } from './engine-harness.ts'
import type { ObjectDamaged } from './storage-engine.ts'

const MIB = 1024 ** 2
const DAY_MS = 24 * 3_600_000

let now: number
let mayScrub: () => boolean
let damaged: ObjectDamaged[]
let onSuspected: () => Promise<void>
let store: EngineHarness
beforeEach(async () => {
  now = 1_700_000_000_000
  mayScrub = () => true
  damaged = []
  onSuspected = async () => {}
  store = await EngineHarness.open({
    clock: () => now,
    mayScrub: () => mayScrub(),
    scrubBytesPerSecond: 1024 ** 3,
    hooks: { atStep: (step) => (step === 'suspected' ? onSuspected() : undefined) }
  })
  store.engine.onObjectDamaged((event) => damaged.push(event))
})
afterEach(() => store.dispose())

const scrubState = () => store.engine.maintenance.scrubState()
async function pathOf(key: string): Promise<string> {
  const { path, release } = await store.engine.localFile(BUCKET, key)
  release()
  return path
}
/** Asks for a round and waits for its end. */
async function scrub(): Promise<void> {
  now += 1000
  const askedAtMs = now
  store.engine.maintenance.scrubNow()
  await vi.waitFor(() => {
    expect(scrubState()).toMatchObject({ state: 'idle' })
    expect(scrubState().roundFinishedAtMs).toBeGreaterThanOrEqual(askedAtMs)
  }, 20_000)
}
const quarantined = () => readdir(join(store.directory, 'quarantine'))

it('finds a flipped bit, names the objects, and keeps a name for the bytes', async () => {
  await store.put('good', 'these bytes stay as they are')
  await store.put('bad', 'these bytes change')
  await store.engine.copyObject({ source: { bucket: BUCKET, key: 'bad' }, bucket: BUCKET, key: 'copy' })
  const path = await pathOf('bad')
  await flipBit(path)
  await scrub()
  const reason = 'The payload file holds other bytes than were written.'
  const byKey = damaged.toSorted((a, b) => (a.key < b.key ? -1 : 1))
  expect(byKey).toEqual(['bad', 'copy'].map((key) => ({ bucket: BUCKET, key, reason })))
  await expect(store.get('bad')).rejects.toMatchObject({ code: 'ObjectDamaged' })
  expect(String(await store.get('good'))).toBe('these bytes stay as they are')
  expect(scrubState()).toMatchObject({ damagedBlobs: 1, oldestCheckAtMs: now })
  // The payload stays where it is, and what is left of it outlives its objects.
  expect(await store.blobPaths()).toContain(path)
  await store.put('bad', 'sent again')
  await store.engine.deleteObject(BUCKET, 'copy')
  now += 3_600_000
  await store.engine.housekeeping.collect()
  expect(await store.blobPaths()).not.toContain(path)
  expect(await quarantined()).toHaveLength(1)
})

it('finds a flipped bit in a part of a multipart object', async () => {
  const upload = await store.engine.createUpload({ bucket: BUCKET, key: 'video', owner: OWNER })
  const parts = []
  for (const number of [1, 2])
    parts.push(
      await store.engine.putPart({ upload, number, body: await store.body(Buffer.alloc(5 * MIB, String(number))) })
    )
  await store.engine.completeUpload({ upload, parts })
  const [, second = ''] = await store.blobPaths()
  await flipBit(second, 5 * MIB - 1)
  await scrub()
  expect(damaged.map(({ key }) => key)).toEqual(['video'])
})

it('does not mark what reads badly once and well the second time', async () => {
  await store.put('k', 'bytes that a cable got wrong')
  const path = await pathOf('k')
  await flipBit(path)
  onSuspected = () => flipBit(path)
  await scrub()
  expect(damaged).toEqual([])
  expect(String(await store.get('k'))).toBe('bytes that a cable got wrong')
})

it('counts a file that cannot be read as damage', async () => {
  await store.put('k', 'some bytes')
  const path = await pathOf('k')
  await rm(path)
  // As with a bad sector, every attempt to read it ends with an error.
  await symlink(path, path)
  await scrub()
  expect(damaged).toMatchObject([{ key: 'k', reason: expect.stringContaining('cannot be read') }])
})

it('takes no file for damaged that it may not open now, checks the others, and comes back to it', async () => {
  await store.put('locked', 'bytes that a virus scanner holds')
  now += 1000
  const bad = await store.put('bad', 'bytes that change')
  await flipBit(await pathOf('bad'))
  const path = await pathOf('locked')
  const aside = join(store.directory, 'aside')
  await rename(path, aside)
  // As with a file that another program keeps for itself, every attempt to open it is refused.
  await symlink('x'.repeat(300), path)
  now += 1000
  store.engine.maintenance.scrubNow()
  await store.engine.caretaker.wake()
  expect(damaged.map(({ key }) => key)).toEqual(['bad'])
  expect(scrubState()).toMatchObject({ state: 'idle', roundFinishedAtMs: null, uncheckedBlobs: 1, damagedBlobs: 1 })
  expect(scrubState().oldestCheckAtMs).toBeLessThan(bad.lastModifiedMs)
  await rm(path)
  await rename(aside, path)
  now += 1000
  await store.engine.caretaker.wake()
  expect(scrubState()).toMatchObject({ roundFinishedAtMs: now, uncheckedBlobs: 0, damagedBlobs: 1 })
  expect(String(await store.get('locked'))).toBe('bytes that a virus scanner holds')
})

it('leaves a damaged file damaged that it may not open now', async () => {
  await store.put('k', 'bytes')
  const path = await pathOf('k')
  await flipBit(path)
  await scrub()
  await rm(path)
  await symlink('x'.repeat(300), path)
  now += 1000
  store.engine.maintenance.scrubNow()
  await store.engine.caretaker.wake()
  // Not told again, as nothing was found out.
  expect(damaged).toHaveLength(1)
  expect(scrubState()).toMatchObject({ uncheckedBlobs: 1, damagedBlobs: 1 })
})

it('is no damage when an object goes while it is checked', async () => {
  await store.put('k', 'bytes')
  const path = await pathOf('k')
  await flipBit(path)
  onSuspected = async () => {
    await flipBit(path)
    await store.engine.deleteObject(BUCKET, 'k')
    now += 3_600_000
    await store.engine.housekeeping.collect()
    // Held by the check.
    expect(await store.blobPaths()).toEqual([path])
  }
  await scrub()
  expect(damaged).toEqual([])
  await store.engine.housekeeping.collect()
  expect(await store.blobPaths()).toEqual([])
})

it('waits while a body is being received', async () => {
  await store.put('k', 'bytes')
  await flipBit(await pathOf('k'))
  const body = await store.engine.openBody({ sizeBytes: null })
  now += 1000
  store.engine.maintenance.scrubNow()
  await vi.waitFor(
    () => expect(scrubState()).toMatchObject({ state: 'waiting', roundBytes: 5, roundCheckedBytes: 0 }),
    20_000
  )
  expect(damaged).toEqual([])
  await body.discard()
  await vi.waitFor(() => expect(damaged).toHaveLength(1), 20_000)
})

it('goes on after a restart where it was', async () => {
  await store.put('first', 'a')
  now += 1000
  await store.put('second', 'b')
  now += 1000
  const firstCheckAtMs = now + 1000
  // On battery from the first file on.
  mayScrub = () => scrubState().roundCheckedBytes === 0
  now += 1000
  store.engine.maintenance.scrubNow()
  await vi.waitFor(
    () => expect(scrubState()).toMatchObject({ state: 'waiting', roundBytes: 2, roundCheckedBytes: 1 }),
    20_000
  )
  await store.engine.close()
  now += 1000
  mayScrub = () => true
  await store.reopen()
  store.engine.onObjectDamaged((event) => damaged.push(event))
  await vi.waitFor(() => expect(scrubState().roundFinishedAtMs).toBe(now), 20_000)
  // The first one was not read again.
  expect(scrubState()).toMatchObject({ state: 'idle', oldestCheckAtMs: firstCheckAtMs })
  expect(damaged).toEqual([])
})

it('checks by itself what was not checked for three weeks, and only that', async () => {
  await store.put('old', 'old bytes')
  now += 20 * DAY_MS
  await store.put('young', 'young bytes')
  const youngAtMs = now
  await flipBit(await pathOf('young'))
  await flipBit(await pathOf('old'))
  now += 2 * DAY_MS
  await store.engine.caretaker.wake()
  expect(scrubState().roundFinishedAtMs).toBe(now)
  expect(damaged.map(({ key }) => key)).toEqual(['old'])
  expect(scrubState()).toMatchObject({ oldestCheckAtMs: youngAtMs })
})

it('checks at once what a clock that was ahead says was checked in years to come', async () => {
  const trueTime = now
  now += 3000 * DAY_MS
  await store.put('k', 'bytes')
  await flipBit(await pathOf('k'))
  now = trueTime
  await store.engine.caretaker.wake()
  expect(damaged.map(({ key }) => key)).toEqual(['k'])
  expect(scrubState().oldestCheckAtMs).toBe(now)
})

it('marks nothing while the store is unplugged, and checks when it is back', async () => {
  await store.put('k', 'bytes')
  const away = `${store.directory}.away`
  await rename(store.directory, away)
  now += 1000
  let looked = false
  mayScrub = () => {
    looked = true
    return true
  }
  try {
    store.engine.maintenance.scrubNow()
    await vi.waitFor(() => {
      expect(looked).toBe(true)
      expect(scrubState().state).toBe('idle')
    }, 20_000)
  } finally {
    await rename(away, store.directory)
  }
  expect(scrubState()).toMatchObject({ damagedBlobs: 0, roundFinishedAtMs: null })
  await scrub()
  expect(damaged).toEqual([])
})

it('takes a damaged file for whole again when it was put back', async () => {
  await store.put('k', 'the only copy')
  const path = await pathOf('k')
  const backup = join(store.directory, 'backup')
  await copyFile(path, backup)
  await flipBit(path)
  await scrub()
  expect(damaged).toHaveLength(1)
  expect(await quarantined()).toHaveLength(1)
  await scrub()
  // Told again at each look.
  expect(damaged).toHaveLength(2)
  await rename(backup, path)
  await scrub()
  expect(damaged).toHaveLength(2)
  expect(String(await store.get('k'))).toBe('the only copy')
  expect(await store.engine.maintenance.damagedObjects({ limit: 10 })).toEqual([])
  expect(await quarantined()).toEqual([])
})

it('marks what is damaged also when no name can be kept for it', async () => {
  await store.put('k', 'bytes')
  await flipBit(await pathOf('k'))
  await (await open(join(store.directory, 'quarantine'), 'w')).close()
  await scrub()
  expect(damaged).toHaveLength(1)
})

import { rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { Contiguous } from './contiguous.ts'
import { BUCKET, EngineHarness, flipBit, OWNER, sha256 } from './engine-harness.ts'
import { isScattered } from './idle-compaction.ts'
import type { ObjectDamaged } from './storage-engine.ts'

const MIB = 1024 ** 2
const HOUR_MS = 3_600_000
const PARTS = ['first part, ', 'second part, ', 'third part']
const WHOLE = PARTS.join('')

let now: number
let freeBytes: number
let mayScrub: () => boolean
let damaged: ObjectDamaged[]
let store: EngineHarness
beforeEach(async () => {
  now = 1_700_000_000_000
  freeBytes = 100 * MIB
  mayScrub = () => true
  damaged = []
  store = await EngineHarness.open({
    clock: () => now,
    minPartBytes: 1,
    mayScrub: () => mayScrub(),
    space: async () => ({ freeBytes, totalBytes: 100 * MIB })
  })
  store.engine.onObjectDamaged((event) => damaged.push(event))
})
afterEach(() => store.dispose())

async function putInParts(key: string): Promise<void> {
  const upload = await store.engine.createUpload({ bucket: BUCKET, key, owner: OWNER })
  const parts = []
  for (const [index, text] of PARTS.entries())
    parts.push(await store.engine.putPart({ upload, number: index + 1, body: await store.body(Buffer.from(text)) }))
  await store.engine.completeUpload({ upload, parts })
}
/** Lets the store do what it does when it is idle, and gives the number of payload files then. */
async function rest(): Promise<number> {
  now += 2 * HOUR_MS
  await store.engine.caretaker.wake()
  now += HOUR_MS
  await store.engine.housekeeping.collect()
  return (await store.blobFiles()).length
}

it('makes one file of an object in small pieces, which stays the same object', async () => {
  await putInParts('video')
  const before = await store.engine.headObject(BUCKET, 'video')
  expect(await rest()).toBe(1)
  expect(await store.engine.headObject(BUCKET, 'video')).toEqual({ ...before, sha256: sha256(WHOLE) })
  expect(String(await store.get('video'))).toBe(WHOLE)
  await putInParts('another')
  expect(await rest()).toBe(2)
})

it('leaves what has just arrived alone', async () => {
  await putInParts('video')
  await store.engine.caretaker.wake()
  expect(await store.blobFiles()).toHaveLength(3)
})

it('does nothing while a body is being received', async () => {
  await putInParts('video')
  const body = await store.engine.openBody({ sizeBytes: null })
  expect(await rest()).toBe(3)
  await body.discard()
  expect(await rest()).toBe(1)
})

it('gives way, and its room back, to what begins meanwhile', async () => {
  await putInParts('video')
  let asked = 0
  // Idle when it begins, and no longer at the second piece.
  mayScrub = () => ++asked <= 2
  expect(await rest()).toBe(3)
  expect(asked).toBeGreaterThan(2)
  expect(await store.engine.health()).toMatchObject({ availableBytes: freeBytes })
  mayScrub = () => true
  expect(await rest()).toBe(1)
})

it('does nothing where a second copy would take much of the room', async () => {
  await putInParts('video')
  freeBytes = 4 * WHOLE.length - 1
  expect(await rest()).toBe(3)
  expect(await store.engine.health()).toMatchObject({ writable: true })
  freeBytes = 4 * WHOLE.length
  expect(await rest()).toBe(1)
})

it('leaves copies in the pieces that they share', async () => {
  await putInParts('video')
  await store.engine.copyObject({ source: { bucket: BUCKET, key: 'video' }, bucket: BUCKET, key: 'copy' })
  expect(await rest()).toBe(3)
})

it('never puts damaged bytes into a new file, and goes on with the next object', async () => {
  await putInParts('bad')
  const [first = ''] = await store.blobPaths()
  await flipBit(first)
  now += 1000
  await putInParts('good')
  expect(await rest()).toBe(3 + 1)
  expect(damaged).toMatchObject([{ key: 'bad' }])
  expect(String(await store.get('good'))).toBe(WHOLE)
  await expect(store.get('bad')).rejects.toMatchObject({ code: 'ObjectDamaged' })
})

it('begins what fails once a day, and goes on with the next object', async () => {
  await putInParts('locked')
  const [first = ''] = await store.blobPaths()
  now += 1000
  await putInParts('good')
  const aside = join(store.directory, 'aside')
  await rename(first, aside)
  // As with a file that another program keeps for itself, every attempt to open it is refused.
  await symlink('x'.repeat(300), first)
  const compact = vi.spyOn(Contiguous.prototype, 'compact')
  onTestFinished(() => compact.mockRestore())
  const begun = () => compact.mock.calls.map(([, key]) => key)
  await rest()
  await rest()
  expect(begun()).toEqual(['locked', 'good'])
  await rm(first)
  await rename(aside, first)
  now += 24 * HOUR_MS
  expect(await rest()).toBe(2)
  expect(begun()).toEqual(['locked', 'good', 'locked'])
  expect(damaged).toEqual([])
})

it('does not begin without end what others interrupt each time', async () => {
  await putInParts('video')
  const compact = vi.spyOn(Contiguous.prototype, 'compact')
  onTestFinished(() => compact.mockRestore())
  for (let times = 0; times < 6; times++) {
    let asked = 0
    mayScrub = () => ++asked <= 2
    now += 2 * HOUR_MS
    await store.engine.caretaker.wake()
  }
  expect(compact).toHaveBeenCalledTimes(3)
  mayScrub = () => true
  now += 24 * HOUR_MS
  expect(await rest()).toBe(1)
})

it.each([
  [1, 1, false],
  [2, 8 * MIB, false],
  [2, 8 * MIB - 1, true],
  [64, 320 * MIB, false],
  [65, 325 * MIB, true]
])('%i pieces of %i bytes: %s', (extents, sizeBytes, scattered) => {
  expect(isScattered({ extents, sizeBytes })).toBe(scattered)
})

import { open, rename, symlink } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BUCKET, EngineHarness, flipBit, OWNER } from './engine-harness.ts'
import type { ObjectDamaged } from './storage-engine.ts'

const MIB = 1024 ** 2
const HOUR_MS = 3_600_000
const REFUSED = { code: 'ObjectDamaged' }

let now: number
let damaged: ObjectDamaged[]
let onSuspected: () => Promise<void>
let store: EngineHarness
beforeEach(async () => {
  now = 1_700_000_000_000
  damaged = []
  onSuspected = async () => {}
  store = await EngineHarness.open({
    clock: () => now,
    hooks: { atStep: (step) => (step === 'suspected' ? onSuspected() : undefined) }
  })
  store.engine.onObjectDamaged((event) => damaged.push(event))
})
afterEach(() => store.dispose())

async function pathOf(key: string): Promise<string> {
  const { path, release } = await store.engine.localFile(BUCKET, key)
  release()
  return path
}
const createUpload = (key: string) => store.engine.createUpload({ bucket: BUCKET, key, owner: OWNER })

/** Reads until the stream ends, however it does. */
async function drain(stream: Readable): Promise<{ bytes: number; error: unknown }> {
  let bytes = 0
  try {
    for await (const chunk of stream) bytes += (chunk as Buffer).length
    return { bytes, error: null }
  } catch (error) {
    return { bytes, error }
  }
}
async function read(key: string, range?: { start: number; end: number }) {
  const handle = await store.engine.openObject(BUCKET, key)
  try {
    return await drain(handle.read(range))
  } finally {
    handle.close()
  }
}

describe('a whole read', () => {
  it('of other bytes than were written ends short, and is reported', async () => {
    await store.put('k', Buffer.alloc(2 * MIB, 'x'))
    await flipBit(await pathOf('k'))
    const { bytes, error } = await read('k')
    expect(error).toMatchObject(REFUSED)
    expect(bytes).toBeGreaterThan(MIB)
    expect(bytes).toBeLessThan(2 * MIB)
    expect(damaged).toMatchObject([{ key: 'k', reason: expect.stringContaining('other bytes') }])
    await expect(store.get('k')).rejects.toMatchObject(REFUSED)
  })

  it('of a small object gives none of the wrong bytes', async () => {
    await store.put('k', 'a few bytes')
    await flipBit(await pathOf('k'))
    expect(await read('k')).toMatchObject({ bytes: 0, error: REFUSED })
  })

  it('into buffers of the caller fails where it reaches the end, and not where it began later', async () => {
    await store.put('k', Buffer.alloc(2 * MIB, 'x'))
    await flipBit(await pathOf('k'))
    const handle = await store.engine.openObject(BUCKET, 'k')
    try {
      const buffer = Buffer.alloc(MIB)
      expect(await handle.readAt(buffer, MIB)).toBe(MIB)
      expect(await handle.readAt(buffer, 0)).toBe(MIB)
      await expect(handle.readAt(buffer, MIB)).rejects.toMatchObject(REFUSED)
    } finally {
      handle.close()
    }
    expect(damaged).toMatchObject([{ key: 'k', reason: expect.stringContaining('other bytes') }])
  })

  it('of a file that cannot be opened now is an outage, which marks nothing', async () => {
    await store.put('k', Buffer.alloc(2 * MIB, 'x'))
    const [path] = await store.blobPaths()
    const handle = await store.engine.openObject(BUCKET, 'k')
    await rename(path!, `${path}.kept`)
    // As with a file that another program keeps for itself, every attempt to open it is refused.
    await symlink('x'.repeat(300), path!)
    const offline = { code: 'StoreOffline' }
    await expect(handle.readAt(Buffer.alloc(1), 0)).rejects.toMatchObject(offline)
    expect((await drain(handle.read())).error).toMatchObject(offline)
    handle.close()
    await expect(store.engine.headObject(BUCKET, 'k')).rejects.toMatchObject(offline)
    await rename(`${path}.kept`, path!)
    expect(await read('k')).toMatchObject({ bytes: 2 * MIB, error: null })
    expect(damaged).toEqual([])
  })

  it('that fails once and not again marks nothing', async () => {
    await store.put('k', 'a few bytes')
    const path = await pathOf('k')
    await flipBit(path)
    onSuspected = () => flipBit(path)
    expect((await read('k')).error).toMatchObject({ name: 'DamagedBlobError' })
    expect(damaged).toEqual([])
    expect(String(await store.get('k'))).toBe('a few bytes')
  })

  it('of a multipart object ends in the part that is damaged', async () => {
    const upload = await createUpload('video')
    const parts = []
    for (const number of [1, 2])
      parts.push(
        await store.engine.putPart({ upload, number, body: await store.body(Buffer.alloc(5 * MIB, `${number}`)) })
      )
    await store.engine.completeUpload({ upload, parts })
    const handle = await store.engine.openObject(BUCKET, 'video')
    for (const path of await store.blobPaths()) {
      const file = await open(path)
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 0)
      await file.close()
      if (String(buffer) === '2') await flipBit(path)
    }
    expect(await drain(handle.read({ start: 0, end: 5 * MIB - 1 }))).toEqual({ bytes: 5 * MIB, error: null })
    const { bytes, error } = await drain(handle.read())
    handle.close()
    expect(error).toMatchObject(REFUSED)
    expect(bytes).toBeGreaterThan(5 * MIB)
    expect(bytes).toBeLessThan(10 * MIB)
    expect(damaged).toMatchObject([{ key: 'video' }])
  })
})

describe('a part that is copied', () => {
  it.each([
    ['of a whole object', undefined],
    ['of a range beside the wrong byte', { start: 100, end: 199 }]
  ])('never takes damaged bytes for good ones: %s', async (_, range) => {
    await store.put('k', Buffer.alloc(1000, 'x'))
    await flipBit(await pathOf('k'))
    const upload = await createUpload('copy')
    now += 2 * HOUR_MS
    await expect(
      store.engine.copyPart({ upload, number: 1, source: { bucket: BUCKET, key: 'k' }, ...(range && { range }) })
    ).rejects.toMatchObject(REFUSED)
    expect(damaged).toMatchObject([{ key: 'k' }])
    expect(await store.engine.listParts(upload, { limit: 10 })).toEqual({ parts: [], truncated: false })
  })

  it('has its source compared once, not for every range of it', async () => {
    await store.put('k', 'some bytes to copy')
    const upload = await createUpload('copy')
    now += 2 * HOUR_MS
    const source = { bucket: BUCKET, key: 'k' }
    await store.engine.copyPart({ upload, number: 1, source, range: { start: 0, end: 3 } })
    expect(store.engine.maintenance.scrubState().oldestCheckAtMs).toBe(now)
    const comparedAtMs = now
    now += 1000
    const part = await store.engine.copyPart({ upload, number: 1, source, range: { start: 5, end: 9 } })
    expect(part.sizeBytes).toBe(5)
    expect(store.engine.maintenance.scrubState().oldestCheckAtMs).toBe(comparedAtMs)
  })
})

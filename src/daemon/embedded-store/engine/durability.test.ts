import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, rename, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createStorageEngine } from './create-storage-engine.ts'
import { asStorageError } from './disk-errors.ts'
import { BUCKET, bytesOf, EngineHarness, OWNER } from './engine-harness.ts'
import type { ObjectDamaged } from './storage-engine.ts'

const MIB = 1024 ** 2
const NEW_BYTES = Buffer.concat(Array.from({ length: 3 }, () => Buffer.alloc(1_000_000, 'new')))
const TWO_HOURS_MS = 2 * 3_600_000

let store: EngineHarness
beforeEach(async () => {
  store = await EngineHarness.open()
})
afterEach(() => store.dispose())

function startChild(plan: object): ChildProcess {
  const script = join(import.meta.dirname, 'crash-child.ts')
  const child = spawn(process.execPath, [script, JSON.stringify({ directory: store.directory, ...plan })], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function files(folder: string): Promise<string[]> {
  const entries = await readdir(join(store.directory, folder), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}

describe('kill -9 (O41)', () => {
  const steps = ['staged', 'synced', 'renamed', 'committed'] as const

  /** Closes the store, lets a child die in it, and opens it again at a time when orphans are old enough. */
  async function crash(plan: object): Promise<void> {
    await store.engine.close()
    const [, signal] = await once(startChild(plan), 'exit')
    expect(signal).toBe('SIGKILL')
    await store.reopen({ clock: () => Date.now() + TWO_HOURS_MS })
    await store.engine.idle()
  }

  it.each(steps)('at %s of a put leaves the old object or the new one', async (step) => {
    await store.put('k', 'old')
    await crash({ action: 'put', step })
    expect(await store.get('k')).toEqual(step === 'committed' ? NEW_BYTES : Buffer.from('old'))
    expect(await files('staging')).toEqual([])
    await store.engine.housekeeping.collect()
    expect(await files('blobs')).toHaveLength(1)
  })

  it.each(steps)('at %s of a part leaves the upload usable', async (step) => {
    const upload = await store.engine.createUpload({ bucket: BUCKET, key: 'k', owner: OWNER })
    await crash({ action: 'part', step, upload })
    const { parts } = await store.engine.listParts(upload, { limit: 10 })
    expect(parts).toHaveLength(step === 'committed' ? 1 : 0)
    expect(await files('blobs')).toHaveLength(parts.length)
    const part = await store.engine.putPart({ upload, number: 1, body: await store.body(Buffer.from('again')) })
    await store.engine.completeUpload({ upload, parts: [part] })
    expect(String(await store.get('k'))).toBe('again')
  })

  it('after a completion lets the client repeat it', async () => {
    const upload = await store.engine.createUpload({ bucket: BUCKET, key: 'k', owner: OWNER })
    const part = await store.engine.putPart({ upload, number: 1, body: await store.body(Buffer.from('bytes')) })
    await crash({ action: 'complete', step: 'committed', upload, etag: part.etag })
    expect(String(await store.get('k'))).toBe('bytes')
    expect(await store.engine.completeUpload({ upload, parts: [part] })).toMatchObject({ sizeBytes: 5 })
  })

  it('leaves fresh orphans alone: their write may be about to commit', async () => {
    await store.engine.close()
    await once(startChild({ action: 'put', step: 'renamed' }), 'exit')
    await store.reopen()
    await store.engine.idle()
    expect(await files('blobs')).toHaveLength(1)
  })
})

describe('the check of payload files', () => {
  it('spares a file whose row is about to be written, also when the clock jumps meanwhile', async () => {
    let jumpMs = 0
    await store.reopen({
      clock: () => Date.now() + jumpMs,
      hooks: {
        atStep: async (step) => {
          if (step !== 'renamed') return
          jumpMs = TWO_HOURS_MS
          await store.engine.housekeeping.reconcile()
        }
      }
    })
    await store.put('k', 'acknowledged')
    expect(String(await store.get('k'))).toBe('acknowledged')
  })
})

describe('a file whose commit failed', () => {
  it('is removed with the next tidying, and not at the next start only', async () => {
    const index = new Database(join(store.directory, 'index.db'))
    index.exec(`CREATE TRIGGER broken BEFORE INSERT ON object BEGIN SELECT RAISE(ABORT, 'broken disk'); END`)
    await expect(store.put('k', 'bytes')).rejects.toThrow('broken disk')
    expect(await files('blobs')).toHaveLength(1)
    index.exec('DROP TRIGGER broken')
    index.close()
    await store.engine.housekeeping.collect()
    expect(await files('blobs')).toEqual([])
    await store.put('k', 'bytes')
    await store.engine.housekeeping.collect()
    expect(String(await store.get('k'))).toBe('bytes')
  })
})

describe('one store, one engine', () => {
  const openAgain = () =>
    createStorageEngine({ directory: store.directory, log: pino({ level: 'silent' }), reserveBytes: 0 })

  it('refuses a second engine of this process', async () => {
    await expect(openAgain()).rejects.toMatchObject({ code: 'StoreLocked' })
    await store.put('k', 'undisturbed')
  })

  it('refuses while another process has it, and goes on once that was killed', async () => {
    await store.engine.close()
    const child = startChild({ action: 'hold' })
    await once(child.stdout!, 'data')
    await expect(openAgain()).rejects.toMatchObject({ code: 'StoreLocked' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    await store.reopen()
    await store.put('k', 'x')
  })

  it('refuses an index of a newer version without touching it, and gives up the lock', async () => {
    await store.engine.close()
    const index = new Database(join(store.directory, 'index.db'))
    const version = index.pragma('user_version', { simple: true })
    index.pragma('user_version = 9999')
    index.close()
    await expect(openAgain()).rejects.toMatchObject({ code: 'database_newer' })
    await expect(openAgain()).rejects.toMatchObject({ code: 'database_newer' })
    const again = new Database(join(store.directory, 'index.db'))
    expect(again.pragma('user_version', { simple: true })).toBe(9999)
    again.pragma(`user_version = ${version}`)
    again.close()
    await store.reopen()
  })
})

describe('lost bytes (O43)', () => {
  let damaged: ObjectDamaged[]
  beforeEach(async () => {
    damaged = []
    await store.put('lost', 'these bytes go away')
    await store.put('other', 'these stay')
    store.engine.onObjectDamaged((event) => damaged.push(event))
  })
  const pathOf = async (key: string) => {
    const file = await store.engine.localFile(BUCKET, key)
    file.release()
    return file.path
  }
  const refused = { code: 'ObjectDamaged' }

  it('are an error of their own, reported once', async () => {
    await rm(await pathOf('lost'))
    await expect(store.engine.headObject(BUCKET, 'lost')).rejects.toMatchObject(refused)
    await expect(store.engine.openObject(BUCKET, 'lost')).rejects.toMatchObject(refused)
    await expect(store.engine.localFile(BUCKET, 'lost')).rejects.toMatchObject(refused)
    await expect(
      store.engine.copyObject({ source: { bucket: BUCKET, key: 'lost' }, bucket: BUCKET, key: 'copy' })
    ).rejects.toMatchObject(refused)
    expect(damaged).toEqual([{ bucket: BUCKET, key: 'lost', reason: expect.stringContaining('missing') }])
    expect(await store.listAll()).toEqual(['lost', 'other'])
    expect(String(await store.get('other'))).toBe('these stay')
  })

  it('are found at the next start, and stay damaged even if a file of the right size comes back', async () => {
    const path = await pathOf('lost')
    await truncate(path, 3)
    await store.reopen()
    await store.engine.idle()
    await truncate(path, 'these bytes go away'.length)
    await expect(store.engine.headObject(BUCKET, 'lost')).rejects.toMatchObject(refused)
  })

  it('end a read that is under way', async () => {
    await store.put('large', Buffer.alloc(2 * MIB, 'x'))
    const path = await pathOf('large')
    const handle = await store.engine.openObject(BUCKET, 'large')
    await truncate(path, MIB)
    await expect(bytesOf(handle.read())).rejects.toMatchObject(refused)
    handle.close()
    expect(damaged).toEqual([{ bucket: BUCKET, key: 'large', reason: expect.stringContaining('wrong size') }])
  })

  it('are healed by a new upload', async () => {
    await rm(await pathOf('lost'))
    await expect(store.get('lost')).rejects.toMatchObject(refused)
    await store.put('lost', 'sent again')
    expect(String(await store.get('lost'))).toBe('sent again')
  })

  it('are told again at every start, until the file is back as it was', async () => {
    const path = await pathOf('lost')
    await rename(path, join(store.directory, 'aside'))
    await expect(store.get('lost')).rejects.toMatchObject(refused)
    await store.reopen()
    store.engine.onObjectDamaged((event) => damaged.push(event))
    await store.engine.idle()
    expect(damaged.map(({ key }) => key)).toEqual(['lost', 'lost'])
    await rename(join(store.directory, 'aside'), path)
    await store.reopen()
    await store.engine.idle()
    expect(String(await store.get('lost'))).toBe('these bytes go away')
  })

  it.each(['localFile', 'digestOf'] as const)('are noticed when parts are put together: %s', async (way) => {
    const upload = await store.engine.createUpload({ bucket: BUCKET, key: 'video', owner: OWNER })
    const body = await store.body(Buffer.alloc(5 * MIB, 'a'))
    const one = await store.engine.putPart({ upload, number: 1, body })
    const two = await store.engine.putPart({ upload, number: 2, body: await store.body(Buffer.from('end')) })
    await store.engine.completeUpload({ upload, parts: [one, two] })
    const sizes = await Promise.all(
      (await readdir(join(store.directory, 'blobs'), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map(async (entry) => {
          const path = join(entry.parentPath, entry.name)
          return { path, sizeBytes: (await stat(path)).size }
        })
    )
    const first = sizes.find((file) => file.sizeBytes === 5 * MIB)
    // Same size, other bytes.
    await truncate(first!.path, 0)
    await truncate(first!.path, 5 * MIB)
    await expect(store.engine[way](BUCKET, 'video')).rejects.toMatchObject(refused)
    expect(damaged).toMatchObject([{ key: 'video', reason: expect.stringContaining('other bytes') }])
  })
})

describe('space (O40)', () => {
  it('is promised once, given back, and asked for before a byte is taken', async () => {
    let freeBytes = 10 * MIB
    await store.reopen({ reserveBytes: 2 * MIB, space: async () => ({ freeBytes, totalBytes: 100 * MIB }) })
    const full = { code: 'StorageFull' }
    await expect(store.engine.openBody({ sizeBytes: 9 * MIB })).rejects.toMatchObject(full)
    const first = await store.engine.openBody({ sizeBytes: 5 * MIB })
    await expect(store.engine.openBody({ sizeBytes: 5 * MIB })).rejects.toMatchObject(full)
    expect(await store.engine.health()).toEqual({
      freeBytes,
      availableBytes: 3 * MIB,
      writable: true,
      keptFiles: 0,
      indexProblem: null,
      uncheckedFiles: 0,
      doubtfulPlace: null
    })
    await first.discard()
    await store.put('k', Buffer.alloc(5 * MIB))
    expect((await store.engine.health()).availableBytes).toBe(8 * MIB)

    freeBytes = MIB
    expect((await store.engine.health()).writable).toBe(false)
    await expect(store.engine.openBody({ sizeBytes: 0 })).rejects.toMatchObject(full)
    await expect(
      store.engine.copyObject({ source: { bucket: BUCKET, key: 'k' }, bucket: BUCKET, key: 'copy' })
    ).rejects.toMatchObject(full)
    expect(await store.get('k')).toHaveLength(5 * MIB)
    await store.engine.deleteObject(BUCKET, 'k')
    expect(await files('staging')).toEqual([])
  })

  it('is claimed step by step for a body of unknown size', async () => {
    let freeBytes = 100 * MIB
    await store.reopen({ space: async () => ({ freeBytes, totalBytes: 100 * MIB }) })
    const body = await store.engine.openBody({ sizeBytes: null })
    await body.write(Buffer.alloc(60 * MIB))
    freeBytes = 40 * MIB
    await expect(body.write(Buffer.alloc(10 * MIB))).rejects.toMatchObject({ code: 'StorageFull' })
    await body.discard()
    expect((await store.engine.health()).availableBytes).toBe(40 * MIB)
    expect(await files('staging')).toEqual([])
  })

  it('is told apart from a disk that refuses writes', () => {
    const failure = (code: string) => asStorageError(Object.assign(new Error(code), { code }))
    for (const code of ['ENOSPC', 'EDQUOT', 'SQLITE_FULL']) expect(failure(code)).toMatchObject({ code: 'StorageFull' })
    for (const code of ['EROFS', 'EIO', 'SQLITE_IOERR_WRITE', 'SQLITE_READONLY'])
      expect(failure(code)).toMatchObject({ code: 'ReadOnly' })
    expect(failure('EMFILE')).toMatchObject({ code: 'EMFILE' })
  })
})

describe('bodies', () => {
  it('must have the announced size', async () => {
    const incomplete = { code: 'IncompleteBody' }
    const body = await store.engine.openBody({ sizeBytes: 5 })
    await body.write(Buffer.from('abc'))
    await expect(body.finish()).rejects.toMatchObject(incomplete)
    await expect(async () => body.write(Buffer.from('def'))).rejects.toMatchObject(incomplete)
    await body.discard()
    await body.discard()
    expect(await files('staging')).toEqual([])
  })

  it('hash and hold the same bytes however they are cut', async () => {
    const bytes = Buffer.alloc(5 * MIB + 3, 'flightcase')
    const whole = await store.put('whole', bytes)
    const body = await store.engine.openBody({ sizeBytes: null })
    for (let at = 0, size = 1; at < bytes.length; at += size, size = size * 3 + 1)
      await body.write(bytes.subarray(at, at + size))
    const digests = await body.finish()
    expect(digests).toMatchObject({ md5: whole.etag, sha256: whole.sha256 })
    await store.engine.putObject({ bucket: BUCKET, key: 'cut', body })
    expect((await store.get('cut')).equals(bytes)).toBe(true)
  })

  it('cannot be handed in unfinished, or twice', async () => {
    const body = await store.engine.openBody({ sizeBytes: 3 })
    await body.write(Buffer.from('abc'))
    const put = () => store.engine.putObject({ bucket: BUCKET, key: 'k', body })
    await expect(put()).rejects.toThrow('not finished')
    expect(await files('staging')).toEqual([])
    const whole = await store.body(Buffer.from('abc'))
    const outcomes = await Promise.allSettled(
      [1, 2].map(() => store.engine.putObject({ bucket: BUCKET, key: 'k', body: whole }))
    )
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected'])
    expect(String(await store.get('k'))).toBe('abc')
  })

  it('that were handed in are committed before the engine closes', async () => {
    let closed: Promise<void> | undefined
    await store.reopen({
      hooks: {
        atStep: (step) => {
          if (step === 'staged') closed = store.engine.close()
        }
      }
    })
    await store.put('k', 'last words')
    await closed
    await store.reopen({ hooks: {} })
    expect(String(await store.get('k'))).toBe('last words')
  })

  it('leave nothing behind when the engine closes', async () => {
    const body = await store.engine.openBody({ sizeBytes: 5 })
    await body.write(Buffer.from('abc'))
    await store.engine.close()
    expect(await files('staging')).toEqual([])
    await expect(async () => body.write(Buffer.from('de'))).rejects.toMatchObject({ code: 'StoreClosed' })
    await expect(store.engine.openBody({ sizeBytes: 1 })).rejects.toMatchObject({ code: 'StoreClosed' })
    await expect(store.engine.headObject(BUCKET, 'k')).rejects.toMatchObject({ code: 'StoreClosed' })
    await store.engine.close()
  })
})

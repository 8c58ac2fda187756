import { existsSync, readdirSync, statSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { EndpointHarness } from '../../src/daemon/embedded-store/endpoint/endpoint-harness.ts'
import type { StorageEngineOptions } from '../../src/daemon/embedded-store/engine/create-storage-engine.ts'
import type { ObjectDamaged } from '../../src/daemon/embedded-store/engine/storage-engine.ts'
import { startTestDaemon } from '../../src/daemon/testing/test-daemon.ts'
import { getStatus } from '../../src/shared/api/system.ts'
import { mountableVolumes, SmallVolume } from './small-volume.ts'

const MIB = 1024 ** 2
const volumes = mountableVolumes()

let volume: SmallVolume
let store: EndpointHarness
let damaged: ObjectDamaged[]
/** Moves the clock of the engine ahead, so that what it removes after a while is due. */
let aheadMs: number

/** Opens the store on the volume; the credentials are elsewhere. */
async function openStore(options: Partial<StorageEngineOptions> = {}): Promise<void> {
  store = await EndpointHarness.open(
    {},
    { directory: directory(), ballastBytes: MIB, clock: () => Date.now() + aheadMs, ...options }
  )
  store.engine.onObjectDamaged((event) => damaged.push(event))
  await store.engine.idle()
}

/** Opens the store again, as another start of the program would. */
async function reopenStore(options: Partial<StorageEngineOptions> = {}): Promise<void> {
  await store.dispose()
  await openStore(options)
}

const directory = () => join(volume.path, 'store')
const staged = () => readdirSync(join(directory(), 'staging'))
const put = (key: string, bytes: Buffer | string) => store.put(key, bytes)
const get = (key: string) => store.get(key)
const remove = (key: string) => store.request({ method: 'DELETE', target: `/media/${key}` })

beforeEach(() => {
  damaged = []
  aheadMs = 0
})

describe.each(volumes)('on a full %s volume', (kind) => {
  beforeEach(async () => {
    volume = await SmallVolume.mount(kind)
    await openStore()
  })
  afterEach(async () => {
    await store.dispose()
    await volume.dispose()
  })

  it('a body that cannot fit is refused before a byte of it, and everything else goes on', async () => {
    await put('k', 'here before')
    const body = Buffer.alloc(100 * MIB)
    const signed = store.sign({ method: 'PUT', target: '/media/large', body })
    const answer = await store.send('PUT', '/media/large', { ...signed.headers, expect: '100-continue' }, body)
    expect(answer).toMatchObject({ status: 507, code: 'InsufficientStorage', continued: false })
    expect(answer.headers.connection).toBe('close')
    expect(staged()).toEqual([])
    expect((await get('k')).body).toBe('here before')
    expect((await put('small', 'fits')).status).toBe(200)
  })

  it('a body for which the room goes while it arrives is refused and leaves nothing', async () => {
    await put('k', 'here before')
    const upload = await store.engine.createUpload({ bucket: 'media', key: 'parts', owner: 'flightcase' })
    const announced = 24 * MIB
    const head = store.head(
      { method: 'PUT', target: '/media/large', payloadHash: 'UNSIGNED-PAYLOAD' },
      `content-length: ${announced}\r\n`
    )
    const socket = connect(store.port, '127.0.0.1')
    const answer = new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      // The store may hang up before everything is sent; what it said is what counts.
      socket.on('error', () => {})
      socket.on('close', () => resolve(text))
    })
    socket.write(head)
    socket.write(Buffer.alloc(4 * MIB))
    // All of it: refused while the volume is being filled, it would leave room that is filled byte by byte.
    await vi.waitFor(() => expect(statSync(join(directory(), 'staging', staged()[0] ?? '?')).size).toBe(4 * MIB))
    await volume.fill()
    socket.write(Buffer.alloc(announced - 4 * MIB))
    const text = await answer
    expect(text).toMatch(/^HTTP\/1\.1 507 /)
    expect(text).toMatch(/\r\nconnection: close\r\n/i)
    expect(staged()).toEqual([])
    expect((await get('large')).status).toBe(404)
    expect((await get('k')).body).toBe('here before')
    await store.engine.abortUpload(upload)
    expect((await remove('k')).status).toBe(204)
    await volume.makeRoom()
    expect((await put('large', Buffer.alloc(8 * MIB))).status).toBe(200)
  })

  it('without a free byte objects can still be deleted, and the ballast comes back with the room', async () => {
    await put('large', Buffer.alloc(8 * MIB))
    await put('kept', 'stays')
    const ballast = join(directory(), 'ballast')
    // Really taken, not only as long.
    expect(statSync(ballast).blocks * 512).toBeGreaterThanOrEqual(MIB)
    await volume.fill()
    expect(await put('more', Buffer.alloc(MIB))).toMatchObject({ status: 507 })
    expect((await remove('large')).status).toBe(204)
    expect(existsSync(ballast)).toBe(false)
    expect((await get('large')).status).toBe(404)
    expect((await get('kept')).body).toBe('stays')

    aheadMs = 2 * 60_000
    await store.engine.housekeeping.collect()
    await store.engine.housekeeping.keepBallast()
    expect(statSync(ballast).size).toBe(MIB)
    expect((await put('more', Buffer.alloc(MIB))).status).toBe(200)
  })

  it('without a free byte and without ballast a delete is refused, and nothing is half done', async () => {
    await reopenStore({ ballastBytes: 0 })
    await rm(join(directory(), 'ballast'), { force: true })
    await put('k', 'here before')
    await volume.fill()
    // What the index has written to before can take a little more.
    let answer = await remove('nothing')
    for (let at = 0; at < 50 && answer.status === 204; at++) {
      await store.engine.createUpload({ bucket: 'media', key: `u${at}`, owner: 'o' }).catch(() => {})
      answer = await remove('k')
      if (answer.status === 204) await put('k', 'here before').catch(() => {})
    }
    expect(answer).toMatchObject({ status: 507, code: 'InsufficientStorage' })
    expect((await get('k')).body).toBe('here before')
    await volume.makeRoom()
    expect((await remove('k')).status).toBe(204)
  })

  it('the store starts, and lets go of what is to be deleted', async () => {
    await put('large', Buffer.alloc(8 * MIB))
    await store.dispose()
    await volume.fill()
    await openStore()
    expect(Buffer.byteLength((await get('large')).body)).toBe(8 * MIB)
    expect((await remove('large')).status).toBe(204)
    aheadMs = 2 * 60_000
    await store.engine.housekeeping.collect()
    expect((await put('k', Buffer.alloc(MIB))).status).toBe(200)
  })
})

describe.each(volumes)('on a %s volume', (kind) => {
  beforeEach(async () => {
    volume = await SmallVolume.mount(kind)
    await openStore()
  })
  afterEach(async () => {
    await store.dispose()
    await volume.dispose()
  })

  it('that takes no writes any more, reading goes on, and writing once it does again', async () => {
    await put('k', 'here before')
    const uncover = volume.coverReadOnly()
    try {
      expect(await put('k', 'new')).toMatchObject({ status: 500, code: 'InternalError' })
      expect(await store.engine.health()).toMatchObject({ writable: false })
      expect((await get('k')).body).toBe('here before')
    } finally {
      uncover()
    }
    expect((await put('k', 'new')).status).toBe(200)
    expect(await store.engine.health()).toMatchObject({ writable: true })
    expect((await get('k')).body).toBe('new')
    expect(damaged).toEqual([])
  })

  it('that is unplugged, everything says so, nothing is taken for lost, and it goes on when it is back', async () => {
    await put('k', 'here before')
    const plugIn = volume.unplug()
    try {
      expect(await get('k')).toMatchObject({ status: 503 })
      expect(await put('k', 'new')).toMatchObject({ status: 503 })
      await expect(store.engine.housekeeping.reconcile()).rejects.toMatchObject({ code: 'StoreOffline' })
      await expect(store.engine.housekeeping.keepBallast()).rejects.toMatchObject({ code: 'StoreOffline' })
      expect(readdirSync(volume.path)).toEqual([])
    } finally {
      plugIn()
    }
    expect((await get('k')).body).toBe('here before')
    expect((await put('k', 'new')).status).toBe(200)
    expect(damaged).toEqual([])
  })

  it('a payload file that is lost is an error of its object alone, until the file is back', async () => {
    await put('lost', 'these bytes go away')
    await put('other', 'these stay')
    const { path, release } = await store.engine.localFile('media', 'lost')
    release()
    await rename(path, `${path}.aside`)
    expect(await get('lost')).toMatchObject({ status: 500, code: 'InternalError' })
    expect(await store.request({ method: 'HEAD', target: '/media/lost' })).toMatchObject({ status: 500 })
    expect((await get('other')).body).toBe('these stay')
    expect(damaged).toMatchObject([{ bucket: 'media', key: 'lost' }])
    expect((await store.request({ target: '/media' })).body).toContain('<Key>lost</Key>')
    await rename(`${path}.aside`, path)
    await reopenStore()
    expect((await get('lost')).body).toBe('these bytes go away')
  })

  it('a flipped bit is found while the object is read, and the reader is not left with it', async () => {
    const bytes = Buffer.alloc(MIB, 'photo')
    await put('flipped', bytes)
    await put('other', bytes)
    const { path, release } = await store.engine.localFile('media', 'flipped')
    release()
    await flipBit(path, MIB / 2)
    // The connection ends before the last bytes.
    await expect(get('flipped')).rejects.toThrow('aborted')
    expect(await get('flipped')).toMatchObject({ status: 500, code: 'InternalError' })
    expect((await get('other')).body).toBe(String(bytes))
    expect(damaged).toMatchObject([{ bucket: 'media', key: 'flipped' }])
    await flipBit(path, MIB / 2)
    await reopenStore()
    expect((await get('flipped')).body).toBe(String(bytes))
  })
})

async function flipBit(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, position)
    byte[0] = (byte[0] ?? 0) ^ 1
    await file.write(byte, 0, 1, position)
  } finally {
    await file.close()
  }
}

describe.each(volumes)('a base whose whole folder is on a %s volume', (kind) => {
  it('starts although the disk has no free byte, and says so', async () => {
    volume = await SmallVolume.mount(kind)
    onTestFinished(() => volume.dispose())
    const dataDir = join(volume.path, 'data')
    const ballast = join(dataDir, 'store', 'ballast')
    const first = await startTestDaemon({ dataDir })
    await vi.waitFor(() => expect(statSync(ballast).size).toBeGreaterThan(MIB / 2), { timeout: 30_000 })
    await first.daemon.stop()
    await volume.fill()
    const again = await startTestDaemon({ dataDir })
    const { store: told } = await again.api.call(getStatus, {})
    expect(told).toMatchObject({ reachable: true, writable: false })
    expect(existsSync(ballast)).toBe(false)
  })
})

describe.runIf(volumes.includes('ext4'))('on a disk that fails', () => {
  it('nothing can be changed, everything can be read, and after the repair all that was acknowledged is there', async () => {
    volume = await SmallVolume.mount('ext4')
    await openStore()
    try {
      const bytes = Buffer.alloc(3 * MIB, 'photo')
      for (const key of ['a', 'b', 'c']) await put(key, bytes)
      volume.failDisk()
      expect(await put('new', bytes)).toMatchObject({ status: 500, code: 'InternalError' })
      expect(await remove('a')).toMatchObject({ status: 500, code: 'InternalError' })
      expect(await store.engine.health()).toMatchObject({ writable: false })
      for (const key of ['a', 'b', 'c']) expect((await get(key)).body).toBe(String(bytes))
      await store.dispose()
      volume.repair()
      await openStore()
      for (const key of ['a', 'b', 'c']) expect((await get(key)).body).toBe(String(bytes))
      expect((await remove('a')).status).toBe(204)
      expect((await put('new', bytes)).status).toBe(200)
      expect(damaged).toEqual([])
    } finally {
      await store.dispose()
      await volume.dispose()
    }
  })
})

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readlink } from 'node:fs/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { StorageEngine } from '../engine/storage-engine.ts'
import { GatewayHarness, theirs } from './gateway-harness.ts'
import type { GatewayStorage } from './gateway-storage.ts'

const MIB = 1024 ** 2
const DAY_MS = 24 * 3_600_000

const open = async () => {
  const harness = await GatewayHarness.open()
  onTestFinished(() => harness.dispose())
  const store = harness.store()
  onTestFinished(() => store.close())
  return { harness, store }
}

describe.skipIf(theirs)('uploads over the gateway', () => {
  it.skipIf(!existsSync('/proc/self/fd'))('holds no file open once it could not be handed on', async () => {
    const { harness, store } = await open()
    const held = async () => {
      const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
      return (await Promise.all(links)).filter((path) => path.startsWith(`${harness.directory}/blobs`))
    }
    harness.middleman.meddle = ({ method }) => (method === 'PUT' ? { status: 503, code: 'SlowDown' } : undefined)
    for (const key of ['a', 'b', 'c']) await expect(store.put(key, randomBytes(3 * MIB))).rejects.toThrow()
    expect(await held()).toEqual([])
    harness.gate.cut()
    await expect(store.put('d', randomBytes(3 * MIB))).rejects.toThrow()
    expect(await held()).toEqual([])
  })

  describe('a completion whose answer is lost', () => {
    /** An upload with two parts, and what completes it. */
    const upload = async ({ gateway }: GatewayHarness) => {
      const upload = await gateway.createUpload({ bucket: 'media', key: 'video', owner: 'me' })
      const parts = []
      for (const [at, bytes] of [randomBytes(5 * MIB), randomBytes(1000)].entries())
        parts.push(await gateway.putPart({ upload, number: at + 1, body: await bodyOf(gateway, bytes) }))
      return { upload, parts, precondition: { ifNoneMatch: '*' } }
    }
    /** The store behind forgets uploads that are completed. */
    const forgetful = ({ middleman }: GatewayHarness, lost: number) => {
      let left = lost
      middleman.meddle = ({ method, url }) => {
        if (method !== 'POST' || !url.searchParams.has('uploadId')) return undefined
        return left-- > 0 ? 'lose the answer' : { status: 404, code: 'NoSuchUpload' }
      }
    }

    it('is found out at once', async () => {
      const { harness } = await open()
      const request = await upload(harness)
      forgetful(harness, 1)
      const done = await harness.gateway.completeUpload(request)
      expect(done).toMatchObject({ sizeBytes: 5 * MIB + 1000 })
      expect((await harness.behind.engine.headObject('media', 'video')).etag).toBe(done.etag)
    })

    it('is found out when the client repeats it, also after a restart', async () => {
      const { harness } = await open()
      const request = await upload(harness)
      forgetful(harness, 3)
      await expect(harness.gateway.completeUpload(request)).rejects.toMatchObject({ code: 'StoreOffline' })
      await harness.restart()
      const { etag } = await harness.behind.engine.headObject('media', 'video')
      expect(await harness.gateway.completeUpload(request)).toMatchObject({ etag })
      await harness.gateway.deleteObject('media', 'video')
      expect(await harness.gateway.completeUpload(request)).toMatchObject({ etag })
    })

    it('is no excuse for another object in the place', async () => {
      const { harness, store } = await open()
      const request = await upload(harness)
      harness.middleman.meddle = ({ method }) => (method === 'POST' ? { status: 503, code: 'SlowDown' } : undefined)
      await expect(harness.gateway.completeUpload(request)).rejects.toMatchObject({ code: 'StoreOffline' })
      harness.middleman.meddle = () => undefined
      await store.put('video', Buffer.from('another'))
      await expect(harness.gateway.completeUpload(request)).rejects.toMatchObject({ code: 'PreconditionFailed' })
      const { precondition: _, ...unconditional } = request
      await harness.gateway.completeUpload(unconditional)
    })
  })

  it.each([
    ['CRC32', 'FULL_OBJECT'],
    ['SHA256', 'COMPOSITE']
  ] as const)('knows the %s of parts that are copied', async (algorithm, type) => {
    const { harness } = await open()
    const { gateway, behind } = harness
    const bytes = randomBytes(6 * MIB)
    const source = { bucket: 'media', key: 'source' }
    await gateway.putObject({ ...source, body: await bodyOf(gateway, bytes) })
    const complete = async (storage: GatewayStorage | StorageEngine) => {
      const request = { bucket: 'media', key: 'target', owner: 'me', checksum: { algorithm, type } }
      const upload = await storage.createUpload(request)
      const parts = [
        await storage.copyPart({ upload, number: 1, source }),
        await storage.copyPart({ upload, number: 2, source, range: { start: 100, end: 999 } })
      ]
      return { parts, ...(await storage.completeUpload({ upload, parts })) }
    }
    const { parts, checksum } = await complete(behind.engine)
    expect(await complete(gateway)).toMatchObject({
      parts: parts.map(({ checksum }) => ({ checksum })),
      checksum
    })
  })

  it('are given up and forgotten in a gateway that runs for long, also when one of them cannot be', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const { harness, store } = await open()
    const { engine } = harness.behind
    for (const key of ['a', 'b', 'c']) await store.parts.begin(key, { contentType: 'video/mp4' })
    const left = async () => {
      const { entries } = await engine.listUploads({ bucket: 'media', limit: 10 })
      return entries.flatMap((entry) => ('upload' in entry ? [entry.upload.key] : []))
    }
    harness.middleman.meddle = ({ method, url }) =>
      method === 'DELETE' && url.pathname === '/media/b' ? { status: 403, code: 'AccessDenied' } : undefined
    harness.laterMs = 8 * DAY_MS
    vi.advanceTimersByTime(DAY_MS)
    await vi.waitFor(async () => expect(await left()).toEqual(['b']), 20_000)
    harness.middleman.meddle = () => undefined
    vi.advanceTimersByTime(DAY_MS)
    await vi.waitFor(async () => expect(await left()).toEqual([]), 20_000)
    const timers = vi.getTimerCount()
    await harness.gateway.close()
    expect(vi.getTimerCount()).toBe(timers - 1)
  })
})

async function bodyOf(storage: GatewayStorage, bytes: Buffer) {
  const body = await storage.openBody({ sizeBytes: bytes.length, checksums: [] })
  await body.write(bytes)
  await body.finish()
  return body
}

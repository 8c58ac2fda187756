import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeObjectStore } from '../../object-store/object-store.contract.ts'
import { REGION } from '../endpoint/endpoint-harness.ts'
import { GatewayHarness, theirs } from './gateway-harness.ts'
import { openGateway } from './gateway-storage.ts'

const MIB = 1024 ** 2

describeObjectStore(`s3, over the gateway before ${theirs?.endpoint ?? 'the embedded endpoint'}`, async () => {
  const harness = await GatewayHarness.open()
  const store = harness.store()
  return {
    store,
    servesUrls: true,
    issuesCredentials: true,
    keysAreData: theirs === null,
    withCredentials: (credentials) => harness.store({ credentials }),
    dispose: async () => {
      await store.close()
      expect(await harness.spooled()).toEqual([])
      await harness.dispose()
    }
  }
})

describe.skipIf(theirs)('gateway', () => {
  const open = async () => {
    const harness = await GatewayHarness.open()
    onTestFinished(() => harness.dispose())
    const store = harness.store()
    onTestFinished(() => store.close())
    return { harness, store }
  }
  const bodyOf = (bytes: Buffer) => ({ stream: Readable.from([bytes]), sizeBytes: bytes.length })

  it('keeps in the store behind what it has answered for, and nothing on its own disk', async () => {
    const { harness, store } = await open()
    const bytes = randomBytes(3 * MIB)
    await store.put('media/ws/photo.jpg', bytes, { contentType: 'image/jpeg', metadata: { drone: 'm4e' } })
    const kept = await harness.behind.engine.headObject('media', 'media/ws/photo.jpg')
    expect(kept).toMatchObject({
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      headers: { 'content-type': 'image/jpeg' },
      metadata: { drone: 'm4e' }
    })
    expect(await harness.spooled()).toEqual([])
  })

  it('says that it cannot now, and never that there is nothing, while the store behind is away', async () => {
    const { harness, store } = await open()
    await store.put('k', Buffer.from('bytes'))
    const upload = await store.parts.begin('video', { contentType: 'video/mp4' })
    harness.gate.cut()
    const presigned = await store.presignGet('k', { expiresInSeconds: 60 })
    const answer = await fetch(presigned.url)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await answer.text()).toContain('<Code>ServiceUnavailable</Code>')
    const later = { code: 'Throttled', retryable: true }
    await expect(store.head('k')).rejects.toMatchObject(later)
    await expect(store.put('k2', Buffer.from('x'))).rejects.toMatchObject(later)
    await expect(store.list()).rejects.toMatchObject(later)
    await expect(store.delete('k')).rejects.toMatchObject(later)
    await expect(store.parts.put(upload, 1, bodyOf(Buffer.from('x')))).rejects.toMatchObject(later)
    expect(await harness.spooled()).toEqual([])
    harness.gate.reopen()
    expect(await store.head('k')).toMatchObject({ sizeBytes: 5 })
    expect(await store.head('k2')).toBeNull()
  })

  it('goes on with an upload after a restart, and repeats the answer to its completion', async () => {
    const { harness, store } = await open()
    const upload = await store.parts.begin('video', { contentType: 'video/mp4' })
    const pieces = [randomBytes(5 * MIB), randomBytes(1000)] as const
    const first = await store.parts.put(upload, 1, bodyOf(pieces[0]))
    await harness.restart()
    const again = harness.store()
    onTestFinished(() => again.close())
    const second = await again.parts.put(upload, 2, bodyOf(pieces[1]))
    const parts = [
      { number: 1, etag: first.etag },
      { number: 2, etag: second.etag }
    ]
    const done = await again.parts.complete(upload, parts)
    expect(await again.parts.complete(upload, parts)).toEqual(done)
    await expect(again.parts.complete(upload, parts.slice(0, 1))).rejects.toMatchObject({ code: 'NotFound' })
    const digest = createHash('sha256').update(Buffer.concat(pieces)).digest('hex')
    expect(await harness.behind.engine.digestOf('media', 'video')).toBe(digest)
    expect((await harness.behind.engine.listUploads({ bucket: 'media', limit: 10 })).entries).toEqual([])
  })

  it('lists uploads under way, in order and page by page', async () => {
    const { harness, store } = await open()
    for (const key of ['b', 'a/2', 'a/1']) await store.parts.begin(key, { contentType: 'video/mp4' })
    const { gateway } = harness
    const keys: string[] = []
    let after: { key: string; uploadId?: string } | undefined
    for (;;) {
      const page = await gateway.listUploads({ bucket: 'media', limit: 1, ...(after && { after }) })
      keys.push(...page.entries.flatMap((entry) => ('upload' in entry ? [entry.upload.key] : [])))
      if (page.next === null) break
      after = { key: page.next.key, ...(page.next.uploadId !== null && { uploadId: page.next.uploadId }) }
    }
    expect(keys).toEqual(['a/1', 'a/2', 'b'])
    const { entries } = await gateway.listUploads({ bucket: 'media', delimiter: '/', limit: 10 })
    expect(entries).toMatchObject([{ prefix: 'a/' }, { upload: { key: 'b' } }])
  })

  it('gives up uploads that nobody went on with for a week', async () => {
    const { harness, store } = await open()
    const old = await store.parts.begin('old', { contentType: 'video/mp4' })
    harness.laterMs = 8 * 24 * 3_600_000
    await harness.restart()
    const { engine } = harness.behind
    await vi.waitFor(
      async () => expect((await engine.listUploads({ bucket: 'media', limit: 10 })).entries).toEqual([]),
      20_000
    )
    const again = harness.store()
    onTestFinished(() => again.close())
    await expect(again.parts.put(old, 1, bodyOf(Buffer.from('x')))).rejects.toMatchObject({ code: 'NotFound' })
  })

  it('tells wrong keys for the store behind as an outage, not as the fault of its clients', async () => {
    const { harness } = await open()
    const server = {
      endpoint: harness.behind.url,
      region: REGION,
      bucket: 'media',
      credentials: { ...harness.admin, secretAccessKey: 'x' }
    }
    const directory = await mkdtemp(join(tmpdir(), 'flightcase-gateway-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    const gateway = await openGateway({ directory, server, owner: 'flightcase', reserveBytes: 0 })
    onTestFinished(() => gateway.close())
    await expect(gateway.headObject('media', 'k')).rejects.toMatchObject({ code: 'StoreOffline' })
    await expect(gateway.headObject('else', 'k')).rejects.toMatchObject({ code: 'NoSuchBucket' })
  })
})

import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { createClient, type FlightcaseClient } from '../src/client/client.ts'
import type { FollowedEvent } from '../src/client/follow-events.ts'
import { ManualClock } from '../src/daemon/testing/manual-clock.ts'
import { TcpGate } from '../src/daemon/testing/tcp-gate.ts'
import { startTestDaemon, type TestDaemon } from '../src/daemon/testing/test-daemon.ts'
import { temporaryFolder } from '../src/daemon/testing/test-database.ts'
import { getAsset, listAssets } from '../src/shared/api/assets.ts'
import { collectGarbage } from '../src/shared/api/lifecycle.ts'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)
const MB = 1024 * 1024

/** A base, and a client that reaches it over a way that can be cut. */
async function openBase(): Promise<{ base: TestDaemon; gate: TcpGate; client: FlightcaseClient }> {
  const base = await startTestDaemon()
  const gate = await TcpGate.open(Number(new URL(base.ready.admin.url).port))
  const client = createClient({ baseUrl: `http://127.0.0.1:${gate.port}`, token: base.ready.admin.token })
  return { base, gate, client }
}

const bytesOf = async (base: TestDaemon, assetId: string) =>
  Buffer.from(await (await base.fetch(`/media/${assetId}`)).arrayBuffer())

describe('the client', () => {
  test('stores a small file with its reference, and is told what is wrong with one', async () => {
    const { client } = await openBase()
    const { asset, reference } = await client.upload(new Blob(['hello']), {
      name: 'a.txt',
      namespace: 'app',
      owner: 'ann'
    })
    expect([asset.name, reference?.owner]).toEqual(['a.txt', 'ann'])
    await expect(client.upload(new Blob(['hello']), { name: 'a.txt', sha256: '0'.repeat(64) })).rejects.toMatchObject({
      status: 422,
      problem: { code: 'digest_mismatch' }
    })
    await expect(client.call(getAsset, { params: { assetId: '0'.repeat(26) } })).rejects.toMatchObject({ status: 404 })
  })

  test('sends a large file in parts, through a connection that breaks', async () => {
    const { base, gate, client } = await openBase()
    const bytes = Buffer.alloc(40 * MB, 'flight ')
    const progress: number[] = []
    const { asset } = await client.upload(new Blob([bytes]), {
      name: 'film.bin',
      onProgress: (sentBytes) => {
        progress.push(sentBytes)
        if (progress.length !== 2) return
        gate.cut()
        setImmediate(() => gate.reopen())
      }
    })
    expect(progress.at(-1)).toBe(bytes.length)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
    expect((await bytesOf(base, asset.id)).equals(bytes)).toBe(true)
  })

  test('goes on with an upload that another run began', async () => {
    const { base, client } = await openBase()
    const bytes = Buffer.alloc(40 * MB, 'flight ')
    const end = new AbortController()
    let uploadId = ''
    await expect(
      client.upload(new Blob([bytes]), {
        name: 'film.bin',
        signal: end.signal,
        onBegun: (id) => {
          uploadId = id
        },
        onProgress: (sentBytes) => sentBytes > 0 && end.abort(new Error('switched off'))
      })
    ).rejects.toThrow('switched off')
    const progress: number[] = []
    const { asset } = await client.upload(new Blob([bytes]), {
      name: 'film.bin',
      uploadId,
      onProgress: (sentBytes) => progress.push(sentBytes)
    })
    expect(progress[0]).toBeGreaterThan(0)
    expect((await bytesOf(base, asset.id)).equals(bytes)).toBe(true)
    await expect(client.upload(new Blob(['other']), { name: 'a', uploadId })).rejects.toThrow('bytes')
  })

  test('sends no more of a file once a part of it is refused', async () => {
    const base = await startTestDaemon()
    const others: AbortSignal[] = []
    const client = createClient({
      baseUrl: base.ready.admin.url,
      token: base.ready.admin.token,
      fetch: async (url, init) => {
        if (!String(url).includes('/parts/')) return fetch(url, init)
        if (String(url).endsWith('/parts/1')) return new Response('{}', { status: 403 })
        others.push(init!.signal!)
        return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('ended'))))
      }
    })
    const refused = client.upload(new Blob([Buffer.alloc(40 * MB)]), { name: 'film.bin' })
    await expect(refused).rejects.toMatchObject({ status: 403 })
    expect(others.map((signal) => signal.aborted)).toEqual([true, true])
  })

  test('leaves out events that it does not know, and no others', async () => {
    const told = (seq: number, type: string) =>
      `id: ${seq}\nevent: stored\ndata: ${JSON.stringify({ seq, type, subject: 'a', at: '2026-11-21T00:00:00.000Z', data: {} })}\n\n`
    let connections = 0
    const client = createClient({
      baseUrl: 'http://base',
      fetch: async () => {
        connections++
        return new Response(told(5, 'asset.painted') + told(6, 'asset.arrived'))
      }
    })
    const events = client.follow({})
    expect((await events.next()).value).toMatchObject({ kind: 'event', event: { seq: 6 } })
    expect(connections).toBe(1)
    await events.return(undefined)
  })

  test('follows what happens, also what happened while the connection was broken', async () => {
    const { gate, client, base } = await openBase()
    const end = new AbortController()
    const arrived: string[] = []
    let isOpen = false
    const listen = async (events: AsyncGenerator<FollowedEvent>) => {
      for await (const message of events) {
        isOpen = true
        if (message.kind === 'event' && message.event.type === 'asset.arrived') arrived.push(message.event.subject)
      }
    }
    const listening = listen(client.follow({ afterSeq: 0, signal: end.signal }))
    const direct = createClient({ baseUrl: base.ready.admin.url, token: base.ready.admin.token })
    const one = await direct.upload(new Blob(['one']), { name: 'one.txt' })
    await vi.waitFor(() => expect([isOpen, arrived]).toEqual([true, [one.asset.id]]))
    gate.cut()
    const two = await direct.upload(new Blob(['two']), { name: 'two.txt' })
    gate.reopen()
    await vi.waitFor(() => expect(arrived).toEqual([one.asset.id, two.asset.id]), { timeout: 10_000 })
    end.abort()
    await listening
    await expect(
      createClient({ baseUrl: base.ready.admin.url, token: 'wrong' }).follow({}).next()
    ).rejects.toMatchObject({
      status: 401
    })
  })

  test('is a package that runs in plain Node, where the life of a picture goes as its example says', async () => {
    const clock = new ManualClock(Date.now())
    const base = await startTestDaemon({ overrides: { clock } })
    const folder = temporaryFolder('client')
    const modules = join(folder, 'node_modules')
    mkdirSync(join(modules, '@flightcase'), { recursive: true })
    for (const name of ['zod', 'eventsource-parser']) symlinkSync(join(root, 'node_modules', name), join(modules, name))
    await run(process.execPath, [join(root, 'scripts/build-client.ts'), join(modules, '@flightcase/client')])
    const example = join(folder, 'avatar.ts')
    symlinkSync(join(root, 'examples/avatar.ts'), example)
    const { stdout } = await run(process.execPath, [
      '--preserve-symlinks-main',
      example,
      base.ready.admin.url,
      base.ready.admin.token
    ])
    const steps = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { step: string; fileId: string; old: { fileId: string } })
    expect(steps).toMatchObject([
      { step: 'uploaded', isDuplicate: false },
      { step: 'shown', status: 200, bytes: 73 },
      { step: 'replaced', old: { fileId: steps[0]?.fileId, state: 'pending_reference' } }
    ])
    // Nobody needs the old picture: the grace period takes it to the bin. The new one is held.
    clock.advanceMs(25 * 3_600_000)
    await base.api.call(collectGarbage, { body: {} })
    const { items } = await base.api.call(listAssets, {})
    expect(items.map(({ id }) => id)).toEqual([steps[2]?.fileId])
  })
})

import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { quarantineBytes } from '../../../shared/api/delivery.ts'
import type { EventType } from '../../../shared/api/events.ts'
import { cancelJob, listJobs, retryJob } from '../../../shared/api/jobs.ts'
import { cacheRemoteMedia, deleteRemoteMedia, listRemoteMedia } from '../../../shared/api/remote.ts'
import { openDatabase } from '../../db/database.ts'
import { migrations } from '../../db/migrations/all.ts'
import { blankPng, dronePhoto } from '../../testing/photos.ts'
import { storedKeys } from '../../testing/stored-keys.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { hexDigest, loopbackNames, type OriginAnswer, remoteEnv, startOrigin, startRemote } from './remote-bench.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const png = (n: number) => Buffer.concat([blankPng(8, 8), Buffer.from(`${n}`)])
const sending =
  (body: Buffer | string, headers: Record<string, string> = {}): OriginAnswer =>
  (_, response) =>
    void response.writeHead(200, headers).end(body)

const remoteKeys = ({ dataDir }: TestDaemon) => storedKeys(dataDir).filter((key) => key.startsWith('cached_remote/'))

function eventsOf({ dataDir }: TestDaemon, type: EventType): unknown[] {
  const db = openDatabase(join(dataDir, 'flightcase.db'), migrations)
  try {
    return db
      .prepare<unknown[], { json: string }>('SELECT data_json AS json FROM event WHERE type = ? ORDER BY seq')
      .all(type)
      .map(({ json }) => JSON.parse(json) as unknown)
  } finally {
    db.close()
  }
}

describe('a file from elsewhere', () => {
  test('is asked for at once, fetched by a job, kept and delivered', async () => {
    const photo = await dronePhoto()
    const remote = await startRemote(sending(photo, { 'content-type': 'text/html' }))
    const asked = await remote.ask('/a/shot%201.jpg?size=1#part')
    expect(asked).toMatchObject({ status: 'pending', problem: null, file: null, workspaceId: 'default' })
    expect(asked.url).toBe(remote.origin.url('/a/shot%201.jpg?size=1'))
    const task = await remote.until(asked.taskId, ({ status }) => status === 'ready')
    const file = { mimeType: 'image/jpeg', sizeBytes: photo.length, sha256: hexDigest(photo) }
    expect(task).toMatchObject({ taskId: asked.taskId, problem: null, file })
    expect(remoteKeys(remote.base)).toEqual([
      expect.stringMatching(new RegExp(`^cached_remote/${hexDigest(asked.url)}/[0-9a-z]{26}$`))
    ])
    expect(eventsOf(remote.base, 'remote.cached')).toEqual([
      { workspaceId: 'default', url: asked.url, ...file, isChanged: true }
    ])

    const answer = await remote.base.fetch(task.file!.contentPath)
    expect(Buffer.from(await answer.arrayBuffer()).equals(photo)).toBe(true)
    const headers = Object.fromEntries(answer.headers)
    expect(headers).toMatchObject({
      'content-type': 'image/jpeg',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-cache',
      'content-security-policy': expect.stringContaining('sandbox'),
      'content-disposition': expect.stringContaining('shot 1.jpg')
    })
    expect((await remote.content(task.taskId, { 'if-none-match': headers['etag']! })).status).toBe(304)
    expect((await remote.content(task.taskId, { range: 'bytes=0-1' })).status).toBe(206)
  })

  test('is one task for everybody who asks for it in a workspace', async () => {
    const remote = await startRemote(sending(png(1)))
    const tasks = await Promise.all(Array.from({ length: 10 }, () => remote.ask('/a')))
    const ids = new Set(tasks.map(({ taskId }) => taskId))
    expect(ids.size).toBe(1)
    const other = await remote.ask('/a', { workspaceId: 'other' })
    expect(ids).not.toContain(other.taskId)
    await remote.base.daemon.idle()
    expect(remote.origin.requests).toHaveLength(2)
    expect(new Set(remoteKeys(remote.base)).size).toBe(2)
    expect(await remote.ask('/a')).toMatchObject({ taskId: [...ids][0], status: 'ready' })
    await remote.base.daemon.idle()
    expect(remote.origin.requests).toHaveLength(2)
  })

  test('is asked for again when it is no longer fresh: unchanged bytes stay, new ones take their place', async () => {
    let body = png(1)
    const remote = await startRemote((request, response) => {
      const etag = `"${hexDigest(body)}"`
      if (request.headers['if-none-match'] === etag) response.writeHead(304).end()
      else response.writeHead(200, { etag, 'last-modified': 'Tue, 07 Apr 2026 10:00:00 GMT' }).end(body)
    })
    const first = await remote.settled('/a')
    const keys = remoteKeys(remote.base)
    remote.clock.advanceMs(24 * HOUR_MS - 1)
    expect(await remote.ask('/a')).toMatchObject({ status: 'ready' })
    remote.clock.advanceMs(1)
    const asked = await remote.ask('/a')
    // What is kept can be read meanwhile.
    expect(asked).toMatchObject({ taskId: first.taskId, status: 'pending', file: { sha256: hexDigest(png(1)) } })
    const second = await remote.until(first.taskId, ({ status }) => status === 'ready')
    expect(remote.origin.requests.map(({ headers }) => headers['if-modified-since'])).toEqual([
      undefined,
      'Tue, 07 Apr 2026 10:00:00 GMT'
    ])
    expect(Date.parse(second.file!.freshUntil)).toBe(remote.clock.nowMs() + DAY_MS)
    expect(remoteKeys(remote.base)).toEqual(keys)

    body = png(2)
    const third = await remote.settled('/a', { refresh: true })
    expect(third.file).toMatchObject({ sha256: hexDigest(body) })
    await remote.base.daemon.idle()
    expect(remoteKeys(remote.base)).toHaveLength(1)
    expect(remoteKeys(remote.base)).not.toEqual(keys)
    expect(eventsOf(remote.base, 'remote.cached')).toMatchObject([
      { isChanged: true },
      { isChanged: false },
      { isChanged: true }
    ])
  })

  test('stays when its origin does not have it any more', async () => {
    const remote = await startRemote(sending(png(1)))
    const { taskId } = await remote.settled('/a')
    remote.origin.answer = (_, response) => void response.writeHead(404).end()
    const task = await remote.settled('/a', { refresh: true })
    expect(task).toMatchObject({
      status: 'failed',
      problem: { code: 'origin_refused' },
      file: { sizeBytes: png(1).length }
    })
    expect((await remote.content(taskId)).status).toBe(200)
  })

  test('is dropped with its bytes, also while it is fetched', async () => {
    const remote = await startRemote(sending(png(1)))
    const drop = (taskId: string) => remote.base.api.call(deleteRemoteMedia, { params: { taskId } })
    const { taskId } = await remote.settled('/a')
    await drop(taskId)
    await expect(drop(taskId)).rejects.toMatchObject({ problem: { code: 'remote_media_not_found' } })
    let finish = () => {}
    remote.origin.answer = (_, response) => {
      response.writeHead(200).write(png(2))
      finish = () => void response.end()
    }
    const slow = await remote.ask('/slow')
    await vi.waitFor(() => expect(remote.origin.requests).toHaveLength(2))
    expect(await remote.task(slow.taskId)).toMatchObject({ status: 'fetching' })
    expect((await remote.content(slow.taskId)).status).toBe(409)
    await drop(slow.taskId)
    finish()
    await remote.base.daemon.idle()
    expect(remoteKeys(remote.base)).toEqual([])
  })

  test('is listed newest first, page by page', async () => {
    const remote = await startRemote(sending(png(1)))
    const ids: string[] = []
    for (const path of ['/1', '/2', '/3']) {
      remote.clock.advanceMs(1)
      ids.unshift((await remote.ask(path, { workspaceId: path === '/2' ? 'other' : 'default' })).taskId)
    }
    const page = (query: object) => remote.base.api.call(listRemoteMedia, { query })
    const first = await page({ limit: 2 })
    const second = await page({ limit: 2, cursor: first.nextCursor })
    expect([...first.items, ...second.items].map(({ taskId }) => taskId)).toEqual(ids)
    expect(second.nextCursor).toBeNull()
    expect((await page({ workspaceId: 'other' })).items.map(({ taskId }) => taskId)).toEqual([ids[1]])
  })
})

describe('the policy', () => {
  test('is that nothing is fetched, until somebody allows it', async () => {
    const base = await startTestDaemon()
    await expect(base.api.call(cacheRemoteMedia, { body: { url: 'http://example.org/a.jpg' } })).rejects.toMatchObject({
      problem: { code: 'remote_disabled', status: 403 }
    })
  })

  test('refuses addresses that can never be asked, before anything is written', async () => {
    const remote = await startRemote(sending(png(1)), {
      env: { FLIGHTCASE_REMOTE_DOMAINS: 'origin.example', FLIGHTCASE_REMOTE_ALLOW_PRIVATE: 'false' }
    })
    for (const [url, problem] of [
      ['no address', 'url_not_allowed'],
      ['file:///etc/passwd', 'url_not_allowed'],
      [`http://ann:pw@origin.example:${remote.origin.port}/`, 'url_not_allowed'],
      ['http://origin.example:22/', 'url_not_allowed'],
      [`http://other.example:${remote.origin.port}/`, 'domain_not_allowed']
    ])
      await expect(remote.base.api.call(cacheRemoteMedia, { body: { url: url! } })).rejects.toMatchObject({
        problem: { code: 'remote_url_refused', status: 422, details: { problem } }
      })
    expect((await remote.base.api.call(listRemoteMedia, {})).items).toEqual([])
  })

  test('keeps off networks that are not public, by default', async () => {
    const remote = await startRemote(sending(png(1)), { env: { FLIGHTCASE_REMOTE_ALLOW_PRIVATE: 'false' } })
    for (const url of [`http://127.0.0.1:${remote.origin.port}/`, `http://[::ffff:7f00:1]:${remote.origin.port}/`])
      await expect(remote.base.api.call(cacheRemoteMedia, { body: { url } })).rejects.toMatchObject({
        problem: { details: { problem: 'address_not_allowed' } }
      })
    const task = await remote.settled('/a')
    expect(task).toMatchObject({ status: 'failed', problem: { code: 'address_not_allowed' }, file: null })
    expect(remote.origin.requests).toEqual([])
    expect(eventsOf(remote.base, 'remote.failed')).toEqual([
      { workspaceId: 'default', url: task.url, problem: 'address_not_allowed' }
    ])
    // It is what the answer is, and no work that somebody has to look at.
    expect((await remote.base.api.call(listJobs, { query: { state: 'dead' } })).items).toEqual([])
  })

  test.each([
    ['HTML', '<!doctype html><script>alert(1)</script>', 'type_not_allowed'],
    ['a program', Buffer.from('7f454c46020101', 'hex'), 'type_not_allowed'],
    ['nothing', '', 'type_not_allowed'],
    ['a picture that becomes too large in memory', blankPng(40_000, 20_000), 'too_many_pixels']
  ])('goes by the content: %s that says it is a picture is none', async (_, body, problem) => {
    const remote = await startRemote(sending(body, { 'content-type': 'image/png' }))
    expect(await remote.settled('/a.png')).toMatchObject({ status: 'failed', problem: { code: problem }, file: null })
    await remote.base.daemon.idle()
    expect(remoteKeys(remote.base)).toEqual([])
  })

  test('lets nothing act in our name, where such types are allowed', async () => {
    const remote = await startRemote(
      sending('<!doctype html><script>alert(1)</script>', { 'content-type': 'image/png' }),
      {
        env: { FLIGHTCASE_REMOTE_TYPES: '*/*' }
      }
    )
    const answer = await remote.content((await remote.settled('/a.png')).taskId)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': expect.stringMatching(/^attachment/),
      'content-security-policy': expect.stringContaining('sandbox')
    })
    remote.origin.answer = sending('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    const drawing = await remote.content((await remote.settled('/b.png')).taskId)
    expect(Object.fromEntries(drawing.headers)).toMatchObject({
      'content-type': 'image/svg+xml',
      'content-security-policy': expect.stringContaining("sandbox; default-src 'none'")
    })
  })

  test('limits sizes, announced or not, and lets go of the origin then', async () => {
    const remote = await startRemote(sending(Buffer.alloc(0), { 'content-length': '50000' }), {
      env: { FLIGHTCASE_REMOTE_MAX_GB: '0.00002' }
    })
    expect(await remote.settled('/announced')).toMatchObject({ problem: { code: 'too_large' } })
    const ended = new Promise((resolve) => {
      remote.origin.answer = (_, response) => {
        response.writeHead(200)
        response.write(png(1))
        const pump = () => void response.write(Buffer.alloc(10_000), (error) => error || setImmediate(pump))
        pump()
        response.once('close', resolve)
      }
    })
    expect(await remote.settled('/endless')).toMatchObject({ problem: { code: 'too_large' } })
    await ended
    await remote.base.daemon.idle()
    expect(remoteKeys(remote.base)).toEqual([])
  })

  test('takes nothing that is compressed', async () => {
    const remote = await startRemote(sending(png(1), { 'content-encoding': 'br' }))
    expect(await remote.settled('/a')).toMatchObject({ problem: { code: 'answer_not_usable' } })
  })

  test('fetches no bytes that are quarantined, and hands out none', async () => {
    const remote = await startRemote(sending(png(1)))
    const quarantine = (sha256: string) => remote.base.api.call(quarantineBytes, { body: { sha256, reason: 'test' } })
    await quarantine(hexDigest(png(1)))
    expect(await remote.settled('/a')).toMatchObject({ status: 'failed', problem: { code: 'quarantined' }, file: null })
    remote.origin.answer = sending(png(2))
    const { taskId } = await remote.settled('/b')
    await quarantine(hexDigest(png(2)))
    expect((await remote.content(taskId)).status).toBe(451)
  })
})

describe('an attempt that fails', () => {
  test('is made again later when that may help', async () => {
    const remote = await startRemote((_, response) => void response.writeHead(503).end())
    const { taskId } = await remote.ask('/a')
    const waiting = await remote.until(taskId, ({ problem }) => problem !== null)
    expect(waiting).toMatchObject({ status: 'pending', problem: { code: 'origin_failed' } })
    // Asking again changes nothing: it waits already.
    expect(await remote.ask('/a', { refresh: true })).toMatchObject({ taskId, status: 'pending' })
    remote.origin.answer = sending(png(1))
    remote.clock.advanceMs(HOUR_MS)
    await remote.ask('/wakes-the-queue')
    expect(await remote.until(taskId, ({ status }) => status === 'ready')).toMatchObject({ problem: null })
    expect(remote.origin.requests.filter(({ url }) => url === '/a')).toHaveLength(2)
  })

  test('for the last time is work that was given up, and can be retried', async () => {
    const remote = await startRemote((_, response) => void response.writeHead(503).end())
    const { taskId } = await remote.ask('/a')
    for (let attempts = 1; attempts < 6; attempts++) {
      await vi.waitFor(() => expect(remote.origin.requests.filter(({ url }) => url === '/a')).toHaveLength(attempts))
      await remote.until(taskId, ({ status }) => status === 'pending')
      await remote.base.daemon.idle()
      remote.clock.advanceMs(HOUR_MS)
      await remote.ask(`/wakes-the-queue-${attempts}`)
    }
    expect(await remote.until(taskId, ({ status }) => status === 'failed')).toMatchObject({
      problem: { code: 'origin_failed' }
    })
    await remote.base.daemon.idle()
    const dead = (await remote.base.api.call(listJobs, { query: { state: 'dead' } })).items
    expect(dead).toMatchObject([{ name: 'remote.fetch', attempt: 6 }])
    remote.origin.answer = sending(png(1))
    await remote.base.api.call(retryJob, { params: { jobId: dead[0]!.id } })
    expect(await remote.until(taskId, ({ status }) => status === 'ready')).toMatchObject({ problem: null })
  })

  test('because somebody cancelled it is told, and does not keep the next request waiting', async () => {
    const remote = await startRemote((_, response) => void response.write(png(1)))
    const { taskId } = await remote.ask('/a')
    await remote.until(taskId, ({ status }) => status === 'fetching')
    const [job] = (await remote.base.api.call(listJobs, { query: { state: 'running' } })).items
    await remote.base.api.call(cancelJob, { params: { jobId: job!.id } })
    expect(await remote.task(taskId)).toMatchObject({ status: 'failed', problem: { code: 'interrupted' } })
    remote.origin.answer = sending(png(2))
    expect(await remote.settled('/a')).toMatchObject({ taskId, status: 'ready', problem: null })
  })

  test('for good is believed for a minute, unless somebody insists', async () => {
    const remote = await startRemote((_, response) => void response.writeHead(404).end())
    await remote.settled('/a')
    expect(await remote.ask('/a')).toMatchObject({ status: 'failed', problem: { code: 'origin_refused' } })
    await remote.settled('/a', { refresh: true })
    expect(remote.origin.requests).toHaveLength(2)
    remote.clock.advanceMs(60_000)
    expect(await remote.ask('/a')).toMatchObject({ status: 'pending', problem: null })
  })

  test('because the origin gives a few bytes at a time has an end', async () => {
    const remote = await startRemote(
      (request, response) => {
        response.writeHead(200)
        const timer = setInterval(() => response.write('\x89'), 10)
        request.socket.once('close', () => clearInterval(timer))
      },
      { env: { FLIGHTCASE_REMOTE_TIMEOUT_SECONDS: '0.2' } }
    )
    const { taskId } = await remote.ask('/a')
    const task = await remote.until(taskId, ({ problem }) => problem !== null)
    expect(task).toMatchObject({ status: 'pending', problem: { code: 'origin_timeout' } })
  })

  test('because the body ends too early keeps nothing of it', async () => {
    const remote = await startRemote((_, response) => {
      response.writeHead(200, { 'content-length': '100000' })
      response.write(png(1), () => response.destroy())
    })
    const { taskId } = await remote.ask('/a')
    const task = await remote.until(taskId, ({ problem }) => problem !== null)
    expect(task).toMatchObject({ status: 'pending', problem: { code: 'origin_unreachable' }, file: null })
    await remote.base.daemon.idle()
    expect(remoteKeys(remote.base)).toEqual([])
  })
})

describe('what is too much', () => {
  test('goes when another file comes, the least used first', async () => {
    const body = Buffer.concat([png(1), Buffer.alloc(10_000)])
    const remote = await startRemote(sending(body), {
      env: { FLIGHTCASE_REMOTE_TOTAL_GB: String((3 * body.length + 1) / 1e9) }
    })
    const ids: string[] = []
    for (const path of ['/1', '/2', '/3']) {
      ids.push((await remote.settled(path)).taskId)
      remote.clock.advanceMs(HOUR_MS)
    }
    // Reading counts as use, and so does asking.
    await (await remote.content(ids[0]!)).arrayBuffer()
    remote.clock.advanceMs(HOUR_MS)
    await remote.ask('/2')
    remote.clock.advanceMs(HOUR_MS)
    const left = async () =>
      (await remote.base.api.call(listRemoteMedia, {})).items.map(({ url }) => new URL(url).pathname).sort()
    await remote.settled('/4')
    expect(await left()).toEqual(['/1', '/2', '/4'])
    remote.clock.advanceMs(HOUR_MS)
    await remote.settled('/5')
    expect(await left()).toEqual(['/2', '/4', '/5'])
    await remote.base.daemon.idle()
    expect(remoteKeys(remote.base)).toHaveLength(3)
    await expect(remote.task(ids[2]!)).rejects.toMatchObject({ problem: { code: 'remote_media_not_found' } })
  })

  test('and what nobody uses goes by and by', async () => {
    const remote = await startRemote(sending(png(1)))
    const unused = await remote.settled('/1')
    remote.clock.advanceMs(DAY_MS)
    const used = await remote.settled('/2')
    remote.clock.advanceMs(29 * DAY_MS)
    await remote.restart()
    await vi.waitFor(() => expect(remote.task(unused.taskId)).rejects.toThrow())
    await vi.waitFor(() => expect(remoteKeys(remote.base)).toHaveLength(1))
    expect(await remote.task(used.taskId)).toMatchObject({ status: 'ready' })
  })
})

test('what was asked for before it was switched off is not fetched', async () => {
  const origin = await startOrigin(() => {})
  const start = (enabled: string, dataDir?: string) =>
    startTestDaemon({
      env: remoteEnv(origin, { FLIGHTCASE_REMOTE_ENABLED: enabled }),
      ...(dataDir === undefined ? {} : { dataDir }),
      overrides: { lookup: loopbackNames }
    })
  const before = await start('true')
  const { taskId } = await before.api.call(cacheRemoteMedia, { body: { url: origin.url('/a') } })
  await vi.waitFor(() => expect(origin.requests).toHaveLength(1))
  origin.answer = sending(png(1))
  for (const { socket } of origin.requests) socket.destroy()
  await before.daemon.stop()
  const after = await start('false', before.dataDir)
  onTestFinished(() => after.daemon.stop())
  await vi.waitFor(async () =>
    expect((await after.api.call(listRemoteMedia, {})).items).toMatchObject([
      { taskId, status: 'failed', problem: { code: 'remote_disabled' } }
    ])
  )
})

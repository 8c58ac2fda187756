import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer, text } from 'node:stream/consumers'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startFakeMediaMtx } from '../testing/fake-mediamtx/start-fake-mediamtx.ts'
import { MediaMtxClient } from './client.ts'
import { diffOf, type PathConf } from './path-conf.ts'

// Answers that neither MediaMTX nor the fake of it gives at will: of something else, broken, or never.

const NAME = 'live/ct-0a1b2c3d'
type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** Gives the answers in their order, the last one for ever. */
async function scripted(...answers: Answer[]) {
  const requests: { line: string; body: string; authorization: string | undefined }[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const answer = answers[Math.min(requests.length, answers.length - 1)]!
      const { authorization } = request.headers
      const entry = { line: `${request.method} ${request.url}`, body: '', authorization }
      requests.push(entry)
      entry.body = await text(request)
      answer(response, request)
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  const url = `http://127.0.0.1:${address.port}`
  const client = new MediaMtxClient({ apiUrl: url, playbackUrl: url, credential: { user: 'base', password: 'pw' } })
  return { requests, client, server }
}

const json =
  (status: number, body: unknown): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const plain =
  (status: number, body: string): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'text/plain' }).end(body)
const reset: Answer = (response) => void response.socket?.resetAndDestroy()
const ok = json(200, { status: 'ok' })

test('only what is ours to set is sent, with the credential', async () => {
  const { client, requests } = await scripted(ok)
  const conf = { record: true, runOnReady: 'rm -rf /' }
  await client.addPath(NAME, conf)
  expect(requests).toEqual([
    { line: `POST /v3/config/paths/add/${NAME}`, body: '{"record":true}', authorization: `Basic ${btoa('base:pw')}` }
  ])
})

test.each(['', 'live/x', '../../v3/config/global/get', 'live/%2e%2e-0a1b2c3d', 'live/x y-0a1b2c3d'])(
  'a path called %j never gets into a URL',
  async (name) => {
    const { client, requests } = await scripted(ok)
    await expect(client.addPath(name, {})).rejects.toThrow('is no path of ours')
    await expect(client.deletePath(name)).rejects.toThrow('is no path of ours')
    await expect(client.playbackList(name)).rejects.toThrow('is no path of ours')
    await expect(client.deleteSegment(name, '2026-11-20T21:04:05Z')).rejects.toThrow('is no path of ours')
    expect(requests).toEqual([])
  }
)

test('a connection that breaks is tried again once, except where that could do a thing twice', async () => {
  const patched = await scripted(reset, ok)
  await patched.client.patchPath(NAME, { record: true })
  expect(patched.requests).toHaveLength(2)

  const broken = await scripted(reset)
  await expect(broken.client.info()).rejects.toMatchObject({ code: 'Unavailable' })
  expect(broken.requests).toHaveLength(2)

  const added = await scripted(reset, ok)
  await expect(added.client.addPath(NAME, {})).rejects.toMatchObject({ code: 'Unavailable' })
  expect(added.requests).toHaveLength(1)
})

test('writes are sent one after another, also after one that failed', async () => {
  let open = 0
  // Long enough that writes sent side by side would meet.
  const slow: Answer = (response, request) => {
    open += 1
    const isAlone = open === 1
    setTimeout(() => {
      open -= 1
      json(isAlone && !request.url?.endsWith('bad-00000000') ? 200 : 400, { error: 'no' })(response, request)
    }, 30)
  }
  const { client, requests } = await scripted(slow)
  const names = ['live/a-00000000', 'live/bad-00000000', 'live/b-00000000', 'live/c-00000000']
  const results = await Promise.allSettled(names.map((name) => client.addPath(name, {})))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(requests.map(({ line }) => line)).toEqual(names.map((name) => `POST /v3/config/paths/add/${name}`))
})

test.each([
  ['401 is a matter of our credential', json(401, { error: 'authentication error' }), 'Misconfigured'],
  ['404 without JSON is another program', plain(404, '404 page not found'), 'Misconfigured'],
  ['a page is another program', plain(200, '<html>'), 'Misconfigured'],
  ['500 without JSON', plain(502, 'Bad Gateway'), 'Unavailable'],
  ['C66: it ends just now', json(400, { status: 'error', error: 'terminated' }), 'Unavailable'],
  ['it ends just now, for reads', json(500, { status: 'error', error: 'terminated' }), 'Unavailable'],
  ['it does not know the path', json(404, { error: 'path not found' }), 'NotFound'],
  ['it does not like the fields', json(400, { error: 'json: unknown field "x"' }), 'Invalid']
])('%s', async (_, answer, code) => {
  const { client } = await scripted(answer)
  await expect(client.info()).rejects.toMatchObject({ name: 'MediaMtxError', code })
})

test('nobody listens', async () => {
  const { client, server } = await scripted(ok)
  server.close()
  await expect(client.info()).rejects.toMatchObject({
    code: 'Unavailable',
    message: expect.stringContaining('REFUSED')
  })
})

test('no answer in time, and a caller who does not wait', async () => {
  const { client, requests } = await scripted(() => undefined)
  await expect(client.info(50)).rejects.toMatchObject({
    code: 'Unavailable',
    message: expect.stringContaining('in time')
  })
  const controller = new AbortController()
  const opened = client.openPlayback(
    NAME,
    { start: '2026-11-20T21:04:05Z', durationS: 1, format: 'mp4' },
    controller.signal
  )
  await expect.poll(() => requests.length).toBe(2)
  controller.abort(new Error('the viewer has gone'))
  await expect(opened).rejects.toThrow('the viewer has gone')
})

test('a refusal names no secret', async () => {
  const { client } = await scripted(json(400, { error: "invalid source: 'x://ann:hunter2@cam.lan/'" }))
  await expect(client.addPath(NAME, {})).rejects.toMatchObject({
    code: 'Invalid',
    message: expect.not.stringContaining('hunter2')
  })
})

test('lists are read to their last page', async () => {
  const page = (...names: string[]) => json(200, { itemCount: 3, pageCount: 2, items: names.map((name) => ({ name })) })
  const { client, requests } = await scripted(page('live/a-00000000', 'cam'), page('live/b-00000000'))
  expect([...(await client.listPathConfs()).keys()]).toEqual(['live/a-00000000', 'live/b-00000000'])
  expect(requests.map(({ line }) => line)).toEqual([
    'GET /v3/config/paths/list?itemsPerPage=1000&page=0',
    'GET /v3/config/paths/list?itemsPerPage=1000&page=1'
  ])
})

test('older servers say less of a path, and answer writes with nothing', async () => {
  const old = {
    name: NAME,
    ready: true,
    readyTime: '2026-11-20T21:04:05Z',
    tracks: ['H264'],
    bytesReceived: 7,
    source: null
  }
  expect(await (await scripted(json(200, old))).client.getPath(NAME)).toEqual({
    name: NAME,
    available: true,
    availableTime: '2026-11-20T21:04:05Z',
    source: null,
    tracks: [{ codec: 'H264' }],
    readers: [],
    inboundBytes: 7
  })
  await (await scripted(plain(200, ''))).client.replacePath(NAME, {})
})

test.each([
  [400, 'lstat /rec/live/ct-0a1b2c3d: no such file or directory'],
  [400, 'CreateFile D:\\rec\\live: The system cannot find the path specified.'],
  [404, 'no recording segments found']
])('nothing was recorded: %s %s', async (status, error) => {
  const { client } = await scripted(json(status, { error }))
  expect(await client.playbackList(NAME)).toEqual([])
  const request = { start: '2026-11-20T21:04:05Z', durationS: 1.5, format: 'fmp4' } as const
  const opened = client.openPlayback(NAME, request, AbortSignal.timeout(10_000))
  await expect(opened).rejects.toMatchObject({ code: 'NotFound', message: expect.not.stringContaining('rec/') })
})

test.each([
  [500, 'EOF', 'Corrupt'],
  [400, 'moov box not found', 'Corrupt'],
  [500, 'MPEG-TS format is not supported yet', 'Invalid'],
  [400, `path '${NAME}' is not configured`, 'NotFound'],
  [500, 'out of memory', 'Unavailable']
])('playback: %s %s is %s', async (status, error, code) => {
  const { client } = await scripted(json(status, { error }))
  await expect(client.playbackList(NAME)).rejects.toMatchObject({ code })
})

test('a segment that is not there is not found, and its place is not told', async () => {
  const { client, requests } = await scripted(
    json(400, { error: 'remove /rec/live/1-2.mp4: no such file or directory' })
  )
  const start = '2026-11-20T21:04:05.123456+08:00'
  await expect(client.deleteSegment(NAME, start)).rejects.toMatchObject({
    code: 'NotFound',
    message: expect.not.stringContaining('/rec')
  })
  expect(new URL(requests[0]!.line.split(' ')[1]!, 'http://x').searchParams.get('start')).toBe(start)
})

test('a segment of a path that is not configured is not taken for deleted', async () => {
  const { client } = await scripted(json(400, { error: `path '${NAME}' is not configured` }))
  await expect(client.deleteSegment(NAME, '2026-11-20T21:04:05Z')).rejects.toMatchObject({ code: 'Unavailable' })
})

test('who sends is kicked where they send; one that has gone meanwhile is fine, and what is fetched is nobody', async () => {
  const sentBy = (type: string) => json(200, { name: NAME, source: { type, id: 'a' } })
  const { client, requests } = await scripted(
    sentBy('webRTCSession'),
    ok,
    sentBy('srtConn'),
    json(404, { error: 'connection not found' }),
    sentBy('rtspSource'),
    json(404, { error: 'path not found' })
  )
  for (let i = 0; i < 4; i++) await client.kickPublisher(NAME)
  expect(requests.map(({ line }) => line)).toEqual([
    `GET /v3/paths/get/${NAME}`,
    'POST /v3/webrtcsessions/kick/a',
    `GET /v3/paths/get/${NAME}`,
    'POST /v3/srtconns/kick/a',
    `GET /v3/paths/get/${NAME}`,
    `GET /v3/paths/get/${NAME}`
  ])
})

// The fake from here on.

async function fake() {
  const server = await startFakeMediaMtx()
  onTestFinished(() => server.close())
  const { api, playback } = server.urls
  return { server, client: new MediaMtxClient({ apiUrl: api, playbackUrl: playback, credential: null }) }
}

test('C65: a path shows some time after it was added, and that is waited for', async () => {
  const { server, client } = await fake()
  server.setApplyDelay(Number.POSITIVE_INFINITY)
  await client.addPath(NAME, { record: true })
  expect(await client.getPathConf(NAME)).toBeNull()
  const holds = vi.fn((conf: PathConf | null) => conf?.record === true)
  const waited = client.waitForPath(NAME, holds)
  await vi.waitFor(() => expect(holds).toHaveBeenCalled())
  server.setApplyDelay(0)
  await waited
  expect(holds).toHaveBeenLastCalledWith(expect.objectContaining({ record: true }))
})

test('a wait ends with its caller', async () => {
  const { client } = await fake()
  const controller = new AbortController()
  const waited = client.waitForPath(NAME, (conf) => conf !== null, controller.signal)
  controller.abort()
  await expect(waited).rejects.toMatchObject({ name: 'AbortError' })
})

test('C66: a server that ends just now is unavailable', async () => {
  const { server, client } = await fake()
  server.failNext('POST /v3/config/paths/add/', { status: 400, error: 'terminated' })
  await expect(client.addPath(NAME, {})).rejects.toMatchObject({ code: 'Unavailable' })
})

test('the life of a path', async () => {
  const { client } = await fake()
  await client.addPath(NAME, { overridePublisher: false, record: true, recordSegmentDuration: '90s' })
  await expect(client.addPath(NAME, {})).rejects.toMatchObject({ code: 'Conflict' })
  const conf = await client.getPathConf(NAME)
  expect(diffOf({ overridePublisher: false, record: true, recordSegmentDuration: '90s' }, conf ?? {})).toEqual({})
  await client.patchPath(NAME, { record: false })
  expect(await client.getPathConf(NAME)).toMatchObject({ overridePublisher: false, record: false })
  await client.replacePath(NAME, {})
  expect(await client.getPathConf(NAME)).toMatchObject({ overridePublisher: true })
  expect([...(await client.listPathConfs()).keys()]).toEqual([NAME])
  expect(await client.listPaths()).toEqual([expect.objectContaining({ name: NAME, available: false, source: null })])
  await client.deletePath(NAME)
  await client.deletePath(NAME)
  expect(await client.getPathConf(NAME)).toBeNull()
  expect(await client.getPath(NAME)).toBeNull()
  await expect(client.patchPath(NAME, { record: true })).rejects.toMatchObject({ code: 'NotFound' })
  await expect(client.getRecordings(NAME)).rejects.toMatchObject({ code: 'NotFound' })
  await client.replacePath(NAME, { record: true })
  expect(await client.getRecordings(NAME)).toEqual([])
  expect(await client.playbackList(NAME)).toEqual([])
})

test('who sends is shown, and kicked', async () => {
  const { server, client } = await fake()
  await client.addPath(NAME, {})
  const id = await server.publish(NAME)
  expect(await client.getPath(NAME)).toMatchObject({
    available: true,
    source: { type: 'rtmpConn', id },
    tracks: [expect.objectContaining({ codec: 'H264', width: expect.any(Number) }), { codec: expect.any(String) }]
  })
  await client.kickPublisher(NAME)
  expect(await client.getPath(NAME)).toMatchObject({ available: false, source: null })
})

test('recordings are listed, played and deleted by the starts that the server names', async () => {
  const { server, client } = await fake()
  await client.addPath(NAME, {})
  const run = crypto.randomUUID()
  server.addSegment(NAME, '2026-11-20T21:04:05.123456Z', 10, { run, number: 0 })
  server.addSegment(NAME, '2026-11-20T21:04:15.123456Z', 10, { run, number: 1 })
  server.addSegment(NAME, '2026-11-20T22:00:00.5Z', 10)
  const starts = await client.getRecordings(NAME)
  expect(starts).toHaveLength(3)
  const spans = await client.playbackList(NAME)
  expect(spans.map(({ durationS }) => Math.round(durationS))).toEqual([20, 10])
  expect(await client.playbackList(NAME, { start: '2026-11-20T21:30:00Z' })).toHaveLength(1)
  const request = { start: spans[0]!.start, durationS: 2.5, format: 'mp4' } as const
  const { body, contentType } = await client.openPlayback(NAME, request, AbortSignal.timeout(10_000))
  expect(contentType).toBe('video/mp4')
  expect((await buffer(body)).includes('ftyp')).toBe(true)
  await client.deleteSegment(NAME, starts[0]!)
  await expect(client.deleteSegment(NAME, starts[0]!)).rejects.toMatchObject({ code: 'NotFound' })
  expect(await client.getRecordings(NAME)).toEqual(starts.slice(1))
  server.corruptSegment(NAME, starts[2]!)
  await expect(client.playbackList(NAME)).rejects.toMatchObject({ code: 'Corrupt' })
})

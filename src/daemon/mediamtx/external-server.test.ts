import { expect, onTestFinished, test, vi } from 'vitest'
import type { JsonObject } from '../testing/fake-mediamtx/fields.ts'
import { startFakeMediaMtx } from '../testing/fake-mediamtx/start-fake-mediamtx.ts'
import { freePort } from '../testing/free-port.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { ExternalServer } from './external-server.ts'
import { AUTH_PATH } from './media-server.ts'

const PATIENCE = { timeout: 30_000 }
const NAME = 'live/ct-0a1b2c3d'

async function external(config: JsonObject = {}, options: { publicHost?: string; user?: string; key?: string } = {}) {
  const addresses = {
    hlsAddress: `127.0.0.1:${await freePort()}`,
    playbackAddress: `127.0.0.1:${await freePort()}`
  }
  const fake = await startFakeMediaMtx({ config: { ...addresses, ...config } })
  onTestFinished(() => fake.close())
  const credential = options.user === undefined ? null : { user: options.user, password: 'pw' }
  const { log, lines } = recordingLog()
  const server = new ExternalServer({
    server: {
      apiUrl: fake.urls.api,
      credential,
      auth: options.key === undefined ? null : { listen: { host: '127.0.0.1', port: 0 }, key: options.key }
    },
    publicHost: options.publicHost ?? null,
    log,
    livenessMs: 100
  })
  onTestFinished(() => server.stop())
  const onReady = vi.fn()
  server.onReady(onReady)
  return { fake, server, onReady, lines }
}

const isReady = (server: ExternalServer) => vi.waitFor(() => expect(server.state().state).toBe('ready'), PATIENCE)

test('is used, and left as it is', async () => {
  const { fake, server, onReady } = await external({ rtmp: true, rtmpAddress: ':1935', rtsp: false })
  expect(server.state()).toMatchObject({ mode: 'external', state: 'stopped', version: null })
  expect(server.urls().hls).toBeNull()
  server.start()
  await isReady(server)
  expect(onReady).toHaveBeenCalledOnce()
  expect(server.state()).toMatchObject({ version: 'v1.20.1', started_at: expect.any(String), problem: null })
  expect(server.recordRoot).toBeNull()
  expect(server.lastErrorOf()).toBeNull()
  expect(server.urls()).toMatchObject({
    hls: fake.urls.hls,
    playback: fake.urls.playback,
    rtmp: 'rtmp://127.0.0.1:1935',
    rtsp: null
  })
  expect(server.publicUrls('base.lan')).toMatchObject({ rtmp: 'rtmp://base.lan:1935', playback: null })
  await server.client().addPath(NAME, {})
  expect(await server.client().playbackList(NAME)).toEqual([])
  await server.stop()
  expect(server.state().state).toBe('stopped')
  expect(fake.journal.filter(({ method }) => method !== 'GET')).toHaveLength(1)
})

test('what is wrong with it is told', async () => {
  const anyone = { user: 'any', pass: '', ips: [], permissions: [{ action: 'read' }, { action: 'api' }] }
  const { server } = await external({
    playback: false,
    hls: false,
    pathDefaults: { recordPath: '/r/%path/%s' },
    authInternalUsers: [anyone]
  })
  server.start()
  await isReady(server)
  expect(server.state().warnings).toEqual([
    expect.stringContaining('does not ask Flightcase'),
    expect.stringContaining('`playback`'),
    expect.stringContaining('%f'),
    expect.stringContaining('HLS'),
    expect.stringContaining('authInternalUsers')
  ])
})

const address = (query: string, path = AUTH_PATH) => `http://base.lan:8702${path}${query}`
const noApi = [{ action: 'api' }]

test('asks us only where its settings lead here with our key, about all who send and watch', async () => {
  for (const [settings, asks] of [
    [{}, false],
    [{ authMethod: 'http', authHTTPAddress: address('?k=the-key'), authHTTPExclude: noApi }, true],
    [{ authMethod: 'http', authHTTPAddress: address('?k=other'), authHTTPExclude: noApi }, false],
    [{ authMethod: 'http', authHTTPAddress: address('?k=the-key', '/'), authHTTPExclude: noApi }, false],
    [{ authHTTPAddress: address('?k=the-key') }, false],
    [
      {
        authMethod: 'http',
        authHTTPAddress: address('?k=the-key'),
        authHTTPExclude: [...noApi, { action: 'publish' }]
      },
      false
    ]
  ] as const) {
    const { server } = await external(structuredClone(settings) as JsonObject, { key: 'the-key' })
    expect(server.asksUs()).toBe(false)
    server.start()
    await isReady(server)
    expect([settings, server.asksUs()]).toEqual([settings, asks])
    expect(server.state().warnings.some((warning) => warning.includes('does not ask'))).toBe(!asks)
  }
})

test('is noticed to be gone, to be back, and to have been started anew', async () => {
  const { fake, server, onReady } = await external()
  server.start()
  await isReady(server)
  await fake.down()
  await vi.waitFor(() => expect(server.state().state).toBe('unreachable'), PATIENCE)
  expect(server.state().problem).toMatchObject({ code: 'server_unreachable', remedy: expect.stringContaining('API') })
  expect(() => server.client()).toThrow('live_unavailable')
  await fake.up()
  await vi.waitFor(() => expect(onReady).toHaveBeenCalledTimes(2), PATIENCE)
  const startedAt = server.state().started_at
  fake.advanceClock(5000)
  await fake.restart()
  await vi.waitFor(() => expect(server.state().started_at).not.toBe(startedAt), PATIENCE)
  await vi.waitFor(() => expect(onReady.mock.calls.length).toBeGreaterThanOrEqual(3), PATIENCE)
})

test('our credential is refused: misconfigured, told once', async () => {
  const api = { user: 'base', pass: 'other', ips: [], permissions: [{ action: 'api' }] }
  const { fake, server, lines } = await external({ authInternalUsers: [api] }, { user: 'base' })
  server.start()
  await vi.waitFor(() => expect(server.state().state).toBe('misconfigured'), PATIENCE)
  expect(server.state().problem).toMatchObject({ code: 'server_refuses', remedy: expect.stringContaining('PASSWORD') })
  expect(() => server.client()).toThrow('live_misconfigured')
  const asked = fake.journal.length
  await vi.waitFor(() => expect(fake.journal.length).toBeGreaterThan(asked + 1), PATIENCE)
  expect(lines).toHaveLength(1)
})

test('a public host goes before all others', async () => {
  const { server } = await external({ rtmp: true, rtmpAddress: ':1935' }, { publicHost: 'media.example.org' })
  server.start()
  await isReady(server)
  expect(server.publicUrls('base.lan').rtmp).toBe('rtmp://media.example.org:1935')
})

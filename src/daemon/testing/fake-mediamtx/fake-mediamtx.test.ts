import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { freePort } from '../free-port.ts'
import { globalFields, pathFields } from './fields.ts'
import { startFakeMediaMtx } from './start-fake-mediamtx.ts'

const NAME = 'live/cam-0a1b2c3d'

async function started(...options: Parameters<typeof startFakeMediaMtx>) {
  const fake = await startFakeMediaMtx(...options)
  onTestFinished(() => fake.close())
  const api = async (method: string, path: string, body?: object) => {
    const response = await fetch(
      `${fake.urls.api}/v3${path}`,
      body ? { method, body: JSON.stringify(body) } : { method }
    )
    const json: unknown = await response.json()
    return { status: response.status, json }
  }
  const add = (settings = {}) => api('POST', `/config/paths/add/${NAME}`, settings)
  const playlist = async (query: string) => {
    const response = await fetch(`${fake.urls.hls}/${NAME}/${query}`)
    return { status: response.status, body: await response.text() }
  }
  return { fake, api, add, playlist }
}

test('it knows as many keys as the real server', () => {
  const count = (fields: typeof pathFields, isCurrent: boolean) =>
    Object.values(fields).filter((field) => (field.initial !== undefined) === isCurrent).length
  expect([count(pathFields, true), count(pathFields, false)]).toEqual([91, 24])
  expect([count(globalFields, true), count(globalFields, false)]).toEqual([120, 31])
})

test('a write that is held is answered, and takes effect later', async () => {
  const { fake, api, add } = await started()
  fake.setApplyDelay(Number.POSITIVE_INFINITY)
  expect(await add()).toEqual({ status: 200, json: { status: 'ok' } })
  expect((await api('PATCH', `/config/paths/patch/${NAME}`, { record: true })).status).toBe(200)
  expect((await api('GET', `/config/paths/get/${NAME}`)).status).toBe(404)
  fake.setApplyDelay(1)
  expect((await api('GET', `/config/paths/get/${NAME}`)).json).toMatchObject({ record: true })
  await api('DELETE', `/config/paths/delete/${NAME}`)
  await expect.poll(async () => (await api('GET', `/config/paths/get/${NAME}`)).status).toBe(404)
})

test('a failure that was ordered is used up by one request', async () => {
  const { fake, add } = await started()
  fake.failNext('POST /v3/config/paths/add/', { status: 400, error: 'terminated' })
  expect(await add()).toEqual({ status: 400, json: { status: 'error', error: 'terminated' } })
  expect((await add()).status).toBe(200)
  fake.failNext('POST /v3/config', 'reset')
  await expect(add()).rejects.toThrow()
  expect(fake.journal.map(({ status }) => status)).toEqual([400, 200, 0])
})

test('down, nobody reaches it; up again, it has kept what it had; restarted, it has forgotten', async () => {
  const { fake, api, add } = await started()
  await add()
  await fake.down()
  await expect(api('GET', '/info')).rejects.toThrow()
  await fake.up()
  expect((await api('GET', `/config/paths/get/${NAME}`)).status).toBe(200)
  const before = (await api('GET', '/info')).json
  await fake.restart()
  expect((await api('GET', `/config/paths/get/${NAME}`)).status).toBe(404)
  expect((await api('GET', '/info')).json).not.toEqual(before)
})

test('a recording grows with the clock and is cut into segments', async () => {
  const { fake, api, add } = await started()
  await add({ record: true, recordSegmentDuration: '60s' })
  await fake.publish(NAME)
  fake.advanceClock(90_000)
  fake.unpublish(NAME)
  expect((await api('GET', `/recordings/get/${NAME}`)).json).toMatchObject({ segments: [{}, {}] })
  const spans: unknown = await (await fetch(`${fake.urls.playback}/list?path=${NAME}`)).json()
  const [span] = z.tuple([z.object({ duration: z.number() })]).parse(spans)
  expect(span.duration).toBeGreaterThanOrEqual(90)
})

test('a viewer who asks for nothing during 30 seconds has to begin anew', async () => {
  const { fake, add, playlist } = await started()
  await add()
  await fake.publish(NAME)
  const index = await playlist('index.m3u8?token=t')
  const child = index.body.split('\n').find((line) => line.startsWith('main_stream'))!
  fake.advanceClock(20_000)
  const media = await playlist(child)
  expect(media).toMatchObject({ status: 200, body: expect.stringContaining('token=t') })
  const segment = media.body.split('\n').find((line) => line.startsWith('main_seg'))!
  expect((await playlist(segment)).status).toBe(200)
  fake.advanceClock(31_000)
  expect((await playlist(child)).status).toBe(401)
})

test('an on-demand camera is pulled while somebody reads', async () => {
  const { fake, api, add } = await started()
  await add({ source: 'rtsp://192.168.1.9/x', sourceOnDemand: true })
  expect(() => fake.addReader(NAME)).toThrow(`source of path '${NAME}' has timed out`)
  fake.pullConnected(NAME, true)
  expect((await api('GET', `/paths/get/${NAME}`)).json).toMatchObject({ available: false, online: true })
  fake.addReader(NAME)
  expect((await api('GET', `/paths/get/${NAME}`)).json).toMatchObject({
    available: true,
    source: { type: 'rtspSource' }
  })
})

test('credentials over HTTP: the callback decides, and whoever is refused is not let in', async () => {
  const asked: unknown[] = []
  const callback = createHttpServer((request, response) => {
    void text(request).then((body) => {
      asked.push(JSON.parse(body))
      response.writeHead(body.includes('"token":"good"') || body.includes('"action":"api"') ? 200 : 401).end()
    })
  }).listen(0, '127.0.0.1')
  await once(callback, 'listening')
  onTestFinished(() => void callback.close())
  const address = callback.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  const { fake, add } = await started({
    config: { authMethod: 'http', authHTTPAddress: `http://127.0.0.1:${address.port}/auth` }
  })
  await add()
  await expect(fake.publish(NAME, { query: 'token=bad' })).rejects.toThrow('authentication error')
  await fake.publish(NAME, { query: 'token=good' })
  expect(asked.at(-1)).toMatchObject({ action: 'publish', path: NAME, protocol: 'rtmp', query: 'token=good' })
})

const program = fileURLToPath(new URL('./program.ts', import.meta.url))

function run(...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = text(child.stdout)
  return { child, output, ended: once(child, 'exit') }
}

function configFile(config: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'fake-mediamtx-program-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'mediamtx.json')
  writeFileSync(file, JSON.stringify(config))
  return file
}

test('as a program it tells its version', async () => {
  expect(await run('--version').output).toBe('v1.20.1\n')
})

test('as a program it serves what its file says until it is told to end', async () => {
  const port = await freePort()
  const { child, output, ended } = run(
    configFile({ api: true, apiAddress: `127.0.0.1:${port}`, hls: false, paths: { a: {} } })
  )
  const list = async () => (await fetch(`http://127.0.0.1:${port}/v3/config/paths/list`)).json()
  await vi.waitFor(async () => expect(await list()).toMatchObject({ items: [{ name: 'a' }] }), { timeout: 20_000 })
  child.kill('SIGINT')
  expect(await ended).toEqual([0, null])
  const lines = (await output).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).message)).toContain('shutting down gracefully')
}, 30_000)

test('as a program it ends with 1 for a key it does not know, and where its port is taken', async () => {
  const wrong = run(configFile({ apiAdress: ':1' }))
  expect(await wrong.ended).toEqual([1, null])
  expect(await wrong.output).toContain('ERR: json: unknown field "apiAdress"')

  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const address = taken.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  const second = run(configFile({ api: true, apiAddress: `127.0.0.1:${address.port}`, hls: false }))
  expect(await second.ended).toEqual([1, null])
  expect(await second.output).toContain(`listen tcp 127.0.0.1:${address.port}: bind: address already in use`)
}, 30_000)

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { freePort } from '../testing/free-port.ts'
import {
  createManagedMediaServer,
  fakeMediaMtxProgram,
  testLiveConfig,
  testTiming
} from '../testing/managed-media-server.ts'
import { countMediaServers, mediaServerPid } from '../testing/media-server-processes.ts'
import { findRealMediaMtx } from '../testing/real-mediamtx.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { temporaryFolder } from '../testing/test-database.ts'
import { canTieToParent } from './child.ts'
import type { ManagedServerOptions } from './managed-server.ts'
import { startTimeOf } from './process-record.ts'

const NAME = 'live/ct-0a1b2c3d'
const PATIENCE = { timeout: 50_000 }
const isLinux = process.platform === 'linux'

const realProgram = await findRealMediaMtx()
const programs = [
  {
    name: 'the fake',
    isMissing: process.platform === 'win32',
    path: () => fakeMediaMtxProgram(temporaryFolder('mediamtx'))
  },
  { name: 'the real MediaMTX', isMissing: realProgram === null, path: () => realProgram! }
]

async function managed(programPath: string, options: Partial<ManagedServerOptions> = {}) {
  const dir = options.dir ?? temporaryFolder('managed')
  const { server, stop } = await createManagedMediaServer({ config: testLiveConfig(dir, programPath), dir, ...options })
  onTestFinished(stop)
  const onReady = vi.fn()
  server.onReady(onReady)
  return { server, stop, dir, onReady }
}

describe.each(programs)('$name', ({ isMissing, path }) => {
  const it = test.skipIf(isMissing)

  it('becomes ready with the paths it is given, and leaves nothing when it is stopped', async () => {
    const { server, stop, dir, onReady } = await managed(path(), {
      initialPaths: () => ({ [NAME]: { record: true, overridePublisher: false }, all_others: {} })
    })
    expect(server.state()).toMatchObject({ mode: 'managed', state: 'stopped' })
    server.start()
    expect(() => server.client()).toThrow('live_unavailable')
    await vi.waitFor(() => expect(server.state().state).toBe('ready'), PATIENCE)
    expect(onReady).toHaveBeenCalledOnce()
    expect(server.state()).toMatchObject({ version: expect.stringMatching(/^v1\.20\./), problem: null, warnings: [] })
    expect([...(await server.client().listPathConfs())]).toEqual([
      [
        NAME,
        expect.objectContaining({
          record: true,
          overridePublisher: false,
          recordPath: `${server.recordRoot}/%path/%s-%f`
        })
      ]
    ])
    const urls = server.urls()
    expect(urls).toMatchObject({
      hls: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      rtmp: expect.stringMatching(/^rtmp:\/\/127\.0\.0\.1:\d+$/),
      srt: null,
      playback: expect.stringMatching(/^http:/)
    })
    expect(server.publicUrls('base.lan')).toMatchObject({
      rtsp: urls.rtsp!.replace('127.0.0.1', 'base.lan'),
      playback: null
    })
    expect((await fetch(`${urls.playback}/list?path=${NAME}`)).status).toBe(401)

    const configs = (await readdir(dir)).filter((name) => name.startsWith('mediamtx-'))
    expect(configs).toHaveLength(1)
    if (process.platform !== 'win32') expect((await stat(join(dir, configs[0]!))).mode & 0o777).toBe(0o600)
    const pid = await mediaServerPid(dir)
    await stop()
    expect(server.state().state).toBe('stopped')
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    expect((await readdir(dir)).filter((name) => name.startsWith('mediamtx'))).toEqual([])
  })

  it('is started again when it is killed, at the same addresses, without a trace of the former one', async () => {
    const paths = vi.fn(() => ({ [NAME]: {} }))
    const folder = temporaryFolder('managed')
    const config = testLiveConfig(folder, path())
    const at = async () => ({ host: '127.0.0.1', port: await freePort() })
    // Any free ones may be taken by somebody else while nothing runs.
    const listen = { ...config.listen, hls: await at(), rtmp: await at(), webrtc: await at() }
    const { server, dir, onReady } = await managed(path(), {
      dir: folder,
      config: { ...config, listen },
      initialPaths: paths
    })
    server.start()
    await vi.waitFor(() => expect(onReady).toHaveBeenCalledTimes(1), PATIENCE)
    const [urls, startedAt] = [server.urls(), server.state().started_at]
    for (const times of [2, 3]) {
      process.kill(await mediaServerPid(dir), 'SIGKILL')
      await vi.waitFor(() => expect(onReady).toHaveBeenCalledTimes(times), PATIENCE)
    }
    expect(server.state()).toMatchObject({ state: 'ready', problem: null })
    expect(server.state().started_at).not.toBe(startedAt)
    expect(server.urls()).toMatchObject({ hls: urls.hls, rtmp: urls.rtmp, webrtc: urls.webrtc })
    expect([...(await server.client().listPathConfs()).keys()]).toEqual([NAME])
    expect((await readdir(dir)).filter((name) => name.startsWith('mediamtx-'))).toHaveLength(1)
    if (isLinux) expect(await countMediaServers(dir)).toBe(1)
  })

  it('is told to be silent, then started again, when it hangs', async () => {
    const { server, dir, onReady } = await managed(path(), { timing: { ...testTiming, livenessMs: 200, stopMs: 100 } })
    server.start()
    await vi.waitFor(() => expect(onReady).toHaveBeenCalled(), PATIENCE)
    const pid = await mediaServerPid(dir)
    process.kill(pid, 'SIGSTOP')
    await vi.waitFor(() => expect(server.state()).toMatchObject({ problem: { code: 'server_silent' } }), PATIENCE)
    expect(() => server.client()).toThrow('live_unavailable')
    await vi.waitFor(async () => expect(await mediaServerPid(dir)).not.toBe(pid), PATIENCE)
    await vi.waitFor(() => expect(server.state().state).toBe('ready'), PATIENCE)
    if (isLinux) expect(await countMediaServers(dir)).toBe(1)
  })

  it('a port that another program has costs one protocol, and is told', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const taken = other.address()
    if (taken === null || typeof taken === 'string') throw new Error('a TCP server has a port')
    const dir = temporaryFolder('managed')
    const config = testLiveConfig(dir, path())
    const rtmp = { host: '127.0.0.1', port: taken.port }
    const { server, onReady } = await managed(path(), {
      dir,
      config: { ...config, listen: { ...config.listen, rtmp } }
    })
    expect(server.urls().rtmp).toBe(`rtmp://127.0.0.1:${taken.port}`)
    server.start()
    await vi.waitFor(() => expect(onReady).toHaveBeenCalled(), PATIENCE)
    expect(server.state()).toMatchObject({
      state: 'ready',
      problem: {
        code: 'port_taken',
        message: `RTMP is off: 127.0.0.1:${taken.port} cannot be had (another program has it).`,
        remedy: expect.stringContaining('FLIGHTCASE_LIVE_RTMP')
      }
    })
    expect(server.urls()).toMatchObject({ rtmp: null, rtsp: expect.any(String) })
  })

  it('one path that it refuses does not keep it from starting', async () => {
    const { log, lines } = recordingLog()
    const initialPaths = () => ({ [NAME]: { source: 'nonsense://ann:hunter2@cam.lan/' } })
    const { server, onReady } = await managed(path(), { log, initialPaths })
    server.start()
    await vi.waitFor(() => expect(onReady).toHaveBeenCalled(), PATIENCE)
    expect((await server.client().listPathConfs()).size).toBe(0)
    expect(JSON.stringify(lines)).toContain('invalid source')
    expect(JSON.stringify(lines)).not.toContain('hunter2')
  })

  test.skipIf(isMissing || !canTieToParent())('ends when its daemon is killed', async () => {
    const dir = temporaryFolder('managed')
    await killedDaemon(path(), dir)
    await vi.waitFor(async () => expect(await countMediaServers(dir)).toBe(0), PATIENCE)
  })

  test.skipIf(isMissing || !isLinux)('one that outlived its daemon is ended by the next one', async () => {
    const dir = temporaryFolder('managed')
    const programPath = path()
    // Nothing ties them where `setpriv` is not found.
    await killedDaemon(programPath, dir, { PATH: '/nowhere' })
    expect(await countMediaServers(dir)).toBe(1)
    const leftover = await mediaServerPid(dir)
    const { server, stop, onReady } = await managed(programPath, { dir })
    server.start()
    await vi.waitFor(() => expect(onReady).toHaveBeenCalled(), PATIENCE)
    expect(startTimeOf(leftover)).toBeNull()
    expect(await countMediaServers(dir)).toBe(1)
    await stop()
    expect(await countMediaServers(dir)).toBe(0)
  })
})

/** Lets a daemon run a media server in `dir`, and kills it once that is ready. */
async function killedDaemon(programPath: string, dir: string, env: Record<string, string> = {}): Promise<void> {
  const holder = fork(join(import.meta.dirname, '../testing/media-server-holder.ts'), [programPath, dir], {
    silent: true,
    env: { ...process.env, ...env }
  })
  onTestFinished(() => void holder.kill('SIGKILL'))
  expect(await once(holder, 'message')).toContain('ready')
  const ended = once(holder, 'exit')
  holder.kill('SIGKILL')
  await ended
}

test.skipIf(process.platform === 'win32')('a program that is missing is told, and taken once it is there', async () => {
  const folder = temporaryFolder('mediamtx')
  const { server, onReady } = await managed(join(folder, 'mediamtx'))
  server.start()
  await vi.waitFor(() => expect(server.state().state).toBe('missing'), PATIENCE)
  expect(server.state().problem).toMatchObject({
    code: 'mediamtx_missing',
    message: expect.stringContaining(folder),
    remedy: expect.stringContaining('FLIGHTCASE_MEDIAMTX_BIN')
  })
  expect(() => server.client()).toThrow('live_unavailable')
  fakeMediaMtxProgram(folder)
  await vi.waitFor(() => expect(onReady).toHaveBeenCalled(), PATIENCE)
  expect(server.state().problem).toBeNull()
})

test('recordings that cannot be kept are told', async () => {
  const dir = temporaryFolder('managed')
  const config = testLiveConfig(dir, process.execPath)
  const recordings = { ...config.recordings, dir: join(dir, '100%') }
  const { server } = await managed(process.execPath, { dir, config: { ...config, recordings } })
  server.start()
  await vi.waitFor(() => expect(server.state().state).toBe('misconfigured'), PATIENCE)
  expect(server.state().problem).toMatchObject({
    code: 'recordings_folder_unusable',
    remedy: expect.stringContaining('FLIGHTCASE_RECORDINGS_DIR')
  })
})

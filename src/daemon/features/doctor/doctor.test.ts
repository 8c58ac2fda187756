import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Check, type CheckId, checkIds, getDoctor } from '../../../shared/api/doctor.ts'
import { getMediaServer } from '../../../shared/api/sources.ts'
import { scarceBytes } from '../../../shared/api/system.ts'
import { loadConfig } from '../../config/load.ts'
import { EVERYTHING } from '../../embedded-store/endpoint/endpoint-harness.ts'
import { StorageError } from '../../embedded-store/engine/storage-engine.ts'
import type { MediaServerState } from '../../mediamtx/media-server.ts'
import { ObjectStoreError, type StoreHealth } from '../../object-store/object-store.ts'
import { openDistantStore } from '../../testing/distant-store.ts'
import { startFakeMediaMtx } from '../../testing/fake-mediamtx/start-fake-mediamtx.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { ENOUGH_BYTES, SHORT_BYTES } from '../recordings/recording-room.ts'
import { reachableUrls } from '../system/system.service.ts'
import { freePorts, jobs, mediaServer, network, openListeners, recordingsRoom, store } from './base-checks.ts'
import { clock, dataFolder, ffmpeg, roomIn } from './machine-checks.ts'
import { runChecks } from './run-checks.ts'

const onWindows = process.platform === 'win32'

async function askDoctor({ api }: TestDaemon): Promise<Record<CheckId, Check>> {
  const { checks } = await api.call(getDoctor, {})
  return Object.fromEntries(checks.map((check) => [check.id, check])) as Record<CheckId, Check>
}

test('a base that is well says so of everything it stands on', async () => {
  const daemon = await startTestDaemon()
  const { checks } = await daemon.api.call(getDoctor, {})
  expect(checks.map(({ id }) => id)).toEqual(checkIds)
  const found = await askDoctor(daemon)
  expect(found).toMatchObject({
    data_folder: { state: 'ok', code: 'fine', facts: { path: daemon.dataDir } },
    recordings_room: { state: 'off' },
    database: { state: 'ok', code: 'answers', facts: { sizeBytes: expect.any(Number) } },
    store: { state: 'ok', code: 'embedded', facts: { place: join(daemon.dataDir, 'store') } },
    listeners: { state: 'ok', code: 'open' },
    network: { state: 'warning', code: 'this_computer', copy: ['FLIGHTCASE_FIELD'] },
    clock: { state: 'ok' },
    thumbnails: { state: 'ok', facts: { version: expect.stringMatching(/^\d/) } },
    media_server: { state: 'off' },
    jobs: { state: 'ok', facts: { deadCount: 0 } }
  })
  for (const url of [daemon.ready.field.url, daemon.ready.admin.url, daemon.ready.s3.url, daemon.ready.mqtt!.url])
    expect(found.listeners.facts['open']).toContain(new URL(url).host)
})

test('without MediaMTX all else is well, and it is said how to get it', async () => {
  const bin = join(temporaryFolder('mtx'), 'nowhere')
  const daemon = await startTestDaemon({ env: { FLIGHTCASE_LIVE_ENABLED: 'true', FLIGHTCASE_MEDIAMTX_BIN: bin } })
  const found = await askDoctor(daemon)
  expect(found.media_server).toEqual({
    id: 'media_server',
    state: 'warning',
    code: 'mediamtx_missing',
    facts: {
      tested: 'v1.20.1',
      settingsFile: join(daemon.dataDir, 'flightcase.toml'),
      reported: expect.stringContaining(bin)
    },
    copy: [expect.stringMatching(/^https:\/\/github\.com\/.*v1\.20\.1/), expect.stringContaining('mediamtx_bin')]
  })
  for (const id of ['store', 'database', 'listeners'] as const) expect(found[id].state).toBe('ok')
})

test('a media server of others is told as it is: there, then away', async () => {
  const mediamtx = await startFakeMediaMtx()
  const daemon = await startTestDaemon({
    env: { FLIGHTCASE_LIVE_ENABLED: 'true', FLIGHTCASE_MEDIAMTX_API: mediamtx.urls.api },
    overrides: { livenessMs: 50 }
  })
  const stateOf = async () => (await daemon.api.call(getMediaServer, {})).state
  await vi.waitFor(async () => expect(await stateOf()).toBe('ready'), 20_000)
  expect((await askDoctor(daemon)).media_server.facts).toMatchObject({ place: mediamtx.urls.api })
  await mediamtx.close()
  await vi.waitFor(async () => expect(await stateOf()).toBe('unreachable'), 20_000)
  expect((await askDoctor(daemon)).media_server).toMatchObject({ state: 'problem', code: 'server_unreachable' })
})

test('a store of others is tried out each time: there, away, and there again', async () => {
  const { gate, env } = await openDistantStore()
  const daemon = await startTestDaemon({ env })
  expect((await askDoctor(daemon)).store).toMatchObject({ code: 'external', facts: { bucket: 'media' } })
  gate.cut()
  const found = await askDoctor(daemon)
  expect(found.store).toMatchObject({ state: 'problem' })
  expect(['unreachable', 'no_answer']).toContain(found.store.code)
  expect(found.database.state).toBe('ok')
  gate.reopen()
  await vi.waitFor(async () => expect((await askDoctor(daemon)).store.code).toBe('external'), 20_000)
})

const NO_BUCKETS = { Effect: 'Deny', Action: ['s3:CreateBucket'], Resource: '*' }

test.each([
  ['refused', { FLIGHTCASE_S3_SECRET_KEY: 'a-wrong-secret' }, ['FLIGHTCASE_S3_ACCESS_KEY', 'FLIGHTCASE_S3_SECRET_KEY']],
  ['no_bucket', { FLIGHTCASE_S3_BUCKET: 'nobody-made-it' }, ['FLIGHTCASE_S3_BUCKET']]
])('a store of others that does not take us is told with the settings to look at: %s', async (code, wrong, copy) => {
  const { env, store } = await openDistantStore()
  const user = store.user({
    name: 'makes-no-buckets',
    policy: { ...EVERYTHING, Statement: [...EVERYTHING.Statement, NO_BUCKETS] }
  })
  const keys = { FLIGHTCASE_S3_ACCESS_KEY: user.accessKeyId, FLIGHTCASE_S3_SECRET_KEY: user.secretAccessKey }
  const daemon = await startTestDaemon({ env: { ...env, ...keys, ...wrong } })
  expect((await askDoctor(daemon)).store).toMatchObject({ state: 'problem', code, copy })
})

test('the disk of the recordings is missed only by a base that has recordings on it', async () => {
  const mediamtx = await startFakeMediaMtx()
  const folder = join(temporaryFolder('recordings'), 'disk')
  mkdirSync(folder)
  const external = await startTestDaemon({
    env: {
      FLIGHTCASE_LIVE_ENABLED: 'true',
      FLIGHTCASE_MEDIAMTX_API: mediamtx.urls.api,
      FLIGHTCASE_RECORDINGS_DIR: folder
    }
  })
  expect((await askDoctor(external)).recordings_room.state).toBe('off')
  const bin = join(folder, 'no-program')
  const managed = await startTestDaemon({
    env: { FLIGHTCASE_LIVE_ENABLED: 'true', FLIGHTCASE_MEDIAMTX_BIN: bin, FLIGHTCASE_RECORDINGS_DIR: folder }
  })
  const { recordings_room: room } = await askDoctor(managed)
  expect(room.facts).toMatchObject({ path: folder, freeBytes: expect.any(Number) })
  renameSync(folder, `${folder}-away`)
  expect((await askDoctor(managed)).recordings_room.code).toBe(room.code)
  const away = { folder, isThere: async () => false, isShort: false }
  expect(await recordingsRoom(away)).toMatchObject({ code: 'away', copy: [folder] })
})

test.each([
  [false, SHORT_BYTES - 1, 'full'],
  [false, SHORT_BYTES, 'scarce'],
  [true, SHORT_BYTES, 'full'],
  [true, ENOUGH_BYTES - 1, 'full'],
  [true, ENOUGH_BYTES, 'scarce'],
  [false, 2 * scarceBytes, 'fine']
])('recordings that were short of room: %s, and have %d bytes: %s', async (isShort, freeBytes, code) => {
  const check = { folder: '/recordings', isThere: async () => true, isShort, freeBytesOf: async () => freeBytes }
  const facts = { path: '/recordings', freeBytes, enoughBytes: ENOUGH_BYTES }
  expect(await recordingsRoom(check)).toMatchObject({ code, facts })
})

test('to read the catalogue through takes from no check the time to answer', async () => {
  const limitMs = 1000
  const answer = async <Code>(code: Code) => {
    await stat('.')
    return { code }
  }
  const checks = await runChecks(
    {
      database: () => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, limitMs + 200)
        return answer('sound')
      },
      store: () => answer('embedded')
    },
    limitMs
  )
  expect(checks.map(({ id, code }) => [id, code])).toEqual([
    ['database', 'sound'],
    ['store', 'embedded']
  ])
})

test('a check that does not end and one that fails are told as that, and keep nobody waiting', async () => {
  const checks = await runChecks(
    {
      store: () => new Promise(() => {}),
      thumbnails: () => Promise.reject(new Error('no such module')),
      clock: () => ({ code: 'fine' })
    },
    20
  )
  expect(checks).toEqual([
    { id: 'store', state: 'problem', code: 'no_answer', facts: { limitMs: 20 }, copy: [] },
    { id: 'clock', state: 'ok', code: 'fine', facts: {}, copy: [] },
    { id: 'thumbnails', state: 'problem', code: 'failed', facts: { reported: 'no such module' }, copy: [] }
  ])
})

test('a data folder that is not there, or that others may look into', async () => {
  const path = join(temporaryFolder('data'), "the team's")
  expect(await dataFolder(path)).toMatchObject({ code: 'missing' })
  mkdirSync(path)
  if (onWindows) return
  chmodSync(path, 0o755)
  expect(await dataFolder(path)).toMatchObject({
    code: 'others_may_look',
    copy: [`chmod 700 '${path.replace("'", "'\\''")}'`]
  })
  chmodSync(path, 0o700)
  expect(await dataFolder(path)).toMatchObject({ code: 'fine' })
  writeFileSync(join(path, 'file'), '')
  expect(await dataFolder(join(path, 'file'))).toMatchObject({ code: 'missing' })
})

test('the room of a folder that is yet to be made is that of its disk', async () => {
  const folder = temporaryFolder('room')
  const { code } = await roomIn(folder)
  expect(await roomIn(join(folder, 'not', 'yet'))).toMatchObject({
    code,
    facts: { path: join(folder, 'not', 'yet'), freeBytes: expect.any(Number) }
  })
})

test.each([
  ['2019-01-01T00:00:00Z', null, 'too_early'],
  ['2026-11-21T12:00:00Z', '2026-11-21T15:00:00Z', 'went_back'],
  ['2026-11-21T12:00:00Z', '2026-11-21T12:30:00Z', 'fine'],
  ['2026-11-21T12:00:00Z', null, 'fine']
])('a clock at %s where the last thing happened at %s: %s', (now, newest, code) => {
  expect(clock(Date.parse(now), newest === null ? null : Date.parse(newest)).code).toBe(code)
})

test.skipIf(onWindows)('an ffmpeg that runs, one that does not, and none', async () => {
  const path = join(temporaryFolder('ffmpeg'), 'ffmpeg')
  writeFileSync(path, '#!/bin/sh\necho ffmpeg version 7.1-static Copyright\n', { mode: 0o755 })
  expect(await ffmpeg(path)).toEqual({ code: 'fine', facts: { path, version: '7.1-static' } })
  writeFileSync(path, '#!/bin/sh\nexit 3\n')
  expect(await ffmpeg(path)).toMatchObject({ code: 'broken', copy: [path] })
  expect(await ffmpeg(null)).toMatchObject({ code: 'missing' })
})

const health: StoreHealth = {
  latencyMs: 3,
  writable: true,
  freeBytes: null,
  availableBytes: null,
  clockSkewMs: 0,
  keptFiles: 0,
  server: null,
  indexProblem: null,
  uncheckedFiles: 0,
  doubtfulPlace: null
}
const noBucket = Object.assign(new Error('no bucket'), { name: 'NoSuchBucket' })

test.each([
  ['external', { health }],
  ['full', { health: { ...health, writable: false, availableBytes: 0 } }],
  ['read_only', { health: { ...health, writable: false, availableBytes: 1 } }],
  ['read_only', { error: new ObjectStoreError('Unreachable', 'no', { cause: new StorageError('ReadOnly', 'no') }) }],
  [
    'unplugged',
    { error: new ObjectStoreError('Unreachable', 'no', { cause: new StorageError('StoreOffline', 'no') }) }
  ],
  ['clock_differs', { health: { ...health, clockSkewMs: -400_000 } }],
  ['index_damaged', { health: { ...health, indexProblem: 'row 7 missing from index extent_blob' } }],
  ['files_unknown', { health: { ...health, keptFiles: 3 } }],
  ['files_unchecked', { health: { ...health, uncheckedFiles: 2 } }],
  ['place_doubtful', { health: { ...health, doubtfulPlace: 'exFAT' } }],
  ['minio', { health: { ...health, server: 'MinIO' } }],
  ['external', { health: { ...health, server: 'AmazonS3' } }],
  ['refused', { error: new ObjectStoreError('AccessDenied', 'no') }],
  ['clock_refused', { error: new ObjectStoreError('ClockSkew', 'no') }],
  ['unreachable', { error: new ObjectStoreError('Unreachable', 'no') }],
  ['no_bucket', { error: new ObjectStoreError('Protocol', 'no', { cause: noBucket }) }],
  ['broken', { error: new ObjectStoreError('Protocol', 'no') }],
  ['broken', { error: new Error('no') }]
] as const)('a store is told as %s', (code, look) => {
  const { store: config } = loadConfig({
    flags: { dataDir: temporaryFolder('store') },
    env: {
      FLIGHTCASE_OBJECT_STORE: 'external',
      FLIGHTCASE_S3_ENDPOINT: 'http://store.lan:9000',
      FLIGHTCASE_S3_ACCESS_KEY: 'key',
      FLIGHTCASE_S3_SECRET_KEY: 'secret'
    }
  })
  expect(store(config, '/data', look)).toMatchObject({
    code,
    facts: { place: 'http://store.lan:9000', bucket: 'media' }
  })
})

test('ports that other programs have are named, with what tells whose they are', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const wanted = { name: 'field', address: { host: '127.0.0.1', port }, transport: 'tcp', isNeeded: true } as const
  expect(await freePorts([wanted])).toEqual({
    code: 'taken',
    facts: { taken: `field 127.0.0.1:${port} (EADDRINUSE)` },
    copy: [expect.stringContaining(`${port}`)]
  })
  expect(await freePorts([{ ...wanted, isNeeded: false }])).toMatchObject({ code: 'less_taken' })
  expect(await freePorts([{ ...wanted, address: { host: '127.0.0.1', port: 0 } }])).toMatchObject({ code: 'free' })
  const field = { host: '0.0.0.0', port: 8700 }
  expect(openListeners({ field, admin: field, s3: null, mqtt: null }, { host: '0.0.0.0', port: 1883 })).toMatchObject({
    code: 'link_off',
    facts: { taken: '0.0.0.0:1883' }
  })
})

test.each([
  ['127.0.0.1', 'this_computer'],
  ['localhost', 'this_computer'],
  ['192.168.1.10', 'named']
])('controllers reach a listener on %s: %s', (host, code) => {
  expect(network({ host, port: 8700 }).code).toBe(code)
})

test('a listener everywhere is reached by each address of the network', () => {
  const addresses = reachableUrls({ host: '0.0.0.0', port: 8700 })
  expect(network({ host: '0.0.0.0', port: 8700 })).toMatchObject(
    addresses.length === 0
      ? { code: 'none' }
      : { code: addresses.length === 1 ? 'one' : 'several', facts: { addresses: addresses.join(', ') } }
  )
})

// A script is no program there.
test.skipIf(onWindows).each([
  [{}, 0, 'ready'],
  [{ state: 'starting' }, 0, 'starting'],
  [{ warnings: ['An odd version.'] }, 0, 'remarks'],
  [{}, 3, 'often_again'],
  [{ problem: { code: 'port_taken', message: 'RTMP is off.', remedy: '' } }, 0, 'port_taken'],
  [
    { state: 'starting', problem: { code: 'server_ended', message: 'MediaMTX has ended.', remedy: '' } },
    0,
    'server_ended'
  ]
] as const)('a media server of our own that is %j, %i times again there: %s', async (change, returns, code) => {
  const path = join(temporaryFolder('mtx'), 'mediamtx')
  writeFileSync(path, '#!/bin/sh\necho v1.20.1\n', { mode: 0o755 })
  const dataDir = temporaryFolder('data')
  const { live } = loadConfig({ flags: { dataDir }, env: { FLIGHTCASE_MEDIAMTX_BIN: path } })
  const state = {
    mode: 'managed',
    state: 'ready',
    version: 'v1.20.1',
    started_at: null,
    problem: null,
    warnings: [],
    ...change
  } as MediaServerState
  expect((await mediaServer({ config: live, dataDir, resourcesDir: null, state, returns })).code).toBe(code)
})

test.each([
  [{ dead: 2 }, undefined, 'gave_up'],
  [{ queued: 4 }, 2 * 3_600_000, 'stuck'],
  [{ queued: 4, running: 1 }, 2 * 3_600_000, 'fine'],
  [{ queued: 4 }, 60_000, 'fine']
])('work of which there is %j, the oldest waiting for %s ms: %s', (change, waitedMs, code) => {
  const nowMs = Date.parse('2026-11-21T12:00:00Z')
  const counts = { queued: 0, running: 0, dead: 0, cancelled: 0, ...change }
  expect(jobs(counts, waitedMs === undefined ? undefined : nowMs - waitedMs, nowMs).code).toBe(code)
})

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { checkSchema } from '../../shared/api/doctor.ts'
import { openDatabase } from '../db/database.ts'
import { migrations } from '../db/migrations/all.ts'
import { startFakeMediaMtx } from '../testing/fake-mediamtx/start-fake-mediamtx.ts'
import { freePort } from '../testing/free-port.ts'
import { runCommand } from '../testing/run-command.ts'
import { startTestDaemon } from '../testing/test-daemon.ts'
import { temporaryFolder } from '../testing/test-database.ts'
import { doctorCommand } from './doctor.ts'

const reportSchema = z.object({
  dataDir: z.string(),
  isRunning: z.boolean().nullable(),
  isAsked: z.boolean(),
  checks: z.array(checkSchema)
})

/** On ports that are free, so that nothing is found but what a test prepares. */
const LISTEN = ['field', 'admin', 's3', 'mqtt'].flatMap((name) => [`--${name}`, '127.0.0.1:0'])

async function doctor(dataDir: string, env: Record<string, string> = {}, args: string[] = []): Promise<string> {
  for (const [name, value] of Object.entries({ FLIGHTCASE_LIVE_ENABLED: 'false', ...env })) vi.stubEnv(name, value)
  try {
    return (await runCommand(doctorCommand(), ['--data-dir', dataDir, ...LISTEN, ...args])).text
  } finally {
    vi.unstubAllEnvs()
  }
}

async function report(...call: Parameters<typeof doctor>) {
  const [dataDir, env, args = []] = call
  const told = reportSchema.parse(JSON.parse(await doctor(dataDir, env, [...args, '--json'])))
  return { ...told, found: Object.fromEntries(told.checks.map((check) => [check.id, check])) }
}

function base(): string {
  const dataDir = temporaryFolder('doctor')
  chmodSync(dataDir, 0o700)
  openDatabase(join(dataDir, 'flightcase.db'), migrations).close()
  return dataDir
}

const catalogueOf = (dataDir: string) => join(dataDir, 'flightcase.db')

test('a base that does not run is looked at from outside, and nothing is changed', async () => {
  const dataDir = base()
  const before = readFileSync(catalogueOf(dataDir))
  const { isRunning, isAsked, found } = await report(dataDir)
  expect([isRunning, isAsked]).toEqual([false, false])
  expect(found).toMatchObject({
    data_folder: { code: 'fine' },
    database: { code: 'sound' },
    store: { state: 'off' },
    listeners: { code: 'free' },
    media_server: { code: 'off' }
  })
  expect(Object.keys(found)).not.toContain('jobs')
  expect(readFileSync(catalogueOf(dataDir)).equals(before)).toBe(true)
  // SQLite puts two files of its own beside one that it reads.
  expect(readdirSync(dataDir).filter((name) => !/-(shm|wal)$/.test(name))).toEqual(['flightcase.db'])
})

test('a folder without a base is a problem, told in words with exit code 1, and stays away', async () => {
  const dataDir = join(temporaryFolder('doctor'), 'mistyped')
  const text = await doctor(dataDir)
  expect(text).toContain(`The base in ${dataDir} is not running`)
  expect(text).toMatch(/^problem {2}Data folder: There is no base in .*mistyped\.$/m)
  expect(text).toMatch(/^Problems: \d/m)
  expect(process.exitCode).toBe(1)
  expect(existsSync(dataDir)).toBe(false)
})

test('a port that another program has is named', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const text = await doctor(base(), {}, ['--field', `127.0.0.1:${port}`])
  expect(text).toContain(`it cannot have field 127.0.0.1:${port}`)
  expect(process.exitCode).toBe(1)
})

test.each([
  ['damaged', (path: string) => writeFileSync(path, 'holiday pictures')],
  ['older', (path: string) => setVersion(path, migrations.at(-2)!.version)],
  ['newer', (path: string) => setVersion(path, migrations.at(-1)!.version + 10)]
])('a catalogue that is %s is told as that and left as it is', async (code, spoil) => {
  const dataDir = base()
  spoil(catalogueOf(dataDir))
  const { found } = await report(dataDir)
  expect(found).toMatchObject({ database: { code }, clock: { state: 'ok' } })
  expect(process.exitCode).toBe(code === 'older' ? undefined : 1)
})

test('a disk with recordings that is away is missed by a base that does not run', async () => {
  const dataDir = base()
  const folder = join(temporaryFolder('recordings'), 'disk')
  const env = { FLIGHTCASE_LIVE_ENABLED: 'true', FLIGHTCASE_RECORDINGS_DIR: folder }
  expect((await report(dataDir, env)).found['recordings_room']!.code).not.toBe('away')
  const sql = new Sqlite(catalogueOf(dataDir))
  sql.exec(
    `INSERT INTO recording_segment (id, source_id, workspace_id, path_name, start_us, day, file_name, state)
     VALUES ('r', 's', 'w', 'live/camera', 1, '2026-11-20', '1-000001.mp4', 'whole')`
  )
  sql.close()
  expect((await report(dataDir, env)).found['recordings_room']).toMatchObject({ code: 'away', copy: [folder] })
  expect(existsSync(folder)).toBe(false)
  // Where it would be mounted.
  mkdirSync(folder)
  expect((await report(dataDir, env)).found['recordings_room']!.code).toBe('away')
  writeFileSync(join(folder, '.flightcase-recordings'), '')
  expect((await report(dataDir, env)).found['recordings_room']!.code).not.toBe('away')
})

test('where nobody can see whether a base is running, that is said, and nothing of its ports', async () => {
  const dataDir = base()
  // What cannot be opened as a lock, whoever looks.
  mkdirSync(join(dataDir, 'flightcase.lock'))
  const { isRunning, found } = await report(dataDir)
  expect(isRunning).toBeNull()
  expect(found['listeners']).toMatchObject({ state: 'off', code: 'unseen' })
  expect(await doctor(dataDir)).toContain(`This user cannot look into ${dataDir}`)
})

test('what a media server was found to lack is listed, a line for each', async () => {
  const mediamtx = await startFakeMediaMtx()
  const text = await doctor(base(), { FLIGHTCASE_LIVE_ENABLED: 'true', FLIGHTCASE_MEDIAMTX_API: mediamtx.urls.api })
  expect(text.match(/^ {9}Reported: /gm)?.length).toBeGreaterThan(1)
})

function setVersion(path: string, version: number): void {
  const sql = new Sqlite(path)
  sql.pragma(`user_version = ${version}`)
  sql.close()
}

test('a store and a media server of others are asked', async () => {
  const mediamtx = await startFakeMediaMtx()
  const { found } = await report(base(), {
    FLIGHTCASE_LIVE_ENABLED: 'true',
    FLIGHTCASE_MEDIAMTX_API: mediamtx.urls.api,
    FLIGHTCASE_OBJECT_STORE: 'external',
    FLIGHTCASE_S3_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    FLIGHTCASE_S3_ACCESS_KEY: 'key',
    FLIGHTCASE_S3_SECRET_KEY: 'secret'
  })
  expect(found['media_server']!.facts).toMatchObject({ place: mediamtx.urls.api })
  expect(found['store']).toMatchObject({ state: 'problem' })
})

test('a base that runs is asked itself where the token opens it, else looked at from outside', async () => {
  const env = { FLIGHTCASE_ADMIN_TOKEN: 'an-administrator-token-of-this-test' }
  const { dataDir, ready } = await startTestDaemon({ env })
  const admin = ['--admin', new URL(ready.admin.url).host]
  const asked = await report(dataDir, env, admin)
  expect([asked.isRunning, asked.isAsked]).toEqual([true, true])
  expect(asked.found).toMatchObject({
    jobs: { code: 'fine' },
    store: { code: 'embedded' },
    listeners: { code: 'open' }
  })
  const refused = { FLIGHTCASE_ADMIN_TOKEN: 'another-administrator-token-altogether' }
  for (const call of [() => report(dataDir, {}, admin), () => report(dataDir, refused, admin)]) {
    const seen = await call()
    expect([seen.isRunning, seen.isAsked]).toEqual([true, false])
    expect(seen.found).toMatchObject({ listeners: { code: 'in_use' }, database: { code: 'sound' } })
  }
  expect(await doctor(dataDir, env, admin)).toContain('is running, and says:')
  expect(await doctor(dataDir)).toContain('FLIGHTCASE_ADMIN_TOKEN')
})

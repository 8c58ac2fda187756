import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listAudit } from '../../../shared/api/audit.ts'
import {
  type ConnectionStep,
  changeStoreSettings,
  getStoreSettings,
  revertStoreSettings,
  testStoreSettings
} from '../../../shared/api/settings.ts'
import { createToken, getStatus } from '../../../shared/api/system.ts'
import { openDistantStore } from '../../testing/distant-store.ts'
import { freePort } from '../../testing/free-port.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder } from '../../testing/test-database.ts'

type Choices = Parameters<typeof change>[1]
const read = (base: TestDaemon) => base.api.call(getStoreSettings, {})
const change = (base: TestDaemon, body: Record<string, string | null>) => base.api.call(changeStoreSettings, { body })
const refusal = (base: TestDaemon, body: Choices) =>
  change(base, body).then(
    () => null,
    (error) => error.problem
  )

const file = (base: TestDaemon) => join(base.dataDir, 'settings.toml')

test('a store that is chosen is used from the next start on', async () => {
  const { env } = await openDistantStore()
  const dataDir = join(temporaryFolder('settings'), 'data')
  const first = await startTestDaemon({ dataDir })
  const fresh = await read(first)
  expect(fresh).toMatchObject({
    settings: {
      mode: { value: 'embedded', source: 'default' },
      bucket: { value: 'media', isSet: false },
      secretKey: { value: null, isSet: false }
    },
    present: { mode: 'embedded', place: join(dataDir, 'store') },
    needsRestart: false,
    movesAway: false
  })
  const chosen = await change(first, {
    mode: 'external',
    endpoint: env['FLIGHTCASE_S3_ENDPOINT']!,
    region: env['FLIGHTCASE_S3_REGION']!,
    accessKey: env['FLIGHTCASE_S3_ACCESS_KEY']!,
    secretKey: env['FLIGHTCASE_S3_SECRET_KEY']!
  })
  expect(chosen).toMatchObject({
    settings: {
      mode: { value: 'external', source: 'screen', where: `store.mode in ${file(first)}` },
      accessKey: { value: null, isSet: true, source: 'screen' },
      secretKey: { value: null, isSet: true, source: 'screen' }
    },
    present: { mode: 'embedded' },
    needsRestart: true,
    movesAway: true
  })
  expect(JSON.stringify(chosen)).not.toContain(env['FLIGHTCASE_S3_SECRET_KEY'])
  const { items } = await first.api.call(listAudit, { query: { action: 'settings.changed' } })
  expect(items).toMatchObject([
    { subject: 'store', data: { settings: ['mode', 'endpoint', 'region', 'accessKey', 'secretKey'] } }
  ])
  expect((await first.api.call(getStatus, {})).store.mode).toBe('embedded')
  await first.daemon.stop()

  const second = await startTestDaemon({ dataDir })
  expect((await second.api.call(getStatus, {})).store).toMatchObject({ mode: 'external', reachable: true })
  expect(await read(second)).toMatchObject({ needsRestart: false, movesAway: false })
  // A key that is not sent stays.
  expect(await change(second, { publicEndpoint: 'http://192.0.2.1:9000' })).toMatchObject({
    settings: { secretKey: { isSet: true } },
    needsRestart: true,
    movesAway: false
  })
})

test('what was chosen since the start is taken back, keys included', async () => {
  const base = await startTestDaemon()
  await change(base, { bucket: 'other' })
  const before = await read(base)
  expect(before).toMatchObject({ settings: { bucket: { value: 'other' } }, needsRestart: true })
  expect(await base.api.call(revertStoreSettings, {})).toMatchObject({
    settings: { bucket: { value: 'media', source: 'default' } },
    needsRestart: false
  })
  expect(existsSync(file(base))).toBe(false)
  await change(base, { bucket: 'other' })
  expect(await change(base, { bucket: null })).toMatchObject({ needsRestart: false })
})

test('what is set where the program is started stays, and says where that is', async () => {
  const base = await startTestDaemon({ env: { FLIGHTCASE_S3_BUCKET: 'flights' } })
  expect((await read(base)).settings.bucket).toEqual({
    value: 'flights',
    isSet: true,
    source: 'environment',
    where: 'FLIGHTCASE_S3_BUCKET'
  })
  expect(await refusal(base, { region: 'eu-1', bucket: 'other' })).toMatchObject({
    code: 'setting_fixed',
    details: { setting: 'bucket' }
  })
  expect((await read(base)).needsRestart).toBe(false)
})

test('what the next start would stumble over is not taken', async () => {
  const base = await startTestDaemon()
  expect(await refusal(base, { mode: 'external', endpoint: 'http://nas.lan:9000' })).toMatchObject({
    code: 'settings_incomplete',
    details: { missing: ['accessKey', 'secretKey'] }
  })
  expect(await refusal(base, { endpoint: 'nas.lan', bucket: 'A B' })).toMatchObject({
    code: 'invalid_request',
    details: { issues: [{ path: 'endpoint' }, { path: 'bucket' }] }
  })
  expect(existsSync(file(base))).toBe(false)
  const keys = { accessKey: 'key', secretKey: 'a secret "with" \\ marks' }
  await change(base, { mode: 'external', endpoint: 'http://nas.lan:9000', ...keys })
  expect(await refusal(base, { secretKey: null })).toMatchObject({ details: { missing: ['secretKey'] } })
  expect(readFileSync(file(base), 'utf8')).toContain('secret_key')
  expect(await change(base, { mode: 'embedded' })).toMatchObject({ needsRestart: false, movesAway: false })
})

test('a connection is tried out before it is chosen, and what is wrong is named', async () => {
  const { env } = await openDistantStore()
  const base = await startTestDaemon()
  const right = {
    mode: 'external',
    endpoint: env['FLIGHTCASE_S3_ENDPOINT']!,
    region: env['FLIGHTCASE_S3_REGION']!,
    accessKey: env['FLIGHTCASE_S3_ACCESS_KEY']!,
    secretKey: env['FLIGHTCASE_S3_SECRET_KEY']!
  }
  const tried = async (body: object): Promise<ConnectionStep[]> =>
    (await base.api.call(testStoreSettings, { body: { ...right, ...body } })).steps
  const failed = async (body: object) => (await tried(body)).find(({ outcome }) => outcome === 'failed')
  expect((await tried({})).map(({ name, outcome }) => `${name} ${outcome}`)).toContain('write ok')
  expect((await tried({ mode: 'gateway', profile: 'cos' })).map(({ name }) => name)).not.toContain('sts')
  await expect(tried({ profile: 'cos' })).rejects.toMatchObject({
    problem: {
      code: 'settings_incomplete',
      details: { reason: 'needs_gateway', reported: expect.stringContaining('gateway') }
    }
  })
  await expect(tried({ profile: 'aws' })).rejects.toMatchObject({
    problem: { details: { reason: 'needs_role', reported: expect.stringContaining('store.role_arn') } }
  })
  expect(await failed({ secretKey: 'wrong' })).toMatchObject({ name: 'credentials', detail: 'wrong_secret_key' })
  expect(await failed({ accessKey: 'nobody' })).toMatchObject({ name: 'credentials', detail: 'unknown_access_key' })
  expect(await failed({ bucket: 'nowhere' })).toMatchObject({ name: 'bucket', detail: 'no_bucket' })
  const nobody = `http://127.0.0.1:${await freePort()}`
  expect(await failed({ endpoint: nobody })).toMatchObject({ name: 'reach', detail: 'refused' })
  expect((await read(base)).needsRestart).toBe(false)
})

test('is for administrators', async () => {
  const base = await startTestDaemon()
  const { secret } = await base.api.call(createToken, { body: { name: 'works', role: 'operator' } })
  const headers = { authorization: `Bearer ${secret}` }
  expect((await fetch(base.ready.admin.url + getStoreSettings.path, { headers })).status).toBe(403)
})

import { join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import Sqlite from 'better-sqlite3'
import { connectAsync, type MqttClient } from 'mqtt'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { StsReply } from '../../../shared/api/pilot.ts'
import { createToken, listTokens, revokeToken } from '../../../shared/api/system.ts'
import { endpointUrl } from '../../../shared/api-client.ts'
import { AuditLog } from '../../audit/audit-log.ts'
import { systemClock } from '../../clock.ts'
import { openDatabase } from '../../db/database.ts'
import { migrations } from '../../db/migrations/all.ts'
import { recordingLog } from '../../testing/recording-log.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { AccessService } from './access.service.ts'

const newToken = (base: TestDaemon, role: 'controller' | 'viewer' = 'controller') =>
  base.api.call(createToken, { body: { name: 'RC', role } })
const revoke = (base: TestDaemon, tokenId: string) => base.api.call(revokeToken, { params: { tokenId } })

async function link(base: TestDaemon, password: string): Promise<MqttClient> {
  const client = await connectAsync(base.ready.mqtt!.url, { username: 'rc', password, reconnectPeriod: 0 })
  onTestFinished(() => client.endAsync(true))
  return client
}

/** Asks for credentials with a token; gives what uploads with them, to a daemon that may be another by then. */
async function uploaderWith(base: TestDaemon, secret: string) {
  const answer = await fetch(`${base.ready.field.url}/storage/api/v1/workspaces/ws/sts`, {
    method: 'POST',
    headers: { 'x-auth-token': secret }
  })
  const { data } = (await answer.json()) as { data: StsReply }
  const { access_key_id, access_key_secret, security_token } = data.credentials
  return async (to: TestDaemon) => {
    const client = new S3Client({
      endpoint: to.ready.s3.url,
      region: data.region,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: access_key_id, secretAccessKey: access_key_secret, sessionToken: security_token }
    })
    try {
      await client.send(
        new PutObjectCommand({ Bucket: data.bucket, Key: `${data.object_key_prefix}/a.JPG`, Body: 'bytes' })
      )
    } finally {
      client.destroy()
    }
  }
}

test('ends the links of the token at once, and no others', async () => {
  const base = await startTestDaemon()
  const [mine, other] = [await newToken(base), await newToken(base)]
  const [client, neighbour] = [await link(base, mine.secret), await link(base, other.secret)]
  await revoke(base, mine.id)
  await vi.waitFor(() => expect(client.connected).toBe(false))
  await expect(link(base, mine.secret)).rejects.toThrow(/user|authorized/i)
  await neighbour.publishAsync('thing/product/RC/osd', 'still here', { qos: 1 })
})

test('ends the credentials that were issued with the token, and no others', async () => {
  const base = await startTestDaemon()
  const [mine, other] = [await newToken(base), await newToken(base)]
  const [upload, uploadNextDoor] = [await uploaderWith(base, mine.secret), await uploaderWith(base, other.secret)]
  await upload(base)
  await revoke(base, mine.id)
  await expect(upload(base)).rejects.toMatchObject({ name: 'InvalidToken' })
  await uploadNextDoor(base)
})

test('counts even when what was issued with the token cannot be ended yet, also with an Idempotency-Key', async () => {
  const base = await startTestDaemon()
  const { id, secret } = await newToken(base)
  await uploaderWith(base, secret)
  const identities = new Sqlite(join(base.dataDir, 'store/identity.db'))
  onTestFinished(() => void identities.close())
  identities.exec(`CREATE TRIGGER full BEFORE UPDATE ON session BEGIN SELECT raise(ABORT, 'disk full'); END`)
  const ask = () =>
    base.fetch(endpointUrl(revokeToken.path, { params: { tokenId: id } }), {
      method: 'DELETE',
      headers: { 'idempotency-key': 'r1' }
    })
  expect((await ask()).status).toBe(500)
  expect((await base.api.call(listTokens, {})).items).toMatchObject([{ id, revokedAt: expect.any(String) }])
  identities.exec('DROP TRIGGER full')
  expect((await ask()).status).toBe(200)
})

test('ends the event streams of the token', async () => {
  const base = await startTestDaemon()
  const { id, secret } = await newToken(base, 'viewer')
  const stream = await fetch(`${base.ready.admin.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${secret}` }
  })
  const ended = stream.text()
  await revoke(base, id)
  expect(await ended).toContain('event: hello')
})

test('counts as well when another process revokes the token', async () => {
  const base = await startTestDaemon()
  const { id, secret } = await newToken(base)
  const client = await link(base, secret)
  const upload = await uploaderWith(base, secret)
  revokeFromOutside(base.dataDir, id)
  await vi.waitFor(() => expect(client.connected).toBe(false), 10_000)
  await expect(upload(base)).rejects.toMatchObject({ name: 'InvalidToken' })
})

test('counts as well when it happened while the base was off', async () => {
  const dataDir = join(temporaryFolder('revoked'), 'data')
  const first = await startTestDaemon({ dataDir })
  const { id, secret } = await newToken(first)
  const upload = await uploaderWith(first, secret)
  await first.daemon.stop()
  revokeFromOutside(dataDir, id)
  const second = await startTestDaemon({ dataDir })
  await expect(upload(second)).rejects.toMatchObject({ name: 'InvalidToken' })
})

describe('a fixed token that is another one at the next start', () => {
  async function sessionIn(base: TestDaemon) {
    const answer = await base.fetch('/api/v1/session', { method: 'POST' })
    return cookieOf(answer)
  }
  const cookieOf = (answer: Response) => answer.headers.get('set-cookie')!.split(';')[0]!.split('=')[1]!
  /** The cookie's name carries the port, which is another one at each start of a test. */
  const withCookie = (base: TestDaemon, secret: string) => ({
    cookie: `flightcase_${new URL(base.ready.admin.url).port}=${secret}`,
    origin: base.ready.admin.url
  })
  const statusWith = async (base: TestDaemon, secret: string) =>
    (await fetch(`${base.ready.admin.url}/api/v1/assets`, { headers: withCookie(base, secret) })).status

  /** Starts a base with these tokens; the one before on the same folder ends. */
  function startsOn(dataDir: string) {
    let running: TestDaemon | undefined
    return async (env: { FLIGHTCASE_ADMIN_TOKEN?: string; FLIGHTCASE_PILOT_TOKEN?: string }) => {
      await running?.daemon.stop()
      running = await startTestDaemon({ dataDir, env })
      return running
    }
  }

  test('ends the sessions that came from the former one, and theirs', async () => {
    const start = startsOn(join(temporaryFolder('fixed'), 'data'))
    const first = await start({ FLIGHTCASE_ADMIN_TOKEN: 'the-first-token' })
    const session = await sessionIn(first)
    const fromSession = cookieOf(
      await fetch(`${first.ready.admin.url}/api/v1/session`, { method: 'POST', headers: withCookie(first, session) })
    )
    const same = await start({ FLIGHTCASE_ADMIN_TOKEN: 'the-first-token' })
    expect([await statusWith(same, session), await statusWith(same, fromSession)]).toEqual([200, 200])
    const other = await start({ FLIGHTCASE_ADMIN_TOKEN: 'the-second-token' })
    expect([await statusWith(other, session), await statusWith(other, fromSession)]).toEqual([401, 401])
    const young = await sessionIn(other)
    const none = await start({})
    expect(await statusWith(none, young)).toBe(401)
  })

  test('ends no session that came from the token of one start', async () => {
    const start = startsOn(join(temporaryFolder('fixed'), 'data'))
    const session = await sessionIn(await start({}))
    expect(await statusWith(await start({}), session)).toBe(200)
    expect(await statusWith(await start({ FLIGHTCASE_ADMIN_TOKEN: 'the-first-token' }), session)).toBe(200)
  })

  test('ends the credentials that controllers got with the former one', async () => {
    const start = startsOn(join(temporaryFolder('fixed'), 'data'))
    const first = await start({ FLIGHTCASE_PILOT_TOKEN: 'the-first-token' })
    const upload = await uploaderWith(first, 'the-first-token')
    const own = await uploaderWith(first, (await newToken(first)).secret)
    await upload(await start({ FLIGHTCASE_PILOT_TOKEN: 'the-first-token' }))
    const other = await start({ FLIGHTCASE_PILOT_TOKEN: 'the-second-token', FLIGHTCASE_ADMIN_TOKEN: 'added-now' })
    await expect(upload(other)).rejects.toMatchObject({ name: 'InvalidToken' })
    await own(other)
  })

  test('leaves a command line alone that knows no fixed token', async () => {
    const dataDir = join(temporaryFolder('fixed'), 'data')
    const start = startsOn(dataDir)
    const first = await start({ FLIGHTCASE_ADMIN_TOKEN: 'the-first-token' })
    const session = await sessionIn(first)
    revokeFromOutside(dataDir, (await newToken(first)).id)
    expect(await statusWith(await start({ FLIGHTCASE_ADMIN_TOKEN: 'the-first-token' }), session)).toBe(200)
  })
})

/** As the command line does it. */
function revokeFromOutside(dataDir: string, tokenId: string): void {
  const db = openDatabase(join(dataDir, 'flightcase.db'), migrations)
  new AccessService({
    db,
    audit: new AuditLog({ db, clock: systemClock }),
    clock: systemClock,
    log: recordingLog().log,
    adminToken: null,
    pilotToken: null
  }).revokeToken(tokenId)
  db.close()
}

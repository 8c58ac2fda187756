import { expect, test } from 'vitest'
import { AuditLog } from '../../audit/audit-log.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { recordingLog } from '../../testing/recording-log.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { AccessService } from './access.service.ts'

const DAY_MS = 24 * 3_600_000

function openAccess(tokens: { adminToken?: string; pilotToken?: string } = {}, db = testDatabase()) {
  const clock = new ManualClock()
  const { adminToken = null, pilotToken = null } = tokens
  const { log, lines } = recordingLog()
  return {
    access: new AccessService({ db, audit: new AuditLog({ db, clock }), clock, log, adminToken, pilotToken }),
    clock,
    db,
    lines
  }
}

const operator = {
  actorId: 'token:x',
  name: 'admin',
  role: 'operator' as const,
  workspaceIds: 'all' as const,
  tokenId: null,
  expiresAtMs: null,
  viaCookie: false
}

test('sessions are forgotten once they have expired; tokens never', () => {
  const { access, clock, db } = openAccess()
  const token = access.createToken({ name: 'wall', role: 'viewer' })
  const old = access.openSession(operator)
  clock.advanceMs(29 * DAY_MS)
  const young = access.openSession(operator)
  clock.advanceMs(DAY_MS)
  expect(access.identify(old.secret)).toBeUndefined()
  access.forgetExpiredSessions()
  expect(db.prepare('SELECT id FROM token').all()).toHaveLength(2)
  expect(access.identify(young.secret)).toMatchObject({ role: 'operator' })
  expect(access.identify(token.secret)).toMatchObject({ role: 'viewer' })
})

test('a token opens doors though its use cannot be written down, which is told once', () => {
  const { access, clock, db, lines } = openAccess()
  const { secret, id } = access.createToken({ name: 'RC', role: 'controller' })
  const lastUsedAt = () => access.getToken(id).lastUsedAt
  db.sql.pragma('query_only = ON')
  for (let minute = 0; minute < 3; minute++) {
    expect(access.identify(secret)).toMatchObject({ name: 'RC' })
    clock.advanceMs(60_000)
  }
  expect(lines).toMatchObject([{ level: 50, err: { message: expect.stringContaining('readonly') } }])
  db.sql.pragma('query_only = OFF')
  expect(lastUsedAt()).toBeNull()
  access.identify(secret)
  expect(lastUsedAt()).toBe(new Date(clock.nowMs()).toISOString())
  clock.advanceMs(60_000)
  db.sql.pragma('query_only = ON')
  access.identify(secret)
  expect(lines).toHaveLength(2)
})

test('a watcher that cannot do its part is asked again until it could, which is logged once', () => {
  const { access, lines } = openAccess()
  const [one, two] = [
    access.createToken({ name: 'a', role: 'viewer' }),
    access.createToken({ name: 'b', role: 'viewer' })
  ]
  const told: string[] = []
  let isDiskFull = true
  access.onEnded((tokenId) => {
    if (isDiskFull && tokenId === one.id) throw new Error('disk full')
    told.push(tokenId)
  })
  expect(() => access.revokeToken(one.id)).toThrow('disk full')
  expect(access.identify(one.secret)).toBeUndefined()
  expect(() => access.revokeToken(two.id)).toThrow('disk full')
  access.tick()
  expect(told).toEqual([two.id])
  expect(lines).toHaveLength(1)
  isDiskFull = false
  access.tick()
  access.tick()
  expect(told).toEqual([two.id, one.id])
})

test('a session that is closed or expires is told like a revoked one', () => {
  const { access, clock } = openAccess()
  const told: string[] = []
  access.onEnded((tokenId) => told.push(tokenId))
  const [closed, expiring] = [access.openSession(operator), access.openSession(operator)]
  const closedId = access.identify(closed.secret)!.tokenId!
  const expiringId = access.identify(expiring.secret)!.tokenId!
  access.closeSession(closedId)
  expect(told).toEqual([closedId])
  clock.advanceMs(30 * DAY_MS)
  access.forgetExpiredSessions()
  expect(told).toEqual([closedId, expiringId])
})

import { expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { AccessService } from './access.service.ts'

const DAY_MS = 24 * 3_600_000

function openAccess(tokens: { adminToken?: string; pilotToken?: string } = {}, db = testDatabase()) {
  const clock = new ManualClock()
  const { adminToken = null, pilotToken = null } = tokens
  return { access: new AccessService({ db, clock, adminToken, pilotToken }), clock, db }
}

const operator = { role: 'operator' as const, tokenId: null }

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

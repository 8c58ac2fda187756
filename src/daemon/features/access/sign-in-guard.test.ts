import { describe, expect, test } from 'vitest'
import { createToken, getStatus } from '../../../shared/api/system.ts'
import { problemSchema } from '../../../shared/problem.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { startTestDaemon, TEST_PILOT_TOKEN } from '../../testing/test-daemon.ts'
import { SignInGuard } from './sign-in-guard.ts'

/** As a proxy on this machine passes a request on. */
const from = (address: string) => ({ 'x-forwarded-for': address })
const FAR = from('203.0.113.7')

const codeOf = async (answer: Response) => (answer.ok ? 200 : problemSchema.parse(await answer.json()).code)

describe('wrong tokens', () => {
  test('are not even looked at after some from one address, on the admin listener', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_FAILED_SIGN_INS_PER_MINUTE: '3' } })
    const { secret } = await base.api.call(createToken, { body: { name: 'app', role: 'viewer' } })
    const ask = async (token: string, headers: Record<string, string> = FAR) =>
      codeOf(await base.fetch(getStatus.path, { headers: { ...headers, authorization: `Bearer ${token}` } }))
    expect(await ask(base.ready.admin.token)).toBe(200)
    for (const guess of ['a', 'b', 'c']) expect(await ask(guess)).toBe('unauthenticated')
    const refused = await base.fetch(getStatus.path, { headers: { ...FAR, authorization: 'Bearer d' } })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
    expect(await codeOf(refused)).toBe('too_many_sign_ins')
    expect(await ask(secret)).toBe('too_many_sign_ins')
    expect(await ask(base.ready.admin.token)).toBe(200)
    expect(await ask(secret, from('203.0.113.8'))).toBe(200)
    expect(await ask('e', {})).toBe('unauthenticated')
  })

  test('of one controller do not keep the others behind its address from uploading', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_FAILED_SIGN_INS_PER_MINUTE: '3' } })
    const newcomer = await base.api.call(createToken, { body: { name: 'RC', role: 'controller' } })
    const call = async (token: string) => {
      const answer = await fetch(`${base.ready.field.url}/storage/api/v1/workspaces/ws/sts`, {
        method: 'POST',
        headers: { ...FAR, 'x-auth-token': token }
      })
      return answer.status
    }
    expect(await call(TEST_PILOT_TOKEN)).toBe(200)
    for (let n = 0; n < 3; n++) expect(await call('wrong')).toBe(401)
    expect([await call('wrong'), await call(newcomer.secret)]).toEqual([429, 429])
    for (let n = 0; n < 10; n++) expect(await call(TEST_PILOT_TOKEN)).toBe(200)
  })

  test('are forgotten after a minute', () => {
    const clock = new ManualClock()
    const guard = new SignInGuard({ clock, maxFailures: 2 })
    const attempt = (secret: string) => guard.attempt('203.0.113.7', secret, () => secret === 'right' || undefined)
    expect([attempt('a'), attempt('b'), attempt('right')]).toEqual([undefined, undefined, 'too_many'])
    clock.advanceMs(60_000)
    expect(attempt('right')).toBe(true)
  })

  test('that were right once are wrong for good when they are revoked', () => {
    const clock = new ManualClock()
    const guard = new SignInGuard({ clock, maxFailures: 2 })
    const valid = new Set(['old', 'good'])
    const attempt = (secret: string) => guard.attempt('203.0.113.7', secret, () => valid.has(secret) || undefined)
    expect([attempt('old'), attempt('good')]).toEqual([true, true])
    valid.delete('old')
    expect([attempt('old'), attempt('old'), attempt('old'), attempt('good')]).toEqual([
      undefined,
      undefined,
      'too_many',
      true
    ])
  })
})

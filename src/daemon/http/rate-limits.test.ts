import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createToken, getStatus } from '../../shared/api/system.ts'
import { uploadMedia } from '../../shared/api/uploads.ts'
import { problemSchema } from '../../shared/problem.ts'
import { startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts'
import { clientAddress } from './client-address.ts'

/** As a proxy on this machine passes a request on. */
const from = (address: string) => ({ 'x-forwarded-for': address })
const FAR = from('203.0.113.7')

const get = (base: TestDaemon, path: string, headers: Record<string, string>) => base.fetch(path, { headers })
const codeOf = async (answer: Response) => (answer.ok ? 200 : problemSchema.parse(await answer.json()).code)

describe('operations', () => {
  test('are limited for each token, whatever address it comes from', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_REQUESTS_PER_MINUTE: '3' } })
    const { secret } = await base.api.call(createToken, { body: { name: 'app', role: 'viewer' } })
    const ask = (headers: Record<string, string>) => get(base, getStatus.path, headers)
    const first = await ask(FAR)
    expect(first.status).toBe(200)
    expect(first.headers.get('ratelimit-policy')).toContain('q=3; w=60')
    expect(first.headers.get('ratelimit')).toContain('r=2')
    for (const address of ['203.0.113.8', '2001:db8::1']) expect((await ask(from(address))).status).toBe(200)
    const refused = await ask(FAR)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await codeOf(refused)).toBe('too_many_requests')
    expect((await ask({ ...FAR, authorization: `Bearer ${secret}` })).status).toBe(200)
  })

  test('of programs of this machine are never limited, nor is anything where the limit is zero', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_REQUESTS_PER_MINUTE: '3' } })
    for (let n = 0; n < 10; n++) expect((await get(base, getStatus.path, {})).status).toBe(200)
    const open = await startTestDaemon({ env: { FLIGHTCASE_REQUESTS_PER_MINUTE: '0' } })
    for (let n = 0; n < 10; n++) expect((await get(open, getStatus.path, FAR)).status).toBe(200)
  })
})

test('media has a limit of its own, for each address', async () => {
  const base = await startTestDaemon({
    env: { FLIGHTCASE_REQUESTS_PER_MINUTE: '2', FLIGHTCASE_MEDIA_PER_MINUTE: '4' }
  })
  const form = new FormData()
  form.append('file', new Blob(['bytes']), 'a.bin')
  const answer = await base.fetch(uploadMedia.path, { method: 'POST', body: form })
  const path = `/media/${uploadMedia.response.parse(await answer.json()).asset.id}`
  for (let n = 0; n < 4; n++) expect(await (await get(base, path, FAR)).text()).toBe('bytes')
  expect(await codeOf(await get(base, path, FAR))).toBe('too_many_requests')
  expect((await get(base, path, from('203.0.113.8'))).status).toBe(200)
  expect((await get(base, getStatus.path, FAR)).status).toBe(200)
})

test.each([
  ['127.0.0.1', undefined, null],
  ['::1', undefined, null],
  ['::ffff:127.0.0.1', undefined, null],
  ['127.0.0.1', 'nonsense', null],
  ['127.0.0.1', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
  ['203.0.113.7', '127.0.0.1', '203.0.113.7'],
  ['::ffff:203.0.113.7', undefined, '203.0.113.7'],
  ['2001:db8:0:1::1', undefined, '2001:db8::/56'],
  ['2001:db8:0:2::9', undefined, '2001:db8::/56']
])('a request of %s for %s counts for %s', (remoteAddress, forwarded, counted) => {
  const request = { socket: { remoteAddress }, headers: forwarded ? { 'x-forwarded-for': forwarded } : {} }
  expect(clientAddress(request as unknown as IncomingMessage)).toBe(counted)
})

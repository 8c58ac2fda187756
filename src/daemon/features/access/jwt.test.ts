import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  base64url,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT
} from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { getStatus, listTokens } from '../../../shared/api/system.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import { problemSchema } from '../../../shared/problem.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder } from '../../testing/test-database.ts'

const ISSUER = 'https://login.example.org/'
const AUDIENCE = 'flightcase'
const MINUTE_MS = 60_000

interface Key {
  kid: string
  alg: string
  privateKey: CryptoKey
  publicKey: CryptoKey
  jwk: JWK
}

async function newKey(kid: string, alg = 'RS256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** An identity provider as far as we see it: it shows its keys, while it is not away. */
async function startProvider(...keys: Key[]) {
  const state = { keys, isAway: false, asked: 0 }
  const server = createServer((_, response) => {
    state.asked++
    if (state.isAway) response.writeHead(503).end('away')
    else response.setHeader('content-type', 'application/json').end(keySetOf(state.keys))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json` }
}

const keySetOf = (keys: Key[]) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })

/** A base that trusts the keys at `jwks`, and its clock. */
async function startBase(jwks: string, env: Record<string, string> = {}) {
  const clock = new ManualClock()
  const base = await startTestDaemon({
    env: { FLIGHTCASE_JWT_ISSUER: ISSUER, FLIGHTCASE_JWT_AUDIENCE: AUDIENCE, FLIGHTCASE_JWT_JWKS: jwks, ...env },
    overrides: { clock }
  })
  /** The claims of a good token, changed; undefined leaves one out. */
  const claims = (change: JWTPayload = {}): JWTPayload => {
    const nowS = Math.floor(clock.nowMs() / 1000)
    return { iss: ISSUER, aud: AUDIENCE, sub: 'ann', exp: nowS + 3600, iat: nowS, role: 'operator', ...change }
  }
  const tokenOf = ({ kid, alg, privateKey }: Key, change?: JWTPayload) =>
    new SignJWT(claims(change)).setProtectedHeader({ alg, kid }).sign(privateKey)
  return { base, clock, claims, tokenOf }
}

/** What the base answers to who comes with this token: its status and, of a refusal, the code. */
async function statusOf(base: TestDaemon, token: string, path: string = getStatus.path) {
  const answer = await base.fetch(path, { headers: { authorization: `Bearer ${token}` } })
  return answer.ok ? 200 : problemSchema.parse(await answer.json()).code
}

const told = async (base: TestDaemon, token: string) =>
  getStatus.response.parse(
    await (await base.fetch(getStatus.path, { headers: { authorization: `Bearer ${token}` } })).json()
  )

describe('a token of the identity provider', () => {
  test.each(['RS256', 'ES256', 'EdDSA'])('signed with %s opens what its role may do', async (alg) => {
    const key = await newKey('k1', alg)
    const { url } = await startProvider(key)
    const { base, tokenOf } = await startBase(url)
    expect(await told(base, await tokenOf(key))).toMatchObject({ role: 'operator', workspaceIds: null })
    expect(await statusOf(base, await tokenOf(key), listTokens.path)).toBe('forbidden')
    expect(await statusOf(base, await tokenOf(key, { role: 'admin' }), listTokens.path)).toBe(200)
    expect(await statusOf(base, base.ready.admin.token)).toBe(200)
  })

  test.each<[string, JWTPayload]>([
    ['expired', { exp: 0 }],
    ['never expires', { exp: undefined } as never],
    ['is not valid yet', { nbf: 9_999_999_999 }],
    ['is for somebody else', { aud: 'another' }],
    ['is for nobody in particular', { aud: undefined } as never],
    ['comes from somebody else', { iss: 'https://evil.example.org/' }],
    ['is about nobody', { sub: undefined } as never],
    ['is about a name without end', { sub: 'a'.repeat(256) }]
  ])('that %s opens nothing', async (_, change) => {
    const key = await newKey('k1')
    const { base, tokenOf } = await startBase((await startProvider(key)).url)
    expect(await statusOf(base, await tokenOf(key, change))).toBe('unauthenticated')
  })

  test('is good for half a minute longer, because clocks differ', async () => {
    const key = await newKey('k1')
    const { base, clock, tokenOf } = await startBase((await startProvider(key)).url)
    const token = await tokenOf(key, { exp: Math.floor(clock.nowMs() / 1000) + 60 })
    clock.advanceMs(89_000)
    expect(await statusOf(base, token)).toBe(200)
    clock.advanceMs(2000)
    expect(await statusOf(base, token)).toBe('unauthenticated')
  })

  test('opens nothing when it is not signed, or signed with what everybody knows', async () => {
    const key = await newKey('k1')
    const { base, claims } = await startBase((await startProvider(key)).url)
    const encoded = (value: object) => base64url.encode(JSON.stringify(value))
    const unsigned = `${encoded({ alg: 'none', kid: 'k1' })}.${encoded(claims())}.`
    expect(await statusOf(base, unsigned)).toBe('unauthenticated')
    for (const secret of [await exportSPKI(key.publicKey), JSON.stringify(key.jwk), keySetOf([key])]) {
      const confused = new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      expect(await statusOf(base, await confused.sign(new TextEncoder().encode(secret)))).toBe('unauthenticated')
    }
  })

  test('opens nothing when its key is not the published one, or brings its own', async () => {
    const [key, forged] = [await newKey('k1'), await newKey('k1')]
    const { base, tokenOf, claims } = await startBase((await startProvider(key)).url)
    expect(await statusOf(base, await tokenOf(forged))).toBe('unauthenticated')
    const bringing = new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', jwk: forged.jwk, kid: 'k1' })
    expect(await statusOf(base, await bringing.sign(forged.privateKey))).toBe('unauthenticated')
    const [head, , signature] = (await tokenOf(key)).split('.')
    const grown = base64url.encode(JSON.stringify(claims({ role: 'admin' })))
    expect(await statusOf(base, `${head}.${grown}.${signature}`)).toBe('unauthenticated')
  })

  test('with an algorithm that is not listed opens nothing', async () => {
    const key = await newKey('k1', 'ES256')
    const { base, tokenOf } = await startBase((await startProvider(key)).url, { FLIGHTCASE_JWT_ALGORITHMS: 'RS256' })
    expect(await statusOf(base, await tokenOf(key))).toBe('unauthenticated')
  })

  test('is no token at all where no provider is trusted', async () => {
    const key = await newKey('k1')
    const { tokenOf } = await startBase((await startProvider(key)).url)
    expect(await statusOf(await startTestDaemon(), await tokenOf(key))).toBe('unauthenticated')
  })
})

describe('the keys of the provider', () => {
  test('change: a new one counts at once, a withdrawn one not for long', async () => {
    const [first, second] = [await newKey('k1'), await newKey('k2')]
    const { state, url } = await startProvider(first)
    const { base, clock, tokenOf } = await startBase(url)
    expect(await statusOf(base, await tokenOf(first))).toBe(200)
    state.keys = [second]
    clock.advanceMs(MINUTE_MS)
    expect(await statusOf(base, await tokenOf(second))).toBe(200)
    expect(await statusOf(base, await tokenOf(first))).toBe('unauthenticated')
  })

  test('are read again after ten minutes without being waited for', async () => {
    const [first, second] = [await newKey('k1'), await newKey('k2')]
    const { state, url } = await startProvider(first, second)
    const { base, clock, tokenOf } = await startBase(url)
    expect(await statusOf(base, await tokenOf(first))).toBe(200)
    state.keys = [second]
    clock.advanceMs(10 * MINUTE_MS)
    await statusOf(base, await tokenOf(second))
    await expect.poll(async () => statusOf(base, await tokenOf(first))).toBe('unauthenticated')
  })

  test('are not asked for by everybody who makes up a key', async () => {
    const key = await newKey('k1')
    const { state, url } = await startProvider(key)
    const { base, clock, tokenOf } = await startBase(url)
    await statusOf(base, await tokenOf(key))
    clock.advanceMs(MINUTE_MS)
    const token = await tokenOf({ ...key, kid: 'unknown' })
    expect(await Promise.all([1, 2, 3, 4].map(() => statusOf(base, token)))).toEqual(Array(4).fill('unauthenticated'))
    expect(state.asked).toBe(2)
  })

  test('still count while the provider is away; one that is not known is no refusal then', async () => {
    const [key, other] = [await newKey('k1'), await newKey('k2')]
    const { state, url } = await startProvider(key)
    const { base, clock, tokenOf } = await startBase(url)
    expect(await statusOf(base, await tokenOf(key))).toBe(200)
    state.isAway = true
    clock.advanceMs(24 * 60 * MINUTE_MS)
    expect(await statusOf(base, await tokenOf(key))).toBe(200)
    clock.advanceMs(MINUTE_MS)
    expect(await statusOf(base, await tokenOf(other))).toBe('identity_provider_unreachable')
    state.isAway = false
    state.keys = [key, other]
    clock.advanceMs(MINUTE_MS)
    expect(await statusOf(base, await tokenOf(other))).toBe(200)
  })

  test('may be out of reach when the base starts, which keeps nobody else out', async () => {
    const key = await newKey('k1')
    const { state, url } = await startProvider(key)
    state.isAway = true
    const { base, clock, tokenOf } = await startBase(url)
    expect(await statusOf(base, await tokenOf(key))).toBe('identity_provider_unreachable')
    expect(await statusOf(base, base.ready.admin.token)).toBe(200)
    state.isAway = false
    clock.advanceMs(MINUTE_MS)
    expect(await statusOf(base, await tokenOf(key))).toBe(200)
  })

  test('may lie in a file, where there is no Internet', async () => {
    const [key, next] = [await newKey('k1'), await newKey('k2')]
    const path = join(temporaryFolder('jwks'), 'keys.json')
    writeFileSync(path, keySetOf([key]))
    const { base, clock, tokenOf } = await startBase(path)
    expect(await statusOf(base, await tokenOf(key))).toBe(200)
    writeFileSync(path, keySetOf([next]))
    clock.advanceMs(MINUTE_MS)
    expect(await statusOf(base, await tokenOf(next))).toBe(200)
  })
})

describe('claims', () => {
  test('name the role in the words of the provider, the strongest one counts', async () => {
    const key = await newKey('k1')
    const { base, tokenOf } = await startBase((await startProvider(key)).url, {
      FLIGHTCASE_JWT_ROLE_CLAIM: 'realm_access.roles',
      FLIGHTCASE_JWT_ROLES: 'media-admins=admin, everyone=viewer'
    })
    const roleOf = async (names: unknown) =>
      statusOf(base, await tokenOf(key, { realm_access: { roles: names } }), listTokens.path)
    expect(await roleOf(['everyone', 'media-admins'])).toBe(200)
    expect(await roleOf('everyone media-admins')).toBe(200)
    for (const names of [['everyone'], ['admin'], [], undefined, 7, { admin: true }])
      expect(await roleOf(names)).toBe('forbidden')
  })

  test('name the workspaces, where the base is told so', async () => {
    const key = await newKey('k1')
    const { base, tokenOf } = await startBase((await startProvider(key)).url, {
      FLIGHTCASE_JWT_WORKSPACE_CLAIM: 'https://flightcase.example.org/workspaces'
    })
    const claim = (value: unknown) => ({ 'https://flightcase.example.org/workspaces': value })
    const scopeOf = async (value: unknown) => (await told(base, await tokenOf(key, claim(value)))).workspaceIds
    expect(await scopeOf(['alpha', 'bravo', '../x'])).toEqual(['alpha', 'bravo'])
    expect(await scopeOf('*')).toBeNull()
    for (const value of [undefined, [], ['../x'], 7])
      expect(await statusOf(base, await tokenOf(key, claim(value)))).toBe('forbidden')
  })
})

test('a session that somebody opened so ends when their token would have', async () => {
  const key = await newKey('k1')
  const { base, clock, tokenOf } = await startBase((await startProvider(key)).url)
  const token = await tokenOf(key, { exp: Math.floor(clock.nowMs() / 1000) + 600 })
  const opened = await base.fetch('/api/v1/session', { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  const cookie = opened.headers.get('set-cookie')!
  expect(cookie).toContain('Max-Age=600')
  const headers = { cookie: cookie.split(';')[0]!, origin: base.ready.admin.url }
  const form = new FormData()
  form.append('file', new Blob(['bytes']), 'a.bin')
  const answer = await fetch(base.ready.admin.url + uploadMedia.path, { method: 'POST', body: form, headers })
  const assetId = uploadMedia.response.parse(await answer.json()).asset.id
  await fetch(`${base.ready.admin.url}/api/v1/assets/${assetId}`, { method: 'DELETE', headers })
  const audit = await (await base.fetch('/api/v1/audit?actor=jwt:ann')).json()
  expect(audit).toMatchObject({ items: [{ action: 'asset.binned', actor: { id: 'jwt:ann', name: 'ann' } }] })
  const again = await fetch(`${base.ready.admin.url}/api/v1/session`, { method: 'POST', headers })
  expect(again.headers.get('set-cookie')).toContain('Max-Age=600')
  clock.advanceMs(10 * MINUTE_MS)
  expect((await fetch(base.ready.admin.url + getStatus.path, { headers })).status).toBe(401)
})

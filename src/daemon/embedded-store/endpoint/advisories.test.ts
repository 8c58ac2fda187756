import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { StoreKeys } from '../credentials/root-key.ts'
import { sessionToken } from '../credentials/session-token.ts'
import { Authenticator } from './authenticate.ts'
import { EndpointHarness, EVERYTHING, REGION, type SignedRequest, type TestCredentials } from './endpoint-harness.ts'
import { parseRequestTarget } from './request-target.ts'

// What went wrong in other S3 servers, by the names it was published under, tried against this one. A class of advisories without a
// number of its own is named in words.

let harness: EndpointHarness
let upload: (key: string) => Promise<string>
beforeAll(async () => {
  harness = await EndpointHarness.open()
  await harness.put('secret', 'hello')
  upload = async (key) => {
    const { body } = await harness.request({ method: 'POST', target: `/media/${key}?uploads` })
    return `/media/${key}?partNumber=1&uploadId=${/<UploadId>(.*?)</.exec(body)?.[1]}`
  }
})
// The limit for wrong signatures would otherwise answer in place of what is tried.
beforeEach(() => harness.turnClock(harness.nowMs - Date.now() + 11_000))
afterAll(() => harness.dispose())

const TRAILED = '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n'
const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
const trailer = { 'x-amz-trailer': 'x-amz-checksum-crc32', 'x-amz-decoded-content-length': '5' }
const forge = (authorization: string) => authorization.slice(0, -64) + 'f'.repeat(64)
const onlyReads = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::media/mine/*' }]
}

async function expectNothingStored(): Promise<void> {
  const { body } = await harness.request({ target: '/media' })
  expect([...body.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key)).toEqual(['secret'])
  expect(await harness.staged()).toEqual([])
  for (const line of (await harness.request({ target: '/media?uploads' })).body.matchAll(
    /<Key>(.*?)<\/Key><UploadId>(.*?)</g
  ))
    expect((await harness.request({ target: `/media/${line[1]}?uploadId=${line[2]}` })).body).not.toContain('<Part>')
}

describe('CVE-2025-31489: bodies with an unsigned trailer were taken with any signature', () => {
  it.each(['PutObject', 'UploadPart'])(
    '%s with a known key and a wrong signature is refused before its body',
    async (operation) => {
      const target = operation === 'PutObject' ? '/media/forged' : await upload('forged')
      const request = { method: 'PUT', target, payloadHash: UNSIGNED_TRAILER, headers: trailer, body: TRAILED }
      for (const wrong of [
        { ...request, tamper: forge },
        { ...request, credentials: { ...harness.admin, secretAccessKey: 'x'.repeat(40) } }
      ]) {
        const { headers } = harness.sign(wrong)
        const answer = await harness.send('PUT', target, { ...headers, expect: '100-continue' }, TRAILED)
        expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch', continued: false })
      }
      await expectNothingStored()
    }
  )
  it.each(['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'])(
    'no other payload mode takes one either: %s',
    async (payloadHash) => {
      const request = {
        method: 'PUT',
        target: '/media/forged',
        payloadHash,
        headers: trailer,
        body: TRAILED,
        tamper: forge
      }
      expect(await harness.request(request)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
      await expectNothingStored()
    }
  )
})

describe('CVE-2026-41145: a key named in the query of an unsigned-trailer body stood for a signature', () => {
  it.each(['PutObject', 'UploadPart'])('%s without an Authorization header is refused', async (operation) => {
    const path = operation === 'PutObject' ? '/media/forged?' : `${await upload('forged')}&`
    const credential = encodeURIComponent(`${harness.admin.accessKeyId}/20261120/us-east-1/s3/aws4_request`)
    const headers = { ...trailer, 'x-amz-content-sha256': UNSIGNED_TRAILER, 'content-length': String(TRAILED.length) }
    const presigned = harness.presign('PUT', '/media/forged', { payloadHash: UNSIGNED_TRAILER }).split('?')[1] ?? ''
    for (const query of [
      `X-Amz-Credential=${credential}`,
      `X-Amz-Credential=${credential}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=${'f'.repeat(64)}`,
      presigned.slice(0, -64) + 'f'.repeat(64),
      presigned
    ]) {
      const answer = await harness.send('PUT', path + query, headers, TRAILED)
      expect([400, 403]).toContain(answer.status)
    }
    await expectNothingStored()
  })
})

describe('CVE-2026-40344: archives to be unpacked were taken without looking at the signature', () => {
  const headers = { ...trailer, 'x-amz-meta-snowball-auto-extract': 'true' }
  it('a wrong signature is refused whatever the metadata say', async () => {
    const request = {
      method: 'PUT',
      target: '/media/a.tar',
      payloadHash: UNSIGNED_TRAILER,
      headers,
      body: TRAILED,
      tamper: forge
    }
    expect(await harness.request(request)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
    await expectNothingStored()
  })
  it('nothing is ever unpacked: an archive is one object', async () => {
    const request = { method: 'PUT', target: '/media/a.tar', payloadHash: UNSIGNED_TRAILER, headers, body: TRAILED }
    expect((await harness.request(request)).status).toBe(200)
    expect((await harness.get('a.tar')).body).toBe('hello')
    await harness.request({ method: 'DELETE', target: '/media/a.tar' })
    await expectNothingStored()
  })
})

describe('CVE-2024-36107: conditional headers told of objects before rights were looked at', () => {
  const conditions: Record<string, string>[] = [
    { 'if-modified-since': new Date(0).toUTCString() },
    { 'if-unmodified-since': new Date(0).toUTCString() },
    { 'if-none-match': '"5d41402abc4b2a76b9719d911017c592"' },
    { 'if-match': '"x"' }
  ]
  it.each(conditions)('%j: a missing object and one that is there look the same', async (headers) => {
    const stranger = harness.session(onlyReads)
    for (const method of ['GET', 'HEAD']) {
      const seen = await Promise.all(
        ['secret', 'missing'].map(async (key) => {
          const target = `/media/${key}`
          const answers = [
            await harness.send(method, target, headers),
            await harness.request({ method, target, headers, tamper: forge }),
            await harness.request({ method, target, headers, credentials: stranger })
          ]
          return answers.map(({ status, body }) => [
            status,
            body.replace(/<(Resource|RequestId|HostId)>.*?<\/\1>/g, '')
          ])
        })
      )
      expect(seen[0]).toEqual(seen[1])
      expect(seen[0]?.map(([status]) => status)).toEqual([403, 403, 403])
    }
  })
})

describe('session policies that did not hold for the own account (MinIO, October 2025)', () => {
  it('a session of an administrator can do what its policy says and nothing that the account could', async () => {
    const session = harness.identity.issueSession({
      durationSeconds: 900,
      policy: onlyReads,
      parent: harness.admin.accessKeyId
    })
    await harness.put('mine/k', 'mine')
    expect((await harness.request({ target: '/media/mine/k', credentials: session })).body).toBe('mine')
    const attempts: [string, string][] = [
      ...([
        ['PUT', '/media/mine/k'],
        ['DELETE', '/media/mine/k'],
        ['GET', '/media'],
        ['GET', '/'],
        ['PUT', '/fresh']
      ] as [string, string][]),
      ...([
        ['DELETE', '/media'],
        ['PUT', '/media?cors'],
        ['GET', '/media?cors'],
        ['PUT', '/media?acl'],
        ['GET', '/media/secret']
      ] as [string, string][])
    ]
    for (const [method, target] of attempts)
      expect([method, target, (await harness.request({ method, target, credentials: session })).status]).toEqual([
        method,
        target,
        403
      ])
    await harness.request({ method: 'DELETE', target: '/media/mine/k' })
  })
  it('a session issues no other, however its policy is worded', async () => {
    const session = harness.identity.issueSession({
      durationSeconds: 900,
      policy: EVERYTHING,
      parent: harness.admin.accessKeyId
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const body = 'Action=AssumeRole&Version=2011-06-15'
    const answer = await harness.request({
      method: 'POST',
      target: '/',
      service: 'sts',
      headers,
      body,
      credentials: session
    })
    expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' })
  })
  it('an empty list of statements is a policy, and one that allows nothing', async () => {
    const session = harness.session({ Version: '2012-10-17', Statement: [] })
    expect((await harness.request({ target: '/media/secret', credentials: session })).status).toBe(403)
  })
})

describe('session tokens made with a key that their holders know (RustFS)', () => {
  it.each(['the secret of a user', 'the secret of the session', 'another root key'])('%s makes none', async (what) => {
    const session = harness.session(undefined)
    const { accessKeyId, secretAccessKey, expiresAtMs } = session
    const tokenWith = (key: Buffer, sessionId: number) =>
      sessionToken(new StoreKeys(key), { keyId: 1, sessionId, accessKeyId, expiresAtMs })
    const rootKey = Buffer.from((await readFile(join(harness.directory, 'root.key'), 'utf8')).trim(), 'hex')
    const ids = Array.from({ length: 100 }, (_, i) => i + 1)
    // Everything but the key is known, as it would be to somebody who read the source.
    const sessionId = ids.find((id) => tokenWith(rootKey, id) === session.sessionToken) ?? 0
    expect(sessionId).toBeGreaterThan(0)
    const known = {
      'the secret of a user': createHash('sha256').update(harness.admin.secretAccessKey).digest(),
      'the secret of the session': createHash('sha256').update(secretAccessKey).digest(),
      'another root key': randomBytes(32)
    }
    const forged = tokenWith(known[what as keyof typeof known], sessionId)
    const credentials = { accessKeyId, secretAccessKey, sessionToken: forged }
    expect(await harness.request({ target: '/media/secret', credentials })).toMatchObject({
      status: 400,
      code: 'InvalidToken'
    })
  })
})

describe('credentials that every installation had (RustFS, MinIO)', () => {
  it.each(['minioadmin', 'rustfsadmin', 'admin', 'root', 'accesskey', 'flightcase', 'flightcase-daemon'])(
    '%s is nobody',
    async (name) => {
      for (const service of ['s3', 'sts'])
        expect(
          await harness.request({
            target: '/media/secret',
            credentials: { accessKeyId: name, secretAccessKey: name },
            service
          })
        ).not.toMatchObject({ status: 200 })
    }
  )
  it('two installations have nothing in common', async () => {
    const other = await EndpointHarness.open()
    const keysOf = (one: EndpointHarness) => one.identity.listServiceUsers().map((user) => user.accessKeyId)
    expect(keysOf(other).filter((key) => keysOf(harness).includes(key))).toEqual([])
    expect(await other.request({ target: '/media', credentials: harness.admin })).toMatchObject({
      code: 'InvalidAccessKeyId'
    })
    await other.dispose()
  })
})

describe('copies without the right to read their source, forms whose conditions were not kept (RustFS)', () => {
  const writer = () =>
    harness.session({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:*', Resource: ['arn:aws:s3:::media/mine/*', 'arn:aws:s3:::media/mine'] }
      ]
    })
  const sources = [
    '/media/secret',
    'media/secret',
    '%2Fmedia%2Fsecret',
    'media/%73ecret',
    'media/secret?versionId=null',
    'media/mine/%2e%2e/secret',
    'media//secret'
  ]

  it.each(sources)('from another workspace: %s', async (source) => {
    const credentials: TestCredentials = writer()
    for (const target of ['/media/mine/stolen', await upload('mine/part')]) {
      const request: SignedRequest = { method: 'PUT', target, headers: { 'x-amz-copy-source': source }, credentials }
      expect([400, 403]).toContain((await harness.request(request)).status)
    }
    const link = harness.presign('PUT', '/media/mine/stolen', {
      parameters: { 'x-amz-copy-source': source },
      credentials
    })
    expect([400, 403]).toContain((await harness.send('PUT', link, {})).status)
    expect((await harness.request({ method: 'HEAD', target: '/media/mine/stolen' })).status).toBe(404)
  })
  it('upload forms are not offered', async () => {
    expect((await harness.request({ method: 'POST', target: '/media' })).status).toBe(501)
    expect((await harness.send('POST', '/media', { 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(
      403
    )
  })
})

describe('keys that lead out of the store (RustFS, s3rver)', () => {
  it.each([
    '../outside',
    '..%2foutside',
    '%2e%2e/outside',
    'a/..%5c..%5coutside',
    '%2Fetc%2Foutside',
    'C:%5Coutside',
    'a%00/../outside',
    '....//outside'
  ])('%s touches no file but payload files', async (key) => {
    const before = await readdir(dirname(harness.directory))
    const { headers } = harness.sign({ method: 'PUT', target: '/media/x', body: 'x' })
    // Some cannot be signed at all, since they cannot be read.
    const answer = await harness
      .put(key, 'x')
      .catch(() => harness.send('PUT', `/media/${key}`, { ...headers, 'content-length': '1' }, 'x'))
    expect([200, 400, 403]).toContain(answer.status)
    const names = (await readdir(harness.directory, { recursive: true })).join('\n')
    expect(names).not.toContain('outside')
    expect((await readdir(dirname(harness.directory))).filter((name) => name.includes('outside'))).toEqual(
      before.filter((name) => name.includes('outside'))
    )
    await harness.request({ method: 'DELETE', target: `/media/${key}` }).catch(() => undefined)
  })
})

describe('origins that were reflected, with credentials', () => {
  it.each(['http://evil.example', 'null', 'http://page.example.evil', 'http://evil-page.example'])(
    '%s gets nothing',
    async (origin) => {
      const other = await EndpointHarness.open({ corsOrigins: () => ['http://page.example'] })
      const preflight = await other.send('OPTIONS', '/media/k', { origin, 'access-control-request-method': 'GET' })
      const actual = await other.request({ target: '/media', unsignedHeaders: { origin } })
      expect([preflight.status, actual.status]).toEqual([403, 200])
      for (const { headers } of [preflight, actual])
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
      await other.dispose()
    }
  )
})

describe('forwarding headers, and headers named like what policies ask for', () => {
  it.each([
    'x-forwarded-for',
    'x-real-ip',
    'forwarded',
    'true-client-ip',
    'cf-connecting-ip',
    'aws-sourceip',
    'sourceip',
    'x-amz-source-ip'
  ])('%s is not the address of the caller', async (name) => {
    const session = harness.session({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 's3:GetObject',
          Resource: '*',
          Condition: { IpAddress: { 'aws:SourceIp': '10.1.2.3' } }
        }
      ]
    })
    const value = name === 'forwarded' ? 'for=10.1.2.3' : '10.1.2.3'
    const answer = await harness.request({ target: '/media/secret', headers: { [name]: value }, credentials: session })
    expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' })
  })
  it.each(['aws-username', 'username', 'x-amz-username', 'aws-securetransport', 'x-forwarded-proto'])(
    '%s is believed no more',
    async (name) => {
      for (const Condition of [
        { StringEquals: { 'aws:username': 'boss' } },
        { Bool: { 'aws:SecureTransport': 'true' } }
      ]) {
        const session = harness.session({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition }]
        })
        for (const value of ['boss', 'true', 'https']) {
          const answer = await harness.request({
            target: '/media/secret',
            headers: { [name]: value },
            credentials: session
          })
          expect(answer.status).toBe(403)
        }
      }
    }
  )
})

describe('credentials and tokens in logs and answers', () => {
  it('no refusal repeats a secret, a token or a signature, also where signatures are explained', async () => {
    const other = await EndpointHarness.open({ explainSignatures: true })
    const session = other.session(onlyReads)
    const link = other.presign('GET', '/media/mine/k', { credentials: session })
    const { signing } = other.sign({ target: '/media/mine/k', credentials: session })
    const requests: SignedRequest[] = [
      { target: '/media/mine/k', credentials: session, tamper: forge },
      { method: 'PUT', target: '/media/mine/k', credentials: session, body: 'x' },
      { target: '/media/mine/k', credentials: { ...session, sessionToken: `${session.sessionToken}x` } },
      { target: '/media/mine/k', credentials: session, payloadHash: 'x' }
    ]
    const answers = [await other.send('GET', link, {}), await other.send('GET', `${link}0`, {})]
    for (const request of requests) answers.push(await other.request(request))
    const secrets = [session.secretAccessKey, other.admin.secretAccessKey, signing.signingKey.export().toString('hex')]
    const log = other.logged.join('')
    for (const secret of secrets) expect(log + answers.map(({ body }) => body).join('')).not.toContain(secret)
    for (const secret of [session.sessionToken, signing.seedSignature, 'X-Amz-Signature', 'Signature='])
      expect(log).not.toContain(secret)
    await other.dispose()
  })
})

describe('credentials and tokens in what a crash would print', () => {
  it('T21: an error of authentication holds none, however deep one looks', () => {
    const { identity } = harness
    const session = harness.session(onlyReads)
    const clock = () => harness.nowMs
    const authenticator = new Authenticator({ identity, region: REGION, clock, explainSignatures: false })
    const requests: SignedRequest[] = [
      { target: '/media/secret', credentials: session, tamper: forge },
      { target: '/media/secret', credentials: { ...session, sessionToken: `${session.sessionToken}x` } },
      { target: '/media/secret', credentials: session, service: 'other' },
      { target: '/media/secret', credentials: session, timeMs: 0 }
    ]
    for (const request of requests) {
      const { headers, signing } = harness.sign(request)
      const attempt = () =>
        authenticator.authenticate({
          method: 'GET',
          target: parseRequestTarget(request.target),
          headers: new Map(Object.entries(headers)),
          peer: request.target,
          service: 's3',
          acceptsAnyRegion: false
        })
      const printed = inspect(errorOf(attempt), { depth: Number.POSITIVE_INFINITY, showHidden: true })
      expect(printed).toContain('S3Error')
      for (const secret of [
        session.secretAccessKey,
        session.sessionToken,
        signing.seedSignature,
        'AWS4-HMAC-SHA256 Credential'
      ])
        expect(printed).not.toContain(secret)
    }
  })
})

function errorOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('It was let in.')
}

describe('header and query that say different things', () => {
  it('two ways to sign at once', async () => {
    const link = harness.presign('GET', '/media/secret')
    const { headers } = harness.sign({ target: link })
    expect(await harness.send('GET', link, headers)).toMatchObject({ status: 400, code: 'InvalidArgument' })
  })
  it('a token in the header of a link', async () => {
    const session = harness.session(undefined)
    const { accessKeyId, secretAccessKey, sessionToken: token } = session
    const link = harness.presign('GET', '/media/secret', { credentials: { accessKeyId, secretAccessKey } })
    expect(await harness.send('GET', link, { 'x-amz-security-token': token })).toMatchObject({
      status: 400,
      code: 'InvalidToken'
    })
  })
  it.each([
    ['x-amz-acl', 'private', 'public-read'],
    ['x-amz-copy-source', '/media/mine/k', '/media/secret'],
    ['x-amz-meta-owner', 'ann', 'bob'],
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD', UNSIGNED_TRAILER]
  ])('%s: signed in the query as %s, sent in the header as %s', async (name, signed, sent) => {
    const parameter = name === 'x-amz-content-sha256' ? 'X-Amz-Content-Sha256' : name
    const link = harness.presign('PUT', '/media/confused', { parameters: { [parameter]: signed } })
    const answer = await harness.send('PUT', link, { [name]: sent, 'content-length': '1' }, 'x')
    expect(answer).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(await harness.exists('confused')).toBe(false)
  })
  it.each(['X-Amz-Expires', 'X-Amz-Credential', 'X-Amz-Signature'])('%s given twice', async (name) => {
    const link = harness.presign('GET', '/media/secret')
    const first = new URLSearchParams(link.split('?')[1]).get(name) ?? ''
    expect((await harness.send('GET', `${link}&${name}=${encodeURIComponent(first)}`, {})).status).toBe(400)
  })
  it('a parameter in other letters is not the one that is judged', async () => {
    const link = harness
      .presign('GET', '/media/secret', { expires: '60' })
      .replace('X-Amz-Expires=60', 'x-amz-expires=604800')
    expect((await harness.send('GET', link, {})).status).toBe(400)
  })
})

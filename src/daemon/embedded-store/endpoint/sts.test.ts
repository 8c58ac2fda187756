import { connect } from 'node:net'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { EndpointHarness, type TestCredentials, type TestResponse } from './endpoint-harness.ts'

let harness: EndpointHarness
beforeAll(async () => {
  harness = await EndpointHarness.open()
})
beforeEach(() => {
  harness.denied.length = 0
})
afterEach(() => harness.turnClock(0))
afterAll(() => harness.dispose())

const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
const uploadOnly = (prefix: string) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:GetObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      Resource: `arn:aws:s3:::media/${prefix}*`
    },
    {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::media',
      Condition: { StringLike: { 's3:prefix': `${prefix}*` } }
    }
  ]
})

function signedForm(parameters: Record<string, string>, credentials = harness.admin) {
  const body = new URLSearchParams({ Action: 'AssumeRole', Version: '2011-06-15', ...parameters }).toString()
  const { headers } = harness.sign({ method: 'POST', target: '/', headers: FORM, body, service: 'sts', credentials })
  return { headers, body }
}

async function assume(parameters: Record<string, string> = {}, credentials = harness.admin): Promise<TestResponse> {
  const { headers, body } = signedForm(parameters, credentials)
  return harness.send('POST', '/', headers, body)
}

function credentialsIn({ body }: TestResponse): Required<TestCredentials> & { expiration: string } {
  const field = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(body)?.[1] ?? ''
  return {
    accessKeyId: field('AccessKeyId'),
    secretAccessKey: field('SecretAccessKey'),
    sessionToken: field('SessionToken'),
    expiration: field('Expiration')
  }
}

const withPolicy = async (policy: object) => credentialsIn(await assume({ Policy: JSON.stringify(policy) }))
const put = (key: string, credentials: TestCredentials, headers: Record<string, string> = {}) =>
  harness.request({ method: 'PUT', target: `/media/${key}`, body: 'x', credentials, headers })

describe('8.4 AssumeRole', () => {
  it('T1, T19: defaults, with and without a role', async () => {
    for (const parameters of [{}, { RoleArn: 'arn:aws:iam::000000000000:role/pilot', RoleSessionName: 'ws-1' }]) {
      const answer = await assume(parameters)
      expect(answer.status).toBe(200)
      const { expiration, accessKeyId, secretAccessKey, sessionToken } = credentialsIn(answer)
      expect(Math.abs(Date.parse(expiration) - Date.now() - 3_600_000)).toBeLessThan(5000)
      expect(accessKeyId).toMatch(/^[A-Z0-9]{20}$/)
      expect(secretAccessKey).toMatch(/^[A-Za-z0-9]{40}$/)
      expect(sessionToken).toMatch(/^[A-Za-z0-9_-]{1,512}$/)
    }
  })
  it('takes a scope without region, as minio-go signs when it is told none', async () => {
    const body = 'Action=AssumeRole&Version=2011-06-15'
    for (const [region, status] of [
      ['', 200],
      ['ap-east-1', 400]
    ] as const) {
      const { headers } = harness.sign({ method: 'POST', target: '/', headers: FORM, body, service: 'sts', region })
      expect((await harness.send('POST', '/', headers, body)).status).toBe(status)
    }
    expect((await harness.request({ target: '/media/k', region: '' })).status).toBe(400)
  })
  it('T2: temporary credentials and tokens cannot issue others', async () => {
    const session = credentialsIn(await assume())
    expect(await assume({}, session)).toMatchObject({ status: 403, code: 'AccessDenied' })
    expect(await assume({}, { ...harness.admin, sessionToken: session.sessionToken })).toMatchObject({
      status: 403,
      code: 'AccessDenied'
    })
    const { accessKeyId, secretAccessKey } = session
    expect((await assume({}, { accessKeyId, secretAccessKey })).status).toBe(403)
  })
  it('only users who may assume can', async () => {
    const user = harness.user({ name: 'no-sts' })
    expect(await assume({}, user)).toMatchObject({ status: 403, code: 'AccessDenied' })
  })
  it.each([
    ['T3', { Version: '' }, 'MissingParameter'],
    ['T3', { Version: '2012-10-17' }, 'MissingParameter'],
    ['T3', { Action: 'GetFederationToken' }, 'InvalidAction'],
    ['T4', { DurationSeconds: '899' }, 'ValidationError'],
    ['T4', { DurationSeconds: '43201' }, 'ValidationError'],
    ['T4', { DurationSeconds: '1e3' }, 'ValidationError'],
    ['T5', { Policy: `{${' '.repeat(2048)}}` }, 'PackedPolicyTooLarge'],
    ['T5', { Policy: 'allow everything' }, 'MalformedPolicyDocument'],
    ['T5', { Policy: '' }, 'MalformedPolicyDocument'],
    [
      'T5',
      {
        Policy:
          '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}'
      },
      'MalformedPolicyDocument'
    ]
  ])('%s: refuses %j', async (_, parameters, code) => {
    const answer = await assume(parameters)
    expect(answer).toMatchObject({ status: 400, code })
    expect(answer.body).toContain('<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">')
  })
  it('bad signatures and unknown keys are refused in STS terms', async () => {
    const forged = { ...harness.admin, secretAccessKey: 'x'.repeat(40) }
    expect(await assume({}, forged)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
    const unknown = { accessKeyId: 'FCUNOBODY', secretAccessKey: 'x'.repeat(40) }
    expect(await assume({}, unknown)).toMatchObject({ status: 403, code: 'InvalidClientTokenId' })
  })
  it('A21: a captured request does not work a minute later', async () => {
    const { headers, body } = signedForm({})
    expect((await harness.send('POST', '/', headers, body)).status).toBe(200)
    harness.turnClock(60_000)
    expect(await harness.send('POST', '/', headers, body)).toMatchObject({ status: 403, code: 'AccessDenied' })
  })
  it('a body that was changed does not verify', async () => {
    const { headers, body } = signedForm({})
    const answer = await harness.send('POST', '/', headers, body.replace('AssumeRole', 'AssumeRol3'))
    expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
  })
  it('T20: x-amz-content-sha256 may be missing', async () => {
    const { headers, body } = signedForm({})
    const signature = harness.sign({ method: 'POST', target: '/', headers: FORM, body, service: 'sts' })
    expect(signature.headers['x-amz-content-sha256']).toBeDefined()
    const sts = harness.sts()
    sts.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { headers: Record<string, string> }
        delete request.headers['x-amz-content-sha256']
        return next(args)
      },
      { step: 'build', priority: 'low' }
    )
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: 'x', RoleSessionName: 'y' }))
    expect(Credentials?.AccessKeyId).toBeDefined()
    sts.destroy()
    expect((await harness.send('POST', '/', headers, body)).status).toBe(200)
  })
  it('T22: parameters in the query are explained', async () => {
    const target = '/?Action=AssumeRole&Version=2011-06-15'
    for (const headers of [FORM, {}]) {
      const answer = await harness.request({ method: 'POST', target, headers })
      expect(answer).toMatchObject({ status: 400, code: 'InvalidRequest' })
      expect(answer.body).toContain('form body')
    }
  })
  it('a form above 64 KiB is refused', async () => {
    expect(await assume({ Policy: 'x'.repeat(70_000) })).toMatchObject({ status: 400, code: 'InvalidRequest' })
  })
})

describe('8.4 session policies', () => {
  it('T6: an empty statement list allows nothing', async () => {
    const session = await withPolicy({ Version: '2012-10-17', Statement: [] })
    expect(await put('ws-1/k', session)).toMatchObject({ status: 403, code: 'AccessDenied' })
  })
  it('T7, T8: a session may do exactly what its policy says', async () => {
    const session = await withPolicy(uploadOnly('ws-1/'))
    expect((await put('ws-1/k', session)).status).toBe(200)
    expect(await put('ws-2/k', session)).toMatchObject({ status: 403, code: 'AccessDenied' })
    const elsewhere = await harness.request({ method: 'PUT', target: '/other/ws-1/k', body: 'x', credentials: session })
    expect(elsewhere).toMatchObject({ status: 403, code: 'AccessDenied' })
    const removal = await harness.request({ method: 'DELETE', target: '/media/ws-1/k', credentials: session })
    expect(removal.status).toBe(403)
    expect(harness.denied.map(({ action, resource }) => `${action} ${resource}`)).toEqual([
      's3:PutObject media/ws-2/k',
      's3:PutObject other/ws-1/k',
      's3:DeleteObject media/ws-1/k'
    ])
  })
  it('a batch delete is judged key by key', async () => {
    const session = await withPolicy({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::media/mine/*' }]
    })
    await put('mine/k', harness.admin)
    await put('theirs/k', harness.admin)
    const body = '<Delete><Object><Key>mine/k</Key></Object><Object><Key>theirs/k</Key></Object></Delete>'
    const answer = await harness.request({ method: 'POST', target: '/media?delete', body, credentials: session })
    expect(answer.body).toMatch(/<Deleted><Key>mine\/k<\/Key>.*<Error><Key>theirs\/k<\/Key><Code>AccessDenied</)
    expect((await harness.request({ target: '/media/theirs/k' })).status).toBe(200)
  })
  it('T9, T10: copying needs the right to read the source', async () => {
    await put('ws-2/secret', harness.admin)
    const session = await withPolicy(uploadOnly('ws-1/'))
    const source = { 'x-amz-copy-source': '/media/ws-2/secret' }
    expect(
      await harness.request({ method: 'PUT', target: '/media/ws-1/stolen', credentials: session, headers: source })
    ).toMatchObject({ status: 403, code: 'AccessDenied' })
    const upload = await harness.request({ method: 'POST', target: '/media/ws-1/stolen?uploads', credentials: session })
    const uploadId = /<UploadId>(.*?)</.exec(upload.body)?.[1]
    const target = `/media/ws-1/stolen?partNumber=1&uploadId=${uploadId}`
    expect(await harness.request({ method: 'PUT', target, credentials: session, headers: source })).toMatchObject({
      status: 403,
      code: 'AccessDenied'
    })
  })
  it('T11: another session of the workspace goes on with an upload, one of another does not', async () => {
    const [one, two] = [await withPolicy(uploadOnly('ws-1/')), await withPolicy(uploadOnly('ws-1/'))]
    const foreign = await withPolicy(uploadOnly('ws-2/'))
    const upload = await harness.request({ method: 'POST', target: '/media/ws-1/t11?uploads', credentials: one })
    const uploadId = /<UploadId>(.*?)</.exec(upload.body)?.[1]
    const part = await harness.request({
      method: 'PUT',
      target: `/media/ws-1/t11?partNumber=1&uploadId=${uploadId}`,
      body: 'x',
      credentials: one
    })
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${String(part.headers['etag'])}</ETag></Part></CompleteMultipartUpload>`
    const complete = (credentials: TestCredentials) =>
      harness.request({ method: 'POST', target: `/media/ws-1/t11?uploadId=${uploadId}`, body, credentials })
    expect((await complete(foreign)).status).toBe(403)
    expect((await complete(two)).status).toBe(200)
  })
  it('T12: what is missing shows only to those who may read it', async () => {
    const session = await withPolicy(uploadOnly('ws-1/'))
    const head = async (target: string) =>
      (await harness.request({ method: 'HEAD', target, credentials: session })).status
    expect(await head('/media/ws-1/missing')).toBe(404)
    expect(await head('/media/ws-2/missing')).toBe(403)
    expect(await head('/nowhere/ws-1/missing')).toBe(403)
  })
  it('a listing is held to its prefix', async () => {
    const session = await withPolicy(uploadOnly('ws-1/'))
    const list = async (query: string) =>
      (await harness.request({ target: `/media?list-type=2${query}`, credentials: session })).status
    expect([await list('&prefix=ws-1%2F'), await list('&prefix=ws-2%2F'), await list('')]).toEqual([200, 403, 403])
    expect((await harness.request({ target: '/', credentials: session })).status).toBe(403)
  })
  it('T13, T14: a token fits one key and no change', async () => {
    const [a, b] = [credentialsIn(await assume()), credentialsIn(await assume())]
    const last = a.sessionToken.slice(-1)
    const changed = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].filter((c) => c !== last)
    expect(await put('k', { ...a, sessionToken: b.sessionToken })).toMatchObject({ status: 400, code: 'InvalidToken' })
    for (const c of changed)
      expect(await put('k', { ...a, sessionToken: a.sessionToken.slice(0, -1) + c })).toMatchObject({
        code: 'InvalidToken'
      })
    const { accessKeyId, secretAccessKey } = a
    expect(await put('k', { accessKeyId, secretAccessKey })).toMatchObject({ status: 400, code: 'InvalidToken' })
    expect(await put('k', { ...harness.admin, sessionToken: a.sessionToken })).toMatchObject({ code: 'InvalidToken' })
    expect(await put('k', { ...a, secretAccessKey: 'x'.repeat(40) })).toMatchObject({ code: 'SignatureDoesNotMatch' })
  })
  it('T15: an upload that was authorised ends after the session', async () => {
    const session = harness.session(undefined, 900)
    const body = 'x'.repeat(10)
    const { headers } = harness.sign({ method: 'PUT', target: '/media/t15', body, credentials: session })
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const socket = connect(harness.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk.toString()
    })
    socket.write(`PUT /media/t15 HTTP/1.1\r\n${lines.join('')}content-length: 10\r\n\r\nxxxx`)
    await vi.waitFor(() => expect(harness.endpoint.inFlightBodies()).toBe(1))
    harness.turnClock(901_000)
    socket.write('xxxxxx')
    await vi.waitFor(() => expect(answer).toMatch(/^HTTP\/1\.1 200 /))
    socket.destroy()
    expect(await put('t15', session)).toMatchObject({ status: 400, code: 'ExpiredToken' })
  })
  it('T16: a revoked session ends at once', async () => {
    const session = harness.session(undefined)
    expect((await put('t16', session)).status).toBe(200)
    harness.identity.revokeSession(session.accessKeyId)
    expect(await put('t16', session)).toMatchObject({ status: 400, code: 'InvalidToken' })
  })
  it('T18: the source address is the one of the socket', async () => {
    const session = await withPolicy({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 's3:PutObject',
          Resource: '*',
          Condition: { IpAddress: { 'aws:SourceIp': '10.1.2.3/32' } }
        }
      ]
    })
    expect((await put('t18', session, { 'x-forwarded-for': '10.1.2.3' })).status).toBe(403)
    const local = await withPolicy({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 's3:PutObject',
          Resource: '*',
          Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }
        }
      ]
    })
    expect((await put('t18', local, { 'x-forwarded-for': '10.1.2.3' })).status).toBe(200)
  })
  it('T21: nothing secret is ever logged', async () => {
    const session = harness.session(uploadOnly('ws-1/'))
    await put('ws-1/k', session)
    await put('ws-2/k', session)
    await put('ws-1/k', { ...session, sessionToken: 'forged-token' })
    const link = harness.presign('GET', '/media/ws-1/k', { credentials: session })
    await harness.send('GET', link, {})
    await harness.send('GET', `${link}0`, {})
    await harness.send('GET', '/media/k', { authorization: 'Basic bWU6c2VjcmV0' })
    const log = harness.logged.join('')
    expect(log).toContain(session.accessKeyId)
    const { signing } = harness.sign({ target: '/', credentials: session })
    for (const secret of [
      session.secretAccessKey,
      session.sessionToken,
      harness.admin.secretAccessKey,
      signing.signingKey.export().toString('hex'),
      'forged-token',
      'bWU6c2VjcmV0',
      'X-Amz-',
      'Signature='
    ])
      expect(log).not.toContain(secret)
  })
})

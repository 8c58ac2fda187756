import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { EndpointHarness, EVERYTHING, REGION } from '../embedded-store/endpoint/endpoint-harness.ts'
import { freePort } from '../testing/free-port.ts'
import { type ConnectionStep, checkConnection } from './check-connection.ts'
import type { S3ObjectStoreOptions } from './s3-object-store.ts'

describe('checking a connection', () => {
  let harness: EndpointHarness
  beforeEach(async () => {
    harness = await EndpointHarness.open()
    onTestFinished(() => harness.dispose())
  })
  const check = async (options: Partial<S3ObjectStoreOptions> = {}) =>
    inShort(
      await checkConnection({
        endpoint: harness.url,
        region: REGION,
        bucket: 'media',
        credentials: harness.admin,
        ...options
      })
    )

  it.each(['relaxed', 'strict'] as const)('finds nothing wrong and leaves nothing behind (%s)', async (policyMode) => {
    expect(await check({ sts: { policyMode } })).toEqual([
      'reach: ok',
      'clock: ok',
      'credentials: ok',
      'bucket: ok',
      'write: ok',
      'sts: ok',
      'policy: ok'
    ])
    expect((await harness.engine.listObjects({ bucket: 'media', limit: 10 })).entries).toEqual([])
  })

  it('tells that nothing listens there, and tries nothing else', async () => {
    const steps = await checkConnection({
      endpoint: `http://127.0.0.1:${await freePort()}`,
      region: REGION,
      bucket: 'media',
      credentials: harness.admin
    })
    expect(steps[0]).toMatchObject({ name: 'reach', outcome: 'failed', detail: 'refused' })
    expect(steps[0]?.reported).toMatch(/ECONNREFUSED/)
    expect(steps.slice(1).every(({ outcome, detail }) => outcome === 'skipped' && detail === 'not_tried')).toBe(true)
  })

  it('tells that the name is unknown', async () => {
    expect(await check({ endpoint: 'http://store.invalid:9000' })).toContain('reach: failed, unknown_host')
  })

  it('tells that the clocks differ', async () => {
    harness.turnClock(-20 * 60_000)
    expect(await check({ clock: () => Date.now() + 20 * 60_000 })).toContain('clock: failed, clock_differs')
  })

  it('tells an unknown access key from a wrong secret', async () => {
    const { admin } = harness
    expect(await check({ credentials: { ...admin, secretAccessKey: 'wrong' } })).toContain(
      'credentials: failed, wrong_secret_key'
    )
    expect(await check({ credentials: { ...admin, accessKeyId: 'FCUNKNOWN' } })).toContain(
      'credentials: failed, unknown_access_key'
    )
  })

  it('tells a missing bucket and another region', async () => {
    const missing = await check({ bucket: 'elsewhere' })
    expect(missing).toContain('credentials: ok')
    expect(missing).toContain('bucket: failed, no_bucket')
    expect(missing).toContain('write: skipped, not_tried')
    expect(await check({ region: 'eu-west-9' })).toContain('bucket: failed, wrong_region')
  })

  it('tells that the key may not write, and still looks at temporary credentials', async () => {
    const reader = harness.user({
      name: 'reader',
      canAssume: true,
      policy: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: ['s3:GetObject', 's3:ListBucket', 's3:DeleteObject'], Resource: '*' }]
      }
    })
    const steps = await check({ credentials: reader })
    expect(steps).toContain('write: failed, denied')
    expect(steps).toContain('sts: ok')
    expect(steps).toContain('policy: failed, too_narrow')
  })

  it('tells that the key may not issue temporary credentials', async () => {
    const steps = await check({ credentials: harness.user({ name: 'uploader', canAssume: false }) })
    expect(steps).toContain('write: ok')
    expect(steps).toContain('sts: failed, sts_refused')
    expect(steps).toContain('policy: skipped, not_tried')
  })

  it('tells that the server has no temporary credentials', async () => {
    const stsEndpoint = await serve((_request, response) => {
      response.writeHead(405, { 'content-type': 'application/xml' })
      response.end('<ErrorResponse><Error><Code>MethodNotAllowed</Code><Message>no</Message></Error></ErrorResponse>')
    })
    expect(await check({ stsEndpoint })).toContain('sts: failed, no_sts')
  })

  it.each([
    ['ValidationError', "Value null at 'roleArn' failed to satisfy constraint: Member must not be null", 'wrong_role'],
    ['ValidationError', 'arn:aws:iam::1:nothing is invalid', 'wrong_role'],
    ['NoSuchEntity', 'no such role', 'wrong_role'],
    ['AccessDenied', 'User is not authorized to perform: sts:AssumeRole', 'sts_refused'],
    ['ValidationError', 'DurationSeconds exceeds the maximum', 'unexpected']
  ])('tells of %s (%s) what is wrong with the role', async (code, message, detail) => {
    const stsEndpoint = await serve((_request, response) => {
      response.writeHead(code === 'AccessDenied' ? 403 : 400, { 'content-type': 'text/xml' })
      response.end(`<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`)
    })
    expect(await check({ stsEndpoint })).toContain(`sts: failed, ${detail}`)
  })

  it('tells that temporary credentials are not held to their prefix', async () => {
    const wide = harness.session(EVERYTHING)
    const stsEndpoint = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/xml' })
      response.end(
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>' +
          `<AccessKeyId>${wide.accessKeyId}</AccessKeyId><SecretAccessKey>${wide.secretAccessKey}</SecretAccessKey>` +
          `<SessionToken>${wide.sessionToken}</SessionToken>` +
          `<Expiration>${new Date(wide.expiresAtMs).toISOString()}</Expiration>` +
          '</Credentials></AssumeRoleResult></AssumeRoleResponse>'
      )
    })
    expect(await check({ stsEndpoint })).toContain('policy: failed, too_wide')
    expect((await harness.engine.listObjects({ bucket: 'media', limit: 10 })).entries).toEqual([])
  })
})

const inShort = (steps: ConnectionStep[]) =>
  steps.map(({ name, outcome, detail }) => `${name}: ${outcome}${outcome === 'ok' ? '' : `, ${detail}`}`)

/** A server of somebody else's; gives its base URL. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(request, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

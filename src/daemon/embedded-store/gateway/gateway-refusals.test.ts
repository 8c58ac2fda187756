import { describe, expect, it, onTestFinished } from 'vitest'
import type { Interference } from '../../testing/http-middleman.ts'
import { GatewayHarness, theirs } from './gateway-harness.ts'

const open = async () => {
  const harness = await GatewayHarness.open()
  onTestFinished(() => harness.dispose())
  const store = harness.store()
  onTestFinished(() => store.close())
  await store.put('there', Buffer.from('bytes'))
  const links = {
    PUT: await store.presignPut('new', { expiresInSeconds: 60 }),
    GET: await store.presignGet('there', { expiresInSeconds: 60 })
  }
  /** What a client is told when the store behind answers so. */
  const told = async (method: 'PUT' | 'GET', interference: Interference) => {
    harness.middleman.meddle = () => interference
    const { url, headers } = links[method]
    const answer = await fetch(url, { method, headers, ...(method === 'PUT' && { body: 'bytes' }) })
    const code = /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1]
    return `${answer.status} ${code}`
  }
  return { harness, store, told }
}

describe.skipIf(theirs)('what the store behind the gateway refuses', () => {
  it('is told to clients as it is, when it would be refused again', async () => {
    const { told } = await open()
    const refusals: [status: number, code: string | undefined, told: string][] = [
      [400, 'EntityTooLarge', '400 EntityTooLarge'],
      [413, undefined, '400 EntityTooLarge'],
      [400, 'KeyTooLongError', '400 KeyTooLongError'],
      [400, 'InvalidRequest', '400 InvalidRequest'],
      [400, 'NeverHeardOf', '400 InvalidRequest'],
      [405, 'MethodNotAllowed', '400 InvalidRequest'],
      [403, 'AccessDenied', '403 AccessDenied'],
      [403, 'InvalidObjectState', '403 AccessDenied']
    ]
    for (const [status, code, expected] of refusals) {
      const interference = { status, ...(code !== undefined && { code }) }
      expect({ interference, told: await told('PUT', interference) }).toEqual({ interference, told: expected })
      if (code === undefined) continue
      // What it is asked first is a HEAD, whose answer has no name for it.
      expect({ interference, told: await told('GET', interference) }).toEqual({ interference, told: expected })
    }
  })

  it('is an outage when it is about our own access to it, when it passes, and when it is no answer of such a store', async () => {
    const { told } = await open()
    const outages: [status: number, code?: string][] = [
      [403, 'InvalidAccessKeyId'],
      [403, 'SignatureDoesNotMatch'],
      [400, 'AuthorizationHeaderMalformed'],
      [403, 'RequestTimeTooSkewed'],
      [400, 'ExpiredToken'],
      [404, 'NoSuchBucket'],
      [400, 'RequestTimeout'],
      [409, 'OperationAborted'],
      [429, 'TooManyRequests'],
      [500, 'InternalError'],
      [503, 'SlowDown'],
      [400],
      [401],
      [403],
      [404]
    ]
    for (const [status, code] of outages)
      for (const method of ['PUT', 'GET'] as const) {
        const interference = { status, ...(code !== undefined && { code }) }
        const answer = await told(method, interference)
        expect({ method, interference, answer }).toEqual({ method, interference, answer: '503 ServiceUnavailable' })
      }
  })

  it('is in the log with the words of the store, which clients are not told', async () => {
    const { harness, told } = await open()
    await told('PUT', { status: 403, code: 'AccessDenied' })
    await told('PUT', { status: 403, code: 'InvalidAccessKeyId' })
    const reasons = harness.logged.flatMap((line) => (line.includes('refused') ? [JSON.parse(line).reason] : []))
    expect(reasons).toEqual(['AccessDenied: no', 'InvalidAccessKeyId: no'])
  })

  it('leaves an object that is not there absent for a key that may not look at the bucket', async () => {
    const { harness, store } = await open()
    harness.middleman.meddle = ({ method, url }) =>
      method === 'HEAD' && /^\/media\/?$/.test(url.pathname) ? { status: 403 } : undefined
    expect(await store.head('nowhere')).toBeNull()
  })

  it('does not matter where what is to be deleted is not there', async () => {
    const { harness } = await open()
    harness.middleman.meddle = () => ({ status: 404, code: 'NoSuchKey' })
    expect(await harness.gateway.deleteObject('media', 'there')).toEqual({ existed: false })
  })
})

import { expect, test } from 'vitest'
import { chooseEndpoint, type EndpointRules, type RequestAddress, stsReply } from './sts-reply.ts'

const rules: EndpointRules = { publicEndpoint: null, trustForwardedHeaders: false, port: 9000, scheme: 'http' }
const request: RequestAddress = {
  host: '192.168.1.10:8700',
  forwardedHost: undefined,
  forwardedProto: undefined,
  localAddress: '::ffff:192.168.1.10'
}

test.each<[what: string, Partial<RequestAddress>, Partial<EndpointRules>, expected: string]>([
  ['the host the controller used', {}, {}, 'http://192.168.1.10:9000'],
  ['a name it used', { host: 'base.lan:8700' }, {}, 'http://base.lan:9000'],
  ['IPv6', { host: '[fd00::1]:8700' }, {}, 'http://[fd00::1]:9000'],
  ['no Host header', { host: undefined }, {}, 'http://192.168.1.10:9000'],
  ['a Host header that is none', { host: 'a b/c' }, {}, 'http://192.168.1.10:9000'],
  ['a Host header with credentials', { host: 'x@evil:1' }, {}, 'http://192.168.1.10:9000'],
  ['loopback claimed from outside', { host: 'localhost:8700' }, {}, 'http://192.168.1.10:9000'],
  ['loopback, from this machine', { host: 'localhost:8700', localAddress: '127.0.0.1' }, {}, 'http://127.0.0.1:9000'],
  ['IPv6 loopback', { host: '[::1]:8700', localAddress: '::1' }, {}, 'http://[::1]:9000'],
  ['a proxy nobody said to trust', { forwardedHost: 'media.example' }, {}, 'http://192.168.1.10:9000'],
  [
    'a trusted proxy',
    { forwardedHost: 'media.example, inner', forwardedProto: 'https' },
    { trustForwardedHeaders: true },
    'https://media.example:9000'
  ],
  ['a trusted proxy that says nothing', {}, { trustForwardedHeaders: true }, 'http://192.168.1.10:9000'],
  [
    'what the operator set, before all',
    { forwardedHost: 'x' },
    { publicEndpoint: 'https://s3.example', trustForwardedHeaders: true },
    'https://s3.example'
  ]
])('%s', (_what, requestChange, rulesChange, expected) => {
  expect(chooseEndpoint({ ...request, ...requestChange }, { ...rules, ...rulesChange })).toBe(expected)
})

test('the lifetime told is shorter than the real one, and never nothing', () => {
  const expire = (remainingMs: number) =>
    stsReply({
      endpoint: 'http://h:9000',
      bucket: 'media',
      region: 'us-east-1',
      provider: 'minio',
      prefix: 'media/ws/20260407',
      credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't', expiresAtMs: 1_000_000 + remainingMs },
      nowMs: 1_000_000,
      compatibilityFields: false
    }).credentials.expire
  expect(expire(3_600_000)).toBe(3300)
  expect(expire(3_599_999)).toBe(3299)
  expect(expire(100_000)).toBe(60)
  expect(expire(-1)).toBe(60)
})

test('compatibility repeats the credentials under the other spellings', () => {
  const reply = stsReply({
    endpoint: 'http://h:9000',
    bucket: 'media',
    region: 'us-east-1',
    provider: 'aws',
    prefix: 'media/ws/20260407',
    credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't', expiresAtMs: 3_600_000 },
    nowMs: 0,
    compatibilityFields: true
  })
  expect(reply).toMatchObject({ provider: 'aws', access_key_id: 'a', session_token: 't', expire: 3300 })
  expect(reply.credentials).toMatchObject({
    accessKeyId: 'a',
    accessKeySecret: 's',
    securityToken: 't',
    session_token: 't'
  })
})

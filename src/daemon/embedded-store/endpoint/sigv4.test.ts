import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  canonicalPath,
  canonicalRequest,
  deriveSigningKey,
  hmac,
  sha256Hex,
  stringToSign
} from './canonical-request.ts'
import { parseRequestTarget } from './request-target.ts'
import {
  formatBasicIsoTime,
  MAX_CLOCK_SKEW_MS,
  parseBasicIsoTime,
  parseCredential,
  type SignatureClaim,
  SigningKeyCache,
  signaturesEqual,
  verifySignature
} from './sigv4.ts'
import { parseHeaderClaim } from './sigv4-header.ts'
import { parseQueryClaim, withHoistedHeaders } from './sigv4-query.ts'

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const KEY_PATH = '/media/ws-1/DJI%20001%2B%E6%B5%8B%E8%AF%95%20%28a%29.JPG'
const scope = { date: '20261120', region: 'us-east-1', service: 's3' }

function verify(claim: SignatureClaim, method: string, target: string, headers: Map<string, string>): boolean {
  const { rawPath, query } = parseRequestTarget(target)
  return verifySignature(claim, { method, rawPath, query, headers }, deriveSigningKey(SECRET, claim.scope))
}

describe('published vectors', () => {
  it('A-1: header PUT with an unsigned payload', () => {
    const headers = new Map([
      ['host', '192.168.1.10:9000'],
      ['content-type', 'image/jpeg'],
      ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
      ['x-amz-date', '20261120T120000Z'],
      ['x-amz-security-token', 'TOKEN/+=']
    ])
    const { rawPath, query } = parseRequestTarget(`${KEY_PATH}?x-id=PutObject`)
    const signedHeaders = ['content-type', 'host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token']
    const canonical = canonicalRequest({
      method: 'PUT',
      path: canonicalPath(rawPath),
      query,
      headers,
      signedHeaders,
      payloadHash: 'UNSIGNED-PAYLOAD'
    })
    expect(sha256Hex(canonical)).toBe('32eec44f748278d52ec4b97f67fb79145f9c3172f4d4ce245284b40896df9bdf')
    const text = stringToSign('20261120T120000Z', scope, canonical)
    const signature = hmac(deriveSigningKey(SECRET, scope), text).toString('hex')
    expect(signature).toBe('c08cd964d3a5dccaed70f2dd26d70cd0558abcf008c0a2a766a08c410dea6089')

    headers.set(
      'authorization',
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders.join(';')},Signature=${signature}`
    )
    const claim = parseHeaderClaim(headers)
    expect(claim).toMatchObject({ accessKeyId: 'AKIDEXAMPLE', scope, sessionToken: 'TOKEN/+=', transport: 'header' })
    expect(verify(claim, 'PUT', `${KEY_PATH}?x-id=PutObject`, headers)).toBe(true)
    expect(verify(claim, 'PUT', `${KEY_PATH}?x-id=PutObjecT`, headers)).toBe(false)
  })

  it('A-2: presigned GET with a token and an overridden disposition', () => {
    const target =
      `${KEY_PATH}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261120%2Fus-east-1%2Fs3%2Faws4_request` +
      '&X-Amz-Date=20261120T120000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Security-Token=TOKEN%2F%2B%3D' +
      '&response-content-disposition=attachment%3B%20filename%3D%22a%20b.jpg%22' +
      '&X-Amz-Signature=0d98f0848602b898afb86a998affdb8ef37ced16f4af7881fe934ffaf9633857'
    const headers = new Map([['host', '192.168.1.10:9000']])
    const claim = parseQueryClaim(parseRequestTarget(target).query, headers)
    expect(claim.expiresAtMs).toBe(Date.UTC(2026, 10, 20, 12, 10))
    expect(verify(claim, 'GET', target, headers)).toBe(true)
    expect(verify(claim, 'HEAD', target, headers)).toBe(false)
  })

  it('A-3: STS request whose body hash is not in a header of ours', () => {
    const body =
      'Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fpilot&RoleSessionName=ws-1&DurationSeconds=3600'
    const hash = createHash('sha256').update(body).digest('hex')
    expect(hash).toBe('45fff7f0cf755466bdddfed5d756271ce5f72ee5b3f85496650248254c32ef41')
    const headers = new Map([
      ['host', '192.168.1.10:9000'],
      ['content-type', 'application/x-www-form-urlencoded'],
      ['x-amz-content-sha256', hash],
      ['x-amz-date', '20261120T120000Z'],
      [
        'authorization',
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, Signature=a8d9fd563f38129cda4b2652feb76b9e5048941598beeae25f6e6ba18d181685'
      ]
    ])
    const claim = parseHeaderClaim(headers, () => hash)
    expect(claim.scope.service).toBe('sts')
    expect(verify(claim, 'POST', '/', headers)).toBe(true)
  })
})

describe('header form', () => {
  const base = (): Map<string, string> =>
    new Map([
      ['host', 'h'],
      ['x-amz-date', '20261120T120000Z'],
      ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
      [
        'authorization',
        'AWS4-HMAC-SHA256 Credential=AK/20261120/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00'
      ]
    ])
  const withAuthorization = (value: string) => base().set('authorization', value)

  it('A22: reads an access key that holds slashes from the right', () => {
    expect(parseCredential('AKIA/with/slash/20261120/us-east-1/s3/aws4_request', 'AccessDenied').accessKeyId).toBe(
      'AKIA/with/slash'
    )
  })
  it('takes the fields in any order', () => {
    const claim = parseHeaderClaim(
      withAuthorization(
        'AWS4-HMAC-SHA256 Signature=00,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Credential=AK/20261120/r/s3/aws4_request'
      )
    )
    expect(claim.accessKeyId).toBe('AK')
  })
  it.each([
    ['AWS AK:c2ln', 'InvalidRequest', /AWS4-HMAC-SHA256/],
    ['OSS AK:c2ln', 'InvalidRequest', /minio/],
    ['AWS4-ECDSA-P256-SHA256 Credential=x', 'NotImplemented', /SigV4a/],
    ['AWS4-HMAC-SHA256 Credential=x', 'AuthorizationHeaderMalformed', /needs/],
    ['AWS4-HMAC-SHA256', 'AuthorizationHeaderMalformed', /./]
  ])('refuses %s', (authorization, code, message) => {
    expect(() => parseHeaderClaim(withAuthorization(authorization))).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) })
    )
  })
  it('A8: refuses a signature that does not cover the host', () => {
    const headers = withAuthorization(
      'AWS4-HMAC-SHA256 Credential=AK/20261120/r/s3/aws4_request, SignedHeaders=x-amz-content-sha256;x-amz-date, Signature=00'
    )
    expect(() => parseHeaderClaim(headers)).toThrow(expect.objectContaining({ code: 'AccessDenied' }))
  })
  it('A9: refuses an x-amz-* header that is not signed', () => {
    expect(() => parseHeaderClaim(base().set('x-amz-meta-x', '1'))).toThrow(
      expect.objectContaining({ code: 'AccessDenied', fields: { HeadersNotSigned: 'x-amz-meta-x' } })
    )
  })
  it('A15: wants x-amz-content-sha256', () => {
    const headers = base()
    headers.delete('x-amz-content-sha256')
    expect(() => parseHeaderClaim(headers)).toThrow(expect.objectContaining({ code: 'MissingSecurityHeader' }))
  })
  it('falls back to an HTTP Date', () => {
    const headers = base()
    headers.delete('x-amz-date')
    headers.set('date', 'Fri, 20 Nov 2026 12:00:00 GMT')
    expect(parseHeaderClaim(headers).timestamp).toBe('20261120T120000Z')
  })
})

describe('query form', () => {
  const parameters = (): Map<string, string> =>
    new Map([
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', 'AK/20261120/us-east-1/s3/aws4_request'],
      ['X-Amz-Date', '20261120T120000Z'],
      ['X-Amz-Expires', '600'],
      ['X-Amz-SignedHeaders', 'host'],
      ['X-Amz-Signature', '00']
    ])
  const host = new Map([['host', 'h']])
  it.each([...parameters().keys()])('needs %s', (name) => {
    const query = parameters()
    query.delete(name)
    expect(() => parseQueryClaim(query, host)).toThrow(
      expect.objectContaining({ code: 'AuthorizationQueryParametersError' })
    )
  })
  it.each(['0', '-5', '604801', 'abc', '1e3', ''])('P2: refuses X-Amz-Expires=%s', (value) => {
    expect(() => parseQueryClaim(parameters().set('X-Amz-Expires', value), host)).toThrow(
      expect.objectContaining({ code: 'AuthorizationQueryParametersError' })
    )
  })
  it('P4: refuses a parameter given twice', () => {
    expect(() => parseRequestTarget('/b/k?X-Amz-Expires=60&X-Amz-Expires=70')).toThrow(
      expect.objectContaining({ code: 'AuthorizationQueryParametersError', status: 400 })
    )
  })
  it('P10: refuses a streaming payload mode', () => {
    const headers = new Map([...host, ['x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER']])
    expect(() => parseQueryClaim(parameters(), headers)).toThrow(expect.objectContaining({ code: 'InvalidRequest' }))
  })
  it('refuses unsigned x-amz-* headers, but not a repetition of a signed parameter', () => {
    const headers = new Map([...host, ['x-amz-meta-a', '1']])
    expect(() => parseQueryClaim(parameters(), headers)).toThrow(expect.objectContaining({ code: 'AccessDenied' }))
    expect(parseQueryClaim(parameters().set('x-amz-meta-a', '1'), headers).accessKeyId).toBe('AK')
    expect(() => withHoistedHeaders(parameters().set('x-amz-meta-a', '2'), headers)).toThrow(
      expect.objectContaining({ code: 'InvalidRequest' })
    )
  })
})

describe('parts', () => {
  it('hashes header values as the bytes that were sent', () => {
    const value = Buffer.from('é', 'utf8').toString('latin1')
    const bytes = canonicalRequest({
      method: 'PUT',
      path: '/',
      query: new Map(),
      headers: new Map([['x-amz-meta-a', value]]),
      signedHeaders: ['x-amz-meta-a'],
      payloadHash: ''
    })
    expect(bytes.includes(Buffer.from('x-amz-meta-a:é\n', 'utf8'))).toBe(true)
  })
  it('encodes and sorts the query, a parameter without value becoming name=', () => {
    const { query } = parseRequestTarget('/?uploads&prefix=a+b%2Bc&X-Amz-Signature=x&Z=1&a*=(')
    const text = canonicalRequest({
      method: 'GET',
      path: '/',
      query,
      headers: new Map(),
      signedHeaders: [],
      payloadHash: ''
    }).toString()
    expect(text.split('\n')[2]).toBe('Z=1&a%2A=%28&prefix=a%20b%2Bc&uploads=')
  })
  it('A4: never matches upper case or a wrong length', () => {
    const good = 'a'.repeat(64)
    expect(signaturesEqual(good, good)).toBe(true)
    expect(signaturesEqual(good, good.toUpperCase())).toBe(false)
    expect(signaturesEqual(good, good.slice(1))).toBe(false)
  })
  it('reads only real times', () => {
    expect(parseBasicIsoTime('20261120T120000Z')).toBe(Date.UTC(2026, 10, 20, 12))
    expect(parseBasicIsoTime('20260230T120000Z')).toBeUndefined()
    expect(parseBasicIsoTime('2026-11-20T12:00:00Z')).toBeUndefined()
    expect(formatBasicIsoTime(0)).toBe('19700101T000000Z')
    expect(MAX_CLOCK_SKEW_MS).toBe(900_000)
  })
  it('caches signing keys without ever serving one of an old secret', () => {
    const cache = new SigningKeyCache()
    expect(cache.get('AK', 'one', scope)).toBe(cache.get('AK', 'one', scope))
    expect(cache.get('AK', 'two', scope).export()).toEqual(deriveSigningKey('two', scope).export())
    for (let i = 0; i < 300; i++) cache.get(`AK${i}`, 'x', scope)
    expect(cache.get('AK', 'two', scope).export()).toEqual(deriveSigningKey('two', scope).export())
  })
})

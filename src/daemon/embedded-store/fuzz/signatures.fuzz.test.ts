import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalPath, canonicalRequest, deriveSigningKey, hmac, stringToSign } from '../endpoint/canonical-request.ts'
import { parsePayloadMode } from '../endpoint/payload-mode.ts'
import { parseRequestTarget, parseResourceName, percentEncode } from '../endpoint/request-target.ts'
import { S3Error } from '../endpoint/s3-error.ts'
import { formatBasicIsoTime, type SignatureClaim, verifySignature } from '../endpoint/sigv4.ts'
import { parseHeaderClaim } from '../endpoint/sigv4-header.ts'
import { parseQueryClaim, withHoistedHeaders } from '../endpoint/sigv4-query.ts'
import { assertBucketName, assertObjectKey } from '../engine/names.ts'
import { StorageError } from '../engine/storage-engine.ts'
import { damaged, FUZZ_TIMEOUT_MS, fuzzOptions, refusedOr } from './cases.ts'

const isRefusal = (error: unknown) => error instanceof S3Error || error instanceof StorageError
const isS3Error = (error: unknown) => error instanceof S3Error && error.status !== 500
const OPTIONS = fuzzOptions(400)

const SCOPE = { date: '20261120', region: 'us-east-1', service: 's3' }
const CREDENTIAL = `AKID/${SCOPE.date}/${SCOPE.region}/${SCOPE.service}/aws4_request`
const TIME = `${SCOPE.date}T120000Z`
const HEX = 'c08cd964d3a5dccaed70f2dd26d70cd0558abcf008c0a2a766a08c410dea6089'
const KEY = deriveSigningKey('secret', SCOPE)

test('request target: read into valid names or refused', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const right = fc.constantFrom(
    '/media/ws-1/DJI%20001%2B%E6%B5%8B.JPG?x-id=PutObject&prefix=a+b',
    '/media/?list-type=2',
    '/?a=b'
  )
  const tokens = [
    '/',
    '..',
    '%2e',
    '%2F',
    '%',
    '%c3',
    '%00',
    '+',
    '?',
    '&',
    '=',
    '#',
    'X-Amz-Date=',
    '\u00e9',
    '%ED%A0%80',
    '%C0%AE'
  ]
  fc.assert(
    fc.property(damaged(right, tokens), (text) => {
      const target = refusedOr(() => parseRequestTarget(text), isRefusal)
      if (target === undefined) return
      expect(target.rawPath.startsWith('/')).toBe(true)
      for (const [name, value] of target.query) expect(`${name}${value}`.isWellFormed()).toBe(true)
      const name = refusedOr(() => parseResourceName(target.rawPath), isRefusal)
      if (name === undefined || name.level === 'service') return
      assertBucketName(name.bucket)
      if (name.level === 'object') assertObjectKey(name.key)
      // What is signed leads to the same place.
      expect(parseResourceName(canonicalPath(target.rawPath))).toEqual(name)
    }),
    OPTIONS
  )
})

test('any name survives the way through a request target', { timeout: FUZZ_TIMEOUT_MS }, () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
      fc.string({ unit: 'grapheme' }),
      (key, value) => {
        fc.pre(refusedOr(() => assertObjectKey(key) ?? true, isRefusal) === true)
        const { rawPath, query } = parseRequestTarget(`/media/${percentEncode(key)}?a=${percentEncode(value)}`)
        expect([parseResourceName(rawPath), query.get('a')]).toEqual([{ level: 'object', bucket: 'media', key }, value])
      }
    ),
    OPTIONS
  )
})

const TOKENS = [
  ...[
    ',',
    '=',
    ';',
    '/',
    ' ',
    '\t',
    'Credential=',
    'SignedHeaders=',
    'Signature=',
    'host',
    'x-amz-date',
    'aws4_request'
  ],
  ...['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256', 'AWS ', 'OSS4-HMAC-SHA256', '__proto__', '\u0000']
]
const HEADER_NAMES = ['content-md5', 'x-amz-meta-a', 'x-amz-security-token', 'x-amz-acl', 'range', 'date'] as const
const extraHeaders = fc.dictionary(fc.constantFrom(...HEADER_NAMES), fc.string(), { maxKeys: 3 })

test('header claim: what is read binds host, date and every x-amz-* header; all else is refused', {
  timeout: FUZZ_TIMEOUT_MS
}, () => {
  const authorization = damaged(
    fc.constantFrom(
      `AWS4-HMAC-SHA256 Credential=${CREDENTIAL}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${HEX}`,
      `AWS4-HMAC-SHA256 Signature=${HEX},SignedHeaders=content-md5;host;range;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token,Credential=${CREDENTIAL}`
    ),
    TOKENS
  )
  const time = damaged(fc.constantFrom(TIME, 'Fri, 20 Nov 2026 12:00:00 GMT'), ['Z', 'T', '-', '9'])
  fc.assert(
    fc.property(authorization, time, extraHeaders, (text, date, extra) => {
      const headers = new Map(
        Object.entries({ host: 'h', 'x-amz-date': date, 'x-amz-content-sha256': HEX, authorization: text, ...extra })
      )
      const claim = refusedOr(() => parseHeaderClaim(headers), isS3Error)
      if (claim === undefined) return
      expect(claim.transport).toBe('header')
      expect(claim.accessKeyId).not.toBe('')
      expect(claim.scope.date).toBe(formatBasicIsoTime(claim.timeMs).slice(0, 8))
      expect(claim.signedHeaders).toContain('host')
      for (const name of headers.keys())
        if (name.startsWith('x-amz-') || name === 'content-md5') expect(claim.signedHeaders).toContain(name)
    }),
    OPTIONS
  )
})

test('query claim: what is read is bounded in time, plain, and leaves no x-amz-* header unsigned', {
  timeout: FUZZ_TIMEOUT_MS
}, () => {
  const right = fc.constantFrom(
    `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(CREDENTIAL)}&X-Amz-Date=${TIME}&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=${HEX}`,
    `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=${encodeURIComponent(CREDENTIAL)}&X-Amz-Date=${TIME}&X-Amz-Expires=604800&X-Amz-Security-Token=t&X-Amz-SignedHeaders=host%3Bx-amz-acl&x-amz-meta-a=b&x-amz-copy-source=%2Fa%2Fb&X-Amz-Signature=${HEX}`
  )
  const tokens = [
    ...TOKENS,
    '&',
    '%3B',
    'X-Amz-Expires=',
    'X-Amz-Content-Sha256=STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    '-5',
    '604801',
    'x-amz-meta-b=%0d%0a'
  ]
  const sent = fc.dictionary(
    fc.constantFrom('x-amz-content-sha256', 'x-amz-acl', 'x-amz-meta-a', 'x-amz-user-agent', 'x-amz-security-token'),
    fc.constantFrom('UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'b', ''),
    { maxKeys: 2 }
  )
  fc.assert(
    fc.property(damaged(right, tokens), sent, (text, extra) => {
      const target = refusedOr(() => parseRequestTarget(`/media/k?${text}`), isRefusal)
      if (target === undefined) return
      const headers = new Map(Object.entries({ host: 'h', ...extra }))
      const claim = refusedOr(() => parseQueryClaim(target.query, headers), isS3Error)
      if (claim === undefined) return
      const lifeMs = (claim.expiresAtMs ?? Number.POSITIVE_INFINITY) - claim.timeMs
      expect(lifeMs).toBeGreaterThan(0)
      expect(lifeMs).toBeLessThanOrEqual(604_800_000)
      expect(claim.payloadHash).not.toMatch(/^STREAMING-/)
      expect(headers.get('x-amz-content-sha256') ?? claim.payloadHash).toBe(claim.payloadHash)
      expect(headers.has('x-amz-security-token')).toBe(false)
      const merged = refusedOr(() => withHoistedHeaders(target.query, headers), isS3Error)
      if (merged !== undefined) for (const value of merged.values()) expect(value).not.toMatch(/[\r\n\0]/)
    }),
    OPTIONS
  )
})

test('a signature fits what was signed and nothing else', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const text = fc.string({ maxLength: 12 }).filter((value) => value.trim() === value && !value.includes('  '))
  const parts = fc.record({
    method: fc.constantFrom('GET', 'PUT', 'DELETE'),
    key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((key) => key.isWellFormed()),
    query: fc.dictionary(
      fc.constantFrom('prefix', 'uploadId', 'x y', 'é'),
      fc.string({ unit: 'grapheme', maxLength: 8 })
    ),
    note: text,
    payloadHash: fc.constantFrom('UNSIGNED-PAYLOAD', HEX)
  })
  type Parts = { method: string; key: string; query: Record<string, string>; note: string; payloadHash: string }
  const requestOf = (one: Parts) => ({
    method: one.method,
    rawPath: `/media/${percentEncode(one.key)}`,
    query: new Map(Object.entries(one.query)),
    headers: new Map(Object.entries({ host: 'h', 'x-amz-meta-note': one.note }))
  })
  const claimOf = (one: Parts): SignatureClaim => {
    const { rawPath, ...request } = requestOf(one)
    const signedHeaders = ['host', 'x-amz-meta-note']
    const { payloadHash } = one
    const canonical = canonicalRequest({ ...request, path: canonicalPath(rawPath), signedHeaders, payloadHash })
    return {
      transport: 'header',
      accessKeyId: 'AKID',
      scope: SCOPE,
      signedHeaders,
      signature: hmac(KEY, stringToSign(TIME, SCOPE, canonical)).toString('hex'),
      timestamp: TIME,
      timeMs: 0,
      payloadHash,
      sessionToken: undefined,
      expiresAtMs: undefined
    }
  }
  fc.assert(
    fc.property(
      parts,
      parts,
      fc.constantFrom<keyof Parts>('method', 'key', 'query', 'note', 'payloadHash'),
      (one, other, name) => {
        const changed = { ...one, [name]: other[name] }
        const isSame = JSON.stringify(sorted(changed)) === JSON.stringify(sorted(one))
        const claim = { ...claimOf(one), payloadHash: changed.payloadHash }
        expect(verifySignature(claim, requestOf(changed), KEY)).toBe(isSame)
      }
    ),
    OPTIONS
  )

  function sorted({ query, ...rest }: Parts) {
    return [rest, Object.entries(query).sort()]
  }
})

test('payload mode: one of the known ones or refused', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const right = fc.constantFrom(
    HEX,
    'UNSIGNED-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
  )
  fc.assert(
    fc.property(damaged(right, ['STREAMING-', '-TRAILER', 'ECDSA', 'toString', '__proto__', '\n']), (text) => {
      const mode = refusedOr(() => parsePayloadMode(text), isS3Error)
      if (mode?.framing === 'plain') expect(text).toMatch(/^(UNSIGNED-PAYLOAD|[0-9a-f]{64})$/)
      if (mode?.framing === 'aws-chunked')
        expect(mode.signed).toBe(text.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD'))
    }),
    OPTIONS
  )
})

import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Headers } from './headers.ts'
import { percentDecode, percentEncode, type QueryParameters } from './request-target.ts'

/** The parts of a request that SigV4 binds. */
export interface CanonicalParts {
  method: string
  /** Path already in canonical (or verbatim) form. */
  path: string
  query: QueryParameters
  headers: Headers
  signedHeaders: readonly string[]
  /** The literal last line: a hex digest or one of the payload keywords. */
  payloadHash: string
}

/** SigV4 canonical URI of S3: decoded once, re-encoded with `/` kept; no dot-segment removal, no slash collapsing. */
export function canonicalPath(rawPath: string): string {
  return percentDecode(rawPath).split('/').map(percentEncode).join('/')
}

/** SigV4 canonical request, as the bytes that are hashed: header values are latin-1, everything else ASCII. */
export function canonicalRequest(parts: CanonicalParts): Buffer {
  const headerLines = parts.signedHeaders.map((name) => `${name}:${canonicalHeaderValue(parts.headers, name)}\n`)
  const text = [
    parts.method,
    parts.path,
    canonicalQuery(parts.query),
    headerLines.join(''),
    parts.signedHeaders.join(';'),
    parts.payloadHash
  ].join('\n')
  return Buffer.from(text, 'latin1')
}

function canonicalQuery(query: QueryParameters): string {
  const pairs: [string, string][] = []
  for (const [name, value] of query)
    if (name !== 'X-Amz-Signature') pairs.push([percentEncode(name), percentEncode(value)])
  return pairs
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** A signed name that did not arrive counts as empty, except `expect`, which proxies consume. */
function canonicalHeaderValue(headers: Headers, name: string): string {
  const value = headers.get(name) ?? (name === 'expect' ? '100-continue' : '')
  // Not trim(): it would also take bytes that are blanks in latin-1 but part of a UTF-8 character.
  return value.replace(/^[ \t]+|[ \t]+$/g, '').replace(/ {2,}/g, ' ')
}

/** `yyyymmdd/region/service/aws4_request`. */
export interface CredentialScope {
  date: string
  region: string
  service: string
}

export function scopeText(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`
}

/** SigV4 string to sign of a whole request. `timestamp` is the basic ISO form, `20260131T235959Z`. */
export function stringToSign(timestamp: string, scope: CredentialScope, canonical: Buffer): string {
  return `AWS4-HMAC-SHA256\n${timestamp}\n${scopeText(scope)}\n${sha256Hex(canonical)}`
}

/** SigV4 key derivation: the 32-byte key that signs everything within one scope. */
export function deriveSigningKey(secret: string, scope: CredentialScope): KeyObject {
  const date = hmac(`AWS4${secret}`, scope.date)
  // Prepared once: an HMAC with bytes as its key takes several times as long, and every chunk of a body needs one.
  return createSecretKey(hmac(hmac(hmac(date, scope.region), scope.service), 'aws4_request'))
}

export function hmac(key: string | Buffer | KeyObject, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

export function sha256Hex(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}

/** SHA-256 of zero bytes. */
export const EMPTY_SHA256 = sha256Hex('')

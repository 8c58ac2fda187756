import {
  type CredentialScope,
  canonicalPath,
  canonicalRequest,
  deriveSigningKey,
  hmac,
  scopeText,
  stringToSign
} from './canonical-request.ts'
import { parseRequestTarget } from './request-target.ts'
import type { SigningContext } from './sigv4.ts'

/**
 * Signs all of `headers` (lower-case names) with SigV4, as a client of the endpoint does; for tests and measurements. Gives the
 * Authorization header, and what signs the chunks of the body after it.
 */
export function signHeaders(request: {
  method: string
  /** Path and query exactly as they go on the wire. */
  target: string
  headers: Readonly<Record<string, string>>
  payloadHash: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  /** `20260131T235959Z` */
  timestamp: string
  scope: CredentialScope
}): { authorization: string; signing: SigningContext } {
  const { method, target, headers, payloadHash, credentials, timestamp, scope } = request
  const signedHeaders = Object.keys(headers).sort()
  const { rawPath, query } = parseRequestTarget(target)
  const canonical = canonicalRequest({
    method,
    path: canonicalPath(rawPath),
    query,
    headers: new Map(Object.entries(headers)),
    signedHeaders,
    payloadHash
  })
  const signingKey = deriveSigningKey(credentials.secretAccessKey, scope)
  const signature = hmac(signingKey, stringToSign(timestamp, scope, canonical)).toString('hex')
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scopeText(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
    signing: { signingKey, timestamp, scope, seedSignature: signature }
  }
}

import type { Headers } from './headers.ts'
import { S3Error } from './s3-error.ts'
import {
  formatBasicIsoTime,
  parseBasicIsoTime,
  parseCredential,
  parseSignedHeaders,
  type SignatureClaim
} from './sigv4.ts'

const MALFORMED = 'AuthorizationHeaderMalformed'

/**
 * Reads `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` (SigV4, header form). Fields may
 * come in any order, with or without a space after the commas.
 * @param payloadHashOf gives the hash when the client did not declare one (STS always hashes the body itself)
 * @throws S3Error AuthorizationHeaderMalformed, InvalidRequest (SigV2 and foreign schemes), NotImplemented (SigV4a),
 *   AccessDenied (no date, host or an x-amz-* header not signed), MissingSecurityHeader
 */
export function parseHeaderClaim(headers: Headers, payloadHashOf?: () => string): SignatureClaim {
  const authorization = headers.get('authorization') ?? ''
  const space = authorization.indexOf(' ')
  const scheme = space < 0 ? authorization : authorization.slice(0, space)
  assertScheme(scheme)

  const fields = new Map<string, string>()
  for (const piece of authorization.slice(scheme.length).split(',')) {
    const equals = piece.indexOf('=')
    const name = piece.slice(0, equals).trim()
    if (equals < 0 || fields.has(name)) throw new S3Error(MALFORMED)
    fields.set(name, piece.slice(equals + 1).trim())
  }
  const [credential, signed, signature] = ['Credential', 'SignedHeaders', 'Signature'].map((name) => fields.get(name))
  if (credential === undefined || signed === undefined || signature === undefined)
    throw new S3Error(MALFORMED, { message: 'The authorization header needs Credential, SignedHeaders and Signature.' })

  const { accessKeyId, scope } = parseCredential(credential, MALFORMED)
  const signedHeaders = parseSignedHeaders(signed, MALFORMED)
  const timeMs = requestTime(headers)
  const timestamp = formatBasicIsoTime(timeMs)
  if (scope.date !== timestamp.slice(0, 8))
    throw new S3Error(MALFORMED, { message: 'The date of the credential scope is not the date of the request.' })

  const unsigned = [...headers.keys()].filter(
    (name) => (name.startsWith('x-amz-') || name === 'content-md5') && !signedHeaders.includes(name)
  )
  if (unsigned.length > 0)
    throw new S3Error('AccessDenied', {
      message: 'There were headers present in the request which were not signed.',
      fields: { HeadersNotSigned: unsigned.join(', ') }
    })
  const payloadHash = payloadHashOf?.() ?? headers.get('x-amz-content-sha256')
  if (payloadHash === undefined)
    throw new S3Error('MissingSecurityHeader', {
      message: 'The header x-amz-content-sha256 is missing.',
      fields: { MissingHeaderName: 'x-amz-content-sha256' }
    })
  return {
    transport: 'header',
    accessKeyId,
    scope,
    signedHeaders,
    signature,
    timestamp,
    timeMs,
    payloadHash,
    sessionToken: headers.get('x-amz-security-token'),
    expiresAtMs: undefined
  }
}

function assertScheme(scheme: string): void {
  if (scheme === 'AWS4-HMAC-SHA256') return
  if (scheme === 'AWS4-ECDSA-P256-SHA256')
    throw new S3Error('NotImplemented', { message: 'SigV4a is not supported; please use AWS4-HMAC-SHA256.' })
  throw new S3Error('InvalidRequest', {
    message: scheme.startsWith('OSS')
      ? 'This is an S3 endpoint, but the client speaks Aliyun OSS: the storage provider must be set to "minio". Please use AWS4-HMAC-SHA256.'
      : 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.'
  })
}

/** `x-amz-date` wins over `Date`; both may be basic ISO, `Date` also an HTTP date. */
function requestTime(headers: Headers): number {
  const amzDate = headers.get('x-amz-date')
  const date = amzDate ?? headers.get('date')
  const timeMs =
    date === undefined ? undefined : (parseBasicIsoTime(date) ?? (amzDate === undefined ? Date.parse(date) : undefined))
  if (timeMs === undefined || Number.isNaN(timeMs))
    throw new S3Error('AccessDenied', { message: 'AWS authentication requires a valid Date or x-amz-date header.' })
  return timeMs
}

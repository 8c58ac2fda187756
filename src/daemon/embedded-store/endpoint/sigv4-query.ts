import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { Headers } from './headers.ts'
import type { QueryParameters } from './request-target.ts'
import { S3Error } from './s3-error.ts'
import { parseBasicIsoTime, parseCredential, parseSignedHeaders, type SignatureClaim } from './sigv4.ts'

const MALFORMED = 'AuthorizationQueryParametersError'
const MAX_EXPIRES_SECONDS = 7 * 24 * 3600

/** Unsigned `x-amz-*` headers that change nothing about a presigned request. */
const HARMLESS_UNSIGNED = new Set(['x-amz-content-sha256', 'x-amz-user-agent', 'x-amz-date'])

/** Parameters of the signature itself. Every other `x-amz-*` parameter is a header that the signer moved into the query. */
const OF_SIGNATURE = /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|content-sha256|security-token)$/

/**
 * Reads the `X-Amz-*` parameters of a presigned URL (SigV4, query form).
 * @throws S3Error AuthorizationQueryParametersError, AccessDenied (unsigned `x-amz-*` headers), InvalidToken when the
 *   session token is a header instead of a signed parameter, InvalidRequest for a streaming payload mode, or one that header and query disagree about
 */
export function parseQueryClaim(query: QueryParameters, headers: Headers): SignatureClaim {
  const required = (name: string): string => {
    const value = query.get(name)
    if (value === undefined)
      throw new S3Error(MALFORMED, { message: `Query-string authentication requires the parameter ${name}.` })
    return value
  }
  const algorithm = required('X-Amz-Algorithm')
  if (algorithm === 'AWS4-ECDSA-P256-SHA256')
    throw new S3Error('NotImplemented', { message: 'SigV4a is not supported; please use AWS4-HMAC-SHA256.' })
  if (algorithm !== 'AWS4-HMAC-SHA256')
    throw new S3Error(MALFORMED, { message: 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256".' })

  const { accessKeyId, scope } = parseCredential(required('X-Amz-Credential'), MALFORMED)
  const timestamp = required('X-Amz-Date')
  const timeMs = parseBasicIsoTime(timestamp)
  if (timeMs === undefined || timestamp.slice(0, 8) !== scope.date)
    throw new S3Error(MALFORMED, { message: 'X-Amz-Date must be a basic ISO 8601 time on the date of the credential.' })
  const expires = required('X-Amz-Expires')
  const expiresSeconds = /^\d{1,9}$/.test(expires) ? Number(expires) : 0
  if (expiresSeconds < 1 || expiresSeconds > MAX_EXPIRES_SECONDS)
    throw new S3Error(MALFORMED, { message: `X-Amz-Expires must be a number between 1 and ${MAX_EXPIRES_SECONDS}.` })

  const signedHeaders = parseSignedHeaders(required('X-Amz-SignedHeaders'), MALFORMED)
  const signature = required('X-Amz-Signature')
  const sentHash = headers.get('x-amz-content-sha256')
  const payloadHash = query.get('X-Amz-Content-Sha256') ?? sentHash ?? 'UNSIGNED-PAYLOAD'
  if (sentHash !== undefined && sentHash !== payloadHash)
    throw new S3Error('InvalidRequest', {
      message: 'The header x-amz-content-sha256 contradicts the signed query parameter.'
    })
  if (payloadHash.startsWith('STREAMING-'))
    throw new S3Error('InvalidRequest', { message: 'Presigned requests may not use a streaming payload mode.' })
  if (headers.has('x-amz-security-token'))
    throw new S3Error('InvalidToken', { message: 'A presigned request carries its token in the signed query.' })
  const unsigned = [...headers.keys()].filter(
    (name) => name.startsWith('x-amz-') && !signedHeaders.includes(name) && !HARMLESS_UNSIGNED.has(name)
  )
  // A header repeating a parameter that the signature covers says nothing new; differing ones are refused further on.
  if (unsigned.some((name) => !hoistedParameters(query).has(name)))
    throw new S3Error('AccessDenied', {
      message: 'There were headers present in the request which were not signed.',
      fields: { HeadersNotSigned: unsigned.join(', ') }
    })
  return {
    transport: 'query',
    accessKeyId,
    scope,
    signedHeaders,
    signature,
    timestamp,
    timeMs,
    payloadHash,
    sessionToken: query.get('X-Amz-Security-Token'),
    expiresAtMs: timeMs + expiresSeconds * 1000
  }
}

/**
 * The headers of a presigned request together with those hoisted into its query.
 * @throws S3Error InvalidRequest when a header contradicts its hoisted twin, or a parameter could be no header
 */
export function withHoistedHeaders(query: QueryParameters, headers: Headers): Headers {
  const merged = new Map(headers)
  for (const [name, value] of hoistedParameters(query)) {
    assertHeader(name, value)
    const sent = headers.get(name)
    if (sent !== undefined && sent !== value)
      throw new S3Error('InvalidRequest', { message: `The header ${name} contradicts the signed query parameter.` })
    merged.set(name, value)
  }
  return merged
}

/** Unlike a header, a parameter can hold anything; as metadata it would be stored and make its object unreadable. */
function assertHeader(name: string, value: string): void {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch (cause) {
    throw new S3Error('InvalidRequest', { message: 'A query parameter cannot be the header it stands for.', cause })
  }
}

function hoistedParameters(query: QueryParameters): Map<string, string> {
  const hoisted = new Map<string, string>()
  for (const [parameter, value] of query) {
    const name = parameter.toLowerCase()
    if (name.startsWith('x-amz-') && !OF_SIGNATURE.test(name))
      hoisted.set(name, Buffer.from(value, 'utf8').toString('latin1'))
  }
  return hoisted
}

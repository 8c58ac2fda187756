import { S3Error } from './s3-error.ts'

/**
 * Request headers by lower-case name. Values are the raw bytes as latin-1 text, as Node hands them over; repeated
 * headers are joined with `,` in the order sent.
 */
export type Headers = ReadonlyMap<string, string>

/** Headers whose repetition would let two readers of one request see different things. */
const SINGLE = new Set([
  'host',
  'authorization',
  'content-length',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'x-amz-decoded-content-length',
  'content-md5',
  'expect'
])

/**
 * Collects `req.rawHeaders`.
 * @throws S3Error InvalidRequest when a header that must be unique is repeated
 */
export function collectHeaders(rawHeaders: readonly string[]): Headers {
  const headers = new Map<string, string>()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    const value = rawHeaders[i + 1] as string
    const earlier = headers.get(name)
    if (earlier === undefined) headers.set(name, value)
    else if (SINGLE.has(name))
      throw new S3Error('InvalidRequest', { message: `The header ${name} must not be given more than once.` })
    else headers.set(name, `${earlier},${value}`)
  }
  return headers
}

/** Re-reads a latin-1 header value as the UTF-8 text most clients mean. Falls back to latin-1 when it is not UTF-8. */
export function headerText(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  const text = bytes.toString('utf8')
  return text.includes('\ufffd') ? value : text
}

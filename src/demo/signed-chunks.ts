import { createHash, createHmac, createSecretKey } from 'node:crypto'

/** Temporary credentials of an S3 request. */
export type SigningKey = { accessKeyId: string; secretAccessKey: string; sessionToken?: string; region: string }

/** A PUT whose body is sent in signed chunks. */
export type ChunkedPut = {
  /** Path-style URL of the object, with any query already encoded. */
  url: URL
  key: SigningKey
  /** Signed besides the headers this mode needs; lower-case names. */
  headers: Record<string, string>
  /** Bytes of the payload itself. */
  sizeBytes: number
  /** Payload bytes per chunk but the last; 128 KiB as the AWS SDK for Android sends. */
  chunkBytes?: number
  now?: Date
}

const LINE_END = Buffer.from('\r\n')
const EMPTY_SHA256 = createHash('sha256').digest('hex')
const DEFAULT_CHUNK_BYTES = 128 * 1024

/**
 * Signs a PUT in SigV4's `STREAMING-AWS4-HMAC-SHA256-PAYLOAD` mode, which the AWS SDK for Android uses for every
 * upload. Gives the headers to send and a function that frames the chunks; it must get chunks of exactly `chunkBytes`,
 * the last one excepted. Like that SDK it does not announce the framing in `Content-Encoding`.
 */
export function signChunkedPut(put: ChunkedPut): {
  headers: Record<string, string>
  frame(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer>
  chunkBytes: number
} {
  const { url, key, sizeBytes, chunkBytes = DEFAULT_CHUNK_BYTES, now = new Date() } = put
  const timestamp = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const scope = `${timestamp.slice(0, 8)}/${key.region}/s3/aws4_request`
  const signed: Record<string, string> = {
    ...put.headers,
    host: url.host,
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x-amz-date': timestamp,
    'x-amz-decoded-content-length': String(sizeBytes),
    ...(key.sessionToken ? { 'x-amz-security-token': key.sessionToken } : {}),
    'content-length': String(framedLength(sizeBytes, chunkBytes))
  }
  const names = Object.keys(signed).sort()
  const canonical = [
    'PUT',
    url.pathname,
    [...url.searchParams]
      .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${signed[name]?.trim()}`),
    '',
    names.join(';'),
    signed['x-amz-content-sha256']
  ].join('\n')
  const derivedKey = [timestamp.slice(0, 8), key.region, 's3', 'aws4_request'].reduce<Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    Buffer.from(`AWS4${key.secretAccessKey}`)
  )
  // Prepared once: an HMAC with bytes as its key takes several times as long, and every chunk needs one.
  const signingKey = createSecretKey(derivedKey)
  const sign = (text: string) => createHmac('sha256', signingKey).update(text).digest('hex')
  const seed = sign(['AWS4-HMAC-SHA256', timestamp, scope, sha256(canonical)].join('\n'))

  async function* frame(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let previous = seed
    const header = (chunk: Buffer) => {
      previous = sign(['AWS4-HMAC-SHA256-PAYLOAD', timestamp, scope, previous, EMPTY_SHA256, sha256(chunk)].join('\n'))
      return Buffer.from(`${chunk.length.toString(16)};chunk-signature=${previous}\r\n`)
    }
    for await (const chunk of chunks) {
      yield header(chunk)
      yield chunk
      yield LINE_END
    }
    yield Buffer.concat([header(Buffer.alloc(0)), LINE_END])
  }

  return {
    headers: {
      ...signed,
      authorization: `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${seed}`
    },
    frame,
    chunkBytes
  }
}

/** Percent-encodes all but RFC 3986's unreserved characters, as SigV4 wants it. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')

function framedLength(sizeBytes: number, chunkBytes: number): number {
  const around = (size: number) => size.toString(16).length + ';chunk-signature='.length + 64 + 2 + size + 2
  const rest = sizeBytes % chunkBytes
  return Math.floor(sizeBytes / chunkBytes) * around(chunkBytes) + (rest > 0 ? around(rest) : 0) + around(0)
}

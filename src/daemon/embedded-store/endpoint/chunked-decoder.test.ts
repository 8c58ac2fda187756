import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deriveSigningKey, EMPTY_SHA256, hmac, scopeText } from './canonical-request.ts'
import { ChunkedDecoder, type ChunkedDecoderOptions } from './chunked-decoder.ts'
import { S3Error } from './s3-error.ts'

const scope = { date: '20130524', region: 'us-east-1', service: 's3' }
const signing = {
  signingKey: deriveSigningKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', scope),
  timestamp: '20130524T000000Z',
  scope,
  seedSignature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9'
}
const trailerSigning = {
  ...signing,
  seedSignature: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e'
}

function decode(options: ChunkedDecoderOptions, pieces: Iterable<Buffer>) {
  const decoder = new ChunkedDecoder(options)
  const payload: Buffer[] = []
  for (const piece of pieces) for (const slice of decoder.push(piece)) payload.push(Buffer.from(slice))
  const trailer = Object.fromEntries(decoder.finish())
  return { payload: Buffer.concat(payload), trailer }
}

function codeOf(options: ChunkedDecoderOptions, body: Buffer | string): string | undefined {
  try {
    decode(options, [Buffer.from(body)])
    return undefined
  } catch (error) {
    if (error instanceof S3Error) return error.code
    throw error
  }
}

const publishedBody = (trailer: boolean): Buffer => {
  const signatures = trailer
    ? [
        'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
        '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
        '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992'
      ]
    : [
        'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
        '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
        'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'
      ]
  const end = trailer
    ? 'x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n'
    : '\r\n'
  return Buffer.from(
    `10000;chunk-signature=${signatures[0]}\r\n${'a'.repeat(65536)}\r\n400;chunk-signature=${signatures[1]}\r\n${'a'.repeat(1024)}\r\n0;chunk-signature=${signatures[2]}\r\n${end}`
  )
}

describe('published vectors', () => {
  it('A-4: signed chunks', () => {
    const options = { decodedLength: 66560, signing, trailerNames: undefined }
    expect(decode(options, [publishedBody(false)]).payload).toEqual(Buffer.alloc(66560, 'a'))
  })
  it('A-5: signed chunks and a signed trailer', () => {
    const options = { decodedLength: 66560, signing: trailerSigning, trailerNames: ['x-amz-checksum-crc32c'] }
    expect(decode(options, [publishedBody(true)])).toEqual({
      payload: Buffer.alloc(66560, 'a'),
      trailer: { 'x-amz-checksum-crc32c': 'sOO8/Q==' }
    })
  })
  it('A-7: an unsigned trailer, split at every byte', () => {
    const body = Buffer.from('5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n')
    const options = { decodedLength: 5, signing: undefined, trailerNames: ['x-amz-checksum-crc32'] }
    for (let at = 0; at <= body.length; at++)
      expect(decode(options, [body.subarray(0, at), body.subarray(at)])).toEqual({
        payload: Buffer.from('hello'),
        trailer: { 'x-amz-checksum-crc32': 'NhCmhg==' }
      })
  })
})

/** Encodes as an honest client does, so that properties can vary the layout. */
function encodeSigned(chunks: readonly Uint8Array[], trailer?: [string, string]): Buffer {
  let previous = trailerSigning.seedSignature
  const sign = (kind: string, ...rest: string[]) =>
    hmac(signing.signingKey, [kind, signing.timestamp, scopeText(scope), previous, ...rest].join('\n')).toString('hex')
  const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
  const out: Buffer[] = []
  for (const chunk of [...chunks.filter((c) => c.length > 0), new Uint8Array()]) {
    previous = sign('AWS4-HMAC-SHA256-PAYLOAD', EMPTY_SHA256, sha256(chunk))
    out.push(Buffer.from(`${chunk.length.toString(16)};chunk-signature=${previous}\r\n`), Buffer.from(chunk))
    if (chunk.length > 0) out.push(Buffer.from('\r\n'))
  }
  if (trailer === undefined) return Buffer.concat([...out, Buffer.from('\r\n')])
  const [name, value] = trailer
  const signature = sign('AWS4-HMAC-SHA256-TRAILER', sha256(`${name}:${value}\n`))
  return Buffer.concat([...out, Buffer.from(`${name}:${value}\r\nx-amz-trailer-signature:${signature}\r\n\r\n`)])
}

const chunksArbitrary = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 })

function splitAt(body: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts.map((cut) => cut % (body.length + 1)), body.length].sort((a, b) => a - b)
  return edges.slice(1).map((edge, i) => body.subarray(edges[i], edge))
}

describe('properties', () => {
  it('decodes any layout, however it is cut', () => {
    fc.assert(
      fc.property(chunksArbitrary, fc.boolean(), fc.array(fc.nat(), { maxLength: 8 }), (chunks, trailed, cuts) => {
        const whole = Buffer.concat(chunks)
        const body = encodeSigned(chunks, trailed ? ['x-amz-checksum-crc32', 'AAAAAA=='] : undefined)
        const options = {
          decodedLength: whole.length,
          signing: trailerSigning,
          trailerNames: trailed ? ['x-amz-checksum-crc32'] : undefined
        }
        expect(decode(options, splitAt(body, cuts)).payload).toEqual(whole)
      })
    )
  })
  it('refuses every changed byte with a protocol error', () => {
    const chunks = [Buffer.from('hello world'), Buffer.from('!')]
    const body = encodeSigned(chunks, ['x-amz-checksum-crc32', 'AAAAAA=='])
    const options = { decodedLength: 12, signing: trailerSigning, trailerNames: ['x-amz-checksum-crc32'] }
    for (let at = 0; at < body.length; at++) {
      const changed = Buffer.from(body)
      changed[at] = (changed[at] as number) ^ 0x01
      expect(codeOf(options, changed), `byte ${at}`).toMatch(
        /^(SignatureDoesNotMatch|IncompleteBody|MalformedTrailerError)$/
      )
    }
  })
  it('never fails otherwise on garbage', () => {
    const line = fc.constantFrom(
      '5\r\n',
      'hello',
      '\r\n',
      '0\r\n',
      ';chunk-signature=',
      'ffffffffffffffff\r\n',
      'a:b\r\n',
      ':'
    )
    const garbage = fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), line.map(Buffer.from)), { maxLength: 20 })
    fc.assert(
      fc.property(garbage, fc.boolean(), fc.boolean(), (pieces, signed, trailed) => {
        const options = {
          decodedLength: 5,
          signing: signed ? signing : undefined,
          trailerNames: trailed ? ['a'] : undefined
        }
        codeOf(options, Buffer.concat(pieces))
      }),
      { numRuns: 2000 }
    )
  })
})

describe('unsigned framing', () => {
  const options = { decodedLength: 5, signing: undefined, trailerNames: ['a'] }
  it.each([
    ['JS SDK', '5\r\nhello\r\n0\r\na:1\r\n\r\n'],
    ['a CRLF before the trailer', '5\r\nhello\r\n0\r\n\r\na:1\r\n\r\n'],
    ['line feeds only', '5\r\nhello\r\n0\r\na:1\n\r\n'],
    ['upper-case hex and an extension', '5;name=value\r\nhello\r\n0\r\nA : 1 \r\n\r\n'],
    ['several chunks', '2\r\nhe\r\n3\r\nllo\r\n0\r\na:1\r\n\r\n']
  ])('accepts %s', (_, body) => {
    expect(decode(options, [Buffer.from(body)])).toEqual({ payload: Buffer.from('hello'), trailer: { a: '1' } })
  })
  it.each([
    ['O4: more data than announced', '6\r\nhello!\r\n0\r\na:1\r\n\r\n', 'IncompleteBody'],
    ['less data than announced', '4\r\nhell\r\n0\r\na:1\r\n\r\n', 'IncompleteBody'],
    ['O6: a missing trailer', '5\r\nhello\r\n0\r\n\r\n', 'MalformedTrailerError'],
    ['an extra trailer field', '5\r\nhello\r\n0\r\na:1\r\nb:1\r\n\r\n', 'MalformedTrailerError'],
    ['a repeated trailer field', '5\r\nhello\r\n0\r\na:1\r\na:1\r\n\r\n', 'MalformedTrailerError'],
    ['bytes after the terminator', '5\r\nhello\r\n0\r\na:1\r\n\r\nX', 'MalformedTrailerError'],
    [
      'a signature in the unsigned mode',
      `5\r\nhello\r\n0\r\na:1\r\nx-amz-trailer-signature:00\r\n`,
      'MalformedTrailerError'
    ],
    ['O7: an absurd chunk size', 'ffffffffffffffff\r\nhello', 'IncompleteBody'],
    ['a size beyond 64 bits', '00000000000000005\r\nhello', 'IncompleteBody'],
    ['a signed size', '-5\r\nhello', 'IncompleteBody'],
    ['a chunk without its CRLF', '5\r\nhello0\r\n', 'IncompleteBody'],
    ['a header line without end', 'f'.repeat(2000), 'IncompleteBody'],
    ['a long extension', `5;${'x'.repeat(300)}\r\nhello`, 'IncompleteBody'],
    ['a body cut off', '5\r\nhel', 'IncompleteBody'],
    ['an oversized trailer', `5\r\nhello\r\n0\r\na:${'1'.repeat(2000)}\r\n`, 'MalformedTrailerError']
  ])('refuses %s', (_, body, code) => {
    expect(codeOf(options, body)).toBe(code)
  })
})

describe('O7: memory', () => {
  it('whatever a chunk claims to hold, payload is passed on and never gathered', () => {
    const piece = Buffer.alloc(64 * 1024, 'x')
    const decodedLength = 1024 * 1024 * 1024
    const decoder = new ChunkedDecoder({ decodedLength, signing: undefined, trailerNames: ['a'] })
    for (const _ of decoder.push(Buffer.from(`${decodedLength.toString(16)}\r\n`))) expect.unreachable()
    let bytes = 0
    for (let i = 0; i < 1024; i++)
      for (const slice of decoder.push(piece)) {
        // A view of what came in, not a copy that could pile up.
        if (slice.buffer !== piece.buffer) expect.unreachable()
        bytes += slice.length
      }
    expect(bytes).toBe(1024 * piece.length)
  })
  it.each([
    ['a chunk header', '5;'],
    ['a trailer', '5\r\nhello\r\n0\r\n']
  ])('%s without end is refused after two kilobytes', (_, begin) => {
    const decoder = new ChunkedDecoder({ decodedLength: 5, signing: undefined, trailerNames: ['a'] })
    expect(() => {
      for (const slice of decoder.push(Buffer.from(begin))) expect(slice.toString()).toBe('hello')
      for (let i = 0; i < 3; i++) for (const _ of decoder.push(Buffer.alloc(700, 'x'))) expect.unreachable()
    }).toThrow(S3Error)
  })
})

describe('signed framing', () => {
  it('O3: refuses a wrong signature of the second chunk', () => {
    const body = publishedBody(false).toString('latin1').replace('400;chunk-signature=0', '400;chunk-signature=1')
    expect(codeOf({ decodedLength: 66560, signing, trailerNames: undefined }, body)).toBe('SignatureDoesNotMatch')
  })
  it('refuses a chunk without a signature', () => {
    expect(codeOf({ decodedLength: 5, signing, trailerNames: undefined }, '5\r\nhello\r\n')).toBe(
      'SignatureDoesNotMatch'
    )
  })
  it('refuses a missing trailer signature', () => {
    const body = publishedBody(true)
      .toString('latin1')
      .replace(/x-amz-trailer-signature:.*\r\n/, '')
    const options = { decodedLength: 66560, signing: trailerSigning, trailerNames: ['x-amz-checksum-crc32c'] }
    expect(codeOf(options, body)).toBe('MalformedTrailerError')
  })
  it('refuses chunks above 16 MiB', () => {
    const body = `1000001;chunk-signature=${'0'.repeat(64)}\r\n`
    expect(codeOf({ decodedLength: 2 ** 30, signing, trailerNames: undefined }, body)).toBe('IncompleteBody')
  })
})

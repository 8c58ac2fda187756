import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deriveSigningKey, EMPTY_SHA256, hmac, scopeText } from '../endpoint/canonical-request.ts'
import { parseDeclaredDigests, parseUploadChecksum } from '../endpoint/checksums.ts'
import { ChunkedDecoder } from '../endpoint/chunked-decoder.ts'
import { actualHeaders, corsNodes, parseCorsXml, parseStoredRules, preflightHeaders } from '../endpoint/cors.ts'
import { parseCopySource } from '../endpoint/operations/copy-source.ts'
import { requestedRange } from '../endpoint/operations/read-conditions.ts'
import { percentEncode } from '../endpoint/request-target.ts'
import { S3Error } from '../endpoint/s3-error.ts'
import { parseXml, type XmlElement } from '../endpoint/xml-reader.ts'
import { type XmlNode, xmlDocument } from '../endpoint/xml-writer.ts'
import { assertBucketName, assertObjectKey } from '../engine/names.ts'
import { type ObjectInfo, StorageError } from '../engine/storage-engine.ts'
import { damaged, edited, edits, FUZZ_TIMEOUT_MS, fuzzOptions, refusedOr } from './cases.ts'

const isS3Error = (error: unknown) => error instanceof S3Error && error.status !== 500
const isRefusal = (error: unknown) => isS3Error(error) || error instanceof StorageError
const OPTIONS = fuzzOptions(400)

const scope = { date: '20261120', region: 'us-east-1', service: 's3' }
const signing = {
  signingKey: deriveSigningKey('secret', scope),
  timestamp: '20261120T120000Z',
  scope,
  seedSignature: 'c08cd964d3a5dccaed70f2dd26d70cd0558abcf008c0a2a766a08c410dea6089'
}
const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex')

/** An aws-chunked body as an honest client makes it; latin-1 text. */
function encode(chunks: readonly string[], isSigned: boolean, trailer: string | undefined): string {
  let previous = signing.seedSignature
  const sign = (kind: string, ...rest: string[]) => {
    const text = [kind, signing.timestamp, scopeText(scope), previous, ...rest].join('\n')
    return hmac(signing.signingKey, text).toString('hex')
  }
  let body = ''
  for (const chunk of [...chunks, '']) {
    if (isSigned) previous = sign('AWS4-HMAC-SHA256-PAYLOAD', EMPTY_SHA256, sha256(chunk))
    body += `${chunk.length.toString(16)}${isSigned ? `;chunk-signature=${previous}` : ''}\r\n${chunk}${chunk === '' ? '' : '\r\n'}`
  }
  if (trailer === undefined) return `${body}\r\n`
  const signature = sign('AWS4-HMAC-SHA256-TRAILER', sha256(`x-amz-checksum-crc32:${trailer}\n`))
  return `${body}x-amz-checksum-crc32:${trailer}\r\n${isSigned ? `x-amz-trailer-signature:${signature}\r\n` : ''}\r\n`
}

test('chunk decoder: what comes out is what was signed, or of the announced length; nothing is kept beyond a line and a trailer', {
  timeout: FUZZ_TIMEOUT_MS
}, () => {
  const tokens = [
    ...[
      '\r\n',
      '\n',
      '0\r\n',
      'ffffffffffffffff\r\n',
      '5',
      ';',
      'chunk-signature=',
      ':',
      'x-amz-trailer-signature:',
      '-'
    ],
    ...['x-amz-checksum-crc32:AAAAAA==\r\n', 'a:b\r\n', '\u0000', 'A'.repeat(300)]
  ]
  const plan = fc.record({
    chunks: fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 3 }),
    isSigned: fc.boolean(),
    trailer: fc.option(fc.constant('NhCmhg=='), { nil: undefined })
  })
  const cutsArbitrary = fc.array(fc.nat(), { maxLength: 3 })
  const expected = new Set(['IncompleteBody', 'MalformedTrailerError', 'SignatureDoesNotMatch'])
  fc.assert(
    fc.property(plan, edits(tokens), cutsArbitrary, (right, changes, cuts) => {
      const whole = right.chunks.join('')
      const decoder = new ChunkedDecoder({
        decodedLength: whole.length,
        signing: right.isSigned ? signing : undefined,
        trailerNames: right.trailer === undefined ? undefined : ['x-amz-checksum-crc32']
      })
      const body = edited(encode(right.chunks, right.isSigned, right.trailer), changes)
      const bytes = Buffer.from(body, 'latin1')
      let decoded = ''
      const trailer = refusedOr(
        () => {
          for (const piece of cutAt(bytes, cuts)) {
            for (const slice of decoder.push(piece)) decoded += slice.toString('latin1')
            expect(decoded.length).toBeLessThanOrEqual(whole.length)
          }
          return decoder.finish()
        },
        (error) => error instanceof S3Error && expected.has(error.code)
      )
      if (trailer === undefined) return
      if (right.isSigned) expect([decoded, trailer.get('x-amz-checksum-crc32')]).toEqual([whole, right.trailer])
      else expect(decoded).toHaveLength(whole.length)
      expect([...trailer.keys()]).toEqual(right.trailer === undefined ? [] : ['x-amz-checksum-crc32'])
    }),
    OPTIONS
  )
})

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge))
}

const XML_TOKENS = [
  ...[
    '<',
    '>',
    '/',
    '"',
    '&',
    '&#',
    ';',
    '&amp;',
    '&#0;',
    '&#xFFFFFFF;',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?xml ?>',
    '<!DOCTYPE a>'
  ],
  ...[
    '<__proto__>',
    '</__proto__>',
    '<constructor/>',
    '<#text/>',
    '<a:b xmlns:a="x"/>',
    '\u0000',
    '<a><a><a><a><a><a><a><a><a>',
    '<Key>',
    '</Key>'
  ]
]

/** Levels of elements. */
const depthOf = ({ children }: XmlElement): number => 1 + Math.max(0, ...children.map(depthOf))

test('XML: one shallow document with the root that is wanted, or MalformedXML', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const right = fc.constantFrom(
    '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&amp;b</Key></Object><Quiet>true</Quiet></Delete>',
    '<?xml version="1.0" encoding="UTF-8"?>\n<Delete><!-- c --><Object><Key><![CDATA[ 1e5]]></Key><ETag>&quot;x&#34;</ETag></Object></Delete>'
  )
  fc.assert(
    fc.property(damaged(right, XML_TOKENS), (text) => {
      const root = refusedOr(
        () => parseXml(Buffer.from(text), 'Delete'),
        (error) => error instanceof S3Error && error.code === 'MalformedXML'
      )
      if (root === undefined) return
      expect(root.name).toBe('Delete')
      expect(depthOf(root)).toBeLessThanOrEqual(8)
      expect(text).not.toMatch(/<!DOCTYPE/i)
    }),
    OPTIONS
  )
})

test('XML: what is written is read back', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const name = fc.constantFrom('Key', 'Object', 'a', 'Ä')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot carry them
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((one) => !/[\u0000-\u001f\ufffe\uffff]/.test(one))
  const { node } = fc.letrec<{ node: XmlNode }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      fc.tuple(name, text),
      fc.tuple(name, fc.array(tie('node'), { minLength: 1, maxLength: 3 }))
    )
  }))
  const plain = (element: XmlElement): XmlNode => [
    element.name,
    element.children.length > 0 ? element.children.map(plain) : element.text
  ]
  fc.assert(
    fc.property(node, (tree) => {
      expect(plain(parseXml(Buffer.from(xmlDocument(['R', [tree]])), 'R'))).toEqual(['R', [tree]])
    }),
    OPTIONS
  )
})

test('CORS: rules are stored as read or refused, and answer only origins they allow, never with credentials', {
  timeout: FUZZ_TIMEOUT_MS
}, () => {
  const rule = (inside: string) => `<CORSConfiguration><CORSRule>${inside}</CORSRule></CORSConfiguration>`
  const right = fc.constantFrom(
    rule(
      '<AllowedOrigin>http://*.site</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>5</MaxAgeSeconds>'
    ),
    rule(
      '<ID>a</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader>'
    )
  )
  const tokens = [
    ...XML_TOKENS,
    '*',
    '\n',
    '<AllowedOrigin>null</AllowedOrigin>',
    '-1',
    '<ExposeHeader>a\nb</ExposeHeader>'
  ]
  const origin = fc.constantFrom('http://a.site', 'http://evil', 'null', 'http://a.site.evil', 'http://.site', '')
  const requested = fc.constantFrom('x-amz-meta-a', 'content-type, x-amz-acl', '', 'authorization')
  fc.assert(
    fc.property(damaged(right, tokens), origin, requested, (text, from, names) => {
      const rules = refusedOr(
        () => parseStoredRules(parseCorsXml(parseXml(Buffer.from(text), 'CORSConfiguration'))),
        isS3Error
      )
      if (rules === undefined) return
      // What is told of the rules reads as the same rules.
      const told = xmlDocument(['CORSConfiguration', corsNodes(rules)])
      if (!/\ufffd/.test(told))
        expect(parseStoredRules(parseCorsXml(parseXml(Buffer.from(told), 'CORSConfiguration')))).toEqual(rules)
      const headers = new Map([
        ['origin', from],
        ['access-control-request-method', 'PUT'],
        ['access-control-request-headers', names]
      ])
      const allowed = rules.some(({ origins }) => origins.some((pattern) => globOf(pattern).test(from)))
      for (const answer of [
        refusedOr(() => preflightHeaders(rules, headers), isS3Error),
        actualHeaders(rules, 'PUT', headers)
      ]) {
        const told = answer?.['access-control-allow-origin']
        if (told !== undefined) expect([allowed, ['*', from].includes(told)]).toEqual([true, true])
        expect(Object.keys(answer ?? {})).not.toContain('access-control-allow-credentials')
        for (const value of Object.values(answer ?? {})) expect(value).not.toMatch(/[\r\n]/)
      }
    }),
    OPTIONS
  )
})

function globOf(pattern: string): RegExp {
  const texts = pattern.split('*').map((text) => text.replace(/[\\^$.+?()[\]{}|/]/g, '\\$&'))
  return new RegExp(`^${texts.join('[^]*')}$`)
}

test('copy source: a name that could exist, or refused; any name survives being encoded once', {
  timeout: FUZZ_TIMEOUT_MS
}, () => {
  const right = fc.constantFrom('/media/ws-1/a%2520b', 'media/a+b?versionId=null', '/media%2Fa%2Fb', 'media/é')
  const tokens = ['/', '..', '%2e%2e', '%', '?versionId=', 'null', '%25', '+', '//', '\u0000', 'é', '\ud800']
  const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1')
  fc.assert(
    fc.property(damaged(right, tokens), (text) => {
      const source = refusedOr(() => parseCopySource(new Map([['x-amz-copy-source', latin1(text)]])), isRefusal)
      if (source === undefined) return
      assertBucketName(source.bucket)
      assertObjectKey(source.key)
    }),
    OPTIONS
  )
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.boolean(), (key, isSlashEncoded) => {
      fc.pre(refusedOr(() => assertObjectKey(key) ?? true, isRefusal) === true)
      const encoded = percentEncode(`media/${key}`)
      const value = isSlashEncoded ? encoded : `/${encoded.replaceAll('%2F', '/')}`
      expect(parseCopySource(new Map([['x-amz-copy-source', value]]))).toEqual({ bucket: 'media', key })
    }),
    OPTIONS
  )
})

test('range: bytes that are there, the whole object, or InvalidRange', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const right = fc.constantFrom('bytes=0-0', 'bytes=-5', 'bytes=5-', 'bytes=0-499', 'bytes= 1-2')
  const tokens = ['-', '=', ',', '0', '999999999999999999', ' ', 'bytes', 'e', '.']
  fc.assert(
    fc.property(damaged(right, tokens), fc.nat({ max: 1000 }), (value, sizeBytes) => {
      const info: ObjectInfo = {
        bucket: 'media',
        key: 'k',
        sizeBytes,
        etag: 'x',
        lastModifiedMs: 0,
        headers: {},
        metadata: {},
        checksum: null,
        parts: null
      } as unknown as ObjectInfo
      const range = refusedOr(
        () => requestedRange(new Map([['range', value]]), info),
        (error) => error instanceof S3Error && error.code === 'InvalidRange'
      )
      if (range === undefined) return
      expect(range.start).toBeGreaterThanOrEqual(0)
      expect(range.end).toBeGreaterThanOrEqual(range.start)
      expect(range.end).toBeLessThan(sizeBytes)
      for (const end of Object.values(range)) expect(Number.isSafeInteger(end)).toBe(true)
    }),
    OPTIONS
  )
})

test('declared digests: at most one known checksum, or refused', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const name = fc.constantFrom(
    ...[
      'x-amz-checksum-crc32',
      'x-amz-checksum-sha256',
      'x-amz-checksum-xxhash3',
      'x-amz-checksum-type',
      'x-amz-checksum-algorithm'
    ],
    ...['x-amz-sdk-checksum-algorithm', 'content-md5', 'x-amz-checksum-']
  )
  const value = damaged(fc.constantFrom('AAAAAA==', 'CRC32', 'SHA256', '1B2M2Y8AsgTpgAmY7PhCfg==', 'FULL_OBJECT', ''), [
    '=',
    '+',
    '__proto__',
    'crc64nvme'
  ])
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 4 }), fc.array(name, { maxLength: 2 }), (headers, trailers) => {
      const sent = new Map(Object.entries(headers))
      const declared = refusedOr(() => parseDeclaredDigests(sent, 'UNSIGNED-PAYLOAD', trailers), isS3Error)
      if (declared?.checksum?.value !== undefined)
        expect(Buffer.from(declared.checksum.value, 'base64').length).toBeGreaterThanOrEqual(4)
      if (declared?.md5 !== undefined) expect(declared.md5).toMatch(/^[0-9a-f]{32}$/)
      const upload = refusedOr(() => parseUploadChecksum(sent), isS3Error)
      if (upload?.algorithm === 'SHA256') expect(upload.type).toBe('COMPOSITE')
    }),
    OPTIONS
  )
})

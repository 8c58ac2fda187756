import { createHash } from 'node:crypto'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { EMPTY_SHA256, hmac, scopeText } from './canonical-request.ts'
import { EndpointHarness, type SignedRequest, type TestResponse } from './endpoint-harness.ts'

let harness: EndpointHarness
beforeAll(async () => {
  harness = await EndpointHarness.open()
})
afterAll(() => harness.dispose())

async function put(key: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<TestResponse> {
  return harness.request({ method: 'PUT', target: `/media/${key}`, body, headers })
}
const get = (key: string, headers: Record<string, string> = {}) => harness.request({ target: `/media/${key}`, headers })
const exists = async (key: string) =>
  (await harness.request({ method: 'HEAD', target: `/media/${key}` })).status === 200
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

/** A PUT in signed aws-chunked framing; `spoil` may damage the encoded body. */
function chunkedPut(
  key: string,
  chunks: string[],
  headers: Record<string, string> = {},
  spoil = (body: string) => body
) {
  const request: SignedRequest = {
    method: 'PUT',
    target: `/media/${key}`,
    payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    headers: { 'x-amz-decoded-content-length': String(chunks.join('').length), ...headers }
  }
  const { headers: signed, signing } = harness.sign(request)
  let previous = signing.seedSignature
  let body = ''
  for (const chunk of [...chunks, '']) {
    const text = ['AWS4-HMAC-SHA256-PAYLOAD', signing.timestamp, scopeText(signing.scope), previous]
    previous = hmac(signing.signingKey, [...text, EMPTY_SHA256, sha256(chunk)].join('\n')).toString('hex')
    body += `${chunk.length.toString(16)};chunk-signature=${previous}\r\n${chunk}\r\n`
  }
  return harness.send('PUT', `/media/${key}`, signed, spoil(body))
}

function trailerPut(key: string, body: string, headers: Record<string, string> = {}) {
  return harness.request({
    method: 'PUT',
    target: `/media/${key}`,
    payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    headers: { 'x-amz-decoded-content-length': '5', 'x-amz-trailer': 'x-amz-checksum-crc32', ...headers },
    body
  })
}

/** Writes the head and some of the body of a signed PUT to a raw socket and leaves it to the caller what comes next. */
function rawPut(target: string, pieces: (string | Buffer)[], headers: Record<string, string>, payloadHash: string) {
  const signed = harness.sign({ method: 'PUT', target, payloadHash, headers }).headers
  const lines = Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`)
  return harness.raw(`PUT ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, ...pieces)
}

describe('8.3 writing', () => {
  it('O1: a body of unknown length needs chunked framing', async () => {
    const answer = await rawPut('/media/o1', [], { connection: 'close' }, 'UNSIGNED-PAYLOAD')
    expect(answer).toMatch(/^HTTP\/1\.1 411 [\s\S]*<Code>MissingContentLength</)
    const chunked = await rawPut(
      '/media/o1',
      ['5\r\nhello\r\n0\r\n\r\n'],
      { 'transfer-encoding': 'chunked', connection: 'close' },
      'UNSIGNED-PAYLOAD'
    )
    expect(chunked).toMatch(/^HTTP\/1\.1 200 /)
    expect((await get('o1')).body).toBe('hello')
  })
  it('O2: a client that leaves early changes nothing', async () => {
    const { headers } = harness.sign({ method: 'PUT', target: '/media/o2', payloadHash: 'UNSIGNED-PAYLOAD' })
    const { connect } = await import('node:net')
    const socket = connect(harness.port, '127.0.0.1')
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`PUT /media/o2 HTTP/1.1\r\n${lines.join('')}content-length: 10\r\n\r\nabcd`)
    await vi.waitFor(async () => expect(await harness.staged()).toHaveLength(1))
    socket.destroy()
    await vi.waitFor(async () => expect(await harness.staged()).toEqual([]))
    await vi.waitFor(() => expect(harness.endpoint.inFlightBodies()).toBe(0))
    expect(await exists('o2')).toBe(false)
  })
  it('O3: a wrong chunk signature stores nothing', async () => {
    const answer = await chunkedPut('o3', ['hello', 'world'], {}, (body) =>
      body.replace(
        /(\r\n5;chunk-signature=)(.)/,
        (_, head: string, digit: string) => head + (digit === '0' ? '1' : '0')
      )
    )
    expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
    expect([await exists('o3'), await harness.staged()]).toEqual([false, []])
  })
  it('O4, O7: bad framing is refused', async () => {
    const longer = await trailerPut('o4', '6\r\nhello!\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n')
    const absurd = await trailerPut('o4', 'ffffffffffffffff\r\nhello')
    for (const answer of [longer, absurd]) expect(answer).toMatchObject({ status: 400, code: 'IncompleteBody' })
    expect(await exists('o4')).toBe(false)
  })
  it('O5, O6: the trailer checksum must be there and right', async () => {
    const wrong = await trailerPut('o5', '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n')
    expect(wrong).toMatchObject({ status: 400, code: 'BadDigest' })
    expect(await trailerPut('o5', '5\r\nhello\r\n0\r\n\r\n')).toMatchObject({
      status: 400,
      code: 'MalformedTrailerError'
    })
    expect(await exists('o5')).toBe(false)
    const right = await trailerPut('o5', '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n')
    expect(right).toMatchObject({
      status: 200,
      headers: { 'x-amz-checksum-crc32': 'NhCmhg==', 'x-amz-checksum-type': 'FULL_OBJECT' }
    })
  })
  it('an unknown trailer or checksum is refused, not ignored', async () => {
    const foreign = await trailerPut('o5b', '', { 'x-amz-trailer': 'x-amz-meta-a' })
    expect(foreign).toMatchObject({ status: 400, code: 'InvalidRequest' })
    const xxhash = await put('o5b', 'x', { 'x-amz-checksum-xxhash3': 'AAAA' })
    expect(xxhash).toMatchObject({ status: 400, code: 'InvalidRequest' })
    const two = await put('o5b', 'x', { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-sha1': 'AAAA' })
    expect(two).toMatchObject({ status: 400, code: 'InvalidRequest' })
  })
  it('O8, O9: aws-chunked is a transfer coding, whether it is named or not', async () => {
    expect((await chunkedPut('o8', ['hello', 'world'])).status).toBe(200)
    expect(await get('o8')).toMatchObject({ body: 'helloworld', headers: { 'content-type': 'binary/octet-stream' } })
    await chunkedPut('o9', ['x'], { 'content-encoding': 'gzip, aws-chunked' })
    expect((await get('o9')).headers['content-encoding']).toBe('gzip')
    await put('o9', 'x', { 'content-encoding': 'aws-chunked' })
    expect((await get('o9')).headers['content-encoding']).toBeUndefined()
  })
  it('streaming needs its decoded length and an upload', async () => {
    const { headers } = harness.sign({
      method: 'PUT',
      target: '/media/s',
      payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
    })
    expect(await harness.send('PUT', '/media/s', headers, 'x')).toMatchObject({ status: 411 })
    expect(
      await harness.request({ target: '/media/o8', payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' })
    ).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(await harness.request({ target: '/media/o8', payloadHash: 'sha' })).toMatchObject({
      code: 'InvalidArgument'
    })
  })
  it('O10: an empty object is normal', async () => {
    expect((await put('o10', '', { 'content-length': '0' })).headers['etag']).toBe('"d41d8cd98f00b204e9800998ecf8427e"')
    expect(await get('o10')).toMatchObject({ status: 200, body: '', headers: { 'content-length': '0' } })
    expect(await get('o10', { range: 'bytes=0-0' })).toMatchObject({
      status: 416,
      code: 'InvalidRange',
      headers: { 'content-range': 'bytes */0' }
    })
  })
  it('O11, O13: names that collide on file systems stay apart', async () => {
    const keys = [
      'n/a',
      'n/a/b',
      'n/a//b',
      'n//a',
      '/n',
      'CON',
      'aux.txt',
      'x%3Ay',
      'trailing.',
      'N/A',
      'e%CC%81',
      '%C3%A9'
    ]
    for (const key of keys) expect((await put(key, key)).status).toBe(200)
    for (const key of keys) expect((await get(key)).body).toBe(key)
  })
  it.each([
    ['a/%2e%2e/b', 'InvalidArgument'],
    ['k'.repeat(1025), 'KeyTooLongError'],
    ['%zz', 'InvalidURI'],
    ['a%00', 'InvalidArgument']
  ])('O12, O14, O15: refuses the key %.20s', async (key, code) => {
    // Not every key can be signed canonically, so the refusal must come with or before authentication.
    const answer = await put(key, 'x').catch(() =>
      harness.send('PUT', `/media/${key}`, harness.sign({ target: '/' }).headers)
    )
    expect(answer).toMatchObject({ status: 400, code })
  })
  it('O16: user metadata is limited and kept byte for byte', async () => {
    const raw = Buffer.from('é測', 'utf8').toString('latin1')
    expect((await put('o16', 'x', { 'x-amz-meta-note': raw, 'x-amz-meta-b': '' })).body).toBe('')
    const { headers } = await get('o16')
    expect([headers['x-amz-meta-note'], headers['x-amz-meta-b']]).toEqual([raw, ''])
    const big = await put('o16', 'x', { 'x-amz-meta-a': 'v'.repeat(2048) })
    expect(big).toMatchObject({ status: 400, code: 'MetadataTooLarge' })
  })
  it('Content-MD5 is judged', async () => {
    const md5 = (body: string) => createHash('md5').update(body).digest('base64')
    expect((await put('md5', 'x', { 'content-md5': md5('x') })).status).toBe(200)
    expect(await put('md5', 'x', { 'content-md5': md5('y') })).toMatchObject({ status: 400, code: 'BadDigest' })
    for (const value of ['', 'abc', md5('x').slice(0, -2)])
      expect(await put('md5', 'x', { 'content-md5': value })).toMatchObject({ status: 400, code: 'InvalidDigest' })
  })
  it('O20: of many conditional writers exactly one wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => put('o20', `${i}`, { 'if-none-match': '*' }))
    )
    const statuses = answers.map((answer) => answer.status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(new Set(statuses)).toEqual(new Set([200, 412]))
    expect((await get('o20')).body).toBe(String(statuses.indexOf(200)))
  })
  it('conditional writes compare the ETag', async () => {
    expect(await put('cond', 'x', { 'if-match': '"00"' })).toMatchObject({ status: 404, code: 'NoSuchKey' })
    const { etag } = (await put('cond', 'one')).headers
    expect(await put('cond', 'two', { 'if-match': '"00"' })).toMatchObject({ status: 412, code: 'PreconditionFailed' })
    expect((await put('cond', 'two', { 'if-match': String(etag) })).status).toBe(200)
  })
  it('O36: Expect: 100-continue is answered only when everything before the body is fine', async () => {
    const attempt = (target: string, headers: Record<string, string> = {}) => {
      const signed = harness.sign({ method: 'PUT', target, body: 'x', headers: { 'content-length': '1', ...headers } })
      return harness.send('PUT', target, { ...signed.headers, expect: '100-continue' }, 'x')
    }
    expect(await attempt('/nowhere/k')).toMatchObject({ status: 404, code: 'NoSuchBucket', continued: false })
    expect(await attempt('/media/cond', { 'if-none-match': '*' })).toMatchObject({ status: 412, continued: false })
    expect(await attempt('/media/expect')).toMatchObject({ status: 200, continued: true })
  })
  it('O37: unknown expectations are ignored', async () => {
    const { headers } = harness.sign({ method: 'PUT', target: '/media/o37', body: 'x' })
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const answer = await harness.raw(
      `PUT /media/o37 HTTP/1.1\r\n${lines.join('')}expect: 200\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx`
    )
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  })
  it.each([
    [{ 'x-amz-server-side-encryption': 'AES256' }, 501, 'NotImplemented'],
    [{ 'x-amz-storage-class': 'GLACIER' }, 400, 'InvalidStorageClass'],
    [{ 'x-amz-acl': 'public-read' }, 400, 'AccessControlListNotSupported'],
    [{ 'x-amz-grant-read': 'id=x' }, 400, 'AccessControlListNotSupported'],
    [{ 'x-amz-tagging': 'a=b' }, 501, 'NotImplemented'],
    [{ 'x-amz-expected-bucket-owner': 'somebody' }, 403, 'AccessDenied']
  ])('O38: refuses %j', async (headers, status, code) => {
    expect(await put('o38', 'x', headers)).toMatchObject({ status, code })
    expect(await exists('o38')).toBe(false)
  })
  it('accepts the habits that change nothing', async () => {
    const habits = {
      'x-amz-acl': 'private',
      'x-amz-storage-class': 'STANDARD',
      'x-amz-expected-bucket-owner': 'flightcase'
    }
    expect((await put('habits', 'x', habits)).status).toBe(200)
  })
  it('O40: a full disk is told before the body, and reading goes on', async () => {
    const full = await EndpointHarness.open(
      {},
      { space: async () => ({ freeBytes: 1 << 30, totalBytes: 1 << 30 }), reserveBytes: 1 << 30 }
    )
    const signed = full.sign({ method: 'PUT', target: '/media/k', body: 'x', headers: { 'content-length': '1' } })
    const answer = await full.send('PUT', '/media/k', { ...signed.headers, expect: '100-continue' }, 'x')
    expect(answer).toMatchObject({ status: 507, code: 'InsufficientStorage', continued: false })
    expect((await full.request({ target: '/media' })).status).toBe(200)
    await full.dispose()
  })
  it('an object above the limit is refused before it is read', async () => {
    const small = await EndpointHarness.open({ maxObjectBytes: 10 })
    const answer = await small.request({ method: 'PUT', target: '/media/k', body: 'x'.repeat(11) })
    expect(answer).toMatchObject({ status: 400, code: 'EntityTooLarge' })
    await small.dispose()
  })
})

describe('8.3 slow and crowded uploads', () => {
  it('O34, O35: a body may be slow, but not silent', async () => {
    const quick = await EndpointHarness.open({ idleTimeoutMs: 100 })
    const head = () => {
      const { headers } = quick.sign({ method: 'PUT', target: '/media/slow', payloadHash: 'UNSIGNED-PAYLOAD' })
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      return `PUT /media/slow HTTP/1.1\r\n${lines.join('')}connection: close\r\ncontent-length: 10\r\n\r\n`
    }
    expect(await quick.raw(head(), 'abc')).toMatch(/^HTTP\/1\.1 400 [\s\S]*<Code>RequestTimeout</)
    const { connect } = await import('node:net')
    const socket = connect(quick.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk.toString()
    })
    socket.write(head())
    for (let sent = 0; sent < 10; sent++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      socket.write('x')
    }
    await vi.waitFor(() => expect(answer).toMatch(/^HTTP\/1\.1 200 /))
    await quick.dispose()
  })
  it('bodies beyond the limit wait for a moment and are then told to slow down', async () => {
    const crowded = await EndpointHarness.open({ bodySlots: { total: 1, perKey: 1, maxWaitMs: 100 } })
    const { connect } = await import('node:net')
    const socket = connect(crowded.port, '127.0.0.1')
    const { headers } = crowded.sign({ method: 'PUT', target: '/media/one', payloadHash: 'UNSIGNED-PAYLOAD' })
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`PUT /media/one HTTP/1.1\r\n${lines.join('')}content-length: 10\r\n\r\nabc`)
    await vi.waitFor(() => expect(crowded.endpoint.inFlightBodies()).toBe(1))
    const refused = await crowded.request({ method: 'PUT', target: '/media/two', body: 'x' })
    expect(refused).toMatchObject({ status: 503, code: 'SlowDown', headers: { 'retry-after': '1' } })
    const waiting = crowded.request({ method: 'PUT', target: '/media/two', body: 'x' })
    socket.write('defghij')
    expect((await waiting).status).toBe(200)
    socket.destroy()
    await crowded.dispose()
  })
  it('people see uploads start, go on and end', async () => {
    harness.progress.length = 0
    await put('progress', 'hello')
    await put('progress', 'hello', { 'content-md5': createHash('md5').update('y').digest('base64') })
    expect(harness.progress.map((event) => event.state)).toEqual(['started', 'stored', 'started', 'failed'])
    expect(harness.progress[1]).toEqual({
      accessKeyId: harness.admin.accessKeyId,
      sessionDeviceId: null,
      bucket: 'media',
      key: 'progress',
      receivedBytes: 5,
      totalBytes: 5,
      state: 'stored'
    })
    expect(harness.progress[3]?.errorCode).toBe('BadDigest')
  })
})

describe('8.3 reading', () => {
  beforeAll(() => put('ten', '0123456789', { 'x-amz-checksum-crc32': crc32('0123456789') }))

  it.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=-1', '9', 'bytes 9-9/10'],
    ['bytes=5-', '56789', 'bytes 5-9/10'],
    ['bytes=8-100', '89', 'bytes 8-9/10'],
    ['bytes=-100', '0123456789', 'bytes 0-9/10']
  ])('O17: %s', async (range, body, contentRange) => {
    const answer = await get('ten', { range, 'x-amz-checksum-mode': 'ENABLED' })
    expect(answer).toMatchObject({ status: 206, body, headers: { 'content-range': contentRange } })
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('x-amz-checksum'))).toEqual([])
  })
  it.each(['bytes=10-', 'bytes=-0', 'bytes=99-100'])('%s cannot be satisfied', async (range) => {
    expect(await get('ten', { range })).toMatchObject({
      status: 416,
      code: 'InvalidRange',
      headers: { 'content-range': 'bytes */10' }
    })
  })
  it.each(['bytes=5-3', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=', 'bytes=a-b'])('%s is ignored', async (range) => {
    expect(await get('ten', { range })).toMatchObject({ status: 200, body: '0123456789' })
  })
  it('O18: the checksum of a whole object is told on request and verified by the SDK', async () => {
    expect((await get('ten')).headers['x-amz-checksum-crc32']).toBeUndefined()
    const answer = await get('ten', { 'x-amz-checksum-mode': 'ENABLED' })
    expect(answer.headers['x-amz-checksum-crc32']).toBe(crc32('0123456789'))
    const s3 = harness.client()
    const got = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: 'ten', ChecksumMode: 'ENABLED' }))
    expect(await got.Body?.transformToString()).toBe('0123456789')
    s3.destroy()
  })
  it('judges conditional reads', async () => {
    const { headers } = await get('ten')
    const etag = String(headers['etag'])
    const modified = String(headers['last-modified'])
    const later = new Date(Date.parse(modified) + 60_000).toUTCString()
    const earlier = new Date(Date.parse(modified) - 60_000).toUTCString()
    const statusOf = async (conditions: Record<string, string>) => (await get('ten', conditions)).status
    expect(await statusOf({ 'if-match': etag })).toBe(200)
    expect(await statusOf({ 'if-match': '"x"' })).toBe(412)
    expect(await statusOf({ 'if-none-match': etag })).toBe(304)
    expect(await statusOf({ 'if-none-match': '"x"', 'if-modified-since': later })).toBe(200)
    expect(await statusOf({ 'if-modified-since': modified })).toBe(304)
    expect(await statusOf({ 'if-modified-since': earlier })).toBe(200)
    expect(await statusOf({ 'if-unmodified-since': earlier })).toBe(412)
    expect(await statusOf({ 'if-match': etag, 'if-unmodified-since': earlier })).toBe(200)
    expect(await statusOf({ range: 'bytes=0-1', 'if-range': etag })).toBe(206)
    expect(await statusOf({ range: 'bytes=0-1', 'if-range': '"x"' })).toBe(200)
    const fresh = await get('ten', { 'if-none-match': etag })
    expect([fresh.body, fresh.headers['etag'], fresh.headers['x-amz-request-id']]).toEqual([
      '',
      etag,
      expect.any(String)
    ])
  })
  it('HEAD tells the same as GET, and errors without a body', async () => {
    const head = await harness.request({ method: 'HEAD', target: '/media/ten' })
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '10', 'accept-ranges': 'bytes' } })
    expect(await harness.request({ method: 'HEAD', target: '/media/missing' })).toMatchObject({ status: 404, body: '' })
  })
  it('a single PUT has exactly part 1', async () => {
    const part = await harness.request({ target: '/media/ten?partNumber=1' })
    expect(part).toMatchObject({ status: 206, body: '0123456789' })
    expect(part.headers['x-amz-mp-parts-count']).toBeUndefined()
    expect(await harness.request({ target: '/media/ten?partNumber=2' })).toMatchObject({
      status: 416,
      code: 'InvalidPartNumber'
    })
  })
  it('O19: readers see one version or the other, complete', async () => {
    const versions = ['a', 'b'].map((letter) => Buffer.alloc(8 * 1024 * 1024, letter))
    const etags = new Map(versions.map((bytes) => [`"${createHash('md5').update(bytes).digest('hex')}"`, bytes[0]]))
    await put('o19', versions[0] ?? '')
    const write = async () => {
      for (let i = 0; i < 4; i++) await put('o19', versions[i % 2] ?? '')
    }
    const read = async () => {
      for (let i = 0; i < 8; i++) {
        const { headers, body } = await get('o19')
        const letter = String.fromCharCode(etags.get(String(headers['etag'])) ?? 0)
        expect(body.length).toBe(8 * 1024 * 1024)
        expect(body === letter.repeat(body.length)).toBe(true)
      }
    }
    await Promise.all([write(), read()])
  })
  it('O43: an object whose bytes are lost is an error, never "not found"', async () => {
    const lost = await EndpointHarness.open()
    await lost.request({ method: 'PUT', target: '/media/k', body: 'hello' })
    const blobs = await readdir(join(lost.directory, 'blobs'), { recursive: true, withFileTypes: true })
    for (const file of blobs.filter((entry) => entry.isFile())) await rm(join(file.parentPath, file.name))
    expect(await lost.request({ target: '/media/k' })).toMatchObject({ status: 500, code: 'InternalError' })
    expect((await lost.request({ method: 'HEAD', target: '/media/k' })).status).toBe(500)
    await lost.dispose()
  })
  it('O42: a blob that became shorter ends the answer early', async () => {
    const cut = await EndpointHarness.open()
    await cut.request({ method: 'PUT', target: '/media/k', body: 'x'.repeat(300_000) })
    const blobs = await readdir(join(cut.directory, 'blobs'), { recursive: true, withFileTypes: true })
    for (const file of blobs.filter((entry) => entry.isFile())) {
      await rm(join(file.parentPath, file.name))
      await writeFile(join(file.parentPath, file.name), 'x'.repeat(1000))
    }
    const answer = await cut.request({ target: '/media/k' }).catch(() => 'cut off' as const)
    if (answer !== 'cut off') expect(answer.status).toBe(500)
    await cut.dispose()
  })
})

describe('8.3 copying and deleting', () => {
  it('O21: a copy onto itself must change something', async () => {
    await put('self', 'x', { 'x-amz-meta-a': '1' })
    const copy = (headers: Record<string, string>) =>
      harness.request({
        method: 'PUT',
        target: '/media/self',
        headers: { 'x-amz-copy-source': '/media/self', ...headers }
      })
    expect(await copy({})).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect((await copy({ 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-a': '2' })).status).toBe(200)
    expect((await get('self')).headers['x-amz-meta-a']).toBe('2')
    expect(await copy({ 'x-amz-metadata-directive': 'SOME' })).toMatchObject({ code: 'InvalidArgument' })
  })
  it('O22: the source is decoded exactly once', async () => {
    await put('100%2525', 'percent')
    await put('100%25', 'wrong')
    const copy = (source: string) =>
      harness.request({ method: 'PUT', target: '/media/copied', headers: { 'x-amz-copy-source': source } })
    for (const source of ['/media/100%2525', 'media%2F100%2525', 'media/100%2525?versionId=null']) {
      expect((await copy(source)).status).toBe(200)
      expect((await get('copied')).body).toBe('percent')
    }
    expect(await copy('media/missing')).toMatchObject({ status: 404, code: 'NoSuchKey' })
    expect(await copy('nowhere/k')).toMatchObject({ status: 404, code: 'NoSuchBucket' })
    expect(await copy('media')).toMatchObject({ status: 400, code: 'InvalidArgument' })
    expect(await copy('media/100%2525?versionId=abc')).toMatchObject({ status: 400, code: 'InvalidArgument' })
  })
  it('copies only what the conditions on the source allow', async () => {
    const { etag } = (await put('src', 'x')).headers
    const copy = async (name: string, value: string) => {
      const headers = { 'x-amz-copy-source': 'media/src', [`x-amz-copy-source-if-${name}`]: value }
      return (await harness.request({ method: 'PUT', target: '/media/dst', headers })).status
    }
    expect(await copy('match', String(etag))).toBe(200)
    expect(await copy('match', '"x"')).toBe(412)
    expect(await copy('none-match', String(etag))).toBe(412)
    expect(await copy('modified-since', new Date(Date.now() + 60_000).toUTCString())).toBe(412)
    expect(await copy('unmodified-since', new Date(0).toUTCString())).toBe(412)
  })
  it('O23: batch deletes take exactly the keys they name, and only when the body is protected', async () => {
    const keys = ['a&b', ' 0012', '1e5', 'true', 'keep']
    for (const key of keys) await put(`d/${encodeURIComponent(key)}`, 'x')
    const remove = (xml: string, changes: Partial<SignedRequest> = {}) =>
      harness.request({ method: 'POST', target: '/media?delete', body: xml, ...changes })
    const object = (key: string) => `<Object><Key>d/${key}</Key></Object>`
    const xml = `<Delete>${['a&amp;b', ' 0012', '1e5', 'true', 'never'].map(object).join('')}</Delete>`
    expect(await remove(xml, { payloadHash: 'UNSIGNED-PAYLOAD' })).toMatchObject({
      status: 400,
      code: 'InvalidRequest'
    })
    expect(await remove(`<Delete>${object('k').repeat(1001)}</Delete>`)).toMatchObject({ code: 'MalformedXML' })
    expect(await remove('<Delete/>')).toMatchObject({ status: 400, code: 'MalformedXML' })
    const answer = await remove(xml)
    expect(answer.status).toBe(200)
    expect(answer.body.match(/<Deleted>/g)).toHaveLength(5)
    const list = await harness.request({ target: '/media?list-type=2&prefix=d%2F' })
    expect(list.body.match(/<Key>(.*?)<\/Key>/g)).toEqual(['<Key>d/keep</Key>'])
    const quiet = await remove(`<Delete><Quiet>true</Quiet>${object('keep')}</Delete>`)
    expect(quiet.body).not.toContain('Deleted>')
  })
  it('deletes are idempotent and know one version', async () => {
    await put('gone', 'x')
    const remove = (target: string) => harness.request({ method: 'DELETE', target })
    expect(await remove('/media/gone?versionId=abc')).toMatchObject({ status: 400, code: 'InvalidArgument' })
    expect((await remove('/media/gone?versionId=null')).status).toBe(204)
    expect((await remove('/media/gone')).status).toBe(204)
  })
})

describe('8.3 listing', () => {
  it('O33: any key survives a listing without encoding', async () => {
    const keys = [' ', '_ ', 'a<b', 'a&b', '"q"', '?x', '50%', '#1', 'é\u0301', '\u{1F681}']
    const other = await EndpointHarness.open()
    const s3 = other.client()
    for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket: 'media', Key, Body: Buffer.alloc(0) }))
    for (const target of ['/media', '/media?list-type=2', '/media?versions'])
      expect(unescapedKeys((await other.request({ target })).body)).toEqual([...keys].sort(byUtf8))
    const encoded = await other.request({ target: '/media?encoding-type=url' })
    expect(unescapedKeys(encoded.body).map(decodeURIComponent)).toEqual([...keys].sort(byUtf8))
    expect(encoded.body).toContain('<Key>%20</Key>')
    s3.destroy()
    await other.dispose()
  })
  it('pages by keys and common prefixes together', async () => {
    const other = await EndpointHarness.open()
    for (const key of ['a/1', 'a/2', 'b', 'c/1', 'd'])
      await other.request({ method: 'PUT', target: `/media/${key}`, body: '' })
    const seen: string[] = []
    let token: string | undefined
    do {
      const more: string = token === undefined ? '' : `&continuation-token=${token}`
      const { body } = await other.request({ target: `/media?list-type=2&delimiter=%2F&max-keys=1${more}` })
      seen.push(
        ...(body.match(/<(?:Key|CommonPrefixes><Prefix)>(.*?)</g) ?? []).map((m) => m.replace(/<.*>(.*)</, '$1'))
      )
      token = /<NextContinuationToken>(.*?)</.exec(body)?.[1]
    } while (token !== undefined)
    expect(seen).toEqual(['a/', 'b', 'c/', 'd'])
    await other.dispose()
  })
  it.each([
    ['max-keys=-1', 'InvalidArgument'],
    ['max-keys=x', 'InvalidArgument'],
    ['encoding-type=base64', 'InvalidArgument'],
    ['list-type=2&continuation-token=zzz', 'InvalidArgument'],
    ['list-type=3', 'InvalidArgument']
  ])('refuses %s', async (query, code) => {
    expect(await harness.request({ target: `/media?${query}` })).toMatchObject({ status: 400, code })
  })
  it('max-keys=0 is an empty, complete listing', async () => {
    const { body } = await harness.request({ target: '/media?max-keys=0' })
    expect(body).toContain('<IsTruncated>false</IsTruncated>')
    expect(body).not.toContain('<Contents>')
  })
})

describe('what is not offered', () => {
  it.each(['policy', 'lifecycle', 'encryption', 'tagging', 'website', 'replication', 'object-lock', 'notification'])(
    '?%s is not implemented',
    async (name) => {
      for (const method of ['GET', 'PUT', 'DELETE'])
        expect(await harness.request({ method, target: `/media?${name}` })).toMatchObject({
          status: 501,
          code: 'NotImplemented'
        })
    }
  )
  it('versioning can be read but not switched on', async () => {
    expect((await harness.request({ target: '/media?versioning' })).body).toContain('<VersioningConfiguration')
    expect((await harness.request({ method: 'PUT', target: '/media?versioning' })).status).toBe(501)
  })
  it('only the private ACL exists', async () => {
    expect((await harness.request({ target: '/media?acl' })).body).toContain('FULL_CONTROL')
    const set = (acl: string) => harness.request({ method: 'PUT', target: '/media?acl', headers: { 'x-amz-acl': acl } })
    expect((await set('private')).status).toBe(200)
    expect(await set('public-read')).toMatchObject({ status: 400, code: 'AccessControlListNotSupported' })
    const { body } = await harness.request({ target: '/media?acl' })
    const give = (xml: string) => harness.request({ method: 'PUT', target: '/media?acl', body: xml })
    expect((await give(body)).status).toBe(200)
    for (const xml of [body.replace('FULL_CONTROL', 'READ'), body.replaceAll('>flightcase<', '>other<')])
      expect(await give(xml)).toMatchObject({ status: 400, code: 'AccessControlListNotSupported' })
  })
  it('unknown methods are named with the allowed ones', async () => {
    const answer = await harness.request({ method: 'PATCH', target: '/media/k' })
    expect(answer).toMatchObject({
      status: 405,
      code: 'MethodNotAllowed',
      headers: { allow: 'GET, HEAD, PUT, DELETE' }
    })
    expect(await harness.request({ method: 'POST', target: '/media' })).toMatchObject({ status: 501 })
  })
  it.each([
    ['an absolute target', 'GET http://h/media HTTP/1.1\r\nhost: h\r\n'],
    ['a fragment', 'GET /media#x HTTP/1.1\r\nhost: h\r\n'],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nhost: h\r\n'],
    ['a negative length', 'PUT /media/k HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n'],
    ['no HTTP', 'hello\r\n']
  ])('%s is refused with 400 and the request id', async (_, head) => {
    const answer = await harness.raw(`${head}connection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('<Error>')
  })
  it('the request id of an error is the one in the header', async () => {
    const answer = await get('missing')
    expect(answer.body).toContain(`<RequestId>${String(answer.headers['x-amz-request-id'])}</RequestId>`)
    expect(answer.headers['x-amz-request-id']).toMatch(/^[0-9A-F]{16}$/)
  })
})

function crc32(text: string): string {
  const table = Buffer.alloc(4)
  let crc = 0xffffffff
  for (const byte of Buffer.from(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  table.writeUInt32BE((crc ^ 0xffffffff) >>> 0)
  return table.toString('base64')
}

function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function unescapedKeys(xml: string): string[] {
  const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"' }
  return [...xml.matchAll(/<Key>([\s\S]*?)<\/Key>/g)].map((match) =>
    (match[1] ?? '').replace(/&(?:lt|gt|amp|quot);/g, (entity) => entities[entity] ?? '')
  )
}

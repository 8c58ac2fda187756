import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { EMPTY_SHA256, hmac, scopeText } from './canonical-request.ts'
import { EndpointHarness, type SignedRequest } from './endpoint-harness.ts'

let harness: EndpointHarness
beforeAll(async () => {
  harness = await EndpointHarness.open()
})
afterAll(() => harness.dispose())

const put = (key: string, body: string | Buffer, headers?: Record<string, string>) => harness.put(key, body, headers)
const get = (key: string, headers?: Record<string, string>) => harness.get(key, headers)
const exists = (key: string) => harness.exists(key)
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
  return harness.raw(harness.head({ method: 'PUT', target, payloadHash, headers }), ...pieces)
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
    const socket = connect(harness.port, '127.0.0.1')
    const request = { method: 'PUT', target: '/media/o2', payloadHash: 'UNSIGNED-PAYLOAD' }
    socket.write(`${harness.head(request, 'content-length: 10\r\n')}abcd`)
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
  it('O7: a chunk of absurd size is refused at once, however much is sent of it', async () => {
    const request: SignedRequest = {
      method: 'PUT',
      target: '/media/o7',
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: {
        'x-amz-decoded-content-length': '5000000',
        'x-amz-trailer': 'x-amz-checksum-crc32',
        'transfer-encoding': 'chunked'
      }
    }
    const socket = connect(harness.port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text
    })
    socket.on('error', () => {})
    socket.write(`${harness.head(request)}12\r\nffffffffffffffff\r\n\r\n`)
    const piece = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const sendMore = () => {
      while (!socket.destroyed && socket.write(piece));
    }
    socket.on('drain', sendMore)
    sendMore()
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*<Code>IncompleteBody</)
    expect(socket.bytesWritten).toBeLessThan(64 * 1024 * 1024)
    expect([await exists('o7'), await harness.staged()]).toEqual([false, []])
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
  it('a payload mode with a trailer needs one: without it nothing would vouch for the bytes', async () => {
    const bare = await trailerPut('o6', '5\r\nhello\r\n0\r\n\r\n', { 'x-amz-trailer': '' })
    expect(bare).toMatchObject({ status: 400, code: 'MalformedTrailerError' })
    expect(await exists('o6')).toBe(false)
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
    const more = 'expect: 200\r\ncontent-length: 1\r\nconnection: close\r\n'
    const answer = await harness.raw(harness.head({ method: 'PUT', target: '/media/o37', body: 'x' }, more), 'x')
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
  it('O40: a full disk is told before the body; reading, deleting and giving up go on', async () => {
    let freeBytes = 1 << 30
    const full = await EndpointHarness.open(
      {},
      { space: async () => ({ freeBytes, totalBytes: 1 << 30 }), reserveBytes: 1 << 20 }
    )
    await full.put('old', 'hello')
    const { body } = await full.request({ method: 'POST', target: '/media/parts?uploads' })
    const upload = `uploadId=${/<UploadId>(.*?)</.exec(body)?.[1]}`
    freeBytes = 0
    for (const target of ['/media/k', `/media/parts?partNumber=1&${upload}`]) {
      const signed = full.sign({ method: 'PUT', target, body: 'x', headers: { 'content-length': '1' } })
      const answer = await full.send('PUT', target, { ...signed.headers, expect: '100-continue' }, 'x')
      expect(answer).toMatchObject({ status: 507, code: 'InsufficientStorage', continued: false })
    }
    const copy = { method: 'PUT', target: '/media/copy', headers: { 'x-amz-copy-source': 'media/old' } }
    expect(await full.request(copy)).toMatchObject({ status: 507, code: 'InsufficientStorage' })
    expect(await full.get('old')).toMatchObject({ status: 200, body: 'hello' })
    expect((await full.request({ target: '/media' })).status).toBe(200)
    expect((await full.request({ method: 'DELETE', target: `/media/parts?${upload}` })).status).toBe(204)
    expect((await full.request({ method: 'DELETE', target: '/media/old' })).status).toBe(204)
    freeBytes = 1 << 30
    expect((await full.put('k', 'x')).status).toBe(200)
    await full.dispose()
  })
  it('an object above the limit is refused before it is read', async () => {
    const small = await EndpointHarness.open({ maxObjectBytes: 10 })
    const answer = await small.request({ method: 'PUT', target: '/media/k', body: 'x'.repeat(11) })
    expect(answer).toMatchObject({ status: 400, code: 'EntityTooLarge' })
    await small.dispose()
  })
})

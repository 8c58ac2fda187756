import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Authenticator } from './authenticate.ts'
import { EndpointHarness } from './endpoint-harness.ts'
import { parseRequestTarget } from './request-target.ts'
import { S3Error } from './s3-error.ts'

let harness: EndpointHarness
beforeAll(async () => {
  harness = await EndpointHarness.open()
  await harness.request({ method: 'PUT', target: '/media/k', body: 'hello' })
})
afterEach(() => harness.turnClock(0))
afterAll(() => harness.dispose())

const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
const flipped = (authorization: string) => authorization.slice(0, -1) + (authorization.endsWith('0') ? '1' : '0')
const trailerRequest = (target: string) => ({
  method: 'PUT',
  target,
  payloadHash: UNSIGNED_TRAILER,
  headers: { 'x-amz-trailer': 'x-amz-checksum-crc32', 'x-amz-decoded-content-length': '5' },
  body: '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n'
})
/** A second loopback address, where the system has one. */
const OTHER_ADDRESS = process.platform === 'darwin' ? undefined : '127.0.0.2'
const exists = async (key: string) =>
  (await harness.request({ method: 'HEAD', target: `/media/${key}` })).status === 200

describe('8.1 authentication', () => {
  it('A1: nothing signed is 403 and does not say what exists', async () => {
    const answers = await Promise.all(
      ['/media/k', '/media/missing', '/nowhere/k'].map((target) => harness.send('GET', target, {}))
    )
    for (const answer of answers) expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' })
    const shapes = answers.map((answer) => answer.body.replace(/<(Resource|RequestId|HostId)>.*?<\/\1>/g, ''))
    expect(new Set(shapes).size).toBe(1)
  })
  it('A2: a changed signature is refused without telling the right one', async () => {
    const good = harness.sign({ target: '/media/k' })
    const answer = await harness.request({ target: '/media/k', tamper: flipped })
    expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
    expect(answer.body).not.toContain(good.signing.seedSignature)
  })
  it('A3: an unknown key is refused after the same work', async () => {
    const credentials = { accessKeyId: 'FCUUNKNOWN', secretAccessKey: 'x'.repeat(40) }
    expect(await harness.request({ target: '/media/k', credentials })).toMatchObject({
      status: 403,
      code: 'InvalidAccessKeyId'
    })
  })
  it('A3: neither takes noticeably longer than the other', () => {
    const { identity } = harness
    const authenticator = new Authenticator({ identity, region: 'us-east-1', clock: () => 0, explainSignatures: false })
    const timesUs = { known: [] as number[], unknown: [] as number[] }
    for (let i = 0; i < 400; i++)
      for (const kind of ['known', 'unknown'] as const) {
        const accessKeyId = kind === 'known' ? harness.admin.accessKeyId : `FCUNOBODY${i}`
        const { headers } = harness.sign({
          target: '/media/k',
          credentials: { accessKeyId, secretAccessKey: 'wrong' },
          timeMs: 0
        })
        const request = {
          method: 'GET',
          target: parseRequestTarget('/media/k'),
          headers: new Map(Object.entries(headers)),
          peer: `peer ${i} ${kind}`,
          service: 's3' as const,
          acceptsAnyRegion: false
        }
        const before = process.hrtime.bigint()
        expect(() => authenticator.authenticate(request)).toThrow(S3Error)
        timesUs[kind].push(Number(process.hrtime.bigint() - before) / 1000)
      }
    const median = (times: number[]) => times.sort((a, b) => a - b)[times.length / 2] ?? Number.NaN
    const ratio = median(timesUs.known) / median(timesUs.unknown)
    expect(ratio).toBeGreaterThan(1 / 3)
    expect(ratio).toBeLessThan(3)
  })
  it.each([
    ['upper case', (a: string) => a.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase().replace(/^[0-9]/, 'A'))],
    ['63 digits', (a: string) => a.slice(0, -1)]
  ])('A4: a signature in %s is refused', async (_, tamper) => {
    expect(await harness.request({ target: '/media/k', tamper })).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch'
    })
  })
  it.each([-16, 16])('A5: %i minutes of skew are too much, 14 are not', async (minutes) => {
    const answer = await harness.request({ target: '/media/k', timeMs: harness.nowMs + minutes * 60_000 })
    expect(answer).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' })
    expect(answer.body).toMatch(/<ServerTime>.+Z<\/ServerTime><MaxAllowedSkewMilliseconds>900000</)
    expect(answer.headers['date']).toBeDefined()
    const fine = Math.sign(minutes) * 14 * 60_000
    expect((await harness.request({ target: '/media/k', timeMs: harness.nowMs + fine })).status).toBe(200)
  })
  it('A6: the date of the scope must be the date of the request', async () => {
    const answer = await harness.request({ target: '/media/k', scopeDate: '20200101' })
    expect(answer).toMatchObject({ status: 400, code: 'AuthorizationHeaderMalformed' })
  })
  it('A7: a scope for another service is refused', async () => {
    const answer = await harness.request({ target: '/media/k', service: 'sts' })
    expect(answer).toMatchObject({ status: 400, code: 'AuthorizationHeaderMalformed' })
  })
  it('a scope for another region names the right one, except where clients ask for it', async () => {
    const other = await EndpointHarness.open({ region: 'eu-north-1' })
    const answer = await other.request({ target: '/media/k', region: 'ap-east-1' })
    expect(answer).toMatchObject({ status: 400, code: 'AuthorizationHeaderMalformed' })
    expect(answer.body).toContain('<Region>eu-north-1</Region>')
    expect((await other.request({ target: '/media?location', region: 'ap-east-1' })).body).toContain('>eu-north-1<')
    expect((await other.request({ target: '/', region: 'ap-east-1' })).status).toBe(200)
    await other.dispose()
  })
  it('A8: the host must be signed', async () => {
    const tamper = (a: string) => a.replace('SignedHeaders=host;', 'SignedHeaders=')
    expect(await harness.request({ target: '/media/k', tamper })).toMatchObject({ status: 403, code: 'AccessDenied' })
  })
  it('A9: an x-amz-* header added on the way is refused', async () => {
    const answer = await harness.request({ target: '/media/k', unsignedHeaders: { 'x-amz-meta-x': '1' } })
    expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' })
    expect(answer.body).toContain('x-amz-meta-x')
  })
  it('A10: header and query authentication exclude each other', async () => {
    const target = '/media/k?X-Amz-Signature=00'
    expect(await harness.request({ target })).toMatchObject({ status: 400, code: 'InvalidArgument' })
  })
  it('A11: two Host headers are refused', async () => {
    const { headers } = harness.sign({ target: '/media/k' })
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const answer = await harness.raw(
      `GET /media/k HTTP/1.1\r\n${lines.join('')}host: evil\r\nconnection: close\r\n\r\n`
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*<Code>InvalidRequest</)
  })
  it.each([
    ['header', '/media/k', { authorization: 'AWS AK:c2lnbmF0dXJl' }],
    ['query', '/media/k?AWSAccessKeyId=AK&Signature=x&Expires=1', {}]
  ])('A12: signature version 2 in the %s is refused by name', async (_, target, headers) => {
    const answer = await harness.send('GET', target, headers)
    expect(answer).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(answer.body).toContain('AWS4-HMAC-SHA256')
  })
  it('A13: SigV4a is not implemented', async () => {
    const tamper = (a: string) => a.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256')
    expect(await harness.request({ target: '/media/k', tamper })).toMatchObject({ status: 501, code: 'NotImplemented' })
  })
  it('A14: no spaces after the commas are needed', async () => {
    const tamper = (a: string) => a.replaceAll(', ', ',')
    expect((await harness.request({ target: '/media/k', tamper })).status).toBe(200)
  })
  it('A15: x-amz-content-sha256 is mandatory', async () => {
    const { headers } = harness.sign({ target: '/media/k' })
    delete headers['x-amz-content-sha256']
    expect(await harness.send('GET', '/media/k', headers)).toMatchObject({ status: 400, code: 'MissingSecurityHeader' })
  })
  it('A16: a body altered in transit leaves the previous object intact', async () => {
    await harness.request({ method: 'PUT', target: '/media/a16', body: 'first' })
    const { headers } = harness.sign({ method: 'PUT', target: '/media/a16', body: 'secon' })
    const answer = await harness.send('PUT', '/media/a16', headers, 'SECON')
    expect(answer).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' })
    expect((await harness.request({ target: '/media/a16' })).body).toBe('first')
    expect(await harness.staged()).toEqual([])
  })
  it('A17: an unsigned trailer with a key in the query and a bogus signature stores nothing', async () => {
    const { accessKeyId } = harness.admin
    const target = harness.presign('PUT', '/media/a17', { credentials: { accessKeyId, secretAccessKey: 'wrong' } })
    const { headers, body } = trailerRequest(target)
    const sent = { ...headers, 'x-amz-content-sha256': UNSIGNED_TRAILER }
    expect([400, 403]).toContain((await harness.send('PUT', target, sent, body)).status)
    expect([400, 403]).toContain(
      (await harness.send('PUT', `/media/a17?X-Amz-Credential=${accessKeyId}`, sent, body)).status
    )
    expect(await exists('a17')).toBe(false)
  })
  it('A18: an unsigned trailer with a forged signature is refused before the body', async () => {
    const request = trailerRequest('/media/a18')
    const { headers } = harness.sign({ ...request, tamper: flipped })
    const answer = await harness.send('PUT', request.target, { ...headers, expect: '100-continue' }, request.body)
    expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch', continued: false })
    expect(await exists('a18')).toBe(false)
    expect((await harness.request(request)).status).toBe(200)
  })
  it('A19: the same on a part', async () => {
    const upload = await harness.request({ method: 'POST', target: '/media/a19?uploads' })
    const uploadId = /<UploadId>(.*?)</.exec(upload.body)?.[1]
    const target = `/media/a19?partNumber=1&uploadId=${uploadId}`
    expect(await harness.request({ ...trailerRequest(target), tamper: flipped })).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch'
    })
    expect((await harness.request({ target: `/media/a19?uploadId=${uploadId}` })).body).not.toContain('<Part>')
  })
  it('A20: 25 failures within 10 s block that address and no other, and not longer', async () => {
    const other = await EndpointHarness.open()
    const codes: (string | undefined)[] = []
    for (let i = 0; i < 25; i++) codes.push((await other.request({ target: '/media/k', tamper: flipped })).code)
    expect(codes.slice(0, 20)).toEqual(Array(20).fill('SignatureDoesNotMatch'))
    expect(codes.slice(20)).toEqual(Array(5).fill('SlowDown'))
    const blocked = await other.request({ target: '/media' })
    expect(blocked).toMatchObject({ status: 503, code: 'SlowDown' })
    expect(blocked.headers['retry-after']).toBe('1')
    if (OTHER_ADDRESS !== undefined) {
      const { headers } = other.sign({ target: '/media' })
      expect((await other.send('GET', '/media', headers, '', OTHER_ADDRESS)).status).toBe(200)
    }
    other.turnClock(11_000)
    expect((await other.request({ target: '/media' })).status).toBe(200)
    await other.dispose()
  })
  it('A22: an access key with slashes works', async () => {
    const credentials = harness.user({
      name: 'slashes',
      accessKeyId: 'AKIA/with/slash',
      secretAccessKey: 'secret-with-slashes/and+plus'
    })
    expect((await harness.request({ target: '/media/k', credentials })).status).toBe(200)
  })
  it('a captured bucket creation does not work twice', async () => {
    const { headers } = harness.sign({ method: 'PUT', target: '/replayed' })
    expect((await harness.send('PUT', '/replayed', headers)).status).toBe(200)
    harness.turnClock(60_000)
    expect(await harness.send('PUT', '/replayed', headers)).toMatchObject({ status: 403, code: 'AccessDenied' })
  })
  it('a link to a bucket operation works once, and for 15 minutes at most', async () => {
    const link = harness.presign('PUT', '/linked', { expires: '604800' })
    const late = harness.presign('PUT', '/linked-late', { expires: '604800' })
    const upload = harness.presign('PUT', '/media/linked', { expires: '604800' })
    expect((await harness.send('PUT', link, {})).status).toBe(200)
    for (const minutes of [1, 14, 24 * 60]) {
      harness.turnClock(minutes * 60_000)
      expect(await harness.send('PUT', link, {})).toMatchObject({ status: 403, code: 'AccessDenied' })
    }
    expect(await harness.send('PUT', late, {})).toMatchObject({ status: 403, code: 'AccessDenied' })
    expect((await harness.send('PUT', upload, { 'content-length': '1' }, 'x')).status).toBe(200)
  })
  it('what was taken as signed is shown only where that is switched on, and never the right signature', async () => {
    const target = '/media/k?list-type=2'
    expect((await harness.request({ target, tamper: flipped })).body).not.toMatch(/StringToSign|CanonicalRequest/)
    const open = await EndpointHarness.open({ explainSignatures: true })
    const { headers, signing } = open.sign({ target })
    const answer = await open.send('GET', target, {
      ...headers,
      authorization: flipped(headers['authorization'] ?? '')
    })
    const shown = answer.body.replaceAll('&#10;', '\n')
    expect(shown).toMatch(/<StringToSign>AWS4-HMAC-SHA256\n\d{8}T\d{6}Z\n/)
    expect(shown).toMatch(/<CanonicalRequest>GET\n\/media\/k\nlist-type=2\nhost:/)
    expect(answer.body).not.toContain(signing.seedSignature)
    await open.dispose()
  })
  it('the path may be signed as it was sent instead of in canonical form', async () => {
    await harness.request({ method: 'PUT', target: '/media/a%2Bb', body: 'x' })
    expect((await harness.request({ target: '/media/a%2Bb' })).status).toBe(200)
    expect((await harness.request({ target: '/media/a+b' })).status).toBe(200)
  })
})

describe('8.2 presigned requests', () => {
  const get = (target: string) => harness.send('GET', target, {})

  it('P1: works until it expires', async () => {
    const target = harness.presign('GET', '/media/k', { expires: '60' })
    harness.turnClock(58_000)
    expect(await get(target)).toMatchObject({ status: 200, body: 'hello' })
    harness.turnClock(61_000)
    const late = await get(target)
    expect(late).toMatchObject({ status: 403, code: 'AccessDenied' })
    expect(late.body).toMatch(/expired[\s\S]*<Expires>[\s\S]*<ServerTime>/)
  })
  it('is not valid long before its date', async () => {
    const target = harness.presign('GET', '/media/k', { timeMs: harness.nowMs + 16 * 60_000 })
    expect(await get(target)).toMatchObject({ status: 403, code: 'AccessDenied' })
  })
  it.each(['0', '-5', '604801', 'abc'])('P2: X-Amz-Expires=%s is refused', async (expires) => {
    expect(await get(harness.presign('GET', '/media/k', { expires }))).toMatchObject({
      status: 400,
      code: 'AuthorizationQueryParametersError'
    })
  })
  it('P3: any change of the query breaks the signature', async () => {
    const target = harness.presign('GET', '/media/k', { parameters: { 'response-cache-control': 'no-store' } })
    const changed = [
      `${target}&x=1`,
      target.replace('&response-cache-control=no-store', ''),
      target.replace('no-store', 'public')
    ]
    expect((await get(target)).headers['cache-control']).toBe('no-store')
    for (const one of changed) expect(await get(one)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
  })
  it('P4: a parameter given twice is refused', async () => {
    expect((await get(`${harness.presign('GET', '/media/k')}&X-Amz-Expires=600`)).status).toBe(400)
  })
  it('P5: a session without its token in the query is refused', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = harness.session(undefined)
    const without = harness.presign('GET', '/media/k', { credentials: { accessKeyId, secretAccessKey } })
    expect(await get(without)).toMatchObject({ status: 400, code: 'InvalidToken' })
    expect(await harness.send('GET', without, { 'x-amz-security-token': sessionToken })).toMatchObject({
      status: 400,
      code: 'InvalidToken'
    })
    const credentials = { accessKeyId, secretAccessKey, sessionToken }
    expect((await get(harness.presign('GET', '/media/k', { credentials }))).status).toBe(200)
  })
  it('P6: it ends with the session it was signed under', async () => {
    const credentials = harness.session(undefined, 900)
    const target = harness.presign('GET', '/media/k', { credentials, expires: '7200' })
    harness.turnClock(899_000)
    expect((await get(target)).status).toBe(200)
    harness.turnClock(901_000)
    expect(await get(target)).toMatchObject({ status: 400, code: 'ExpiredToken' })
  })
  it('P7, P8: signed content type and length bind the upload', async () => {
    const headers = { 'content-type': 'image/jpeg', 'content-length': '5' }
    const target = harness.presign('PUT', '/media/p7', { headers })
    const put = (type: string, body: string) =>
      harness.send('PUT', target, { 'content-type': type, 'content-length': String(body.length) }, body)
    expect(await put('text/html', 'hello')).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
    expect(await put('image/jpeg', 'hello, longer')).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
    expect((await put('image/jpeg', 'hello')).status).toBe(200)
  })
  it('P9: a URL that carries the CRC32 of nothing is explained', async () => {
    const parameters = { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-sdk-checksum-algorithm': 'CRC32' }
    const target = harness.presign('PUT', '/media/p9', { parameters })
    const answer = await harness.send('PUT', target, { 'content-length': '5' }, 'hello')
    expect(answer).toMatchObject({ status: 400, code: 'BadDigest' })
    expect(answer.body).toContain('WHEN_REQUIRED')
    expect(await exists('p9')).toBe(false)
  })
  it.each([
    ['x-amz-meta-note', 'two\r\nlines'],
    ['x-amz-meta-two words', 'x']
  ])(
    'a parameter that could be no header is refused, instead of an object nobody can read: %s',
    async (name, value) => {
      const target = harness.presign('PUT', '/media/hoisted', { parameters: { [name]: value } })
      const answer = await harness.send('PUT', target, { 'content-length': '5' }, 'hello')
      expect(answer).toMatchObject({ status: 400, code: 'InvalidRequest' })
      expect(await exists('hoisted')).toBe(false)
    }
  )
  it('P10: streaming payload modes are refused', async () => {
    const target = harness.presign('PUT', '/media/p10', { payloadHash: UNSIGNED_TRAILER })
    const { headers, body } = trailerRequest(target)
    const answer = await harness.send('PUT', target, { ...headers, 'x-amz-content-sha256': UNSIGNED_TRAILER }, body)
    expect(answer).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(await exists('p10')).toBe(false)
  })
  it('P10: the payload mode may not differ between header and query', async () => {
    const target = harness.presign('PUT', '/media/p10', { payloadHash: 'UNSIGNED-PAYLOAD' })
    const answer = await harness.send(
      'PUT',
      target,
      { 'x-amz-content-sha256': UNSIGNED_TRAILER, 'content-length': '10' },
      '0\r\nx:y\r\n\r\n'
    )
    expect(answer).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(await exists('p10')).toBe(false)
  })
  it('a copy whose headers the signer moved into the URL is a copy, not an empty object over its target', async () => {
    for (const key of ['source', 'target']) {
      const put = harness.presign('PUT', `/media/${key}`)
      expect((await harness.send('PUT', put, { 'content-length': '6' }, key)).status).toBe(200)
    }
    const parameters = { 'x-amz-copy-source': '/media/source' }
    const answer = await harness.send('PUT', harness.presign('PUT', '/media/target', { parameters }), {})
    expect(answer).toMatchObject({ status: 200, body: expect.stringContaining('CopyObjectResult') })
    expect((await get(harness.presign('GET', '/media/target'))).body).toBe('source')
  })
  it('what is not offered is refused in the URL as it is in a header', async () => {
    const parameters = { 'x-amz-server-side-encryption': 'AES256' }
    const target = harness.presign('PUT', '/media/sealed', { parameters })
    const answer = await harness.send('PUT', target, { 'content-length': '1' }, 'x')
    expect(answer).toMatchObject({ status: 501, code: 'NotImplemented' })
    expect(await exists('sealed')).toBe(false)
  })
  it('P11: awkward names work', async () => {
    for (const path of ['/media/a%20b', '/media/a%2Bb', '/media/%C3%A9', '/media/%28x%29', '/media/(x)']) {
      const put = await harness.send('PUT', harness.presign('PUT', path), { 'content-length': '1' }, 'x')
      expect([path, put.status]).toEqual([path, 200])
      expect((await get(harness.presign('GET', path))).body).toBe('x')
    }
  })
  it.each(['long-term', 'temporary'])('P11: links of the AWS SDK work, with %s credentials', async (kind) => {
    const credentials = kind === 'temporary' ? harness.session(undefined) : harness.admin
    const s3 = harness.client(credentials, { requestChecksumCalculation: 'WHEN_REQUIRED' })
    for (const name of ['a b', 'a+b', 'é', '(x)', "it's", 'a*b!~', 'e\u0301', '測', 'a%2Fb', 'x:y;z=1&2', '#1', '?q']) {
      const input = { Bucket: 'media', Key: `p11/${kind}/${name}` }
      const upload = await getSignedUrl(s3, new PutObjectCommand({ ...input, ContentType: 'text/plain' }), {
        expiresIn: 60
      })
      const stored = await fetch(upload, { method: 'PUT', body: name, headers: { 'content-type': 'text/plain' } })
      expect([name, stored.status]).toEqual([name, 200])
      const link = await getSignedUrl(s3, new GetObjectCommand({ ...input, ResponseContentType: 'image/png' }))
      const got = await fetch(link)
      expect([await got.text(), got.headers.get('content-type')]).toEqual([name, 'image/png'])
    }
    const prefix = { Bucket: 'media', Prefix: `p11/${kind}/` }
    const listed = await fetch(await getSignedUrl(s3, new ListObjectsV2Command(prefix)))
    expect((await listed.text()).match(/<Key>/g)).toHaveLength(12)
    s3.destroy()
  })
  it('P14: overrides are part of the signed query, also with header authentication', async () => {
    const target = '/media/k?response-content-disposition=attachment%3B%20filename%3D%22a%20b.jpg%22'
    expect((await harness.request({ target })).headers['content-disposition']).toBe('attachment; filename="a b.jpg"')
    const { headers } = harness.sign({ target })
    expect(await harness.send('GET', target.replace('a%20b', 'evil'), headers)).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch'
    })
    expect(await harness.request({ target: '/media/k?response-content-type=a%0d%0ab' })).toMatchObject({
      status: 400,
      code: 'InvalidArgument'
    })
  })
  it('objects opened by link cannot run scripts', async () => {
    const { headers } = await get(harness.presign('GET', '/media/k'))
    expect(headers).toMatchObject({ 'content-security-policy': 'sandbox', 'x-content-type-options': 'nosniff' })
  })
})

describe('CORS', () => {
  const preflight = (h: EndpointHarness, origin: string, extra: Record<string, string> = {}) =>
    h.send('OPTIONS', '/media/k', {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type,x-amz-meta-a',
      ...extra
    })
  it('P12: a page of an allowed origin may upload and read the ETag', async () => {
    const other = await EndpointHarness.open({ corsOrigins: () => ['http://page:1'] })
    const allowed = await preflight(other, 'http://page:1', { 'access-control-request-private-network': 'true' })
    expect(allowed).toMatchObject({
      status: 200,
      headers: {
        'access-control-allow-origin': 'http://page:1',
        'access-control-allow-methods': 'GET, HEAD, PUT, POST, DELETE',
        'access-control-allow-headers': 'content-type,x-amz-meta-a',
        'access-control-max-age': '3000',
        'access-control-allow-private-network': 'true',
        vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method'
      }
    })
    expect(allowed.headers['access-control-allow-credentials']).toBeUndefined()
    const target = other.presign('PUT', '/media/k')
    const put = await other.send('PUT', target, { origin: 'http://page:1', 'content-length': '1' }, 'x')
    expect(put.status).toBe(200)
    expect(put.headers['access-control-allow-origin']).toBe('http://page:1')
    expect(put.headers['access-control-expose-headers']).toContain('ETag')
    const refused = await other.send('GET', '/media/k', { origin: 'http://page:1' })
    expect(refused).toMatchObject({ status: 403, headers: { 'access-control-allow-origin': 'http://page:1' } })
    await other.dispose()
  })
  it('P13: a foreign origin is refused and never reflected', async () => {
    const answer = await preflight(harness, 'http://evil')
    expect(answer).toMatchObject({ status: 403, code: 'AccessForbidden' })
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    const actual = await harness.send('GET', harness.presign('GET', '/media/k'), { origin: 'http://evil' })
    expect([actual.status, actual.headers['access-control-allow-origin']]).toEqual([200, undefined])
  })
  it('a preflight needs its headers', async () => {
    expect((await harness.send('OPTIONS', '/media/k', { origin: 'http://x' })).status).toBe(400)
    expect((await harness.send('OPTIONS', '/media/k', {})).status).toBe(400)
  })
  it('a configuration of the bucket replaces the default', async () => {
    const other = await EndpointHarness.open({ corsOrigins: () => ['http://page:1'] })
    const body =
      '<CORSConfiguration><CORSRule><AllowedOrigin>http://*.site</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>'
    expect((await other.request({ target: '/media?cors' })).code).toBe('NoSuchCORSConfiguration')
    const unsendable = body.replace('<MaxAge', '<ExposeHeader>two\nlines</ExposeHeader><MaxAge')
    expect(await other.request({ method: 'PUT', target: '/media?cors', body: unsendable })).toMatchObject({
      status: 400,
      code: 'InvalidRequest'
    })
    expect((await other.request({ method: 'PUT', target: '/media?cors', body })).status).toBe(200)
    expect((await other.request({ target: '/media?cors' })).body).toContain(
      '<AllowedOrigin>http://*.site</AllowedOrigin>'
    )
    expect((await preflight(other, 'http://a.site')).headers).toMatchObject({
      'access-control-allow-origin': 'http://a.site',
      'access-control-max-age': '5'
    })
    expect((await preflight(other, 'http://page:1')).status).toBe(403)
    const forbidden = await preflight(other, 'http://a.site', { 'access-control-request-headers': 'x-other' })
    expect(forbidden.status).toBe(403)
    expect((await other.request({ method: 'DELETE', target: '/media?cors' })).status).toBe(204)
    expect((await preflight(other, 'http://page:1')).status).toBe(200)
    await other.dispose()
  })
})

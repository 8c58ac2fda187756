import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { socketClosed } from '../../testing/socket-closed.ts'
import { EndpointHarness } from './endpoint-harness.ts'

let harness: EndpointHarness
beforeAll(async () => {
  harness = await EndpointHarness.open()
})
afterAll(() => harness.dispose())

const get = (key: string, headers?: Record<string, string>) => harness.get(key, headers)

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
  it('the tags of an object can be read, there are none', async () => {
    await harness.put('untagged', 'x')
    const answer = await harness.request({ target: '/media/untagged?tagging' })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatch(/<Tagging [^>]*><TagSet(\/>|><\/TagSet>)<\/Tagging>/)
    expect(await harness.request({ target: '/media/absent?tagging' })).toMatchObject({ status: 404, code: 'NoSuchKey' })
    const put = await harness.request({ method: 'PUT', target: '/media/untagged?tagging', body: '<Tagging/>' })
    expect(put).toMatchObject({ status: 501, code: 'NotImplemented' })
  })
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
  it('survives whatever else arrives on the socket', async () => {
    const token = fc.constantFrom(
      ...['GET ', 'PUT ', 'POST ', 'OPTIONS ', '/media/k', '/?', '%', ' HTTP/1.1\r\n', 'host: h\r\n', '\r\n', ':'],
      ...['expect: 100-continue\r\n', 'content-length: 5\r\n', 'transfer-encoding: chunked\r\n', 'X-Amz-Signature=x&'],
      ...['authorization: AWS4-HMAC-SHA256 Credential=a/b/c\r\n', 'content-type: application/x-www-form-urlencoded\r\n']
    )
    const piece = fc.oneof(token.map(Buffer.from), fc.uint8Array({ maxLength: 50 }).map(Buffer.from))
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 12 }), async (pieces) => {
        const socket = connect(harness.port, '127.0.0.1')
        const closed = socketClosed(socket)
        socket.resume()
        socket.end(Buffer.concat(pieces))
        await closed
      }),
      { numRuns: 200 }
    )
    expect((await harness.request({ target: '/media' })).status).toBe(200)
    expect(harness.logged.join('')).not.toContain('s3 request failed')
  })
})

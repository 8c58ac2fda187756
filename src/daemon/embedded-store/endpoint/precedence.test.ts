import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EndpointHarness, type SignedRequest, type TestCredentials } from './endpoint-harness.ts'

let harness: EndpointHarness
let stranger: TestCredentials
beforeAll(async () => {
  harness = await EndpointHarness.open()
  stranger = harness.user({ name: 'stranger', policy: { Version: '2012-10-17', Statement: [] } })
})
afterAll(() => harness.dispose())

/** Each asks for something that is refused in every bucket that is there. */
const FAULTY: [string, Omit<SignedRequest, 'target'> & { rest: string }, status: number][] = [
  ['PutObject with encryption', { rest: '/k', method: 'PUT', headers: { 'x-amz-server-side-encryption': 'x' } }, 501],
  ['PutObject with a bad MD5', { rest: '/k', method: 'PUT', body: 'x', headers: { 'content-md5': 'x' } }, 400],
  ['PutObject with an unknown checksum', { rest: '/k', method: 'PUT', headers: { 'x-amz-checksum-x': '' } }, 400],
  [
    'PutObject without the decoded length',
    { rest: '/k', method: 'PUT', payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' },
    411
  ],
  [
    'CopyObject with a bad directive',
    { rest: '/k', method: 'PUT', headers: { 'x-amz-copy-source': 'media/k', 'x-amz-metadata-directive': 'x' } },
    400
  ],
  ['UploadPart with a bad number', { rest: '/k?partNumber=x&uploadId=x', method: 'PUT' }, 400],
  [
    'CreateMultipartUpload with a bad checksum',
    { rest: '/k?uploads', method: 'POST', headers: { 'x-amz-checksum-algorithm': 'x' } },
    400
  ],
  ['CompleteMultipartUpload without a document', { rest: '/k?uploadId=x', method: 'POST' }, 400],
  ['GetObject with a public ACL', { rest: '/k', headers: { 'x-amz-acl': 'public-read' } }, 400],
  ['DeleteObject with a lock', { rest: '/k', method: 'DELETE', headers: { 'x-amz-object-lock-mode': 'x' } }, 501],
  ['ListObjectsV2 with a bad limit', { rest: '?list-type=2&max-keys=x' }, 400],
  ['ListMultipartUploads with a bad limit', { rest: '?uploads&max-uploads=x' }, 400],
  ['PutBucketCors with a bad document', { rest: '?cors', method: 'PUT', body: '<x/>' }, 400]
]

describe('the order in which a request is judged', () => {
  it.each(FAULTY)(
    '%s: that the bucket is missing comes before what is wrong with the request',
    async (_, request, status) => {
      const ask = (bucket: string) => harness.request({ ...request, target: `/${bucket}${request.rest}` })
      expect((await ask('media')).status).toBe(status)
      expect(await ask('nowhere')).toMatchObject({ status: 404, code: 'NoSuchBucket' })
    }
  )
  it.each(FAULTY)('%s: whoever has no rights does not learn which buckets there are', async (_, request) => {
    const answers = ['media', 'nowhere'].map(async (bucket) => {
      const { status, body } = await harness.request({
        ...request,
        target: `/${bucket}${request.rest}`,
        credentials: stranger
      })
      return [status, body.replace(/<(Resource|RequestId|HostId)>.*?<\/\1>/g, '')]
    })
    const [there, missing] = await Promise.all(answers)
    expect(there).toEqual(missing)
    expect(there?.[0]).toBe(403)
  })
  it.each([{}, { 'x-amz-expected-bucket-owner': 'somebody' }])(
    'a batch delete is judged entry by entry, so a stranger hears the same of every bucket: %j',
    async (headers) => {
      const body = '<Delete><Object><Key>k</Key></Object></Delete>'
      const ask = (bucket: string, credentials?: TestCredentials) =>
        harness.request({
          method: 'POST',
          target: `/${bucket}?delete`,
          body,
          headers,
          ...(credentials === undefined ? {} : { credentials })
        })
      const answers = [await ask('media', stranger), await ask('nowhere', stranger)]
      for (const answer of answers) expect(answer).toMatchObject({ status: 200, code: 'AccessDenied' })
      expect(await ask('nowhere')).toMatchObject({ status: 404, code: 'NoSuchBucket' })
    }
  )
  it('a batch delete from the bucket of another owner deletes nothing', async () => {
    await harness.put('kept', 'x')
    const answer = await harness.request({
      method: 'POST',
      target: '/media?delete',
      body: '<Delete><Object><Key>kept</Key></Object></Delete>',
      headers: { 'x-amz-expected-bucket-owner': 'somebody' }
    })
    expect(answer.code).toBe('AccessDenied')
    expect(await harness.exists('kept')).toBe(true)
  })
  it('preconditions are judged only for those who may write (CVE-2024-36107)', async () => {
    await harness.put('conditional', 'x')
    const put = (headers: Record<string, string>) =>
      harness.request({ method: 'PUT', target: '/media/conditional', body: 'y', headers, credentials: stranger })
    const get = (headers: Record<string, string>) =>
      harness.request({ target: '/media/conditional', headers, credentials: stranger })
    for (const headers of [{ 'if-none-match': '*' }, { 'if-match': '"x"' }])
      for (const answer of [await put(headers), await get(headers)])
        expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' })
  })
})

import { createHash } from 'node:crypto'
import { crc32 as crc32Of } from 'node:zlib'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCommand
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EndpointHarness, type SignedRequest, type TestCredentials } from './endpoint-harness.ts'

const MIB = 1024 * 1024
const FIRST = Buffer.alloc(5 * MIB, 'A')
const SECOND = Buffer.alloc(100, 'B')

let harness: EndpointHarness
let s3: S3Client
beforeAll(async () => {
  harness = await EndpointHarness.open()
  s3 = harness.client()
})
afterAll(async () => {
  s3.destroy()
  await harness.dispose()
})

const send = (request: SignedRequest) => harness.request(request)

async function create(
  key: string,
  headers: Record<string, string> = {},
  credentials?: TestCredentials
): Promise<string> {
  const answer = await send({
    method: 'POST',
    target: `/media/${key}?uploads`,
    headers,
    ...(credentials ? { credentials } : {})
  })
  expect(answer.status).toBe(200)
  return /<UploadId>(.*?)</.exec(answer.body)?.[1] ?? ''
}

const part = (
  key: string,
  uploadId: string,
  number: number | string,
  body: Buffer | string,
  more: Partial<SignedRequest> = {}
) => send({ method: 'PUT', target: `/media/${key}?partNumber=${number}&uploadId=${uploadId}`, body, ...more })

const etagOf = (bytes: Buffer | string) => createHash('md5').update(bytes).digest('hex')
const listed = (...parts: [number, string][]) =>
  `<CompleteMultipartUpload>${parts
    .map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`)
    .join('')}</CompleteMultipartUpload>`
const complete = (key: string, uploadId: string, xml: string, more: Partial<SignedRequest> = {}) =>
  send({ method: 'POST', target: `/media/${key}?uploadId=${uploadId}`, body: xml, ...more })

describe('8.3 multipart', () => {
  it('A-6, O27: completes by ETags, answers a repeat the same, and reads by part number', async () => {
    const uploadId = await create('a6')
    expect((await part('a6', uploadId, 2, SECOND)).headers['etag']).toBe(`"${etagOf(SECOND)}"`)
    await part('a6', uploadId, 1, FIRST)
    const xml = listed([1, `"${etagOf(FIRST)}"`], [2, `&quot;${etagOf(SECOND)}&quot;`])
    const first = await complete('a6', uploadId, xml)
    expect(first).toMatchObject({ status: 200 })
    expect(first.body).toContain('<ETag>&quot;29a9666368544da89cb8362f759e4f8d-2&quot;</ETag>')
    expect((await complete('a6', uploadId, xml)).body).toBe(first.body)
    const whole = await send({ target: '/media/a6' })
    expect(whole.body).toBe(FIRST.toString() + SECOND.toString())
    const second = await send({ target: '/media/a6?partNumber=2' })
    expect(second).toMatchObject({
      status: 206,
      body: SECOND.toString(),
      headers: {
        'x-amz-mp-parts-count': '2',
        'content-range': `bytes ${FIRST.length}-${FIRST.length + 99}/${FIRST.length + 100}`
      }
    })
    const across = await send({
      target: '/media/a6',
      headers: { range: `bytes=${FIRST.length - 2}-${FIRST.length + 1}` }
    })
    expect(across.body).toBe('AABB')
    expect(await send({ target: '/media/a6?partNumber=3' })).toMatchObject({ status: 416, code: 'InvalidPartNumber' })
  })
  it('a part of no bytes is not answered with the whole object', async () => {
    const uploadId = await create('empty-end')
    await part('empty-end', uploadId, 1, FIRST)
    await part('empty-end', uploadId, 2, '')
    await complete('empty-end', uploadId, listed([1, etagOf(FIRST)], [2, etagOf('')]))
    expect(await send({ target: '/media/empty-end?partNumber=2' })).toMatchObject({
      status: 416,
      code: 'InvalidPartNumber'
    })
  })
  it.each([
    ['CRC32', 'COMPOSITE', 'WKn9JQ==-2'],
    ['CRC32', 'FULL_OBJECT', 'zSdMyw=='],
    ['SHA256', 'COMPOSITE', 'QvzQa/YfsHR1HE6EtWMX5D2SPlVYJgwsk1vtr47ScGc=-2']
  ] as const)('A-6: the %s %s checksum of two parts', async (ChecksumAlgorithm, ChecksumType, value) => {
    const target = { Bucket: 'media', Key: `a6-${ChecksumAlgorithm}-${ChecksumType}` }
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm, ChecksumType }))
    const Parts = []
    for (const [index, Body] of [FIRST, SECOND].entries()) {
      const PartNumber = index + 1
      Parts.push({
        PartNumber,
        ...(await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body, ChecksumAlgorithm })))
      })
    }
    const done = await s3.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, ChecksumType, MultipartUpload: { Parts } })
    )
    expect(done[`Checksum${ChecksumAlgorithm}`]).toBe(value)
    const head = await s3.send(new HeadObjectCommand({ ...target, ChecksumMode: 'ENABLED' }))
    expect([head[`Checksum${ChecksumAlgorithm}`], head.ChecksumType]).toEqual([value, ChecksumType])
    const got = await s3.send(new GetObjectCommand({ ...target, ChecksumMode: 'ENABLED' }))
    expect((await got.Body?.transformToByteArray())?.length).toBe(FIRST.length + SECOND.length)
  })
  it.each([
    [{ 'x-amz-checksum-algorithm': 'SHA256', 'x-amz-checksum-type': 'FULL_OBJECT' }],
    [{ 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'COMPOSITE' }],
    [{ 'x-amz-checksum-algorithm': 'XXHASH3' }],
    [{ 'x-amz-checksum-type': 'COMPOSITE' }]
  ])('refuses to declare %j', async (headers) => {
    const answer = await send({ method: 'POST', target: '/media/declared?uploads', headers })
    expect(answer).toMatchObject({ status: 400, code: 'InvalidRequest' })
  })
  it('a declared checksum must come with every part', async () => {
    const uploadId = await create('declared', { 'x-amz-checksum-algorithm': 'CRC32' })
    expect(await part('declared', uploadId, 1, 'x')).toMatchObject({ status: 400, code: 'InvalidRequest' })
    const other = { headers: { 'x-amz-checksum-sha1': createHash('sha1').update('x').digest('base64') } }
    expect(await part('declared', uploadId, 1, 'x', other)).toMatchObject({ status: 400, code: 'InvalidRequest' })
    const wrong = { headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }
    expect(await part('declared', uploadId, 1, 'x', wrong)).toMatchObject({ status: 400, code: 'BadDigest' })
  })
  it('a checksum is told only where it is kept, so that repeating what was told completes the upload', async () => {
    const crc32 = (text: string) => {
      const value = Buffer.alloc(4)
      value.writeUInt32BE(crc32Of(text))
      return value.toString('base64')
    }
    const headers = { 'x-amz-checksum-crc32': crc32('x') }
    for (const declared of [false, true]) {
      const key = `told-${declared}`
      const uploadId = await create(key, declared ? { 'x-amz-checksum-algorithm': 'CRC32' } : {})
      const answer = await part(key, uploadId, 1, 'x', { headers })
      const told = answer.headers['x-amz-checksum-crc32']
      expect(told).toBe(declared ? crc32('x') : undefined)
      const element = told === undefined ? '' : `<ChecksumCRC32>${String(told)}</ChecksumCRC32>`
      const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${String(answer.headers['etag'])}</ETag>${element}</Part></CompleteMultipartUpload>`
      const done = await send({ method: 'POST', target: `/media/${key}?uploadId=${uploadId}`, body })
      expect(done.status).toBe(200)
    }
    const uploadId = await create('told-wrong')
    const wrong = await part('told-wrong', uploadId, 1, 'x', { headers: { 'x-amz-checksum-crc32': crc32('y') } })
    expect(wrong).toMatchObject({ status: 400, code: 'BadDigest' })
  })
  it.each(['0', '10001', 'x', '-1', ''])('O24: refuses part number "%s"', async (number) => {
    const uploadId = await create('o24')
    expect(await part('o24', uploadId, number, 'x')).toMatchObject({ status: 400, code: 'InvalidArgument' })
  })
  it('O25: a small part may only be the last', async () => {
    const uploadId = await create('o25')
    const small = Buffer.alloc(4 * MIB)
    await part('o25', uploadId, 1, small)
    await part('o25', uploadId, 2, SECOND)
    const answer = await complete('o25', uploadId, listed([1, etagOf(small)], [2, etagOf(SECOND)]))
    expect(answer).toMatchObject({ status: 400, code: 'EntityTooSmall' })
    expect(answer.body).toMatch(/<ProposedSize>4194304<\/ProposedSize>/)
  })
  it('a completion that fails is logged once, as what it is', async () => {
    const uploadId = await create('logged')
    await complete('logged', uploadId, listed([1, etagOf('never sent')]))
    const lines = harness.logged.map((line) => JSON.parse(line)).filter(({ path }) => path === '/media/logged')
    const ofCompletion = lines.filter(({ operation }) => operation === 'CompleteMultipartUpload')
    expect(ofCompletion).toMatchObject([{ code: 'InvalidPart', msg: 's3 request refused' }])
  })
  it('O26: a part sent again replaces the first', async () => {
    const uploadId = await create('o26')
    await part('o26', uploadId, 1, 'old')
    await part('o26', uploadId, 1, 'new')
    expect(await complete('o26', uploadId, listed([1, etagOf('old')]))).toMatchObject({
      status: 400,
      code: 'InvalidPart'
    })
    expect((await complete('o26', uploadId, listed([1, etagOf('new')]))).status).toBe(200)
    expect((await send({ target: '/media/o26' })).body).toBe('new')
  })
  it('O28: takes every way clients write a completion', async () => {
    const spellings = [
      `<CompleteMultipartUpload><Part><ETag>&#34;${etagOf('x')}&#34;</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>`,
      `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part>\n<PartNumber> 1 </PartNumber>\n<ETag>${etagOf('x')}</ETag></Part></CompleteMultipartUpload>`,
      `<?xml version="1.0"?><CompleteMultipartUpload>${listed([1, `"${etagOf('x')}"`]).slice(25)}`
    ]
    for (const xml of spellings) {
      const uploadId = await create('o28')
      await part('o28', uploadId, 1, 'x')
      expect((await complete('o28', uploadId, xml)).status).toBe(200)
    }
  })
  it('refuses lists that are empty, unordered or wrong', async () => {
    const uploadId = await create('lists')
    await part('lists', uploadId, 1, FIRST)
    await part('lists', uploadId, 2, 'x')
    const [one, two] = [etagOf(FIRST), etagOf('x')]
    expect(await complete('lists', uploadId, '')).toMatchObject({ status: 400, code: 'MalformedXML' })
    expect(await complete('lists', uploadId, listed())).toMatchObject({ status: 400, code: 'MalformedXML' })
    expect(
      await complete('lists', uploadId, '<CompleteMultipartUpload><Part/></CompleteMultipartUpload>')
    ).toMatchObject({
      code: 'MalformedXML'
    })
    expect(await complete('lists', uploadId, listed([2, two], [1, one]))).toMatchObject({ code: 'InvalidPartOrder' })
    expect(await complete('lists', uploadId, listed([1, one], [1, one]))).toMatchObject({ code: 'InvalidPartOrder' })
    expect(await complete('lists', uploadId, listed([3, one]))).toMatchObject({ status: 400, code: 'InvalidPart' })
    const size = { headers: { 'x-amz-mp-object-size': '1' } }
    expect(await complete('lists', uploadId, listed([1, one], [2, two]), size)).toMatchObject({
      code: 'InvalidRequest'
    })
    const once = { headers: { 'if-none-match': '*' } }
    expect((await complete('lists', uploadId, listed([1, one], [2, two]), once)).status).toBe(200)
    const again = await create('lists')
    await part('lists', again, 1, 'x')
    expect(await complete('lists', again, listed([1, two]), once)).toMatchObject({ status: 412 })
  })
  it('O29: an aborted upload is gone', async () => {
    const uploadId = await create('o29')
    await part('o29', uploadId, 1, 'x')
    const target = `/media/o29?uploadId=${uploadId}`
    expect((await send({ method: 'DELETE', target })).status).toBe(204)
    expect(await part('o29', uploadId, 1, 'x')).toMatchObject({ status: 404, code: 'NoSuchUpload' })
    expect(await send({ method: 'DELETE', target })).toMatchObject({ status: 404, code: 'NoSuchUpload' })
    expect(await complete('o29', uploadId, listed([1, etagOf('x')]))).toMatchObject({
      status: 404,
      code: 'NoSuchUpload'
    })
  })
  it('O30: an upload is bound to its key and its creator', async () => {
    const uploadId = await create('o30')
    const stranger = harness.user({ name: 'stranger' })
    expect(await part('other', uploadId, 1, 'x')).toMatchObject({ status: 404, code: 'NoSuchUpload' })
    expect(await part('o30', uploadId, 1, 'x', { credentials: stranger })).toMatchObject({ code: 'NoSuchUpload' })
    expect((await part('o30', uploadId, 1, 'x')).status).toBe(200)
  })
  it('O31: pages of one list every part and upload once', async () => {
    const uploadId = await create('pages/a')
    await create('pages/a')
    await create('pages/b')
    for (const number of [1, 3, 7]) await part('pages/a', uploadId, number, `${number}`)
    const numbers: string[] = []
    for (let marker = '0'; ; ) {
      const { body } = await send({
        target: `/media/pages/a?uploadId=${uploadId}&max-parts=1&part-number-marker=${marker}`
      })
      numbers.push(...[...body.matchAll(/<PartNumber>(\d+)</g)].map((match) => match[1] ?? ''))
      marker = /<NextPartNumberMarker>(\d+)</.exec(body)?.[1] ?? ''
      if (!body.includes('<IsTruncated>true')) break
    }
    expect(numbers).toEqual(['1', '3', '7'])
    const uploads: string[] = []
    for (let marker = ''; ; ) {
      const { body } = await send({ target: `/media?uploads&prefix=pages%2F&delimiter=&max-uploads=1${marker}` })
      uploads.push(...[...body.matchAll(/<Upload><Key>(.*?)<.*?<UploadId>(.*?)</g)].map((m) => `${m[1]} ${m[2]}`))
      const [, key, id] = /<NextKeyMarker>(.*?)<.*<NextUploadIdMarker>(.*?)</.exec(body) ?? []
      if (!body.includes('<IsTruncated>true')) break
      marker = `&key-marker=${encodeURIComponent(key ?? '')}&upload-id-marker=${id}`
    }
    expect(new Set(uploads).size).toBe(3)
    expect(uploads.map((upload) => upload.split(' ')[0])).toEqual(['pages/a', 'pages/a', 'pages/b'])
  })
  it('copies ranges of objects as parts', async () => {
    await send({ method: 'PUT', target: '/media/copy%20source', body: '0123456789' })
    const uploadId = await create('copied')
    const copy = (range: string | undefined) =>
      send({
        method: 'PUT',
        target: `/media/copied?partNumber=1&uploadId=${uploadId}`,
        headers: {
          'x-amz-copy-source': '/media/copy%20source',
          ...(range === undefined ? {} : { 'x-amz-copy-source-range': range })
        }
      })
    for (const range of ['bytes=0', '0-1', 'bytes=-1', 'bytes=1-', 'bytes=3-2', 'bytes=0-1,3-4'])
      expect(await copy(range)).toMatchObject({ status: 400, code: 'InvalidArgument' })
    expect(await copy('bytes=5-10')).toMatchObject({ status: 416, code: 'InvalidRange' })
    expect((await copy(undefined)).status).toBe(200)
    const answer = await copy('bytes=2-4')
    expect(answer.body).toContain(`<ETag>&quot;${etagOf('234')}&quot;</ETag>`)
    expect((await complete('copied', uploadId, listed([1, etagOf('234')]))).status).toBe(200)
    expect((await send({ target: '/media/copied' })).body).toBe('234')
  })
  it('the SDK uploads a large stream in parallel parts', async () => {
    const Body = Buffer.alloc(12 * MIB, 'z')
    await new Upload({ client: s3, params: { Bucket: 'media', Key: 'large', Body }, partSize: 5 * MIB }).done()
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'media', Key: 'large' }))
    expect([head.ContentLength, head.ETag]).toEqual([Body.length, expect.stringMatching(/-3"$/)])
  })
})

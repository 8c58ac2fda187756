import { createHash } from 'node:crypto'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { flipBit } from '../engine/engine-harness.ts'
import { EndpointHarness } from './endpoint-harness.ts'

let harness: EndpointHarness
beforeAll(async () => {
  harness = await EndpointHarness.open()
})
afterAll(() => harness.dispose())

const put = (key: string, body: string | Buffer, headers?: Record<string, string>) => harness.put(key, body, headers)
const get = (key: string, headers?: Record<string, string>) => harness.get(key, headers)

const CRC32_OF_TEN = Buffer.from(crc32('0123456789').toString(16).padStart(8, '0'), 'hex').toString('base64')

describe('8.3 reading', () => {
  beforeAll(() => put('ten', '0123456789', { 'x-amz-checksum-crc32': CRC32_OF_TEN }))

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
    expect(answer.headers['x-amz-checksum-crc32']).toBe(CRC32_OF_TEN)
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
  it('O42: a flipped bit ends the answer early; others stay whole', async () => {
    const flipped = await EndpointHarness.open()
    await flipped.request({ method: 'PUT', target: '/media/k', body: 'x'.repeat(600_000) })
    const [blob] = (await readdir(join(flipped.directory, 'blobs'), { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile()
    )
    if (!blob) throw new Error('The object has no file.')
    await flipBit(join(blob.parentPath, blob.name))
    await flipped.request({ method: 'PUT', target: '/media/other', body: 'y' })
    await expect(flipped.request({ target: '/media/k' })).rejects.toThrow()
    expect((await flipped.request({ target: '/media/k' })).status).toBe(500)
    expect(String((await flipped.request({ target: '/media/other' })).body)).toBe('y')
    await flipped.dispose()
  })
  it('O42: a flipped bit of a small object is an error, not a short answer', async () => {
    const flipped = await EndpointHarness.open()
    await flipped.put('k', 'x'.repeat(60_000))
    const [blob] = (await readdir(join(flipped.directory, 'blobs'), { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile()
    )
    if (!blob) throw new Error('The object has no file.')
    await flipBit(join(blob.parentPath, blob.name))
    expect(await flipped.get('k')).toMatchObject({ status: 500, code: 'InternalError' })
    await flipped.dispose()
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

import { join } from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EndpointHarness, type SignedRequest } from './endpoint-harness.ts'

let harness: EndpointHarness
beforeAll(async () => {
  harness = await EndpointHarness.open()
})
afterAll(() => harness.dispose())

const put = (key: string, body: string | Buffer, headers?: Record<string, string>) => harness.put(key, body, headers)
const get = (key: string, headers?: Record<string, string>) => harness.get(key, headers)

describe('O39: documents that are no trees of keys', () => {
  const DOCUMENTS: [target: string, method: string, root: string][] = [
    ['/media?delete', 'POST', 'Delete'],
    ['/media/k?uploadId=x', 'POST', 'CompleteMultipartUpload'],
    ['/media?cors', 'PUT', 'CORSConfiguration'],
    ['/fresh', 'PUT', 'CreateBucketConfiguration'],
    ['/media?acl', 'PUT', 'AccessControlPolicy']
  ]
  it.each(DOCUMENTS)(
    'O39: %s refuses a DOCTYPE, 50 levels and 3 MiB, and expands nothing',
    async (target, method, root) => {
      const bomb = `<!DOCTYPE x [<!ENTITY a "${'x'.repeat(1000)}"><!ENTITY b "${'&a;'.repeat(1000)}">]>`
      const documents = [
        `${bomb}<${root}>${'&b;'.repeat(1000)}</${root}>`,
        `<!DOCTYPE x SYSTEM "file:///etc/passwd"><${root}/>`,
        `<${root}>${'<a>'.repeat(50)}${'</a>'.repeat(50)}</${root}>`,
        `<${root}>${' '.repeat(3 * 1024 * 1024)}</${root}>`
      ]
      for (const body of documents)
        expect(await harness.request({ method, target, body })).toMatchObject({ status: 400, code: 'MalformedXML' })
      expect((await harness.request({ method: 'HEAD', target: '/fresh' })).status).toBe(404)
    }
  )
})

/** Puts rows into the index as they would be after a long season; to write so many objects takes longer than to list them. */
function insertLike(indexPath: string, source: string, keys: readonly string[]): void {
  const index = new Sqlite(indexPath)
  const columns = index.pragma('table_info(object)') as { name: string }[]
  const copied = columns.map(({ name }) => (name === 'key' || name === 'rev' ? `@${name}` : name)).join(', ')
  const insert = index.prepare(`INSERT INTO object SELECT ${copied} FROM object WHERE bucket_id = 1 AND key = @source`)
  index.transaction(() => {
    for (const key of keys) insert.run({ key, rev: `rev of ${key}`, source })
  })()
  index.close()
}

describe('O32: many keys', () => {
  it('O32: folders of 10,000 keys are listed without reading the keys', async () => {
    const many = await EndpointHarness.open()
    const keys = Array.from({ length: 10_000 }, (_, i) => `many/p${i % 3}/${String(i).padStart(5, '0')}`)
    await many.put('source', 'x')
    insertLike(join(many.directory, 'index.db'), 'source', keys)
    const folders = async () => {
      const { body } = await many.request({ target: '/media?list-type=2&prefix=many%2F&delimiter=%2F' })
      expect(body).toContain('<KeyCount>3</KeyCount>')
      expect(body).toContain('<IsTruncated>false</IsTruncated>')
      expect([...body.matchAll(/<CommonPrefixes><Prefix>(.*?)</g)].map(([, prefix]) => prefix)).toEqual([
        'many/p0/',
        'many/p1/',
        'many/p2/'
      ])
    }
    const everything = async () => {
      const listed: string[] = []
      for (let token = ''; ; ) {
        const { body } = await many.request({ target: `/media?list-type=2&prefix=many%2F${token}` })
        listed.push(...[...body.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key = '']) => key))
        const next = /<NextContinuationToken>(.*?)</.exec(body)?.[1]
        if (next === undefined) return expect(listed).toEqual(keys.toSorted())
        token = `&continuation-token=${encodeURIComponent(next)}`
      }
    }
    const timeMs = async (work: () => Promise<unknown>) => {
      const before = performance.now()
      await work()
      return performance.now() - before
    }
    const times: number[] = []
    for (let i = 0; i < 5; i++) times.push(await timeMs(folders))
    // Both on the same machine in the same moment: three keys found against all of them read.
    expect(Math.min(...times)).toBeLessThan((await timeMs(everything)) / 3)
    await many.dispose()
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

function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function unescapedKeys(xml: string): string[] {
  const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"' }
  return [...xml.matchAll(/<Key>([\s\S]*?)<\/Key>/g)].map((match) =>
    (match[1] ?? '').replace(/&(?:lt|gt|amp|quot);/g, (entity) => entities[entity] ?? '')
  )
}

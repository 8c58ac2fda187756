import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { newId } from '../ids.ts'
import type { ObjectStore } from './object-store.ts'
import { describePartUploads } from './part-uploads.contract.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const MIB = 1024 ** 2

/** What every {@link ObjectStore} does, whatever is behind it. The bucket may hold other things: each run uses keys of its own. */
export function describeObjectStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describePartUploads(name, open)
  describe(`object store contract: ${name}`, () => {
    let test: StoreUnderTest
    let store: ObjectStore
    const root = `contract/${newId()}`
    let counter = 0
    const newKey = (suffix = 'object') => `${root}/${++counter}/${suffix}`

    beforeAll(async () => {
      test = await open()
      store = test.store
    })
    afterAll(async () => {
      let cursor: string | null = null
      do {
        const page = await store.list({ prefix: `${root}/`, ...(cursor !== null && { cursor }) })
        await store.deleteMany(page.objects.map((object) => object.key))
        cursor = page.cursor
      } while (cursor !== null)
      await test.dispose()
    })

    const read = async (key: string, options?: Parameters<ObjectStore['getStream']>[1]) =>
      bytesOf((await store.getStream(key, options)).stream)

    describe('put, head, read', () => {
      it('keeps bytes, type and metadata', async () => {
        const key = newKey('photo one.jpg')
        const bytes = randomBytes(300_000)
        const put = await store.put(key, bytes, {
          contentType: 'image/jpeg',
          metadata: { device: 'rc-1', mtime: '1767225600.5' },
          sha256: sha256(bytes)
        })
        expect(put).toMatchObject({ sizeBytes: bytes.length, sha256: sha256(bytes) })
        const stat = await store.head(key)
        expect(stat).toMatchObject({
          key,
          sizeBytes: bytes.length,
          etag: put.etag,
          contentType: 'image/jpeg',
          metadata: { device: 'rc-1', mtime: '1767225600.5' }
        })
        expect(Math.abs((stat?.lastModifiedMs ?? 0) - Date.now())).toBeLessThan(15 * 60_000)
        expect(await read(key)).toEqual(bytes)
        expect(await store.sha256Of(key)).toBe(sha256(bytes))
      })

      it('keeps a stream of known size', async () => {
        const key = newKey()
        const bytes = randomBytes(3 * MIB + 17)
        const body = { stream: Readable.from(chunksOf(bytes)), sizeBytes: bytes.length }
        const put = await store.put(key, body, { sha256: sha256(bytes) })
        expect(put).toMatchObject({ sizeBytes: bytes.length, sha256: sha256(bytes) })
        expect(sha256(await read(key))).toBe(sha256(bytes))
      })

      it('keeps nothing at all', async () => {
        const key = newKey('empty')
        await store.put(key, new Uint8Array())
        expect(await store.head(key)).toMatchObject({ sizeBytes: 0 })
        expect(await read(key)).toEqual(Buffer.alloc(0))
        await expect(read(key, { range: { start: 0, end: 0 } })).rejects.toMatchObject({ code: 'InvalidArgument' })
      })

      it.for(['a+b c%20d', 'ä/é', '测试 (1).JPG', "it's&<b>", 'x:y=z?#', 'a//b', '\ud83d\ude81'])(
        'keeps the key %j exactly',
        async (name, context) => {
          if (name.includes('//') && !test.keysAreData) return context.skip('a path for this server')
          const key = newKey(name)
          await store.put(key, Buffer.from(name))
          expect((await store.head(key))?.key).toBe(key)
          expect(String(await read(key))).toBe(name)
          const { objects } = await store.list({ prefix: key })
          expect(objects.map((object) => object.key)).toEqual([key])
          await store.delete(key)
          expect(await store.head(key)).toBeNull()
        }
      )

      it('refuses bytes with another digest, and stores nothing', async () => {
        const key = newKey()
        const wrong = sha256('else')
        await expect(store.put(key, Buffer.from('bytes'), { sha256: wrong })).rejects.toMatchObject({
          code: 'ChecksumMismatch'
        })
        const body = { stream: Readable.from([Buffer.from('bytes')]), sizeBytes: 5 }
        await expect(store.put(key, body, { sha256: wrong })).rejects.toMatchObject({ code: 'ChecksumMismatch' })
        expect(await store.head(key)).toBeNull()
      })

      it.each([4, 6])('refuses a stream of 5 bytes announced as %i, and stores nothing', async (sizeBytes) => {
        const key = newKey()
        const body = { stream: Readable.from([Buffer.from('bytes')]), sizeBytes }
        await expect(store.put(key, body)).rejects.toMatchObject({ code: 'InvalidArgument' })
        expect(await store.head(key)).toBeNull()
      })

      it('passes on the failure of a source, and stores nothing', async () => {
        const key = newKey()
        const failing = async function* () {
          yield Buffer.alloc(100_000)
          throw new Error('card pulled out')
        }
        const body = { stream: Readable.from(failing()), sizeBytes: 200_000 }
        await expect(store.put(key, body)).rejects.toThrow('card pulled out')
        await expect(store.uploadStream(key, Readable.from(failing()))).rejects.toThrow('card pulled out')
        expect(await store.head(key)).toBeNull()
      })

      it('refuses metadata that headers cannot carry', async () => {
        for (const metadata of [{ pilot: 'Zoë' }, { 'a b': '1' }, { a: 'x'.repeat(2049) }, { a: '1\n2' }])
          await expect(store.put(newKey(), Buffer.from('x'), { metadata })).rejects.toMatchObject({
            code: 'InvalidArgument'
          })
      })
    })

    describe('reading', () => {
      it('gives exact ranges and the size of the whole', async () => {
        const key = newKey()
        await store.put(key, Buffer.from('0123456789'))
        const middle = await store.getStream(key, { range: { start: 2, end: 4 } })
        expect(middle).toMatchObject({ sizeBytes: 3, stat: { sizeBytes: 10 } })
        expect(String(await bytesOf(middle.stream))).toBe('234')
        expect(String(await read(key, { range: { start: 7 } }))).toBe('789')
        expect(String(await read(key, { range: { start: 8, end: 99 } }))).toBe('89')
        await expect(read(key, { range: { start: 10 } })).rejects.toMatchObject({ code: 'InvalidArgument' })
      })

      it('sticks to a version', async () => {
        const key = newKey()
        const { etag } = await store.put(key, Buffer.from('one'))
        expect(String(await read(key, { ifMatch: etag }))).toBe('one')
        await store.put(key, Buffer.from('two'))
        await expect(read(key, { ifMatch: etag })).rejects.toMatchObject({ code: 'PreconditionFailed' })
      })

      it('says what is not there', async () => {
        expect(await store.head(newKey())).toBeNull()
        await expect(store.getStream(newKey())).rejects.toMatchObject({ code: 'NotFound' })
        await expect(store.sha256Of(newKey())).rejects.toMatchObject({ code: 'NotFound' })
      })

      it('can be given up in the middle', async () => {
        const key = newKey()
        await store.put(key, randomBytes(4 * MIB))
        const { stream } = await store.getStream(key)
        for await (const _chunk of stream) break
        await vi.waitFor(() => expect(stream.destroyed).toBe(true))
        expect(await store.head(key)).toMatchObject({ sizeBytes: 4 * MIB })
      })

      it('computes no digest for one who has given up', async () => {
        const key = newKey()
        await store.put(key, Buffer.from('bytes'))
        const signal = AbortSignal.abort(new Error('enough'))
        await expect(store.sha256Of(key, { signal })).rejects.toThrow('enough')
      })

      it('opens an object for reads at any place where it can', async () => {
        const key = newKey()
        const { etag } = await store.put(key, Buffer.from('0123456789'))
        const opened = await store.open(key, { ifMatch: etag })
        if (opened === null) return expect(store.kind).toBe('s3')
        const buffer = Buffer.alloc(4)
        expect(opened.sizeBytes).toBe(10)
        expect([await opened.readAt(buffer, 3), buffer.toString()]).toEqual([4, '3456'])
        await store.put(key, Buffer.from('replaced'))
        expect(await opened.readAt(buffer, 8)).toBe(2)
        expect(buffer.toString('latin1', 0, 2)).toBe('89')
        opened.close()
        await expect(store.open(key, { ifMatch: etag })).rejects.toMatchObject({ code: 'PreconditionFailed' })
        await expect(store.open(newKey())).rejects.toMatchObject({ code: 'NotFound' })
      })

      it('offers a file where it can', async () => {
        const key = newKey()
        await store.put(key, Buffer.from('on disk'))
        const local = await store.localPath(key)
        if (store.kind === 's3') return expect(local).toBeNull()
        expect(await readFile(local?.path ?? '', 'utf8')).toBe('on disk')
        local?.release()
      })
    })

    describe('streams of unknown length', () => {
      it.each([0, 1000, 20 * MIB])('keeps %i bytes', async (sizeBytes) => {
        const key = newKey()
        const bytes = randomBytes(sizeBytes)
        const result = await store.uploadStream(key, Readable.from(chunksOf(bytes)), {
          contentType: 'video/mp4',
          metadata: { a: '1' }
        })
        expect(result).toMatchObject({ sizeBytes, sha256: sha256(bytes) })
        expect(await store.head(key)).toMatchObject({
          sizeBytes,
          etag: result.etag,
          contentType: 'video/mp4',
          metadata: { a: '1' }
        })
        expect(sha256(await read(key))).toBe(sha256(bytes))
        expect(await store.sha256Of(key)).toBe(sha256(bytes))
      })

      it('stops when told to, and stores nothing', async () => {
        const key = newKey()
        const aborter = new AbortController()
        const endless = async function* () {
          for (let at = 0; ; at++) {
            if (at === 4) aborter.abort()
            yield Buffer.alloc(MIB)
          }
        }
        await expect(
          store.uploadStream(key, Readable.from(endless()), { signal: aborter.signal })
        ).rejects.toMatchObject({ name: 'AbortError' })
        expect(await store.head(key)).toBeNull()
      })
    })

    describe('conditional writes', () => {
      it('creates only once', async () => {
        const key = newKey()
        const attempts = await Promise.allSettled(
          Array.from({ length: 8 }, (_, at) => store.put(key, Buffer.from(`writer ${at}`), { ifNoneMatch: '*' }))
        )
        const won = attempts.filter((attempt) => attempt.status === 'fulfilled')
        expect(won).toHaveLength(1)
        for (const attempt of attempts)
          if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'PreconditionFailed' })
        expect((await store.head(key))?.etag).toBe(won[0]?.value.etag)
        await expect(
          store.uploadStream(key, Readable.from([Buffer.from('x')]), { ifNoneMatch: '*' })
        ).rejects.toMatchObject({ code: 'PreconditionFailed' })
      })

      it('replaces only the version it knows', async () => {
        const key = newKey()
        await expect(store.put(key, Buffer.from('x'), { ifMatch: md5('none') })).rejects.toMatchObject({
          code: 'NotFound'
        })
        const { etag } = await store.put(key, Buffer.from('one'))
        await store.put(key, Buffer.from('two'), { ifMatch: etag })
        await expect(store.put(key, Buffer.from('three'), { ifMatch: etag })).rejects.toMatchObject({
          code: 'PreconditionFailed'
        })
        expect(String(await read(key))).toBe('two')
      })
    })

    describe('list', () => {
      it('pages in byte order, with common prefixes', async () => {
        const folder = newKey('list')
        const last = ['b/1', 'c', 'ä', '\ue000', '\ud83d\ude81']
        const names = ['A', ...(test.keysAreData ? ['a'] : []), 'a/1', 'a/2', ...last]
        for (const name of names) await store.put(`${folder}/${name}`, Buffer.from(name))
        const all = await listAll(store, { prefix: `${folder}/` })
        expect(all).toEqual(names.map((name) => `${folder}/${name}`))
        const entries = new Set(names.map((name) => name.replace(/\/.*/, '/')))
        const rolledUp = [...entries].map((name) => `${folder}/${name}`)
        expect((await listAll(store, { prefix: `${folder}/`, delimiter: '/' })).toSorted()).toEqual(rolledUp.toSorted())
        expect((await listAll(store, { prefix: `${folder}/`, delimiter: '/', limit: 1 })).toSorted()).toEqual(
          rolledUp.toSorted()
        )
        expect(await listAll(store, { prefix: `${folder}/`, limit: 2 })).toEqual(all)
        const [first] = (await store.list({ prefix: `${folder}/`, limit: 1 })).objects
        expect(first).toMatchObject({ key: `${folder}/A`, sizeBytes: 1, etag: md5('A') })
      })

      it('finds nothing under an unused prefix', async () => {
        expect(await store.list({ prefix: newKey('unused') })).toEqual({ objects: [], prefixes: [], cursor: null })
      })
    })

    describe('delete', () => {
      it('is content when nothing is there', async () => {
        await store.delete(newKey())
      })

      it('removes many, present or not', async () => {
        const keys = [newKey('a&b'), newKey('0012'), newKey('1e5'), newKey('never there')]
        for (const key of keys.slice(0, 3)) await store.put(key, Buffer.from('x'))
        const { deleted, failed } = await store.deleteMany(keys)
        expect(deleted.toSorted()).toEqual(keys.toSorted())
        expect(failed).toEqual([])
        for (const key of keys) expect(await store.head(key)).toBeNull()
      })

      it('removes only the version it knows', async () => {
        const key = newKey()
        const { etag } = await store.put(key, Buffer.from('one'))
        await store.put(key, Buffer.from('two'))
        await expect(store.delete(key, { ifMatch: etag })).rejects.toMatchObject({ code: 'PreconditionFailed' })
        expect(String(await read(key))).toBe('two')
      })
    })

    describe('copy', () => {
      it('keeps or replaces type and metadata together', async () => {
        const source = newKey('from +ä')
        const options = { contentType: 'image/png', metadata: { a: '1' } }
        const put = await store.put(source, Buffer.from('copied'), options)
        const target = newKey('to')
        expect(await store.copy(source, target)).toMatchObject({ sizeBytes: 6, etag: put.etag })
        expect(await store.head(target)).toMatchObject(options)
        await store.copy(source, target, { replace: { contentType: 'image/avif', metadata: { b: '2' } } })
        expect(await store.head(target)).toMatchObject({ contentType: 'image/avif', metadata: { b: '2' } })
        await store.delete(source)
        expect(String(await read(target))).toBe('copied')
      })

      it('refuses a source that is missing or another version, and a target that is another version', async () => {
        const source = newKey()
        const target = newKey()
        await expect(store.copy(source, target)).rejects.toMatchObject({ code: 'NotFound' })
        const { etag } = await store.put(source, Buffer.from('one'))
        await expect(store.copy(source, target, { ifMatch: md5('else') })).rejects.toMatchObject({
          code: 'PreconditionFailed'
        })
        expect(await store.head(target)).toBeNull()
        await store.put(target, Buffer.from('target'))
        await expect(store.copy(source, target, { ifMatch: etag, targetIfMatch: md5('else') })).rejects.toMatchObject({
          code: 'PreconditionFailed'
        })
        expect(String(await read(target))).toBe('target')
        await store.copy(source, target, { ifMatch: etag, targetIfMatch: md5('target') })
        expect(String(await read(target))).toBe('one')
      })
    })

    describe('presigned requests', () => {
      it('read and write one object', async (context) => {
        if (!test.servesUrls) return context.skip('nothing listens here')
        const key = newKey('pre signed+ä.jpg')
        const bytes = Buffer.from('from a browser')
        const put = await store.presignPut(key, {
          expiresInSeconds: 60,
          contentType: 'image/jpeg',
          sizeBytes: bytes.length,
          ifNoneMatch: '*'
        })
        const send = (body: Buffer, headers: Record<string, string>) =>
          fetch(put.url, { method: put.method, headers, body: new Uint8Array(body) })
        const { 'content-length': length, ...headers } = put.headers
        expect(length).toBe(String(bytes.length))
        expect((await send(bytes, { ...headers, 'content-type': 'text/html' })).status).toBe(403)
        expect((await send(bytes, headers)).status).toBe(200)
        expect((await send(bytes, headers)).status).toBe(412)

        const get = await store.presignGet(key, {
          expiresInSeconds: 60,
          responseDisposition: 'attachment; filename="a b.jpg"',
          responseContentType: 'application/octet-stream'
        })
        const answer = await fetch(get.url)
        expect(answer.status).toBe(200)
        expect(answer.headers.get('content-disposition')).toBe('attachment; filename="a b.jpg"')
        expect(answer.headers.get('content-type')).toBe('application/octet-stream')
        expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes)
        expect((await fetch(`${get.url}0`)).status).toBe(403)
      })

      it('bear no checksum of an empty body and end when they say', async () => {
        const { url, expiresAtMs } = await store.presignPut(newKey(), { expiresInSeconds: 60 })
        expect(url).not.toMatch(/checksum/i)
        expect(expiresAtMs - Date.now()).toBeLessThanOrEqual(60_000)
        for (const expiresInSeconds of [0, -1, 1.5, 604_801])
          await expect(store.presignGet(newKey(), { expiresInSeconds })).rejects.toMatchObject({
            code: 'InvalidArgument'
          })
      })
    })

    describe('temporary credentials', () => {
      it('can add under their prefix and nothing else', async (context) => {
        if (!test.issuesCredentials) return context.skip('this server has no AssumeRole')
        const inside = newKey('inside')
        const outside = newKey('outside')
        await store.put(outside, Buffer.from('not yours'))
        const credentials = await store.issueCredentials({
          workspaceId: 'ws-1',
          prefixes: [`${inside}/`],
          durationSeconds: 900
        })
        expect(Math.abs(credentials.expiresAtMs - Date.now() - 900_000)).toBeLessThan(60_000)
        if (!test.withCredentials) return
        const limited = test.withCredentials(credentials)
        try {
          await limited.put(`${inside}/a.jpg`, Buffer.from('mine'))
          await limited.uploadStream(`${inside}/b.mp4`, Readable.from(chunksOf(randomBytes(20 * MIB))))
          expect(await limited.head(`${inside}/a.jpg`)).toMatchObject({ sizeBytes: 4 })
          const refused = { code: 'AccessDenied' }
          await expect(limited.put(outside, Buffer.from('x'))).rejects.toMatchObject(refused)
          await expect(limited.head(outside)).rejects.toMatchObject(refused)
          await expect(limited.getStream(outside)).rejects.toMatchObject(refused)
          await expect(limited.copy(outside, `${inside}/stolen`)).rejects.toMatchObject(refused)
          await expect(limited.delete(`${inside}/a.jpg`)).rejects.toMatchObject(refused)
          await expect(limited.list({ prefix: root })).rejects.toMatchObject(refused)
          expect(String(await read(outside))).toBe('not yours')
        } finally {
          await limited.close()
        }
      })

      it('are not made for prefixes that are patterns', async () => {
        for (const prefix of ['*', 'a*/', '\u0024{aws:username}/', 'no-slash', '../'])
          await expect(
            store.issueCredentials({ workspaceId: 'ws', prefixes: [prefix], durationSeconds: 900 })
          ).rejects.toMatchObject({ code: 'InvalidArgument' })
      })
    })

    it('reports its health and leaves nothing behind', async () => {
      const health = await store.health('.health/trial')
      expect(health.writable).toBe(true)
      expect(Math.abs(health.clockSkewMs)).toBeLessThan(5 * 60_000)
      expect(await listAll(store, { prefix: '.health/' })).toEqual([])
    })
  })
}

/** Every name of a listing, page by page. */
async function listAll(store: ObjectStore, options: Parameters<ObjectStore['list']>[0]): Promise<string[]> {
  const names: string[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<ObjectStore['list']>> = await store.list({
      ...options,
      ...(cursor !== null && { cursor })
    })
    names.push(...page.objects.map((object) => object.key), ...page.prefixes)
    cursor = page.cursor
  } while (cursor !== null)
  return names
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

const md5 = (bytes: Uint8Array | string) => createHash('md5').update(bytes).digest('hex')
const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')

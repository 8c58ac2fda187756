import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../ids.ts'
import type { ObjectStore, PartUpload } from './object-store.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const MIB = 1024 ** 2
const PART_BYTES = 5 * MIB
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const bodyOf = (bytes: Buffer) => ({ stream: Readable.from([bytes], { objectMode: false }), sizeBytes: bytes.length })

/** What the {@link PartUploads} of every store do. */
export function describePartUploads(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`part uploads contract: ${name}`, () => {
    let test: StoreUnderTest
    let store: ObjectStore
    const root = `contract-parts/${newId()}`
    let counter = 0
    const begun: PartUpload[] = []
    const begin = async (): Promise<PartUpload> => {
      const upload = await store.parts.begin(`${root}/${++counter}`, { contentType: 'video/mp4' })
      begun.push(upload)
      return upload
    }

    beforeAll(async () => {
      test = await open()
      store = test.store
    })
    afterAll(async () => {
      for (const upload of begun) await store.parts.abort(upload)
      await store.deleteMany(begun.map(({ key }) => key))
      await test.dispose()
    })

    const read = async ({ key }: PartUpload): Promise<Buffer> => {
      const chunks: Buffer[] = []
      for await (const chunk of (await store.getStream(key)).stream) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks)
    }

    it('makes one object of parts that came in any order, some of them twice', async () => {
      const upload = await begin()
      const [first, second, third] = [randomBytes(PART_BYTES), randomBytes(PART_BYTES), randomBytes(1000)]
      const put = (number: number, bytes: Buffer) =>
        store.parts.put(upload, number, bodyOf(bytes), { sha256: sha256(bytes) })
      await put(2, randomBytes(PART_BYTES))
      const [c, a, b] = [await put(3, third), await put(1, first), await put(2, second)]
      expect(b.sha256).toBe(sha256(second))
      expect(await store.head(upload.key)).toBeNull()
      const parts = [a, b, c].map(({ etag }, index) => ({ number: index + 1, etag }))
      const done = await store.parts.complete(upload, parts)
      const whole = Buffer.concat([first, second, third])
      expect(done.sizeBytes).toBe(whole.length)
      expect(await store.head(upload.key)).toMatchObject({
        etag: done.etag,
        sizeBytes: whole.length,
        contentType: 'video/mp4'
      })
      expect((await read(upload)).equals(whole)).toBe(true)
      expect(await store.sha256Of(upload.key)).toBe(sha256(whole))
    })

    it('takes several parts at the same time', async () => {
      const upload = await begin()
      const pieces = Array.from({ length: 4 }, () => randomBytes(PART_BYTES))
      const etags = await Promise.all(pieces.map((piece, index) => store.parts.put(upload, index + 1, bodyOf(piece))))
      await store.parts.complete(
        upload,
        etags.map(({ etag }, index) => ({ number: index + 1, etag }))
      )
      expect((await read(upload)).equals(Buffer.concat(pieces))).toBe(true)
    })

    it('refuses a part that is not what was announced, and keeps the one before', async () => {
      const upload = await begin()
      const good = Buffer.from('good')
      const { etag } = await store.parts.put(upload, 1, bodyOf(good))
      await expect(
        store.parts.put(upload, 1, bodyOf(Buffer.from('evil')), { sha256: sha256(good) })
      ).rejects.toMatchObject({ code: 'ChecksumMismatch' })
      for (const sizeBytes of [3, 5])
        await expect(
          store.parts.put(upload, 1, { stream: bodyOf(Buffer.from('evil')).stream, sizeBytes })
        ).rejects.toMatchObject({ code: 'InvalidArgument' })
      await store.parts.complete(upload, [{ number: 1, etag }])
      expect((await read(upload)).toString()).toBe('good')
    })

    it('gives up a part whose sender gave up', async () => {
      const upload = await begin()
      const aborter = new AbortController()
      const stream = new Readable({ read() {} })
      stream.push(randomBytes(1000))
      const put = store.parts.put(upload, 1, { stream, sizeBytes: PART_BYTES }, { signal: aborter.signal })
      aborter.abort(new Error('gone'))
      await expect(put).rejects.toThrow()
    })

    it('knows nothing any more of an upload that was aborted', async () => {
      const upload = await begin()
      const { etag } = await store.parts.put(upload, 1, bodyOf(Buffer.from('x')))
      await store.parts.abort(upload)
      await store.parts.abort(upload)
      await expect(store.parts.put(upload, 1, bodyOf(Buffer.from('x')))).rejects.toMatchObject({ code: 'NotFound' })
      await expect(store.parts.complete(upload, [{ number: 1, etag }])).rejects.toMatchObject({ code: 'NotFound' })
      expect(await store.head(upload.key)).toBeNull()
    })
  })
}

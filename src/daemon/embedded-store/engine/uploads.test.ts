import { createHash, randomBytes } from 'node:crypto'
import { readFile, rename, rm } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BlobFiles } from './blob-files.ts'
import { BUCKET, EngineHarness, md5, OWNER, sha256 } from './engine-harness.ts'
import type { ChecksumAlgorithm, ChecksumType, CompleteUploadRequest, PartInfo, UploadInfo } from './storage-engine.ts'

const MIB = 1024 ** 2
const DAY_MS = 24 * 3_600_000

let store: EngineHarness
let nowMs: number
beforeEach(async () => {
  nowMs = Date.now()
  store = await EngineHarness.open({ clock: () => nowMs, minPartBytes: 10 })
})
afterEach(() => store.dispose())

const create = (key: string, checksum?: { algorithm: ChecksumAlgorithm; type: ChecksumType }) =>
  store.engine.createUpload({
    bucket: BUCKET,
    key,
    owner: OWNER,
    headers: { 'content-type': 'video/mp4' },
    metadata: { a: '1' },
    checksum
  })

const putPart = async (upload: UploadInfo, number: number, bytes: Uint8Array | string): Promise<PartInfo> => {
  const checksums = upload.checksum ? [upload.checksum.algorithm] : []
  return store.engine.putPart({ upload, number, body: await store.body(Buffer.from(bytes), { checksums }) })
}

const complete = (upload: UploadInfo, parts: CompleteUploadRequest['parts']) =>
  store.engine.completeUpload({ upload, parts })

/** An object of these parts. */
const multipart = async (key: string, parts: (Uint8Array | string)[]) => {
  const upload = await create(key)
  const stored: PartInfo[] = []
  for (const [at, bytes] of parts.entries()) stored.push(await putPart(upload, at + 1, bytes))
  return complete(upload, stored)
}

it('the files of many parts are looked at with pauses in which others have their turn', async () => {
  const upload = await create('long')
  const body = () => store.body(Buffer.alloc(10))
  const parts = await Promise.all(
    Array.from({ length: 150 }, async (_, at) => store.engine.putPart({ upload, number: at + 1, body: await body() }))
  )
  await complete(upload, parts)
  let turns = 0
  let over = false
  const others = (async () => {
    for (; !over; turns++) await nextTurn()
  })()
  await store.engine.headObject(BUCKET, 'long')
  over = true
  expect(turns).toBeGreaterThanOrEqual(2)
  await others
})

describe('complete', () => {
  it('strings parts together, in any order of arrival, without those not listed', async () => {
    const upload = await create('video.mp4')
    const third = await putPart(upload, 9, 'the end')
    const dropped = await putPart(upload, 4, 'never listed')
    const first = await putPart(upload, 2, 'first part ')
    const seen: unknown[] = []
    store.engine.onObjectCommitted((event) => seen.push(event))
    const info = await complete(upload, [first, third])
    const etag = `${md5(Buffer.concat([first, third].map((part) => Buffer.from(part.etag, 'hex'))))}-2`
    expect(info).toMatchObject({ sizeBytes: 18, etag, headers: { 'content-type': 'video/mp4' }, metadata: { a: '1' } })
    expect(seen).toEqual([{ bucket: BUCKET, key: 'video.mp4', sizeBytes: 18, etag, sha256: null }])
    expect(String(await store.get('video.mp4'))).toBe('first part the end')
    expect(String(await store.get('video.mp4', { start: 9, end: 13 }))).toBe('t the')
    expect((await store.engine.headObject(BUCKET, 'video.mp4')).parts).toEqual([
      { number: 2, sizeBytes: 11, checksum: null },
      { number: 9, sizeBytes: 7, checksum: null }
    ])
    nowMs += 61_000
    expect(await store.engine.housekeeping.collect()).toBe(1)
    expect(dropped.etag).toBe(md5('never listed'))
    expect(String(await store.get('video.mp4'))).toBe('first part the end')
  })

  it('asks for a part again whose file is lost, and makes no object that nobody could read', async () => {
    const upload = await create('video.mp4')
    const first = await putPart(upload, 1, 'first part ')
    const [name] = await store.blobFiles()
    const path = new BlobFiles(store.directory).path(name!)
    const second = await putPart(upload, 2, 'the end')
    await rm(path)
    await expect(complete(upload, [first, second])).rejects.toMatchObject({
      code: 'InvalidPart',
      details: { partNumber: 1 }
    })
    await expect(store.get('video.mp4')).rejects.toMatchObject({ code: 'NoSuchKey' })
    await complete(upload, [await putPart(upload, 1, 'first part '), second])
    expect(String(await store.get('video.mp4'))).toBe('first part the end')
  })

  it('is told when the whole store is away, and keeps its parts', async () => {
    const upload = await create('video.mp4')
    const part = await putPart(upload, 1, 'all of it')
    await rename(store.directory, `${store.directory}-away`)
    await expect(complete(upload, [part])).rejects.toMatchObject({ code: 'StoreOffline' })
    await rename(`${store.directory}-away`, store.directory)
    await complete(upload, [part])
    expect(String(await store.get('video.mp4'))).toBe('all of it')
  })

  it('gives the ETag and checksums that S3 gives', async () => {
    const parts = [Buffer.alloc(5 * MIB, 'A'), Buffer.alloc(100, 'B')]
    const finish = async (algorithm: ChecksumAlgorithm, type: ChecksumType) => {
      const upload = await create(`${algorithm}-${type}`, { algorithm, type })
      const stored: PartInfo[] = []
      for (const [at, bytes] of parts.entries()) stored.push(await putPart(upload, at + 1, bytes))
      return complete(upload, stored)
    }
    expect(await finish('CRC32', 'COMPOSITE')).toMatchObject({
      etag: '29a9666368544da89cb8362f759e4f8d-2',
      checksum: { value: 'WKn9JQ==-2' }
    })
    expect((await finish('CRC32', 'FULL_OBJECT')).checksum?.value).toBe('zSdMyw==')
    expect((await finish('SHA256', 'COMPOSITE')).checksum?.value).toBe('QvzQa/YfsHR1HE6EtWMX5D2SPlVYJgwsk1vtr47ScGc=-2')
    const whole = Buffer.concat(parts)
    for (const algorithm of ['CRC32C', 'CRC64NVME'] as const) {
      const body = await store.body(whole, { checksums: [algorithm] })
      const single = await store.engine.putObject({ bucket: BUCKET, key: 'single', body, checksumAlgorithm: algorithm })
      expect((await finish(algorithm, 'FULL_OBJECT')).checksum?.value).toBe(single.checksum?.value)
    }
  })

  it('answers a repeat alike, also when the object is gone, and refuses another list', async () => {
    const upload = await create('k')
    const part = await putPart(upload, 1, 'only part')
    const first = await complete(upload, [part])
    await store.engine.deleteObject(BUCKET, 'k')
    expect(await complete(upload, [{ number: 1, etag: `"${part.etag}"` }])).toEqual(first)
    await expect(complete(upload, [{ number: 1, etag: md5('else') }])).rejects.toMatchObject({ code: 'NoSuchUpload' })
    expect(await store.listAll()).toEqual([])
    nowMs += DAY_MS + 1
    await store.engine.housekeeping.expire()
    await expect(complete(upload, [part])).rejects.toMatchObject({ code: 'NoSuchUpload' })
  })

  it('answers two completions at once alike', async () => {
    const upload = await create('k')
    const part = await putPart(upload, 1, 'only part')
    const [one, two] = await Promise.all([complete(upload, [part]), complete(upload, [part])])
    expect(one).toEqual(two)
  })

  it('judges the list', async () => {
    const upload = await create('k')
    const one = await putPart(upload, 1, 'large enough')
    const two = await putPart(upload, 2, 'tiny')
    const three = await putPart(upload, 3, 'last')
    const refused = async (parts: Parameters<typeof complete>[1], error: object) =>
      expect(complete(upload, parts)).rejects.toMatchObject(error)
    await refused([], { code: 'InvalidPart' })
    await refused([two, one], { code: 'InvalidPartOrder' })
    await refused([one, one], { code: 'InvalidPartOrder' })
    await refused([one, { ...two, etag: one.etag }], {
      code: 'InvalidPart',
      details: { partNumber: 2, etag: one.etag }
    })
    await refused([one, { ...two, number: 7 }], { code: 'InvalidPart' })
    await refused([{ ...one, checksum: 'AAAAAA==' }], { code: 'InvalidPart' })
    await refused([one, two, three], {
      code: 'EntityTooSmall',
      details: { partNumber: 2, etag: two.etag, sizeBytes: 4, minSizeBytes: 10 }
    })
    await expect(store.engine.completeUpload({ upload, parts: [one], expectedSizeBytes: 13 })).rejects.toMatchObject({
      code: 'InvalidSize'
    })
    expect(await store.listAll()).toEqual([])
    expect((await complete(upload, [one, two])).sizeBytes).toBe(16)
  })

  it('refuses a whole-object checksum that does not fit', async () => {
    const upload = await create('k', { algorithm: 'CRC64NVME', type: 'FULL_OBJECT' })
    const part = await putPart(upload, 1, 'bytes')
    const parts = [{ number: 1, etag: part.etag }]
    await expect(
      store.engine.completeUpload({ upload, parts, expectedChecksum: 'AAAAAAAAAAA=' })
    ).rejects.toMatchObject({ code: 'BadDigest' })
    const info = await store.engine.completeUpload({ upload, parts, expectedChecksum: part.checksum ?? '' })
    expect(info.checksum?.value).toBe(part.checksum)
  })

  it('takes the checksum of checksums with and without the number of parts, as minio-go sends it', async () => {
    const begin = async () => {
      const upload = await create('k', { algorithm: 'CRC32', type: 'COMPOSITE' })
      return { upload, parts: [await putPart(upload, 1, 'large enough'), await putPart(upload, 2, 'last')] }
    }
    const { upload, parts } = await begin()
    const value = (await complete(upload, parts)).checksum?.value ?? ''
    expect(value).toMatch(/-2$/)
    const bare = value.slice(0, -2)
    for (const expectedChecksum of [value, bare])
      expect((await store.engine.completeUpload({ ...(await begin()), expectedChecksum })).checksum?.value).toBe(value)
    for (const expectedChecksum of [`${bare}-3`, 'AAAAAA==', 'AAAAAA==-2'])
      await expect(store.engine.completeUpload({ ...(await begin()), expectedChecksum })).rejects.toMatchObject({
        code: 'BadDigest'
      })
  })

  it('applies preconditions in the end', async () => {
    const upload = await create('k')
    const part = await putPart(upload, 1, 'bytes')
    const { etag } = await store.put('k', 'came first')
    const finish = (precondition: { ifMatch?: string; ifNoneMatch?: string }) =>
      store.engine.completeUpload({ upload, parts: [part], precondition })
    await expect(finish({ ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'PreconditionFailed' })
    await expect(finish({ ifMatch: md5('else') })).rejects.toMatchObject({ code: 'PreconditionFailed' })
    await finish({ ifMatch: etag })
    expect(String(await store.get('k'))).toBe('bytes')
  })

  it('takes a zero-length last part', async () => {
    const info = await multipart('k', ['enough bytes', ''])
    expect(info.sizeBytes).toBe(12)
    expect(String(await store.get('k'))).toBe('enough bytes')
    expect((await multipart('empty', [''])).sizeBytes).toBe(0)
    expect(String(await store.get('empty'))).toBe('')
  })

  it('survives a restart in the middle of the upload', async () => {
    const upload = await create('k')
    const part = await putPart(upload, 1, 'before the restart')
    await store.reopen()
    await complete(upload, [part, await putPart(upload, 2, ', and after')])
    expect(String(await store.get('k'))).toBe('before the restart, and after')
  })
})

describe('parts', () => {
  it('keeps the one that finished last (O26)', async () => {
    const upload = await create('k')
    const old = await putPart(upload, 1, 'old bytes')
    const current = await putPart(upload, 1, 'new bytes')
    await expect(complete(upload, [old])).rejects.toMatchObject({ code: 'InvalidPart' })
    await complete(upload, [current])
    expect(String(await store.get('k'))).toBe('new bytes')
  })

  it.each([0, 10_001, 1.5, Number.NaN])('refuses number %d (O24)', async (number) => {
    await expect(putPart(await create('k'), number, 'x')).rejects.toMatchObject({ code: 'InvalidPartNumber' })
  })

  it('belong to one key, bucket and creator (O29, O30)', async () => {
    const upload = await create('k')
    await store.engine.createBucket({ name: 'other', owner: OWNER })
    for (const wrong of [{ key: 'else' }, { bucket: 'other' }, { owner: 'else' }, { uploadId: 'else' }]) {
      const refused = { code: 'NoSuchUpload' }
      const as = { ...upload, ...wrong }
      await expect(putPart(as, 1, 'x')).rejects.toMatchObject(refused)
      await expect(store.engine.headUpload(as)).rejects.toMatchObject(refused)
      await expect(store.engine.listParts(as, { limit: 1 })).rejects.toMatchObject(refused)
      await expect(complete(as, [])).rejects.toMatchObject(refused)
      await expect(store.engine.abortUpload(as)).rejects.toMatchObject(refused)
    }
    await store.engine.abortUpload(upload)
    await expect(putPart(upload, 1, 'x')).rejects.toMatchObject({ code: 'NoSuchUpload' })
    await expect(store.engine.abortUpload(upload)).rejects.toMatchObject({ code: 'NoSuchUpload' })
  })

  it('are listed page by page (O31)', async () => {
    const upload = await create('k', { algorithm: 'CRC32', type: 'COMPOSITE' })
    const stored = [await putPart(upload, 3, 'c'), await putPart(upload, 7, 'd'), await putPart(upload, 10_000, 'e')]
    const seen: PartInfo[] = []
    for (let after = 0, more = true; more; ) {
      const page = await store.engine.listParts(upload, { after, limit: 1 })
      expect(page.parts).toHaveLength(1)
      seen.push(...page.parts)
      after = page.parts[0]?.number ?? 0
      more = page.truncated
    }
    expect(seen).toEqual(stored)
  })

  it('can be copied from objects, whole or in ranges', async () => {
    await multipart('source', ['0123456789', 'abcdefghij'])
    const upload = await create('target', { algorithm: 'SHA1', type: 'COMPOSITE' })
    const source = { bucket: BUCKET, key: 'source' }
    const one = await store.engine.copyPart({ upload, number: 1, source, range: { start: 5, end: 14 } })
    expect(one).toMatchObject({
      etag: md5('56789abcde'),
      checksum: createHash('sha1').update('56789abcde').digest('base64')
    })
    const two = await store.engine.copyPart({ upload, number: 2, source })
    await complete(
      upload,
      [one, two].map(({ number, etag }) => ({ number, etag }))
    )
    expect(String(await store.get('target'))).toBe('56789abcde0123456789abcdefghij')
    const copy = (range: { start: number; end: number }, etag?: string) =>
      store.engine.copyPart({ upload: refreshed, number: 1, source: { ...source, etag }, range })
    const refreshed = await create('another')
    await expect(copy({ start: 10, end: 20 })).rejects.toMatchObject({ code: 'InvalidRange' })
    await expect(copy({ start: 0, end: 1 }, 'else')).rejects.toMatchObject({ code: 'PreconditionFailed' })
  })
})

describe('uploads', () => {
  const listed = async (request: { prefix?: string; delimiter?: string; limit: number }) => {
    const names: string[] = []
    let after: { key: string; uploadId?: string } | undefined
    for (;;) {
      const page = await store.engine.listUploads({ bucket: BUCKET, after, ...request })
      for (const entry of page.entries)
        names.push('prefix' in entry ? entry.prefix : `${entry.upload.key} ${entry.upload.uploadId}`)
      if (!page.next) return names
      after = { key: page.next.key, ...(page.next.uploadId && { uploadId: page.next.uploadId }) }
    }
  }

  it('are listed with prefixes, every one once whatever the page size (O31)', async () => {
    const uploads: UploadInfo[] = []
    for (const key of ['a', 'a', 'a', 'dir/1', 'dir/2', 'dir2', 'z']) uploads.push(await create(key))
    const all = uploads.map(({ key, uploadId }) => `${key} ${uploadId}`).toSorted()
    expect(await listed({ limit: 1000 })).toEqual(all)
    expect(await listed({ limit: 1 })).toEqual(all)
    expect(await listed({ limit: 2 })).toEqual(all)
    const rolledUp = [...all.filter((name) => !name.startsWith('dir/')), 'dir/'].toSorted()
    expect((await listed({ limit: 1, delimiter: '/' })).toSorted()).toEqual(rolledUp)
    expect(await listed({ limit: 1, prefix: 'dir' })).toEqual(all.filter((name) => name.startsWith('dir')))
  })

  it('are aborted after a week without a part', async () => {
    const idle = await create('idle')
    const used = await create('used')
    nowMs += 6 * DAY_MS
    await putPart(used, 1, 'x')
    nowMs += 2 * DAY_MS
    await store.engine.housekeeping.expire()
    await expect(store.engine.headUpload(idle)).rejects.toMatchObject({ code: 'NoSuchUpload' })
    await store.engine.headUpload(used)
  })

  describe('with many parts', () => {
    const PARTS = 200
    let upload: UploadInfo
    beforeEach(async () => {
      upload = await create('idle')
      const numbers = Array.from({ length: PARTS }, (_, index) => index + 1)
      await Promise.all(numbers.map((number) => putPart(upload, number, `part ${number}`)))
      nowMs += 8 * DAY_MS
      // Every look at the clock takes longer than a slice, so each slice is one step.
      let atMs = performance.now()
      vi.spyOn(performance, 'now').mockImplementation(() => (atMs += 100))
    })
    afterEach(() => void vi.restoreAllMocks())
    const partsLeft = async () => (await store.engine.listParts(upload, { limit: 1000 })).parts.length

    it('go bit by bit, and their bytes with them', async () => {
      const seen = new Set<number>()
      const expiry = store.engine.housekeeping.expire()
      const isOver = expiry.then(() => true)
      while (!(await Promise.race([isOver, nextTurn(false)]))) {
        const left = await partsLeft().catch(() => 0)
        seen.add(left)
      }
      expect(await expiry).toBe(1)
      expect(seen.size).toBeGreaterThan(3)
      await expect(store.engine.headUpload(upload)).rejects.toMatchObject({ code: 'NoSuchUpload' })
      nowMs += 61_000
      expect(await store.engine.housekeeping.collect()).toBe(PARTS)
      expect(await store.blobFiles()).toEqual([])
    })

    it('a part that arrives meanwhile keeps what is left', async () => {
      const expiry = store.engine.housekeeping.expire()
      await vi.waitFor(async () => expect(await partsLeft()).toBeLessThan(PARTS))
      await putPart(upload, PARTS, 'sent again')
      expect(await expiry).toBe(0)
      expect(await partsLeft()).toBeGreaterThan(0)
    })
  })
})

describe('one file, one digest', () => {
  const parts = [randomBytes(3 * MIB), randomBytes(2 * MIB + 5), randomBytes(77)]
  const whole = Buffer.concat(parts)

  it('computes the digest once, and remembers it', async () => {
    await multipart('k', parts)
    const digests = await Promise.all([store.engine.digestOf(BUCKET, 'k'), store.engine.digestOf(BUCKET, 'k')])
    expect(digests).toEqual([sha256(whole), sha256(whole)])
    expect((await store.engine.headObject(BUCKET, 'k')).sha256).toBe(sha256(whole))
  })

  it('stops computing the digest when told to', async () => {
    await multipart('k', parts)
    const aborter = new AbortController()
    const digest = store.engine.digestOf(BUCKET, 'k', aborter.signal)
    aborter.abort(new Error('enough'))
    await expect(digest).rejects.toThrow('enough')
    expect((await store.engine.headObject(BUCKET, 'k')).sha256).toBeNull()
  })

  it('makes one file without changing the object', async () => {
    const { etag, lastModifiedMs } = await multipart('k', parts)
    const before = await store.engine.headObject(BUCKET, 'k')
    const handle = await store.engine.openObject(BUCKET, 'k')
    nowMs += 1000
    const [local, same] = await Promise.all([store.engine.localFile(BUCKET, 'k'), store.engine.localFile(BUCKET, 'k')])
    expect(same.path).toBe(local.path)
    expect(await readFile(local.path)).toEqual(whole)
    expect(await store.engine.headObject(BUCKET, 'k')).toEqual({
      ...before,
      etag,
      lastModifiedMs,
      sha256: sha256(whole)
    })
    local.release()
    same.release()
    // The parts' files wait for the reader that still has them open.
    nowMs += 61_000
    expect(await store.engine.housekeeping.collect()).toBe(0)
    handle.close()
    expect(await store.engine.housekeeping.collect()).toBe(3)
    expect(await store.get('k')).toEqual(whole)
  })

  it('keeps the file until it is released', async () => {
    await store.put('k', 'to be replaced')
    const local = await store.engine.localFile(BUCKET, 'k')
    await store.put('k', 'replacement')
    nowMs += 61_000
    expect(await store.engine.housekeeping.collect()).toBe(0)
    expect(await readFile(local.path, 'utf8')).toBe('to be replaced')
    local.release()
    expect(await store.engine.housekeeping.collect()).toBe(1)
  })
})

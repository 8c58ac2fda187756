import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BUCKET, bytesOf, EngineHarness, md5, OWNER, sha256 } from './engine-harness.ts'

let store: EngineHarness
beforeEach(async () => {
  store = await EngineHarness.open()
})
afterEach(() => store.dispose())

describe('put and read', () => {
  it('gives back the bytes, digests, headers and metadata', async () => {
    const bytes = Buffer.alloc(3_500_000, 'flightcase')
    const body = await store.body(bytes, { checksums: ['CRC32'] })
    const info = await store.engine.putObject({
      bucket: BUCKET,
      key: 'media/a.jpg',
      body,
      headers: { 'content-type': 'image/jpeg', 'cache-control': 'no-store' },
      metadata: { mtime: '17\u00e9' },
      checksumAlgorithm: 'CRC32'
    })
    expect(info).toMatchObject({
      sizeBytes: bytes.length,
      etag: md5(bytes),
      sha256: sha256(bytes),
      headers: { 'content-type': 'image/jpeg', 'cache-control': 'no-store' },
      metadata: { mtime: '17\u00e9' },
      checksum: { algorithm: 'CRC32', type: 'FULL_OBJECT' },
      parts: null
    })
    expect(await store.engine.headObject(BUCKET, 'media/a.jpg')).toEqual(info)
    expect(await store.get('media/a.jpg')).toEqual(bytes)
  })

  it('has an ETag that nobody takes for an md5 where none was computed', async () => {
    const bytes = Buffer.alloc(3_500_000, 'flightcase')
    const body = await store.engine.openBody({ sizeBytes: null, withoutMd5: true })
    await body.write(bytes)
    expect(await body.finish()).toMatchObject({ md5: null, sha256: sha256(bytes) })
    const info = await store.engine.putObject({ bucket: BUCKET, key: 'stream', body })
    expect(info).toMatchObject({ etag: `${sha256(bytes).slice(0, 32)}-1`, sha256: sha256(bytes), parts: null })
    expect(await store.get('stream')).toEqual(bytes)
  })

  it('survives a restart', async () => {
    await store.put('k', 'bytes')
    await store.reopen()
    expect(await store.get('k')).toEqual(Buffer.from('bytes'))
  })

  it('stores a zero-byte object, of which no range can be read (O10)', async () => {
    const info = await store.put('empty', '')
    expect(info).toMatchObject({ sizeBytes: 0, etag: 'd41d8cd98f00b204e9800998ecf8427e' })
    expect(await store.get('empty')).toEqual(Buffer.alloc(0))
    await expect(store.get('empty', { start: 0, end: 0 })).rejects.toMatchObject({ code: 'InvalidRange' })
  })

  it('reads exact ranges, cutting the end to the object (O17)', async () => {
    await store.put('ten', '0123456789')
    expect(String(await store.get('ten', { start: 0, end: 0 }))).toBe('0')
    expect(String(await store.get('ten', { start: 5, end: 99 }))).toBe('56789')
    await expect(store.get('ten', { start: 10, end: 12 })).rejects.toMatchObject({ code: 'InvalidRange' })
  })

  it('says what is missing', async () => {
    await expect(store.engine.headObject(BUCKET, 'none')).rejects.toMatchObject({ code: 'NoSuchKey' })
    await expect(store.engine.headObject('nobucket', 'none')).rejects.toMatchObject({ code: 'NoSuchBucket' })
    await expect(store.put('k', 'x', { bucket: 'nobucket' })).rejects.toMatchObject({ code: 'NoSuchBucket' })
  })
})

describe('keys', () => {
  it('keeps every name apart and exact (O11, O13)', async () => {
    const keys = [
      'a',
      'A',
      'a/b',
      'a//b',
      '/a',
      'a/',
      'CON',
      'aux.txt',
      'x:y',
      'trailing.',
      'trailing ',
      '\u00e9',
      'e\u0301',
      '\ud83d\ude81'
    ]
    for (const key of keys) await store.put(key, `content of ${key}`)
    expect((await store.listAll()).toSorted()).toEqual(keys.toSorted())
    for (const key of keys) expect(String(await store.get(key))).toBe(`content of ${key}`)
  })

  it.each(['..', '../x', 'a/../b', 'a/.', './a', 'a\u0000b', 'a\nb', 'a\u007f', 'a\uffff', '\ud800'])(
    'refuses %j (O12)',
    async (key) => {
      await expect(store.put(key, 'x')).rejects.toMatchObject({ code: 'InvalidKey' })
      expect(await store.listAll()).toEqual([])
    }
  )

  it('takes 1024 bytes and refuses 1025 (O14)', async () => {
    await store.put('\u00e9'.repeat(512), 'x')
    await expect(store.put(`${'\u00e9'.repeat(512)}a`, 'x')).rejects.toMatchObject({ code: 'KeyTooLong' })
  })
})

describe('preconditions', () => {
  it('lets exactly one of 50 concurrent creators win (O20)', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, at) => store.put('once', `writer ${at}`, { precondition: { ifNoneMatch: '*' } }))
    )
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    expect(won).toHaveLength(1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'PreconditionFailed' })
    expect(md5(await store.get('once'))).toBe(won[0]?.value.etag)
  })

  it('honours If-Match and If-None-Match with entity tags', async () => {
    const { etag } = await store.put('k', 'one')
    await expect(store.put('k', 'x', { precondition: { ifMatch: '"other"' } })).rejects.toMatchObject({
      code: 'PreconditionFailed'
    })
    await expect(store.put('new', 'x', { precondition: { ifMatch: '*' } })).rejects.toMatchObject({ code: 'NoSuchKey' })
    await expect(store.put('k', 'x', { precondition: { ifNoneMatch: `"a", "${etag}"` } })).rejects.toMatchObject({
      code: 'PreconditionFailed'
    })
    await expect(store.put('k', 'x', { precondition: { ifMatch: `W/"${etag}"` } })).rejects.toMatchObject({
      code: 'PreconditionFailed'
    })
    expect(String(await store.get('k'))).toBe('one')
    await store.put('k', 'two', { precondition: { ifMatch: `"${etag}"` } })
    await store.put('k', 'three', { precondition: { ifNoneMatch: `"${etag}"` } })
    expect(String(await store.get('k'))).toBe('three')
  })

  it('applies If-Match to deletes', async () => {
    const { etag } = await store.put('k', 'one')
    await expect(store.engine.deleteObject(BUCKET, 'k', { ifMatch: 'other' })).rejects.toMatchObject({
      code: 'PreconditionFailed'
    })
    expect(await store.engine.deleteObject(BUCKET, 'k', { ifMatch: etag })).toEqual({ existed: true })
    expect(await store.engine.deleteObject(BUCKET, 'k')).toEqual({ existed: false })
  })
})

describe('versions', () => {
  it('shows a reader one complete version while writers replace it (O19)', async () => {
    const versions = ['a', 'b'].map((letter) => Buffer.alloc(8_000_000, letter))
    await store.put('k', versions[0]!)
    let writing = true
    const writer = (bytes: Buffer) => async () => {
      for (let round = 0; round < 3; round++) await store.put('k', bytes)
    }
    const writers = Promise.all(versions.map((bytes) => writer(bytes)())).finally(() => {
      writing = false
    })
    let reads = 0
    while (writing) {
      const handle = await store.engine.openObject(BUCKET, 'k')
      expect(md5(await bytesOf(handle.read()))).toBe(handle.info.etag)
      handle.close()
      reads++
    }
    await writers
    expect(reads).toBeGreaterThan(0)
  })

  it('lets an open handle finish after the object was deleted', async () => {
    await store.put('k', 'still here')
    const handle = await store.engine.openObject(BUCKET, 'k')
    await store.engine.deleteObject(BUCKET, 'k')
    expect(String(await bytesOf(handle.read()))).toBe('still here')
    handle.close()
  })

  it('tells listeners of every committed object', async () => {
    const seen: unknown[] = []
    const stop = store.engine.onObjectCommitted((event) => seen.push(event))
    const info = await store.put('k', 'x')
    stop()
    await store.put('k', 'y')
    expect(seen).toEqual([{ bucket: BUCKET, key: 'k', sizeBytes: 1, etag: info.etag, sha256: sha256('x') }])
  })
})

describe('copy', () => {
  it('shares the bytes and keeps or replaces headers and metadata', async () => {
    const source = await store.put('from', 'shared', {
      metadata: { a: '1' },
      headers: { 'content-type': 'text/plain' }
    })
    const copy = await store.engine.copyObject({ source: { bucket: BUCKET, key: 'from' }, bucket: BUCKET, key: 'to' })
    expect(copy).toMatchObject({ etag: source.etag, sha256: source.sha256, metadata: { a: '1' } })
    const replaced = await store.engine.copyObject({
      source: { bucket: BUCKET, key: 'to', etag: source.etag },
      bucket: BUCKET,
      key: 'to',
      replace: { headers: { 'content-type': 'image/png' }, metadata: {} }
    })
    expect(replaced).toMatchObject({ headers: { 'content-type': 'image/png' }, metadata: {} })
    await store.engine.deleteObject(BUCKET, 'from')
    expect(String(await store.get('to'))).toBe('shared')
  })

  it('refuses a source that was replaced or is missing', async () => {
    await store.put('from', 'new')
    const copy = (source: { bucket: string; key: string; etag?: string }) =>
      store.engine.copyObject({ source, bucket: BUCKET, key: 'to' })
    await expect(copy({ bucket: BUCKET, key: 'from', etag: md5('old') })).rejects.toMatchObject({
      code: 'PreconditionFailed'
    })
    await expect(copy({ bucket: BUCKET, key: 'none' })).rejects.toMatchObject({ code: 'NoSuchKey' })
    await expect(copy({ bucket: 'nobucket', key: 'from' })).rejects.toMatchObject({ code: 'NoSuchBucket' })
    expect(await store.listAll()).toEqual(['from'])
  })
})

describe('buckets', () => {
  it('creates idempotently for one owner, refuses another', async () => {
    expect(await store.engine.createBucket({ name: BUCKET, owner: OWNER })).toMatchObject({ created: false })
    await expect(store.engine.createBucket({ name: BUCKET, owner: 'else' })).rejects.toMatchObject({
      code: 'BucketAlreadyExists'
    })
    await expect(store.engine.createBucket({ name: 'Bad_Name', owner: OWNER })).rejects.toMatchObject({
      code: 'InvalidBucketName'
    })
  })

  it('lists by prefix and marker', async () => {
    for (const name of ['b-1', 'b-2', 'c-1']) await store.engine.createBucket({ name, owner: OWNER })
    const names = async (request: { prefix?: string; after?: string; limit?: number }) =>
      (await store.engine.listBuckets(request)).map((bucket) => bucket.name)
    expect(await names({})).toEqual(['b-1', 'b-2', 'c-1', BUCKET])
    expect(await names({ prefix: 'b-', limit: 1 })).toEqual(['b-1'])
    expect(await names({ prefix: 'b-', after: 'b-1' })).toEqual(['b-2'])
  })

  it('deletes only an empty bucket', async () => {
    await store.put('k', 'x')
    await expect(store.engine.deleteBucket(BUCKET)).rejects.toMatchObject({ code: 'BucketNotEmpty' })
    await store.engine.deleteObject(BUCKET, 'k')
    await store.engine.createUpload({ bucket: BUCKET, key: 'unfinished', owner: OWNER })
    await store.engine.deleteBucket(BUCKET)
    await expect(store.engine.headBucket(BUCKET)).rejects.toMatchObject({ code: 'NoSuchBucket' })
  })

  it('keeps the CORS configuration', async () => {
    await store.engine.setBucketCors(BUCKET, '[]')
    expect((await store.engine.headBucket(BUCKET)).corsJson).toBe('[]')
    await store.engine.setBucketCors(BUCKET, null)
    expect((await store.engine.headBucket(BUCKET)).corsJson).toBeNull()
  })
})

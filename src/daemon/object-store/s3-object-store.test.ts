import { createHash, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EndpointHarness, REGION } from '../embedded-store/endpoint/endpoint-harness.ts'
import { newId } from '../ids.ts'
import { openExternalStore } from '../testing/test-stores.ts'
import { describeObjectStore } from './object-store.contract.ts'
import { ObjectStoreError, type TemporaryCredentials } from './object-store.ts'
import { fromS3Error } from './s3-errors.ts'
import { S3ObjectStore, type S3ObjectStoreOptions } from './s3-object-store.ts'

const MIB = 1024 ** 2
const embedded = (harness: EndpointHarness, options: Partial<S3ObjectStoreOptions> = {}) =>
  new S3ObjectStore({
    endpoint: harness.url,
    region: REGION,
    bucket: 'media',
    credentials: harness.admin,
    ...options
  })

describeObjectStore('s3, over HTTP against the embedded endpoint', async () => {
  const harness = await EndpointHarness.open()
  const store = embedded(harness)
  return {
    store,
    servesUrls: true,
    issuesCredentials: true,
    keysAreData: true,
    withCredentials: (credentials: TemporaryCredentials) => embedded(harness, { credentials }),
    dispose: async () => {
      await store.close()
      await harness.dispose()
    }
  }
})

const external = {
  endpoint: process.env['FLIGHTCASE_TEST_S3_ENDPOINT'],
  accessKeyId: process.env['FLIGHTCASE_TEST_S3_ACCESS_KEY'],
  secretAccessKey: process.env['FLIGHTCASE_TEST_S3_SECRET_KEY'],
  bucket: process.env['FLIGHTCASE_TEST_S3_BUCKET'] ?? 'flightcase-test',
  region: process.env['FLIGHTCASE_TEST_S3_REGION'] ?? 'us-east-1'
}
const { endpoint, accessKeyId, secretAccessKey, bucket, region } = external
if (endpoint && accessKeyId && secretAccessKey) {
  const open = (credentials: S3ObjectStoreOptions['credentials'], options: Partial<S3ObjectStoreOptions> = {}) =>
    new S3ObjectStore({ endpoint, region, bucket, credentials, ...options })
  it(`strict credentials of ${endpoint} can only add`, () =>
    canOnlyAdd((options) => open({ accessKeyId, secretAccessKey }, options)))
  describeObjectStore(`s3, against ${endpoint}`, async () => {
    const store = open({ accessKeyId, secretAccessKey })
    await store.createBucketIfMissing()
    return {
      store,
      servesUrls: true,
      issuesCredentials: process.env['FLIGHTCASE_TEST_S3_NO_STS'] === undefined,
      keysAreData: await takesAnyKey(store),
      withCredentials: open,
      dispose: () => store.close()
    }
  })
} else
  describe('object store contract: s3, against a server of your own', () => {
    it.skip('set FLIGHTCASE_TEST_S3_ENDPOINT, FLIGHTCASE_TEST_S3_ACCESS_KEY and FLIGHTCASE_TEST_S3_SECRET_KEY', () => {})
    console.warn(
      'SKIPPED: object store contract against an external S3 server (FLIGHTCASE_TEST_S3_ENDPOINT is not set)'
    )
  })

/** The least that a controller can be given: no look at its own objects either. */
async function canOnlyAdd(open: (options: Partial<S3ObjectStoreOptions>) => S3ObjectStore): Promise<void> {
  const store = open({ sts: { policyMode: 'strict' } })
  await store.createBucketIfMissing()
  const folder = `strict/${newId()}/`
  const request = { workspaceId: 'ws', prefixes: [`${folder}own/`], durationSeconds: 900 }
  const limited = open({ credentials: await store.issueCredentials(request) })
  const refused = { code: 'AccessDenied' }
  try {
    // After it has written, the driver looks, which it may not.
    await expect(limited.put(`${folder}own/a`, Buffer.from('mine'))).rejects.toMatchObject(refused)
    expect(await store.head(`${folder}own/a`)).toMatchObject({ sizeBytes: 4 })
    const upload = await limited.parts.begin(`${folder}own/b`, { contentType: 'video/mp4' })
    await limited.parts.put(upload, 1, { stream: Readable.from([Buffer.from('part')]), sizeBytes: 4 })
    await limited.parts.abort(upload)
    await expect(limited.put(`${folder}else`, Buffer.from('x'))).rejects.toMatchObject(refused)
    expect(await store.head(`${folder}else`)).toBeNull()
    await expect(limited.getStream(`${folder}own/a`)).rejects.toMatchObject(refused)
    await expect(limited.list({ prefix: `${folder}own/` })).rejects.toMatchObject(refused)
    await expect(limited.delete(`${folder}own/a`)).rejects.toMatchObject(refused)
    await expect(limited.copy(`${folder}own/a`, `${folder}own/c`)).rejects.toMatchObject(refused)
  } finally {
    await store.delete(`${folder}own/a`)
    await limited.close()
    await store.close()
  }
}

describe('s3 driver', () => {
  let harness: EndpointHarness
  beforeEach(async () => {
    harness = await EndpointHarness.open()
  })
  afterEach(() => harness.dispose())

  it('sends and copies in parts what is too large for one request', async () => {
    const store = embedded(harness, { singleRequestMaxBytes: 6 * MIB, copyRequestMaxBytes: 6 * MIB })
    const bytes = randomBytes(17 * MIB)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const put = await store.put('large', { stream: Readable.from([bytes]), sizeBytes: bytes.length }, { sha256 })
    expect(put).toMatchObject({ sizeBytes: bytes.length, sha256 })
    expect(put.etag).toMatch(/-2$/)
    await store.copy('large', 'copy', { replace: { contentType: 'video/mp4', metadata: { a: '1' } } })
    const copy = await store.head('copy')
    expect(copy).toMatchObject({ contentType: 'video/mp4', metadata: { a: '1' } })
    expect(copy!.etag).toMatch(/-3$/)
    expect(await store.sha256Of('copy')).toBe(sha256)
    await expect(store.copy('large', 'copy', { targetIfMatch: 'else' })).rejects.toMatchObject({
      code: 'PreconditionFailed'
    })
    expect((await harness.engine.listUploads({ bucket: 'media', limit: 10 })).entries).toEqual([])
    await store.close()
  })

  it('issues strict credentials that can only add', () => canOnlyAdd((options) => embedded(harness, options)))

  it('looks at conditions itself where the server knows none', async () => {
    const store = embedded(harness, { takesConditions: false })
    const { etag } = await store.put('k', Buffer.from('one'), { ifNoneMatch: '*' })
    const refused = { code: 'PreconditionFailed' }
    await expect(store.put('k', Buffer.from('two'), { ifNoneMatch: '*' })).rejects.toMatchObject(refused)
    await expect(store.put('k', Buffer.from('two'), { ifMatch: 'else' })).rejects.toMatchObject(refused)
    await expect(store.put('none', Buffer.from('two'), { ifMatch: etag })).rejects.toMatchObject({ code: 'NotFound' })
    await expect(store.uploadStream('k', Readable.from([]), { ifNoneMatch: '*' })).rejects.toMatchObject(refused)
    await store.put('k', Buffer.from('two'), { ifMatch: etag })
    expect(await store.head('k')).toMatchObject({ sizeBytes: 3 })
    await store.close()
  })

  it('waits long for a copy and does not ask for it twice', async () => {
    const { store, s3 } = await openExternalStore({ copySilenceMs: 100 })
    await store.put('k', Buffer.from('bytes'))
    s3.neverCopies = true
    await expect(store.copy('k', 'copy')).rejects.toMatchObject({ code: 'Unreachable' })
    expect(s3.copies).toBe(1)
  })

  it('asks again for a copy that the server is too busy for', async () => {
    const { store, s3 } = await openExternalStore()
    await store.put('k', Buffer.from('bytes'))
    s3.failure = { status: 503, code: 'SlowDown', methods: ['PUT'], times: 1 }
    await store.copy('k', 'copy')
    expect(s3.objects.get('copy')?.bytes.toString()).toBe('bytes')
  })

  it('ends a copy that is not wanted any more', async () => {
    const { store, s3 } = await openExternalStore()
    await store.put('k', Buffer.from('bytes'))
    s3.neverCopies = true
    const abort = new AbortController()
    const copied = store.copy('k', 'copy', { signal: abort.signal })
    await vi.waitFor(() => expect(s3.copies).toBe(1))
    abort.abort(new Error('cancelled'))
    await expect(copied).rejects.toThrow('cancelled')
  })

  it('does not take an upload in parts that vanished for a missing object', () => {
    const error = Object.assign(new Error('gone'), { name: 'NoSuchUpload', $metadata: { httpStatusCode: 404 } })
    expect(fromS3Error(error)).toMatchObject({ code: 'Conflict' })
  })

  it('tells a missing bucket from a missing object', async () => {
    const store = embedded(harness, { bucket: 'not-there' })
    await expect(store.head('k')).rejects.toMatchObject({ code: 'Protocol' })
    await expect(store.getStream('k')).rejects.toMatchObject({ code: 'Protocol' })
    await expect(store.list()).rejects.toMatchObject({ code: 'Protocol' })
    await store.close()
  })

  it('tells wrong keys from absence', async () => {
    const store = embedded(harness, { credentials: { ...harness.admin, secretAccessKey: 'wrong' } })
    await expect(store.head('k')).rejects.toMatchObject({ code: 'AccessDenied' })
    await expect(store.put('k', Buffer.from('x'))).rejects.toMatchObject({ code: 'AccessDenied' })
    await expect(
      store.issueCredentials({ workspaceId: 'ws', prefixes: ['a/'], durationSeconds: 900 })
    ).rejects.toMatchObject({ code: 'AccessDenied' })
    await store.close()
  })

  it('tells an outage from absence', async () => {
    const port = await unusedPort()
    const store = embedded(harness, { endpoint: `http://127.0.0.1:${port}` })
    const unreachable = { code: 'Unreachable', retryable: true }
    await expect(store.head('k')).rejects.toMatchObject(unreachable)
    await expect(store.put('k', Buffer.from('x'))).rejects.toMatchObject(unreachable)
    await expect(store.health('.health/trial')).rejects.toMatchObject(unreachable)
    await store.close()
  })

  it('refuses to presign while the clocks are far apart', async () => {
    const store = embedded(harness, { clock: () => Date.now() - 10 * 60_000 })
    await store.health('.health/trial')
    await expect(store.presignGet('k', { expiresInSeconds: 60 })).rejects.toMatchObject({ code: 'ClockSkew' })
    await store.close()
  })

  it('presigns for the address that clients see', async () => {
    const store = embedded(harness, { publicEndpoint: () => 'http://192.0.2.7:9000' })
    const { url } = await store.presignGet('k', { expiresInSeconds: 60 })
    expect(url).toMatch(/^http:\/\/192\.0\.2\.7:9000\/media\/k\?/)
    await store.close()
  })

  it('reports a damaged object as an error, never as absence', async () => {
    const store = embedded(harness)
    await store.put('k', Buffer.from('bytes'))
    const file = await harness.engine.localFile('media', 'k')
    file.release()
    await rm(file.path)
    await expect(store.head('k')).rejects.toMatchObject({ code: 'Unreachable' })
    await expect(store.getStream('k')).rejects.toMatchObject({ code: 'Unreachable' })
    await store.close()
  })
})

/** MinIO keeps keys as paths and refuses some. */
async function takesAnyKey(store: S3ObjectStore): Promise<boolean> {
  const key = 'contract//probe'
  try {
    await store.put(key, Buffer.from('x'))
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code === 'InvalidArgument') return false
    throw error
  }
  await store.delete(key)
  return true
}

function unusedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))
      )
    })
  })
}

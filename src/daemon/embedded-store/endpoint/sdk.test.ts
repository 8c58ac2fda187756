import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EndpointHarness } from './endpoint-harness.ts'

let harness: EndpointHarness
beforeAll(async () => {
  harness = await EndpointHarness.open()
})
afterAll(() => harness.dispose())

const Bucket = 'media'

describe.each(['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const)('AWS SDK, checksums %s', (checksums) => {
  let s3: S3Client
  beforeAll(() => {
    s3 = harness.client(harness.admin, {
      requestChecksumCalculation: checksums,
      responseChecksumValidation: checksums
    })
  })
  afterAll(() => s3.destroy())

  it('puts, heads, gets, lists and deletes', async () => {
    const Key = `${checksums}/a b+ü'(1).jpg`
    const put = await s3.send(
      new PutObjectCommand({ Bucket, Key, Body: 'hello', ContentType: 'image/jpeg', Metadata: { Note: 'x y' } })
    )
    expect(put.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"')
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }))
    expect(head).toMatchObject({ ContentLength: 5, ContentType: 'image/jpeg', Metadata: { note: 'x y' } })
    const get = await s3.send(new GetObjectCommand({ Bucket, Key }))
    expect(await get.Body?.transformToString()).toBe('hello')
    const part = await s3.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=1-2' }))
    expect([part.ContentRange, await part.Body?.transformToString()]).toEqual(['bytes 1-2/5', 'el'])
    const list = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: `${checksums}/` }))
    expect(list.Contents?.map((entry) => entry.Key)).toEqual([Key])
    expect((await s3.send(new ListObjectsCommand({ Bucket, Prefix: `${checksums}/` }))).Contents).toHaveLength(1)
    expect((await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: `${checksums}/` }))).Versions).toHaveLength(1)
    await s3.send(new DeleteObjectCommand({ Bucket, Key }))
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: 'NotFound' })
  })

  it('streams a body of known size in whatever framing the client chooses', async () => {
    const Key = `${checksums}/stream`
    const chunks = Array.from({ length: 50 }, (_, i) => Buffer.alloc(7000, i))
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: Readable.from(chunks), ContentLength: 350_000 }))
    const get = await s3.send(new GetObjectCommand({ Bucket, Key }))
    expect(Buffer.from((await get.Body?.transformToByteArray()) ?? [])).toEqual(Buffer.concat(chunks))
  })

  it('copies and deletes in batches', async () => {
    const Key = `${checksums}/source`
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', Metadata: { a: '1' } }))
    const target = `${checksums}/target`
    await s3.send(new CopyObjectCommand({ Bucket, Key: target, CopySource: encodeURIComponent(`${Bucket}/${Key}`) }))
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: target }))).Metadata).toEqual({ a: '1' })
    const deleted = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }, { Key: target }, { Key: 'never there' }] } })
    )
    expect(deleted.Deleted?.map((entry) => entry.Key)).toEqual([Key, target, 'never there'])
  })

  it('manages buckets', async () => {
    const name = `bucket-${checksums.toLowerCase().replace('_', '-')}`
    await s3.send(new CreateBucketCommand({ Bucket: name }))
    await s3.send(new HeadBucketCommand({ Bucket: name }))
    expect((await s3.send(new GetBucketLocationCommand({ Bucket: name }))).LocationConstraint).toBeUndefined()
    expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map((bucket) => bucket.Name)).toContain(name)
    await s3.send(new DeleteBucketCommand({ Bucket: name }))
    await expect(s3.send(new HeadBucketCommand({ Bucket: name }))).rejects.toMatchObject({ name: 'NotFound' })
  })
})

describe('AWS SDK, STS', () => {
  it('T1: assumes a role and uses the credentials', async () => {
    const sts = harness.sts()
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::000000000000:role/pilot', RoleSessionName: 'ws-1' })
    )
    expect(Math.abs((Credentials?.Expiration?.getTime() ?? 0) - Date.now() - 3_600_000)).toBeLessThan(5000)
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? ''
    }
    const s3 = harness.client(credentials)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'via-sts', Body: 'x' }))
    const identity = await harness.sts(credentials).send(new GetCallerIdentityCommand({}))
    expect(identity.Arn).toMatch(/assumed-role\/admin\/ws-1$/)
    s3.destroy()
    sts.destroy()
  })
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  type S3ClientConfig
} from '@aws-sdk/client-s3'
import sdk from '@aws-sdk/client-s3/package.json' with { type: 'json' }
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type Check, type Client, runChecks, type Site } from './client.ts'
import { MIB, sha256OfFile } from './files.ts'

export const awsSdkV3: Client = {
  name: 'aws-sdk-v3',
  foundBy: 'nothing more than `npm ci`',
  async find() {
    return [
      {
        version: sdk.version,
        async run(site, tell) {
          for (const checksums of ['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const)
            await runChecks(site, (name, outcome) => tell(`${name} (${checksums})`, outcome), checksOf(site, checksums))
        }
      }
    ]
  }
}

function checksOf(site: Site, checksums: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED'): Check[] {
  const Bucket = site.bucket
  const { endpoint, region, credentials } = site
  const config: S3ClientConfig = {
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums
  }
  const s3 = new S3Client(config)
  const key = (name: string) => `${site.prefix}/${checksums}/${name}`
  const put = (name: string, Body: string | Buffer) => s3.send(new PutObjectCommand({ Bucket, Key: key(name), Body }))
  const read = async (name: string, Range?: string, from = s3) => {
    const { Body } = await from.send(new GetObjectCommand({ Bucket, Key: key(name), ...(Range ? { Range } : {}) }))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }
  const sha256Of = async (name: string, from = s3) => {
    const { Body } = await from.send(new GetObjectCommand({ Bucket, Key: key(name) }))
    const hash = createHash('sha256')
    assert.ok(Body instanceof Readable)
    for await (const chunk of Body) hash.update(chunk)
    return hash.digest('hex')
  }
  const uploads = async (client: S3Client) => {
    const Body = createReadStream(site.film.file)
    await new Upload({ client, params: { Bucket, Key: key('film'), Body }, partSize: 8 * MIB, queueSize: 4 }).done()
    assert.equal(await sha256Of('film', client), await sha256OfFile(site.film.file))
  }
  const sts = () => new STSClient({ endpoint, region, credentials })
  const both = ['long-term', 'session'] as const

  return [
    {
      name: 'puts a text, nothing, and a stream of known length',
      with: both,
      async run() {
        await put('a +é', 'hello')
        assert.equal((await read('a +é')).toString(), 'hello')
        assert.equal((await read('a +é', 'bytes=1-2')).toString(), 'el')
        await put('empty', '')
        assert.equal((await read('empty')).length, 0)
        const chunks = Array.from({ length: 50 }, (_, i) => Buffer.alloc(70_000, i))
        const Body = Readable.from(chunks)
        await s3.send(new PutObjectCommand({ Bucket, Key: key('stream'), Body, ContentLength: 3_500_000 }))
        assert.ok((await read('stream')).equals(Buffer.concat(chunks)))
      }
    },
    { name: 'uploads a large stream in parts', with: both, run: () => uploads(s3) },
    ...overTls(),
    ...withWrongClock(),
    {
      name: 'copies and deletes 1000 at once',
      with: both,
      async run() {
        const CopySource = encodeURIComponent(`${Bucket}/${key('a +é')}`)
        await s3.send(new CopyObjectCommand({ Bucket, Key: key('copy'), CopySource }))
        assert.equal((await read('copy')).toString(), 'hello')
        const Objects = Array.from({ length: 1000 }, (_, i) => ({ Key: key(`many/${i}`) }))
        await put('many/0', 'x')
        await put('many/999', 'x')
        const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
        assert.deepEqual([Deleted?.length, Errors], [1000, undefined])
        assert.equal((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: key('many/') }))).KeyCount, 0)
      }
    },
    {
      name: 'lists in pages',
      with: both,
      async run() {
        const names = ['a b', 'a%b', 'a+b', 'e\u0301', '\u00e9', 'f/1', 'f/2']
        for (const name of names) await put(`pages/${name}`, name)
        const listed: string[] = []
        const wanted = { Bucket, Prefix: key('pages/'), MaxKeys: 2 }
        for await (const page of paginateListObjectsV2({ client: s3 }, wanted))
          listed.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''))
        assert.deepEqual(listed.sort(), names.map((name) => key(`pages/${name}`)).sort())
        const { CommonPrefixes } = await s3.send(
          new ListObjectsV2Command({ Bucket, Prefix: key('pages/'), Delimiter: '/' })
        )
        assert.deepEqual(
          CommonPrefixes?.map(({ Prefix }) => Prefix),
          [key('pages/f/')]
        )
      }
    },
    {
      name: 'links to read and to write',
      with: both,
      async run() {
        // What is in a link holds for any body, so nothing may be reckoned beforehand.
        const signer = new S3Client({ ...config, requestChecksumCalculation: 'WHEN_REQUIRED' })
        const write = await getSignedUrl(signer, new PutObjectCommand({ Bucket, Key: key('link') }), { expiresIn: 600 })
        assert.equal((await fetch(write, { method: 'PUT', body: 'by link' })).status, 200)
        const link = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: key('link') }), { expiresIn: 600 })
        assert.equal(await (await fetch(link)).text(), 'by link')
        assert.equal((await fetch(link.replace('link', 'lynk'))).status, 403)
      }
    },
    {
      name: 'of 50 writers of an absent object one wins',
      with: both,
      async run() {
        const Key = key('once')
        const once = () => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', IfNoneMatch: '*' }))
        const tries = await Promise.allSettled(Array.from({ length: 50 }, once))
        assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
        for (const one of tries)
          if (one.status === 'rejected')
            assert.match(String(one.reason.name), /PreconditionFailed|ConditionalRequestConflict/)
      }
    },
    {
      name: 'leaves nothing of an upload that is broken off',
      with: both,
      async run() {
        const abort = new AbortController()
        const Body = Readable.from(
          (async function* () {
            yield Buffer.alloc(MIB)
            abort.abort()
            yield Buffer.alloc(MIB)
          })()
        )
        const broken = new PutObjectCommand({ Bucket, Key: key('broken'), Body, ContentLength: 2 * MIB })
        await assert.rejects(s3.send(broken, { abortSignal: abort.signal }))
        await assert.rejects(s3.send(new HeadObjectCommand({ Bucket, Key: key('broken') })), { name: 'NotFound' })
      }
    },
    {
      name: 'makes and removes a bucket',
      with: ['long-term'],
      async run() {
        const name = `${site.prefix}-${checksums}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
        await s3.send(new CreateBucketCommand({ Bucket: name }))
        await s3.send(new DeleteBucketCommand({ Bucket: name }))
      }
    },
    {
      name: 'assumes a role',
      with: ['long-term'],
      async run() {
        const role = { RoleArn: 'arn:aws:iam::000000000000:role/clients', RoleSessionName: 'sdk' }
        const { Credentials } = await sts().send(new AssumeRoleCommand(role))
        const issued = {
          accessKeyId: Credentials?.AccessKeyId ?? '',
          secretAccessKey: Credentials?.SecretAccessKey ?? '',
          sessionToken: Credentials?.SessionToken ?? ''
        }
        const held = new S3Client({ ...config, credentials: issued })
        await held.send(new PutObjectCommand({ Bucket, Key: key('role'), Body: 'x' }))
        held.destroy()
      }
    },
    {
      name: 'asks who it is',
      with: both,
      onlyOurs: true,
      async run() {
        assert.ok((await sts().send(new GetCallerIdentityCommand({}))).Arn)
      }
    },
    {
      name: 'uploads, small and in parts',
      with: ['upload-only'],
      async run() {
        await put('a', 'a')
        const Body = await readFile(join(site.card.directory, site.card.clip))
        await new Upload({ client: s3, params: { Bucket, Key: key('clip'), Body } }).done()
      }
    },
    {
      name: 'is refused to read, to list and to delete',
      with: ['upload-only'],
      async run() {
        await assert.rejects(read('a'), { name: 'AccessDenied' })
        await assert.rejects(s3.send(new ListObjectsV2Command({ Bucket, Prefix: key('') })), { name: 'AccessDenied' })
        await assert.rejects(s3.send(new DeleteObjectCommand({ Bucket, Key: key('a') })), { name: 'AccessDenied' })
      }
    },
    {
      name: 'is refused outside of its prefix, and to pass its rights on',
      with: ['session', 'upload-only'],
      async run() {
        const foreign = { Bucket, Key: site.foreignKey }
        const CopySource = encodeURIComponent(`${Bucket}/${site.foreignKey}`)
        for (const command of [
          () => s3.send(new PutObjectCommand({ ...foreign, Body: 'x' })),
          () => s3.send(new GetObjectCommand(foreign)),
          () => s3.send(new DeleteObjectCommand(foreign)),
          () => s3.send(new CopyObjectCommand({ Bucket, Key: key('stolen'), CopySource })),
          () => sts().send(new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::000000000000:role/x', RoleSessionName: 'x' }))
        ])
          await assert.rejects(command(), { name: 'AccessDenied' })
      }
    }
  ]

  function withWrongClock(): Check[] {
    const turnClock = site.turnServerClock
    if (!turnClock) return []
    return [
      {
        name: 'corrects a clock that is 20 minutes ahead',
        with: both,
        async run() {
          turnClock(-20 * 60_000)
          try {
            const client = new S3Client(config)
            await client.send(new PutObjectCommand({ Bucket, Key: key('late'), Body: 'x' }))
            client.destroy()
          } finally {
            turnClock(0)
          }
        }
      }
    ]
  }

  function overTls(): Check[] {
    const { secure } = site
    if (!secure) return []
    return [
      {
        name: 'uploads a large stream in parts over https',
        with: both,
        async run() {
          const httpsAgent = new Agent({ ca: await readFile(secure.caFile), keepAlive: true })
          const client = new S3Client({ ...config, endpoint: secure.endpoint, requestHandler: { httpsAgent } })
          await uploads(client)
          client.destroy()
        }
      }
    ]
  }
}

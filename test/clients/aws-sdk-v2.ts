import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { type Check, type Client, runChecks, type Site } from './client.ts'
import { MIB, sha256OfFile } from './files.ts'
import { findPackage } from './programs.ts'

/** What the checks use of `aws-sdk`, which brings no types that fit here. */
interface Sdk {
  S3: new (options: object) => S3 & Record<string, ((parameters: object) => Call) | undefined>
  STS: new (options: object) => Record<string, ((parameters: object) => Call) | undefined>
}
interface S3 {
  upload(parameters: object, options?: object): Call
  getSignedUrlPromise(operation: string, parameters: object): Promise<string>
}
type Call = { promise(): Promise<Answer> }
type Answer = {
  Body?: Buffer
  Contents?: { Key: string }[]
  Deleted?: object[]
  Credentials?: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string }
  Arn?: string
}

export const awsSdkV2: Client = {
  name: 'aws-sdk-v2',
  foundBy: '`aws-sdk` in a node_modules folder of FLIGHTCASE_CLIENT_NODE_MODULES',
  async find() {
    return findPackage<Sdk>('aws-sdk').map(({ version, exported }) => ({
      version,
      run: async (site, tell) => runChecks(site, tell, await checksOf(exported, site))
    }))
  }
}

async function checksOf({ S3, STS }: Sdk, site: Site): Promise<Check[]> {
  const Bucket = site.bucket
  const common = { endpoint: site.endpoint, region: site.region, ...site.credentials, maxRetries: 0 }
  const options = { ...common, s3ForcePathStyle: true, signatureVersion: 'v4' }
  const s3 = new S3(options)
  const call = (operation: string, parameters: object, client: InstanceType<Sdk['S3' | 'STS']> = s3) => {
    const method = (client as Record<string, ((parameters: object) => Call) | undefined>)[operation]
    assert.ok(method, operation)
    return method.call(client, parameters).promise()
  }
  const key = (name: string) => `${site.prefix}/${name}`
  const uploads = async (client: InstanceType<Sdk['S3']>) => {
    const parameters = { Bucket, Key: key('film'), Body: createReadStream(site.film.file) }
    await client.upload(parameters, { partSize: 8 * MIB, queueSize: 4 }).promise()
    const { Body } = await call('getObject', { Bucket, Key: key('film') }, client)
    assert.equal(
      createHash('sha256')
        .update(Body ?? '')
        .digest('hex'),
      await sha256OfFile(site.film.file)
    )
  }
  const { secure } = site
  const both = ['long-term', 'session'] as const

  return [
    {
      name: 'puts, heads, reads a range, copies and lists',
      with: both,
      async run() {
        const Key = key('a +é')
        await call('putObject', { Bucket, Key, Body: 'hello', ContentType: 'image/jpeg', Metadata: { note: 'x y' } })
        assert.equal((await call('getObject', { Bucket, Key, Range: 'bytes=1-2' })).Body?.toString(), 'el')
        await call('headObject', { Bucket, Key })
        const CopySource = encodeURIComponent(`${Bucket}/${Key}`)
        await call('copyObject', { Bucket, Key: key('copy'), CopySource })
        const { Contents } = await call('listObjectsV2', { Bucket, Prefix: key('') })
        assert.deepEqual(
          Contents?.map((entry) => entry.Key),
          [Key, key('copy')]
        )
      }
    },
    { name: 'uploads a large stream in parts', with: both, run: () => uploads(s3) },
    ...(secure
      ? [
          {
            name: 'uploads a large stream in parts over https',
            with: both,
            async run() {
              const agent = new Agent({ ca: await readFile(secure.caFile) })
              await uploads(new S3({ ...options, endpoint: secure.endpoint, httpOptions: { agent } }))
            }
          }
        ]
      : []),
    {
      name: 'links to read and to write',
      with: both,
      async run() {
        const Key = key('link +')
        const write = await s3.getSignedUrlPromise('putObject', { Bucket, Key, Expires: 600 })
        assert.equal((await fetch(write, { method: 'PUT', body: 'by link' })).status, 200)
        const link = await s3.getSignedUrlPromise('getObject', { Bucket, Key, Expires: 600 })
        assert.equal(await (await fetch(link)).text(), 'by link')
      }
    },
    {
      name: 'signs with version 4 by itself',
      with: both,
      async run() {
        const plain = new S3({ ...common, s3ForcePathStyle: true })
        await call('putObject', { Bucket, Key: key('plain'), Body: 'x' }, plain)
      }
    },
    {
      name: 'corrects a clock that is 20 minutes ahead',
      with: both,
      async run() {
        const late = { ...options, maxRetries: 2, systemClockOffset: 20 * 60_000, correctClockSkew: true }
        await call('putObject', { Bucket, Key: key('late'), Body: 'x' }, new S3(late))
      }
    },
    {
      name: 'deletes 1000 objects at once',
      with: both,
      async run() {
        const Objects = Array.from({ length: 1000 }, (_, i) => ({ Key: key(`many/${i}`) }))
        const { Deleted } = await call('deleteObjects', { Bucket, Delete: { Objects } })
        assert.equal(Deleted?.length, 1000)
      }
    },
    {
      name: 'makes and removes a bucket',
      with: ['long-term'],
      async run() {
        const name = site.prefix.replaceAll(/[^a-z0-9]+/g, '-')
        await call('createBucket', { Bucket: name })
        await call('deleteBucket', { Bucket: name })
      }
    },
    {
      name: 'assumes a role',
      with: ['long-term'],
      async run() {
        const role = { RoleArn: 'arn:aws:iam::000000000000:role/clients', RoleSessionName: 'sdk2' }
        const { Credentials } = await call('assumeRole', role, new STS(common))
        const issued = {
          accessKeyId: Credentials?.AccessKeyId,
          secretAccessKey: Credentials?.SecretAccessKey,
          sessionToken: Credentials?.SessionToken
        }
        await call('putObject', { Bucket, Key: key('role'), Body: 'x' }, new S3({ ...options, ...issued }))
      }
    },
    {
      name: 'asks who it is',
      with: both,
      onlyOurs: true,
      async run() {
        assert.ok((await call('getCallerIdentity', {}, new STS(common))).Arn)
      }
    },
    {
      name: 'uploads, small and in parts',
      with: ['upload-only'],
      async run() {
        await call('putObject', { Bucket, Key: key('a'), Body: 'a' })
        const Body = createReadStream(join(site.card.directory, site.card.clip))
        await s3.upload({ Bucket, Key: key('clip'), Body }).promise()
      }
    },
    {
      name: 'is refused to read, to list and to delete',
      with: ['upload-only'],
      async run() {
        await assert.rejects(call('getObject', { Bucket, Key: key('a') }), { code: 'AccessDenied' })
        await assert.rejects(call('listObjectsV2', { Bucket, Prefix: key('') }), { code: 'AccessDenied' })
        await assert.rejects(call('deleteObject', { Bucket, Key: key('a') }), { code: 'AccessDenied' })
      }
    },
    {
      name: 'is refused outside of its prefix',
      with: ['session', 'upload-only'],
      async run() {
        const foreign = { Bucket, Key: site.foreignKey }
        await assert.rejects(call('putObject', { ...foreign, Body: 'x' }), { code: 'AccessDenied' })
        await assert.rejects(call('getObject', foreign), { code: 'AccessDenied' })
        await assert.rejects(call('deleteObject', foreign), { code: 'AccessDenied' })
      }
    }
  ]
}

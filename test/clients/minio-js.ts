import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Check, type Client, runChecks, type Site } from './client.ts'
import { MIB, noise, sha256OfFile } from './files.ts'
import { findPackage } from './programs.ts'

/** What the checks use of `minio`. */
interface Minio {
  Client: new (options: object) => MinioClient
  AssumeRoleProvider?: unknown
}
interface MinioClient {
  putObject(
    bucket: string,
    key: string,
    body: Readable | Buffer | string,
    size?: number,
    meta?: object
  ): Promise<object>
  fPutObject(bucket: string, key: string, file: string): Promise<object>
  fGetObject(bucket: string, key: string, file: string): Promise<void>
  getObject(bucket: string, key: string): Promise<Readable>
  getPartialObject(bucket: string, key: string, offset: number, length: number): Promise<Readable>
  statObject(bucket: string, key: string): Promise<{ size: number; metaData: Record<string, string> }>
  copyObject(bucket: string, key: string, source: string): Promise<object>
  listObjects(bucket: string, prefix: string, recursive: boolean): AsyncIterable<{ name: string }>
  listObjectsV2(bucket: string, prefix: string, recursive: boolean): AsyncIterable<{ name: string }>
  listIncompleteUploads(bucket: string, prefix: string, recursive: boolean): AsyncIterable<{ key: string }>
  initiateNewMultipartUpload(bucket: string, key: string, headers: object): Promise<string>
  removeIncompleteUpload(bucket: string, key: string): Promise<void>
  removeObject(bucket: string, key: string): Promise<void>
  removeObjects(bucket: string, keys: string[]): Promise<unknown[]>
  presignedGetObject(bucket: string, key: string, seconds: number): Promise<string>
  presignedPutObject(bucket: string, key: string, seconds: number): Promise<string>
  makeBucket(bucket: string, region: string): Promise<void>
  bucketExists(bucket: string): Promise<boolean>
  removeBucket(bucket: string): Promise<void>
}
type RoleProvider = new (options: object) => { getCredentials(): Promise<object> }

export const minioJs: Client = {
  name: 'minio-js',
  foundBy: '`minio` in a node_modules folder of FLIGHTCASE_CLIENT_NODE_MODULES',
  async find() {
    const providers = findPackage<{ AssumeRoleProvider: RoleProvider }>('minio', 'dist/main/AssumeRoleProvider.js')
    return findPackage<Minio>('minio').map(({ version, exported }, index) => ({
      version,
      run: async (site, tell) =>
        runChecks(site, tell, await checksOf(exported, providers[index]?.exported.AssumeRoleProvider, site))
    }))
  }
}

async function checksOf({ Client }: Minio, Provider: RoleProvider | undefined, site: Site): Promise<Check[]> {
  const { bucket, region, credentials } = site
  const clientAt = async (endpoint: string, more: object = {}) => {
    const { hostname, port, protocol } = new URL(endpoint)
    const useSSL = protocol === 'https:'
    return new Client({
      endPoint: hostname,
      port: Number(port),
      useSSL,
      accessKey: credentials.accessKeyId,
      secretKey: credentials.secretAccessKey,
      sessionToken: credentials.sessionToken,
      region,
      ...(useSSL && site.secure ? { transportAgent: new Agent({ ca: await readFile(site.secure.caFile) }) } : {}),
      ...more
    })
  }
  const s3 = await clientAt(site.endpoint)
  const key = (name: string) => `${site.prefix}/${name}`
  const text = async (stream: Readable) => (await stream.toArray()).map(String).join('')
  const uploads = async (client: MinioClient) => {
    await client.fPutObject(bucket, key('film'), site.film.file)
    const back = join(site.directory, 'film.MP4')
    await client.fGetObject(bucket, key('film'), back)
    assert.equal(await sha256OfFile(back), await sha256OfFile(site.film.file))
  }
  const streams = async (client: MinioClient) => {
    const bytes = noise(5, 18 * MIB)
    const chunks = Array.from({ length: 18 }, (_, i) => bytes.subarray(i * MIB, (i + 1) * MIB))
    await client.putObject(bucket, key('unknown'), Readable.from(chunks))
    assert.ok(Buffer.concat(await (await client.getObject(bucket, key('unknown'))).toArray()).equals(bytes))
    await client.putObject(bucket, key('known'), Readable.from([Buffer.from('known')]), 5)
    assert.equal(await text(await client.getObject(bucket, key('known'))), 'known')
  }
  const { secure } = site
  const both = ['long-term', 'session'] as const

  return [
    {
      name: 'puts, stats, reads a range and copies',
      with: both,
      async run() {
        await s3.putObject(bucket, key('a +é'), 'hello', 5, { 'Content-Type': 'image/jpeg', 'X-Amz-Meta-Note': 'x y' })
        const { size, metaData } = await s3.statObject(bucket, key('a +é'))
        assert.deepEqual([size, metaData['content-type'], metaData['note']], [5, 'image/jpeg', 'x y'])
        assert.equal(await text(await s3.getPartialObject(bucket, key('a +é'), 1, 2)), 'el')
        await s3.copyObject(bucket, key('copy'), `/${bucket}/${key('a +é')}`)
        assert.equal(await text(await s3.getObject(bucket, key('copy'))), 'hello')
      }
    },
    { name: 'puts a stream of known and of unknown length', with: both, run: () => streams(s3) },
    { name: 'puts a large file in parts', with: both, run: () => uploads(s3) },
    {
      name: 'finds the region by itself',
      with: both,
      run: async () => streams(await clientAt(site.endpoint, { region: undefined }))
    },
    ...(secure
      ? [
          {
            name: 'the same over https',
            with: both,
            async run() {
              const client = await clientAt(secure.endpoint)
              await streams(client)
              await uploads(client)
            }
          }
        ]
      : []),
    {
      name: 'lists in both ways',
      with: both,
      async run() {
        for (const listing of [s3.listObjects, s3.listObjectsV2]) {
          const names: string[] = []
          for await (const { name } of listing.call(s3, bucket, key(''), true)) names.push(name)
          assert.deepEqual(names.sort(), ['a +é', 'copy', 'film', 'known', 'unknown'].map(key).sort())
        }
      }
    },
    {
      name: 'lists and removes an upload that was not completed',
      with: both,
      async run() {
        await s3.initiateNewMultipartUpload(bucket, key('begun'), {})
        const begun: string[] = []
        for await (const upload of s3.listIncompleteUploads(bucket, key('begun'), true)) begun.push(upload.key)
        assert.deepEqual(begun, [key('begun')])
        await s3.removeIncompleteUpload(bucket, key('begun'))
        for await (const upload of s3.listIncompleteUploads(bucket, key('begun'), true)) assert.fail(upload.key)
      }
    },
    {
      name: 'links to read and to write',
      with: both,
      async run() {
        const write = await s3.presignedPutObject(bucket, key('link +'), 600)
        assert.equal((await fetch(write, { method: 'PUT', body: 'by link' })).status, 200)
        assert.equal(await (await fetch(await s3.presignedGetObject(bucket, key('link +'), 600))).text(), 'by link')
      }
    },
    {
      name: 'removes one and many',
      with: both,
      async run() {
        await s3.removeObject(bucket, key('link +'))
        await s3.removeObjects(bucket, ['a +é', 'copy', 'film', 'known', 'unknown'].map(key))
        for await (const { name } of s3.listObjectsV2(bucket, key(''), true)) assert.fail(name)
      }
    },
    {
      name: 'makes and removes a bucket',
      with: ['long-term'],
      async run() {
        const name = site.prefix.replaceAll(/[^a-z0-9]+/g, '-')
        await s3.makeBucket(name, region)
        assert.ok(await s3.bucketExists(name))
        await s3.removeBucket(name)
        assert.ok(!(await s3.bucketExists(name)))
      }
    },
    {
      name: 'assumes a role by itself',
      with: ['long-term'],
      async run() {
        assert.ok(Provider)
        const credentialsProvider = new Provider({
          stsEndpoint: site.endpoint,
          accessKey: credentials.accessKeyId,
          secretKey: credentials.secretAccessKey,
          region,
          durationSeconds: 900
        })
        const own = await clientAt(site.endpoint, { accessKey: '', secretKey: '', credentialsProvider })
        await own.putObject(bucket, key('role'), 'x')
      }
    },
    {
      name: 'uploads, small and in parts',
      with: ['upload-only'],
      async run() {
        await s3.putObject(bucket, key('a'), 'a')
        const clip = join(site.card.directory, site.card.clip)
        await s3.putObject(bucket, key('clip'), createReadStream(clip), 17 * MIB + 5)
      }
    },
    {
      name: 'is refused to read, to list and to delete',
      with: ['upload-only'],
      async run() {
        await assert.rejects(s3.getObject(bucket, key('a')), { code: 'AccessDenied' })
        await assert.rejects(s3.removeObject(bucket, key('a')), { code: 'AccessDenied' })
        await assert.rejects(
          async () => {
            for await (const { name } of s3.listObjectsV2(bucket, key(''), true)) assert.fail(name)
          },
          { code: 'AccessDenied' }
        )
      }
    },
    {
      name: 'is refused outside of its prefix',
      with: ['session', 'upload-only'],
      async run() {
        await assert.rejects(s3.putObject(bucket, site.foreignKey, 'x'), { code: 'AccessDenied' })
        await assert.rejects(s3.getObject(bucket, site.foreignKey), { code: 'AccessDenied' })
        await assert.rejects(s3.removeObject(bucket, site.foreignKey), { code: 'AccessDenied' })
      }
    }
  ]
}

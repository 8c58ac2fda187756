import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../config/load.ts'
import { temporaryFolder } from '../testing/test-database.ts'
import { externalOptions } from './external-options.ts'
import { S3ObjectStore } from './s3-object-store.ts'

function optionsFor(env: Record<string, string> = {}) {
  const { store } = loadConfig({
    flags: { dataDir: temporaryFolder('external') },
    env: {
      FLIGHTCASE_OBJECT_STORE: 'external',
      FLIGHTCASE_S3_ENDPOINT: 'http://127.0.0.1:9000',
      FLIGHTCASE_S3_ACCESS_KEY: 'key',
      FLIGHTCASE_S3_SECRET_KEY: 'secret',
      ...env
    }
  })
  if (store.mode === 'embedded') throw new Error('not external')
  return externalOptions(store)
}
const ROLE = 'arn:aws:iam::123456789012:role/uploads'

it.each([
  [{}, { forcePathStyle: true, takesChecksums: true, sts: { policyMode: 'relaxed' }, partSizeBytes: 16 * 1024 ** 2 }],
  [{ FLIGHTCASE_S3_PROFILE: 'seaweedfs' }, { sts: { roleArn: null } }],
  [{ FLIGHTCASE_S3_ROLE_ARN: 'none' }, { sts: { roleArn: null } }],
  [{ FLIGHTCASE_S3_PROFILE: 'seaweedfs', FLIGHTCASE_S3_ROLE_ARN: ROLE }, { sts: { roleArn: ROLE } }],
  [
    { FLIGHTCASE_S3_PROFILE: 'aws', FLIGHTCASE_S3_ROLE_ARN: ROLE, FLIGHTCASE_S3_REGION: 'eu-west-1' },
    { forcePathStyle: false, stsEndpoint: 'https://sts.eu-west-1.amazonaws.com', sts: { roleArn: ROLE } }
  ],
  [
    { FLIGHTCASE_S3_STS_ENDPOINT: 'http://127.0.0.1:9001', FLIGHTCASE_S3_POLICY_MODE: 'strict' },
    { stsEndpoint: 'http://127.0.0.1:9001', sts: { policyMode: 'strict' } }
  ],
  [
    { FLIGHTCASE_S3_FORCE_PATH_STYLE: 'false', FLIGHTCASE_S3_PART_MIB: '64' },
    { forcePathStyle: false, partSizeBytes: 64 * 1024 ** 2 }
  ],
  [
    { FLIGHTCASE_OBJECT_STORE: 'gateway', FLIGHTCASE_S3_PROFILE: 'cos' },
    { forcePathStyle: false, takesConditions: false }
  ],
  [{ FLIGHTCASE_S3_PROFILE: 'generic' }, { forcePathStyle: true, takesChecksums: false, answersExpect: false }]
])('%j', (env, expected) => {
  expect(optionsFor(env)).toMatchObject(expected)
})

it('leaves the role to the driver where any will do', () => {
  expect(optionsFor().sts).not.toHaveProperty('roleArn')
})

it.each([
  ['aws', 'FLIGHTCASE_S3_ROLE_ARN (store.role_arn): needed with the profile aws'],
  ['ceph', 'FLIGHTCASE_S3_ROLE_ARN (store.role_arn): needed with the profile ceph'],
  ['cos', 'FLIGHTCASE_S3_PROFILE (store.profile): cos needs the store mode gateway']
])('refuses the profile %s without what it needs', (profile, problem) => {
  expect(() => optionsFor({ FLIGHTCASE_S3_PROFILE: profile })).toThrow(problem)
})

/** A server that notes what it is asked; it stands for one that knows no checksum headers. */
async function serverOfOldKind(): Promise<{
  url: string
  requests: { headers: NodeJS.Dict<string | string[]>; body: string }[]
}> {
  const requests: { headers: NodeJS.Dict<string | string[]>; body: string }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      requests.push({ headers: request.headers, body })
      if (request.method === 'POST') response.end('<DeleteResult></DeleteResult>')
      else response.writeHead(200, { etag: `"${request.method}"` }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

it.each(['generic', 'minio'])('protects what it sends the way the profile %s understands', async (profile) => {
  const { url, requests } = await serverOfOldKind()
  const store = new S3ObjectStore({ ...optionsFor({ FLIGHTCASE_S3_PROFILE: profile }), endpoint: url })
  onTestFinished(() => store.close())
  const large = Buffer.alloc(3 * 1024 ** 2)
  await store.put('bytes', Buffer.from('photo'))
  await store.put('stream', { stream: Readable.from([large]), sizeBytes: large.length })
  await store.deleteMany(['a', 'b'])
  const checksummed = requests.filter(({ headers }) => Object.keys(headers).some((name) => /checksum/.test(name)))
  const md5 = requests.filter(({ headers }) => headers['content-md5'] !== undefined)
  if (profile === 'minio') {
    expect(checksummed.length).toBeGreaterThan(1)
    expect(md5).toEqual([])
    expect(requests.some(({ headers }) => headers.expect !== undefined)).toBe(true)
  } else {
    expect(checksummed).toEqual([])
    expect(md5).toHaveLength(2)
    for (const { headers, body } of md5)
      expect(headers['content-md5']).toBe(createHash('md5').update(body).digest('base64'))
    expect(requests.every(({ headers }) => headers.expect === undefined)).toBe(true)
  }
})

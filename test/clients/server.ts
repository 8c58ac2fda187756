import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadBucketCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { EndpointHarness, REGION } from '../../src/daemon/embedded-store/endpoint/endpoint-harness.ts'
import { buildSessionPolicy } from '../../src/daemon/object-store/session-policy.ts'
import type { CredentialKind, Site } from './client.ts'
import { runProgram } from './programs.ts'

type Credentials = Site['credentials']
type Keys = Pick<Site, 'endpoint' | 'region' | 'bucket'> & { credentials: Credentials }

/** The server that clients are tried on, with one prefix per run, so that a shared one is left as it was. */
export class ClientServer {
  readonly isOurs: boolean
  readonly turnClock: Site['turnServerClock']
  readonly keys: Keys
  readonly prefix: string
  /** An object that is none of the clients' business. */
  readonly foreignKey: string
  readonly secure: Site['secure']
  readonly #s3: S3Client
  readonly #sts: STSClient
  readonly #close: () => Promise<void>

  private constructor(parts: {
    harness: EndpointHarness | undefined
    keys: Keys
    secure: Site['secure']
    close: () => Promise<void>
  }) {
    const { harness } = parts
    this.isOurs = harness !== undefined
    this.turnClock = harness ? (offsetMs) => harness.turnClock(offsetMs) : null
    this.keys = parts.keys
    this.secure = parts.secure
    this.prefix = `run-${randomBytes(4).toString('hex')}`
    this.foreignKey = `${this.prefix}/foreign/kept.txt`
    const { endpoint, region, credentials } = parts.keys
    this.#s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
    this.#sts = new STSClient({ endpoint, region, credentials })
    this.#close = parts.close
  }

  /** The embedded endpoint, or the server that FLIGHTCASE_TEST_S3_ENDPOINT names. */
  static async open(): Promise<ClientServer> {
    const given = process.env['FLIGHTCASE_TEST_S3_ENDPOINT']
    const harness = given === undefined ? await EndpointHarness.open() : undefined
    const keys = harness
      ? { endpoint: harness.url, region: REGION, bucket: 'media', credentials: harness.admin }
      : {
          endpoint: given ?? '',
          region: process.env['FLIGHTCASE_TEST_S3_REGION'] ?? REGION,
          bucket: process.env['FLIGHTCASE_TEST_S3_BUCKET'] ?? 'flightcase-clients',
          credentials: {
            accessKeyId: process.env['FLIGHTCASE_TEST_S3_ACCESS_KEY'] ?? '',
            secretAccessKey: process.env['FLIGHTCASE_TEST_S3_SECRET_KEY'] ?? ''
          }
        }
    const front = await TlsFront.open(new URL(keys.endpoint))
    const server = new ClientServer({
      harness,
      keys,
      secure: front ? { endpoint: front.endpoint, caFile: front.caFile } : null,
      close: async () => {
        await front?.close()
        await harness?.dispose()
      }
    })
    await server.#prepare()
    return server
  }

  /** Credentials of that kind; sessions reach everything below the prefix, or may only upload there. */
  async credentialsOf(kind: CredentialKind, prefix: string): Promise<Credentials> {
    if (kind === 'long-term') return this.keys.credentials
    const { bucket } = this.keys
    const policy =
      kind === 'upload-only'
        ? buildSessionPolicy({ bucket, prefixes: [`${prefix}/`], mode: 'strict' })
        : {
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Action: ['s3:*'], Resource: [`arn:aws:s3:::${bucket}/${prefix}/*`] },
              {
                Effect: 'Allow',
                Action: [
                  's3:ListBucket',
                  's3:GetBucketLocation',
                  's3:ListBucketMultipartUploads',
                  's3:ListBucketVersions'
                ],
                Resource: [`arn:aws:s3:::${bucket}`]
              }
            ]
          }
    const { Credentials: issued } = await this.#sts.send(
      new AssumeRoleCommand({
        RoleArn: 'arn:aws:iam::000000000000:role/clients',
        RoleSessionName: 'client-matrix',
        DurationSeconds: 3600,
        Policy: JSON.stringify(policy)
      })
    )
    return {
      accessKeyId: issued?.AccessKeyId ?? '',
      secretAccessKey: issued?.SecretAccessKey ?? '',
      sessionToken: issued?.SessionToken ?? ''
    }
  }

  async close(): Promise<void> {
    if (!this.isOurs) await this.#removeRun()
    this.#s3.destroy()
    this.#sts.destroy()
    await this.#close()
  }

  async #prepare(): Promise<void> {
    const { bucket } = this.keys
    const exists = await this.#s3.send(new HeadBucketCommand({ Bucket: bucket })).then(
      () => true,
      () => false
    )
    if (!exists) await this.#s3.send(new CreateBucketCommand({ Bucket: bucket }))
    await this.#s3.send(new PutObjectCommand({ Bucket: bucket, Key: this.foreignKey, Body: 'foreign' }))
  }

  async #removeRun(): Promise<void> {
    const { bucket } = this.keys
    const Prefix = `${this.prefix}/`
    for await (const page of paginateListObjectsV2({ client: this.#s3 }, { Bucket: bucket, Prefix }))
      for (const { Key } of page.Contents ?? []) await this.#s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
    const { Uploads = [] } = await this.#s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }))
    for (const { Key, UploadId } of Uploads)
      await this.#s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
  }
}

/** TLS before a server that has none: clients sign and frame bodies differently over https. */
class TlsFront {
  readonly endpoint: string
  readonly caFile: string
  readonly #server: Server
  readonly #directory: string
  readonly #sockets = new Set<TLSSocket>()

  private constructor(server: Server, directory: string, caFile: string) {
    this.#server = server
    this.#directory = directory
    this.caFile = caFile
    this.endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('secureConnection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** Null when this machine has no `openssl` to make a certificate with. */
  static async open(target: URL): Promise<TlsFront | null> {
    const directory = await mkdtemp(join(tmpdir(), 'flightcase-tls-'))
    const [keyFile, caFile] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')]
    const request = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1'.split(' ')
    const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', caFile]
    try {
      await runProgram('openssl', ['req', ...request, ...names], { home: directory })
    } catch {
      await rm(directory, { recursive: true, force: true })
      return null
    }
    const server = createServer({ key: await readFile(keyFile), cert: await readFile(caFile) }, (socket) => {
      const behind = connect(Number(target.port), target.hostname)
      socket.pipe(behind).pipe(socket)
      socket.on('error', () => behind.destroy())
      behind.on('error', () => socket.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new TlsFront(server, directory, caFile)
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

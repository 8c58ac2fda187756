import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { STSClient } from '@aws-sdk/client-sts'
import { pino } from 'pino'
import {
  type IdentityService,
  openIdentityService,
  type ServiceUserRequest,
  type SessionCredentials
} from '../credentials/identity-service.ts'
import {
  createStorageEngine,
  type OpenStorageEngine,
  type StorageEngineOptions
} from '../engine/create-storage-engine.ts'
import { canonicalPath, canonicalRequest, deriveSigningKey, hmac, stringToSign } from './canonical-request.ts'
import type { DeniedEvent } from './denied-actions.ts'
import { parseRequestTarget, percentEncode } from './request-target.ts'
import { createS3Endpoint, type S3Endpoint, type S3EndpointOptions } from './s3-endpoint.ts'
import { signHeaders } from './sign-headers.ts'
import { formatBasicIsoTime, type SigningContext } from './sigv4.ts'
import type { UploadProgressEvent } from './upload-progress.ts'

export const REGION = 'us-east-1'
export const EVERYTHING = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['s3:*', 'sts:*'], Resource: '*' }]
}

export type TestCredentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }

export interface TestResponse {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
  /** The `<Code>` of an error answer. */
  code: string | undefined
  continued: boolean
}

export interface SignedRequest {
  method?: string
  /** Path and query exactly as they go on the wire. */
  target: string
  headers?: Record<string, string>
  /** Sent after signing and not signed. */
  unsignedHeaders?: Record<string, string>
  body?: Buffer | string
  /** `x-amz-content-sha256`; the hash of the body unless given. */
  payloadHash?: string
  credentials?: TestCredentials
  timeMs?: number
  region?: string
  service?: string
  scopeDate?: string
  /** Changes the finished Authorization header. */
  tamper?: (authorization: string) => string
}

/** A real endpoint over a real engine in a temporary directory, with an administrator and a clock that tests can turn. */
export class EndpointHarness {
  readonly directory: string
  readonly engine: OpenStorageEngine
  readonly identity: IdentityService
  readonly endpoint: S3Endpoint
  readonly admin: TestCredentials
  readonly port: number
  readonly progress: UploadProgressEvent[]
  readonly denied: DeniedEvent[]
  /** Everything that was logged, as JSON lines. */
  readonly logged: string[]
  readonly #time: { offsetMs: number }

  private constructor(
    parts: Pick<
      EndpointHarness,
      'directory' | 'engine' | 'identity' | 'endpoint' | 'admin' | 'port' | 'logged' | 'progress' | 'denied'
    > & { time: { offsetMs: number } }
  ) {
    this.directory = parts.directory
    this.engine = parts.engine
    this.identity = parts.identity
    this.endpoint = parts.endpoint
    this.admin = parts.admin
    this.port = parts.port
    this.logged = parts.logged
    this.progress = parts.progress
    this.denied = parts.denied
    this.#time = parts.time
  }

  /** Opens everything with the bucket `media`. */
  static async open(
    options: Partial<S3EndpointOptions> = {},
    engineOptions: Partial<StorageEngineOptions> = {}
  ): Promise<EndpointHarness> {
    const directory = await mkdtemp(join(tmpdir(), 'flightcase-s3-'))
    const time = { offsetMs: 0 }
    const clock = () => Date.now() + time.offsetMs
    const logged: string[] = []
    const log = pino({ level: 'trace' }, { write: (line) => void logged.push(line) })
    const engine = await createStorageEngine({ directory, log, reserveBytes: 0, ballastBytes: 0, ...engineOptions })
    const identity = openIdentityService({ directory, log, clock })
    const admin = identity.createServiceUser({ name: 'admin', policy: EVERYTHING, canAssume: true })
    const progress: UploadProgressEvent[] = []
    const denied: DeniedEvent[] = []
    const endpoint = createS3Endpoint({
      engine,
      identity,
      region: REGION,
      log,
      clock,
      onUploadProgress: (event) => void progress.push(event),
      onDenied: (event) => void denied.push(event),
      ...options
    })
    const { port } = await endpoint.listen('127.0.0.1', 0)
    const parts = { directory, engine, identity, endpoint, admin, port, logged, progress, denied, time }
    const harness = new EndpointHarness(parts)
    await engine.createBucket({ name: 'media', owner: 'flightcase' })
    return harness
  }

  /** Closes everything, and raises when anything secret was logged. */
  async dispose(): Promise<void> {
    await this.endpoint.close(0)
    this.assertNothingSecretLogged()
    this.identity.close()
    await this.engine.close()
    await rm(this.directory, { recursive: true, force: true })
  }

  /** T21: of all that any test made the endpoint log, nothing lets anybody sign, and nothing is a signature. */
  assertNothingSecretLogged(): void {
    const log = this.logged.join('')
    const keys = [...this.identity.listServiceUsers(), ...this.identity.listLiveSessions()]
    const secrets = keys.flatMap(({ accessKeyId }) => this.identity.findCredential(accessKeyId)?.secretAccessKey ?? [])
    const found = [...secrets, 'Signature=', 'X-Amz-', 'AWS4-HMAC-SHA256 '].filter((secret) => log.includes(secret))
    // What every session token begins with: version and key id.
    if (/\bAQE[\w-]{60}/.test(log)) found.push('a session token')
    if (found.length > 0) throw new Error(`The log holds ${found.join(', ')}.`)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get nowMs(): number {
    return Date.now() + this.#time.offsetMs
  }

  /** Moves the endpoint's clock; clients keep the real one. */
  turnClock(offsetMs: number): void {
    this.#time.offsetMs = offsetMs
  }

  /** An SDK client; it signs as the administrator unless told otherwise. */
  client(credentials: TestCredentials = this.admin, config: S3ClientConfig = {}): S3Client {
    return new S3Client({ endpoint: this.url, region: REGION, forcePathStyle: true, credentials, ...config })
  }

  sts(credentials: TestCredentials = this.admin): STSClient {
    return new STSClient({ endpoint: this.url, region: REGION, credentials })
  }

  user(request: Partial<ServiceUserRequest> & { name: string }): TestCredentials {
    return this.identity.createServiceUser({ policy: EVERYTHING, ...request })
  }

  session(policy: object | undefined, durationSeconds = 3600): SessionCredentials {
    return this.identity.issueSession({ workspaceId: 'ws-1', deviceId: 'device-1', policy, durationSeconds })
  }

  /** Files that a body in flight would leave behind. */
  async staged(): Promise<string[]> {
    return readdir(join(this.directory, 'staging'))
  }

  /** The header lines of a signed request, Authorization included. */
  sign(request: SignedRequest): { headers: Record<string, string>; signing: SigningContext } {
    const { method = 'GET', target, credentials = this.admin, body = '' } = request
    const timeMs = request.timeMs ?? this.nowMs
    const timestamp = formatBasicIsoTime(timeMs)
    const scope = {
      date: request.scopeDate ?? timestamp.slice(0, 8),
      region: request.region ?? REGION,
      service: request.service ?? 's3'
    }
    const payloadHash = request.payloadHash ?? createHash('sha256').update(body).digest('hex')
    const headers: Record<string, string> = {
      host: `127.0.0.1:${this.port}`,
      'x-amz-date': timestamp,
      'x-amz-content-sha256': payloadHash,
      ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
      ...request.headers
    }
    const { authorization, signing } = signHeaders({
      method,
      target,
      headers,
      payloadHash,
      credentials,
      timestamp,
      scope
    })
    return {
      headers: {
        ...headers,
        authorization: request.tamper?.(authorization) ?? authorization,
        ...request.unsignedHeaders
      },
      signing
    }
  }

  /** Sends a signed request exactly as described. */
  request(request: SignedRequest): Promise<TestResponse> {
    const { method = 'GET', target, body = '' } = request
    return this.send(method, target, this.sign(request).headers, body)
  }

  /** Puts an object into the bucket `media`; `key` as it goes on the wire. */
  async put(key: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<TestResponse> {
    return this.request({ method: 'PUT', target: `/media/${key}`, body, headers })
  }

  get(key: string, headers: Record<string, string> = {}): Promise<TestResponse> {
    return this.request({ target: `/media/${key}`, headers })
  }

  async exists(key: string): Promise<boolean> {
    return (await this.request({ method: 'HEAD', target: `/media/${key}` })).status === 200
  }

  /** The head of a signed request as text, for raw sockets; `more` are unsigned header lines. */
  head(request: SignedRequest, more = ''): string {
    const { method = 'GET', target } = request
    const lines = Object.entries(this.sign(request).headers).map(([name, value]) => `${name}: ${value}\r\n`)
    return `${method} ${target} HTTP/1.1\r\n${lines.join('')}${more}\r\n`
  }

  /** Sends bytes and headers as they are. Without a body, no Content-Length is sent for GET and HEAD. */
  send(
    method: string,
    target: string,
    headers: Record<string, string>,
    body: Buffer | string = '',
    localAddress?: string
  ): Promise<TestResponse> {
    return new Promise((resolve, reject) => {
      const { port } = this
      const options = { host: '127.0.0.1', port, method, path: target, headers, agent: false, localAddress }
      const outgoing = httpRequest(options)
      let continued = false
      // As a buffer: Node would join a text body and the headers and send both as UTF-8.
      const bytes = Buffer.from(body)
      outgoing.on('continue', () => {
        continued = true
        outgoing.end(bytes)
      })
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          outgoing.destroy()
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text,
            code: /<Code>(.*?)<\/Code>/.exec(text)?.[1],
            continued
          })
        })
      })
      outgoing.on('error', reject)
      if (headers.expect === undefined) outgoing.end(bytes)
      else outgoing.flushHeaders()
    })
  }

  /** Writes raw bytes to a socket and returns everything that comes back until the endpoint closes. */
  raw(...pieces: (string | Buffer)[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1')
      const chunks: Buffer[] = []
      socket.on('data', (chunk) => chunks.push(chunk))
      socket.on('error', reject)
      socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
      for (const piece of pieces) socket.write(piece)
    })
  }

  /** A presigned target of the administrator (or the given credentials). */
  presign(
    method: string,
    path: string,
    options: {
      parameters?: Record<string, string>
      headers?: Record<string, string>
      credentials?: TestCredentials
      timeMs?: number
      expires?: string
      payloadHash?: string
    } = {}
  ): string {
    const { credentials = this.admin, headers = {} } = options
    const timestamp = formatBasicIsoTime(options.timeMs ?? this.nowMs)
    const scope = { date: timestamp.slice(0, 8), region: REGION, service: 's3' }
    const signedHeaders = Object.keys({ host: '', ...headers }).sort()
    const parameters: Record<string, string> = {
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${credentials.accessKeyId}/${scope.date}/${scope.region}/s3/aws4_request`,
      'X-Amz-Date': timestamp,
      'X-Amz-Expires': options.expires ?? '600',
      'X-Amz-SignedHeaders': signedHeaders.join(';'),
      ...(credentials.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': credentials.sessionToken }),
      ...options.parameters
    }
    const query = Object.entries(parameters).map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    const target = `${path}?${query.join('&')}`
    const canonical = canonicalRequest({
      method,
      path: canonicalPath(path),
      query: parseRequestTarget(target).query,
      headers: new Map(Object.entries({ host: `127.0.0.1:${this.port}`, ...headers })),
      signedHeaders,
      payloadHash: options.payloadHash ?? 'UNSIGNED-PAYLOAD'
    })
    const signingKey = deriveSigningKey(credentials.secretAccessKey, scope)
    const signature = hmac(signingKey, stringToSign(timestamp, scope, canonical)).toString('hex')
    return `${target}&X-Amz-Signature=${signature}`
  }
}

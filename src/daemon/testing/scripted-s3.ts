import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface ScriptedObject {
  bytes: Buffer
  etag: string
  lastModifiedMs: number
}

/**
 * A small S3 server that does what a test tells it: one bucket in memory, no signatures checked, outages and refusals on
 * demand. It stands for an external store, which lives outside our process.
 */
export class ScriptedS3 {
  readonly bucket = 'media'
  readonly objects = new Map<string, ScriptedObject>()
  /** Bytes of objects sent so far. */
  sentBytes = 0
  /** HEAD requests for objects so far. */
  heads = 0
  /** Answer everything (or, given methods, only those) with this status, forever or so many times. */
  failure: { status: number; code: string; methods?: string[]; times?: number } | null = null
  /** Send the head of an object and then nothing more. */
  isStalled = false
  /** Take requests for copies and never answer them. */
  neverCopies = false
  /** Requests for copies so far. */
  copies = 0
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => this.#answer(request, Buffer.concat(chunks), response))
  })
  #port = 0

  static async start(): Promise<ScriptedS3> {
    const s3 = new ScriptedS3()
    await s3.comeBack()
    onTestFinished(() => s3.goAway())
    return s3
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** From now on connections are refused. */
  goAway(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  /** Listens again, at the same address. */
  comeBack(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port
        resolve()
      })
    })
  }

  put(key: string, bytes: Buffer): ScriptedObject {
    const object = { bytes, etag: createHash('md5').update(bytes).digest('hex'), lastModifiedMs: Date.now() }
    this.objects.set(key, object)
    return object
  }

  #answer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://h')
    const method = request.method ?? 'GET'
    const path = decodeURIComponent(url.pathname)
    const key = path.slice(this.bucket.length + 2)
    if (method === 'HEAD' && key !== '') this.heads++
    const isRefused = this.failure !== null && (this.failure.methods?.includes(method) ?? true)
    if (isRefused) this.#fail(response, this.failure!)
    else if (path === '/' && method === 'POST') sendXml(response, assumeRole())
    else if (!path.startsWith(`/${this.bucket}`)) refuse(response, 404, 'NoSuchBucket')
    else if (key !== '') this.#object(request, method, key, body, response)
    else if (method === 'GET') sendXml(response, this.#list(url.searchParams))
    else response.end()
  }

  #fail(response: ServerResponse, failure: NonNullable<ScriptedS3['failure']>): void {
    if (failure.times !== undefined && --failure.times <= 0) this.failure = null
    refuse(response, failure.status, failure.code)
  }

  #object(request: IncomingMessage, method: string, key: string, body: Buffer, response: ServerResponse): void {
    const object = this.objects.get(key)
    const ifMatch = request.headers['if-match']?.replaceAll('"', '')
    if (ifMatch !== undefined && object?.etag !== ifMatch) {
      if (object) refuse(response, 412, 'PreconditionFailed')
      else refuse(response, 404, 'NoSuchKey')
    } else if (method === 'PUT') this.#store(request, key, body, response)
    else if (method === 'DELETE') {
      this.objects.delete(key)
      response.writeHead(204).end()
    } else if (object) {
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
      const [start, end] = range ? [Number(range[1]), Number(range[2]) + 1] : [0, object.bytes.length]
      const part = object.bytes.subarray(start, end)
      response.writeHead(range ? 206 : 200, {
        etag: `"${object.etag}"`,
        'content-length': part.length,
        ...(range ? { 'content-range': `bytes ${start}-${start + part.length - 1}/${object.bytes.length}` } : {}),
        'last-modified': new Date(object.lastModifiedMs).toUTCString()
      })
      if (method !== 'HEAD') this.sentBytes += part.length
      if (method === 'HEAD') response.end()
      else if (this.isStalled) response.flushHeaders()
      else response.end(part)
    } else refuse(response, 404, 'NoSuchKey')
  }

  #store(request: IncomingMessage, key: string, body: Buffer, response: ServerResponse): void {
    const copySource = request.headers['x-amz-copy-source']
    if (typeof copySource !== 'string') {
      response.writeHead(200, { etag: `"${this.put(key, body).etag}"` }).end()
      return
    }
    this.copies++
    if (this.neverCopies) return
    const source = this.objects.get(
      decodeURIComponent(copySource)
        .replace(/^\//, '')
        .slice(this.bucket.length + 1)
    )
    if (source) {
      const { etag } = this.put(key, source.bytes)
      sendXml(response, `<CopyObjectResult><ETag>"${etag}"</ETag></CopyObjectResult>`)
    } else refuse(response, 404, 'NoSuchKey')
  }

  #list(query: URLSearchParams): string {
    const prefix = query.get('prefix') ?? ''
    const delimiter = query.get('delimiter')
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const limit = Number(query.get('max-keys') ?? 1000)
    const prefixes = new Set<string>()
    const found: string[] = []
    let last = ''
    let isTruncated = false
    for (const key of [...this.objects.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      if (!key.startsWith(prefix) || key <= after) continue
      const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1
      const common = cut >= 0 ? key.slice(0, cut + 1) : null
      const isNew = common === null || !prefixes.has(common)
      if (isNew && found.length + prefixes.size === limit) {
        isTruncated = true
        break
      }
      last = key
      if (common === null) found.push(key)
      else prefixes.add(common)
    }
    const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : escapeXml
    const contents = found.map((key) => {
      const { etag, bytes, lastModifiedMs } = this.objects.get(key)!
      return `<Contents><Key>${encode(key)}</Key><ETag>"${etag}"</ETag><Size>${bytes.length}</Size><LastModified>${new Date(lastModifiedMs).toISOString()}</LastModified></Contents>`
    })
    const common = [...prefixes].map((each) => `<CommonPrefixes><Prefix>${encode(each)}</Prefix></CommonPrefixes>`)
    const next = isTruncated ? `<NextContinuationToken>${escapeXml(last)}</NextContinuationToken>` : ''
    return `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}${common.join('')}</ListBucketResult>`
  }
}

function assumeRole(): string {
  const expiration = new Date(Date.now() + 3_600_000).toISOString()
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>SCRIPTED</AccessKeyId><SecretAccessKey>scripted-secret</SecretAccessKey><SessionToken>scripted-session</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
}

function sendXml(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>${xml}`)
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
}

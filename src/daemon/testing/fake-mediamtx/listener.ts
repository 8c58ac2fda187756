import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { messageOf } from '../../errors.ts'
import { Refusal } from './refusal.ts'

/** A request as the server sees it: the path decoded, never folded. */
export interface Exchange {
  method: string
  path: string
  rawQuery: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  body: string
  remoteIp: string
  remoteAddress: string
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  /** A JSON value, or the bytes of anything else. */
  body?: unknown
}

export type Handler = (exchange: Exchange) => Promise<Answer> | Answer

/** One request that came, and what it was answered; 0 where the connection was cut. */
export interface JournalEntry {
  server: string
  method: string
  path: string
  query: string
  headers: IncomingMessage['headers']
  body: string
  status: number
}

/** An answer instead of the real one, or a connection that is cut. */
export type Failure = { status: number; error?: string; body?: string; contentType?: string } | 'reset'

export const notFound: Answer = {
  status: 404,
  headers: { 'content-type': 'text/plain' },
  body: Buffer.from('404 page not found')
}

export interface ListenerOptions {
  /** For the journal: `api`, `playback`, `hls`. */
  name: string
  host: string
  /** 0 takes a free one, and keeps it. */
  port: number
  handle: Handler
  /** What a preflight may ask for. */
  allow: { methods: string; headers: string }
  allowOrigins(): string[]
  journal: JournalEntry[]
  /** The failure ordered for a request, if any; it is used up. */
  takeFailure(exchange: Exchange): Failure | undefined
  log(level: 'INF' | 'ERR', message: string): void
}

/** One HTTP server of the fake: errors in the envelope, texts for what no route takes, CORS as the server does it. */
export class Listener {
  #options: ListenerOptions
  #server: Server | null = null
  #port: number

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#port = options.port
  }

  get url(): string {
    return `http://${this.#options.host}:${this.#port}`
  }

  /** Rejects where the port is taken. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response))
    server.listen(this.#port, this.#options.host)
    await once(server, 'listening')
    const address: AddressInfo | string | null = server.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
    this.#port = address.port
    this.#server = server
  }

  /** Cuts all connections and takes no new ones. */
  async stop(): Promise<void> {
    const server = this.#server
    if (!server) return
    this.#server = null
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('server', 'mediamtx')
    const origin = allowedOrigin(request.headers.origin, this.#options.allowOrigins())
    if (origin !== null) response.setHeader('access-control-allow-origin', origin)
    const exchange = await readExchange(request)
    const failure = this.#options.takeFailure(exchange)
    const answer = failure ? failedAnswer(failure) : await this.#handled(exchange)
    const { method, path, rawQuery: query, headers, body } = exchange
    this.#options.journal.push({
      server: this.#options.name,
      method,
      path,
      query,
      headers,
      body,
      status: answer?.status ?? 0
    })
    if (answer) send(response, answer, method === 'HEAD')
    else request.socket.destroy()
  }

  async #handled(exchange: Exchange): Promise<Answer> {
    if (exchange.method === 'OPTIONS' && exchange.headers['access-control-request-method']) {
      const { methods, headers } = this.#options.allow
      return {
        status: 204,
        headers: { 'access-control-allow-methods': methods, 'access-control-allow-headers': headers }
      }
    }
    try {
      return await this.#options.handle(exchange)
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(500, messageOf(error))
      if (refusal.status !== 401) this.#options.log('ERR', refusal.message)
      return { status: refusal.status, headers: refusal.headers, body: { status: 'error', error: refusal.message } }
    }
  }
}

async function readExchange(request: IncomingMessage): Promise<Exchange> {
  const target = request.url ?? '/'
  const queryAt = target.indexOf('?')
  const rawPath = queryAt < 0 ? target : target.slice(0, queryAt)
  const rawQuery = queryAt < 0 ? '' : target.slice(queryAt + 1)
  const remoteIp = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  return {
    method: request.method ?? 'GET',
    path: decoded(rawPath),
    rawQuery,
    query: new URLSearchParams(rawQuery),
    headers: request.headers,
    body: await text(request),
    remoteIp,
    remoteAddress: `${remoteIp}:${request.socket.remotePort}`
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path // no route takes it
  }
}

function failedAnswer(failure: Failure): Answer | null {
  if (failure === 'reset') return null
  if (failure.body === undefined)
    return { status: failure.status, body: { status: 'error', error: failure.error ?? '' } }
  const headers = { 'content-type': failure.contentType ?? 'text/plain' }
  return { status: failure.status, headers, body: Buffer.from(failure.body) }
}

function send(response: ServerResponse, answer: Answer, isHead: boolean): void {
  const { body } = answer
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
  if (bytes !== undefined && bytes !== body) response.setHeader('content-type', 'application/json; charset=utf-8')
  response.writeHead(answer.status, answer.headers)
  response.end(isHead ? undefined : bytes)
}

/** The origin to allow, as the server decides: a listed one, else any, never one without a scheme. */
function allowedOrigin(origin: string | undefined, allowed: string[]): string | null {
  if (origin !== undefined) {
    if (!URL.canParse(origin)) return null
    const { origin: asked } = new URL(origin)
    if (allowed.some((entry) => URL.canParse(entry) && new URL(entry).origin === asked)) return origin
  }
  return allowed.includes('*') ? '*' : null
}

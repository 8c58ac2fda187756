import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Logger } from 'pino'
import type { ListenAddress } from '../../config/settings/listeners.ts'
import { AUTH_PATH } from '../../mediamtx/media-server.ts'
import { type AuthRequest, authRequestSchema } from './authorise.ts'

export interface AuthEndpointOptions {
  address: ListenAddress
  /** What the media server shows here as `k`. */
  key: () => string | null
  judge: (request: AuthRequest) => boolean
  log: Logger
}

const MAX_REQUEST_BYTES = 64 * 1024
const TIMEOUT_MS = 5000

/**
 * Where the media server asks whom it shall let in. It stands still while it waits, so the answer comes from memory and the catalogue,
 * and never asks back. A listener of its own: neither people nor other programs have business here.
 */
export class AuthEndpoint {
  readonly #options: AuthEndpointOptions
  readonly #server: Server
  #port: number

  constructor(options: AuthEndpointOptions) {
    this.#options = options
    this.#port = options.address.port
    this.#server = createServer({ requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS }, (request, response) => {
      void this.#answer(request, response)
    })
  }

  /** What the media server is told to ask, with its key. */
  url(): string {
    const { host } = this.#options.address
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#port}${AUTH_PATH}`
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options.address
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    this.#server.on('error', (error) => this.#options.log.error({ err: error }, 'a listener has trouble'))
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Any 2xx lets in; the body of a refusal would be copied into the media server's log. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      response.writeHead(await this.#judge(request)).end()
    } catch (error) {
      this.#options.log.error({ err: error }, 'the media server asked, and cannot be answered')
      response.writeHead(500).end()
    }
  }

  async #judge(request: IncomingMessage): Promise<number> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (request.method !== 'POST' || url.pathname !== AUTH_PATH) return 404
    if (!this.#knows(url.searchParams.get('k') ?? '')) return 403
    if (Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY) > MAX_REQUEST_BYTES) return 413
    const asked = authRequestSchema.safeParse(await json(request).catch(() => null))
    if (!asked.success) return 400
    return this.#options.judge(asked.data) ? 204 : 401
  }

  #knows(shown: string): boolean {
    const [given, key] = [Buffer.from(shown), Buffer.from(this.#options.key() ?? '')]
    return key.length > 0 && given.length === key.length && timingSafeEqual(given, key)
  }
}

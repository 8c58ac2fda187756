import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  canonicalPath,
  canonicalRequest,
  deriveSigningKey,
  hmac,
  stringToSign
} from '../../src/daemon/embedded-store/endpoint/canonical-request.ts'
import type { EndpointHarness, TestCredentials } from '../../src/daemon/embedded-store/endpoint/endpoint-harness.ts'
import { collectHeaders, type Headers } from '../../src/daemon/embedded-store/endpoint/headers.ts'
import { parseRequestTarget } from '../../src/daemon/embedded-store/endpoint/request-target.ts'
import { parseHeaderClaim } from '../../src/daemon/embedded-store/endpoint/sigv4-header.ts'

/** Headers that only say how the request is signed. */
const OF_SIGNATURE = new Set(['authorization', 'x-amz-date', 'x-amz-content-sha256', 'host'])

/**
 * Stands before an endpoint and turns every correctly signed request of its users into a presigned one: clients that sign headers
 * then exercise links. What is not signed, wrongly signed, or streamed in signed pieces (links have no such form) passes as it is.
 */
export class LinkSigningProxy {
  readonly port: number
  /** Requests that went on as links. */
  links = 0
  readonly #server: Server
  readonly #endpoint: EndpointHarness
  readonly #users: ReadonlyMap<string, TestCredentials>

  private constructor(server: Server, endpoint: EndpointHarness, users: readonly TestCredentials[]) {
    this.#server = server
    this.#endpoint = endpoint
    this.#users = new Map(users.map((user) => [user.accessKeyId, user]))
    this.port = (server.address() as AddressInfo).port
    const take = (request: IncomingMessage, response: ServerResponse) => this.#forward(request, response)
    for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, take)
  }

  static async open(endpoint: EndpointHarness, users: readonly TestCredentials[]): Promise<LinkSigningProxy> {
    const server = createServer({ requestTimeout: 0 })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new LinkSigningProxy(server, endpoint, users)
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #forward(incoming: IncomingMessage, response: ServerResponse): void {
    const method = incoming.method ?? 'GET'
    const link = this.#asLink(method, incoming)
    if (link) this.links++
    const outgoing = request({
      port: this.#endpoint.port,
      method,
      path: link?.target ?? incoming.url,
      headers: link?.headers ?? incoming.rawHeaders,
      setHost: false
    })
    const send = () => incoming.pipe(outgoing)
    if (incoming.headers.expect?.toLowerCase() === '100-continue') {
      outgoing.once('continue', () => {
        response.writeContinue()
        send()
      })
      outgoing.flushHeaders()
    } else send()
    outgoing.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
    outgoing.once('error', () => response.destroy())
    response.once('close', () => outgoing.destroy())
  }

  #asLink(method: string, { url = '/', rawHeaders }: IncomingMessage): { target: string; headers: string[] } | null {
    const headers = collectHeaders(rawHeaders)
    const credentials = this.#signerOf(method, url, headers)
    if (!credentials || headers.get('x-amz-content-sha256')?.startsWith('STREAMING-')) return null
    const { rawPath, query } = parseRequestTarget(url)
    const kept = [...headers].filter(([name]) => !OF_SIGNATURE.has(name))
    const signed = kept.filter(
      ([name]) => name.startsWith('x-amz-') || name === 'content-type' || name === 'content-md5'
    )
    const target = this.#endpoint.presign(method, rawPath, {
      credentials,
      parameters: Object.fromEntries(query),
      headers: Object.fromEntries(signed)
    })
    return { target, headers: ['host', `127.0.0.1:${this.#endpoint.port}`, ...kept.flat()] }
  }

  /** The user whose signature the headers carry; undefined when there is none, or a wrong one. */
  #signerOf(method: string, url: string, headers: Headers): TestCredentials | undefined {
    if (!headers.has('authorization')) return undefined
    try {
      const { accessKeyId, scope, signedHeaders, timestamp, payloadHash, signature } = parseHeaderClaim(headers)
      const credentials = this.#users.get(accessKeyId)
      if (!credentials) return undefined
      const { rawPath, query } = parseRequestTarget(url)
      const path = canonicalPath(rawPath)
      const canonical = canonicalRequest({ method, path, query, headers, signedHeaders, payloadHash })
      const key = deriveSigningKey(credentials.secretAccessKey, scope)
      return hmac(key, stringToSign(timestamp, scope, canonical)).toString('hex') === signature
        ? credentials
        : undefined
    } catch {
      return undefined
    }
  }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What becomes of a request: it is refused in place of the server, or it is passed on and the answer to it is lost. */
export type Interference = { status: number; code?: string } | 'lose the answer'
export type Meddle = (request: { method: string; url: URL }) => Interference | undefined

/** Stands before an S3 server on loopback and passes requests on, but for those that a test wants something else for. */
export class HttpMiddleman {
  readonly #server: Server
  meddle: Meddle = () => undefined

  private constructor(targetPort: number) {
    this.#server = createServer((request, response) => this.#handle(targetPort, request, response))
  }

  static async open(targetPort: number): Promise<HttpMiddleman> {
    const middleman = new HttpMiddleman(targetPort)
    await new Promise<void>((resolve) => middleman.#server.listen(0, '127.0.0.1', resolve))
    return middleman
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #handle(port: number, request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request
    const interference = this.meddle({ method, url: new URL(url, 'http://h') })
    if (typeof interference === 'object') return void refuse(request, response, interference)
    const onward = send({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (answer) => {
      if (interference === undefined) {
        response.writeHead(answer.statusCode ?? 500, answer.rawHeaders)
        answer.pipe(response)
      } else answer.resume().on('end', () => request.socket.destroy())
    })
    onward.on('error', () => request.socket.destroy())
    request.pipe(onward)
  }
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code }: { status: number; code?: string }
) {
  request.resume()
  response.writeHead(status, { 'content-type': 'application/xml', connection: 'close' })
  if (code === undefined || request.method === 'HEAD') response.end()
  else response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>no</Message></Error>`)
}

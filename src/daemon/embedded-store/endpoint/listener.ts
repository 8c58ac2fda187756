import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { newRequestIds } from './request-ids.ts'
import { xmlDocument } from './xml-writer.ts'

const MAX_HEADER_BYTES = 32 * 1024
const HEADERS_TIMEOUT_MS = 20_000
const KEEP_ALIVE_TIMEOUT_MS = 75_000
const TCP_KEEP_ALIVE_MS = 30_000
/** A peer that neither reads nor writes for so long is gone. Slow uploads are judged by the body reader instead. */
const SOCKET_IDLE_MS = 5 * 60_000
const MAX_SOCKETS = 256

/** How a request came, beside what it says. */
export interface Arrival {
  /** The client waits to be told before it sends the body. */
  expectsContinue: boolean
  /** There are more connections than are served. */
  isCrowded: boolean
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse, arrival: Arrival) => void

/**
 * Makes the raw HTTP server of the endpoint. It never goes through a web framework: signatures cover the request target as it was
 * sent, and some of Node's defaults would cut long uploads or answer for us.
 */
export function createListener(handle: RequestHandler, maxSockets = MAX_SOCKETS): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // A large file over a weak radio takes longer than any fixed limit; idle time is what counts.
    requestTimeout: 0
  })
  // Beyond twice as many not even a refusal is written.
  server.maxConnections = 2 * maxSockets
  const crowded = new WeakSet<Duplex>()
  let openSockets = 0
  server.on('connection', (socket) => {
    openSockets++
    socket.once('close', () => openSockets--)
    if (openSockets > maxSockets) crowded.add(socket)
  })
  server.setTimeout(SOCKET_IDLE_MS)
  const answering = new WeakSet<Duplex>()
  const take = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) => {
    const { socket } = request
    answering.add(socket)
    response.once('close', () => answering.delete(socket))
    const isCrowded = crowded.has(socket)
    if (isCrowded) response.shouldKeepAlive = false
    handle(request, response, { expectsContinue, isCrowded })
  }
  server.on('request', (request, response) => take(request, response, false))
  server.on('checkContinue', (request, response) => take(request, response, true))
  // S3 ignores expectations it does not know; Node would answer 417.
  server.on('checkExpectation', (request, response) => take(request, response, false))
  server.on('clientError', (error, socket) => refuseUnparsable(error, socket, answering.has(socket)))
  return server
}

/** There is no request to speak of, so nothing in the answer is specific. `isAnswering`: an answer is under way on the connection, into which nothing else may be written. */
function refuseUnparsable(error: NodeJS.ErrnoException, socket: Duplex, isAnswering: boolean): void {
  if (isAnswering || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const { requestId, hostId } = newRequestIds()
  const body = xmlDocument([
    'Error',
    [
      ['Code', 'InvalidRequest'],
      ['Message', 'The request is not valid HTTP.'],
      ['RequestId', requestId],
      ['HostId', hostId]
    ]
  ])
  const head = [
    'HTTP/1.1 400 Bad Request',
    `x-amz-request-id: ${requestId}`,
    `x-amz-id-2: ${hostId}`,
    'Content-Type: application/xml',
    `Content-Length: ${body.length}`,
    'Connection: close'
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/**
 * Opens the server on an address; port 0 takes any free one. Errors the server meets later are logged.
 * @returns the address and port it got
 * @throws the system's error, such as EADDRINUSE
 */
export function openListener(
  server: Server,
  { host, port, log }: { host: string; port: number; log: Logger }
): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      server.on('error', (error) => log.error({ err: error }, 'the listener of the object store has trouble'))
      const { address, port: actualPort } = server.address() as AddressInfo
      resolve({ host: address, port: actualPort })
    })
  })
}

/** Takes no new connections, lets requests under way finish until the deadline, then cuts what is left. */
export async function closeListener(server: Server, deadlineMs: number): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  // A connection whose last request ends only now would be kept for the next one.
  const idle = setInterval(() => server.closeIdleConnections(), 100)
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs)
  await closed
  clearInterval(idle)
  clearTimeout(deadline)
}

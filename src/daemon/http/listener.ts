import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Server as NetServer } from 'node:net'
import type { Logger } from 'pino'
import type { ListenAddress } from '../config/schema.ts'
import { StartupError } from '../errors.ts'

export interface Listener {
  /** Starts listening and returns the address with the real port. Throws `StartupError('listen_failed')`. */
  listen(): Promise<ListenAddress>
  /** Stops accepting, lets running requests end until the deadline, then cuts them. */
  close(deadlineMs: number): Promise<void>
}

export interface ListenerOptions {
  name: string
  address: ListenAddress
  handler: RequestListener
  /** Limit for receiving one whole request, against slow clients; 0 for none. */
  requestTimeoutMs: number
  log: Logger
}

export function createListener(options: ListenerOptions): Listener {
  const server = createServer({ requestTimeout: options.requestTimeoutMs, headersTimeout: 20_000 }, options.handler)
  server.keepAliveTimeout = 75_000
  return {
    listen: () => listenOn(server, options),
    close: (deadlineMs) => close(server, deadlineMs)
  }
}

/**
 * Opens a server's port and gives the real address. Errors the server meets later (such as a connection that cannot be
 * accepted) are logged. Throws `StartupError('listen_failed')` with the reason in words.
 */
export function listenOn(
  server: NetServer,
  { name, address: { host, port }, log }: Pick<ListenerOptions, 'name' | 'address' | 'log'>
): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException): void => {
      const reason =
        cause.code === 'EADDRINUSE'
          ? `another program (or a second Flightcase) already uses port ${port}`
          : cause.code === 'EACCES'
            ? `this user may not open port ${port}`
            : cause.message
      reject(
        new StartupError('listen_failed', `The ${name} listener cannot open ${host}:${port}: ${reason}.`, { cause })
      )
    }
    server.once('error', refuse)
    server.listen({ host, port }, () => {
      server.off('error', refuse)
      server.on('error', (error) => log.error({ err: error, listener: name }, 'a listener has trouble'))
      resolve({ host, port: (server.address() as AddressInfo).port })
    })
  })
}

function close(server: Server, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve()
    const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs)
    server.close(() => {
      clearTimeout(deadline)
      resolve()
    })
    server.closeIdleConnections()
  })
}

/** `scheme://host:port` a local program can open: wildcards become loopback, IPv6 gets its brackets. */
export function urlOf(address: ListenAddress, scheme: 'http' | 'mqtt' = 'http'): string {
  const host = address.host === '0.0.0.0' ? '127.0.0.1' : address.host === '::' ? '::1' : address.host
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

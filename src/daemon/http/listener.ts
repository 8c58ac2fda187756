import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Server as NetServer } from 'node:net'
import type { Logger } from 'pino'
import { settings } from '../config/schema.ts'
import type { ListenAddress } from '../config/settings/listeners.ts'
import { messageOf, StartupError } from '../errors.ts'

export interface Listener {
  /** Starts listening and returns the address with the real port. Throws `StartupError('listen_failed')`. */
  listen(): Promise<ListenAddress>
  /** That address; the configured one before it listens. */
  address(): ListenAddress
  /** Stops accepting, lets running requests end until the deadline, then cuts them. */
  close(deadlineMs: number): Promise<void>
}

/** What the listeners are called, which is also the name of the setting that holds their address. */
export type ListenerName = 'field' | 'admin' | 's3' | 'mqtt'

export interface ListenerOptions {
  name: ListenerName
  address: ListenAddress
  handler: RequestListener
  /** Limit for receiving one whole request, against slow clients; 0 for none. */
  requestTimeoutMs: number
  /** Limit for receiving the headers of a request. */
  headersTimeoutMs?: number
  log: Logger
}

export function createListener(options: ListenerOptions): Listener {
  const { requestTimeoutMs: requestTimeout, headersTimeoutMs: headersTimeout = 20_000 } = options
  // Node looks only now and then whose time is over.
  const connectionsCheckingInterval = headersTimeout / 4
  const server = createServer({ requestTimeout, headersTimeout, connectionsCheckingInterval }, options.handler)
  server.keepAliveTimeout = 75_000
  let { address } = options
  return {
    listen: async () => {
      address = await listenOn(server, options)
      return address
    },
    address: () => address,
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
    const refuse = (cause: unknown): void => reject(listenProblem(name, { host, port }, cause))
    server.once('error', refuse)
    server.listen({ host, port }, () => {
      server.off('error', refuse)
      server.on('error', (error) => log.error({ err: error, listener: name }, 'a listener has trouble'))
      resolve({ host, port: (server.address() as AddressInfo).port })
    })
  })
}

/** `StartupError('listen_failed')`: why a port cannot be opened, and where to name another one. */
export function listenProblem(name: ListenerName, { host, port }: ListenAddress, cause: unknown): StartupError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const reasons: Record<string, string> = {
    EADDRINUSE: `another program (or a second Flightcase) already uses port ${port}`,
    EACCES: `this user may not open port ${port}`,
    EADDRNOTAVAIL: 'this computer does not have that address',
    ENOTFOUND: 'there is no computer of that name'
  }
  const { flag, toml } = settings[name]
  return new StartupError(
    'listen_failed',
    `The ${name} listener cannot open ${host}:${port}: ${reasons[code] ?? messageOf(cause)}. ` +
      `Another address can be named with ${flag}, or with "${toml}" in flightcase.toml.`,
    { cause }
  )
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

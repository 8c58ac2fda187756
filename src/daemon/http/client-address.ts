import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { ipKeyGenerator } from 'express-rate-limit'

/**
 * Whose requests are counted together: the peer, or whom a proxy on this machine names last in `X-Forwarded-For` (an IPv6 network
 * counts as one). Null for a program of this machine, the screen included.
 */
export function clientAddress(request: IncomingMessage): string | null {
  const peer = peerKey(request.socket.remoteAddress)
  if (peer !== null) return peer
  const forwarded = [request.headers['x-forwarded-for'] ?? ''].flat().join(',').split(',').at(-1)?.trim() ?? ''
  return isIP(forwarded) === 0 ? null : ipKeyGenerator(forwarded)
}

/** The same for a connection that is no request. */
export function peerKey(address = ''): string | null {
  return address === '::1' || /^(::ffff:)?127\./.test(address) ? null : ipKeyGenerator(address)
}

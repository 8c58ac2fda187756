import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'
import type { SourceProtocol } from '../../../shared/api/sources.ts'
import { AppError } from '../../errors.ts'

/** Schemes that the media server fetches from (MediaMTX `source`), less those that open files or devices of its machine. */
const protocols: Record<string, SourceProtocol> = {
  'rtsp:': 'rtsp',
  'rtsps:': 'rtsp',
  'rtsp+http:': 'rtsp',
  'rtsps+http:': 'rtsp',
  'rtsp+ws:': 'rtsp',
  'rtsps+ws:': 'rtsp',
  'rtmp:': 'rtmp',
  'rtmps:': 'rtmp',
  'http:': 'hls',
  'https:': 'hls',
  'srt:': 'srt',
  'whep:': 'webrtc',
  'wheps:': 'webrtc',
  'udp+mpegts:': 'mpegts'
}

/** Parts of an address that may hold a secret beside its password. */
const SECRET_PARAMETERS = /([?&#][^=&#]*(?:pass|pwd|token|key|secret|auth|jwt|sig|cred|streamid)[^=&#]*=)[^&#]*/gi

/**
 * The protocol of an address to fetch a stream from. Throws `pull_url_refused` with the reason: an unknown scheme, no host, half a
 * credential, what the media server would replace (`$`), or an address of this machine unless `allowLoopback`. Those of other machines
 * in its networks are where cameras are.
 */
export function protocolOf(text: string, options: { allowLoopback: boolean }): SourceProtocol {
  // What reads it next may take a backslash for something else than we do.
  if (/[\s\\\p{Cc}]/u.test(text)) throw refused('characters')
  if (text.includes('$')) throw refused('dollar')
  if (isMasked(text)) throw refused('masked')
  const protocol = protocols[/^[a-z+]+:/i.exec(text)?.[0].toLowerCase() ?? '']
  if (protocol === undefined) throw refused('scheme')
  const url = asHttp(text)
  if (url === null || url.hostname === '') throw refused('host')
  if ((url.username === '') !== (url.password === '')) throw refused('credential')
  if (protocol === 'mpegts') {
    if (url.port === '') throw refused('port')
  } else if (!options.allowLoopback && isOwnAddress(url.hostname.replace(/^\[|\]$/g, ''))) throw refused('address')
  return protocol
}

/**
 * Throws `pull_url_refused` where the name in an address leads to this machine. A name that leads nowhere now may do so later: a camera
 * that is switched off is no mistake.
 */
export async function assertForeign(text: string, resolve: typeof lookup = lookup): Promise<void> {
  const host = asHttp(text)?.hostname.replace(/^\[|\]$/g, '') ?? ''
  if (isIP(host) !== 0) return
  const found = await resolve(host, { all: true }).catch(() => [])
  if (found.some(({ address }) => isOwnAddress(address))) throw refused('address')
}

/** An address as it may be shown: without its password, and without what looks like a key in its query. */
export function masked(text: string): string {
  return text
    .replace(/^([a-z+]+:\/\/)([^/?#]*)@/i, (_, scheme: string, user: string) =>
      user.includes(':') ? `${scheme}${user.slice(0, user.indexOf(':'))}:***@` : `${scheme}${user}@`
    )
    .replace(/^(rtmps?:[^#]*#).+/i, '$1***')
    .replace(SECRET_PARAMETERS, '$1***')
}

/** Whether {@link masked} put something in the place of a secret here: who changes an address that was shown sends that back. */
function isMasked(text: string): boolean {
  return /:\*{3}@|[=#]\*{3}(?:$|[&#])/.test(text)
}

/** URL parsing treats only known schemes as addresses with a host. */
function asHttp(text: string): URL | null {
  const address = text.replace(/^[a-z+]+:/i, 'http:')
  return URL.canParse(address) ? new URL(address) : null
}

const OWN_RANGES: ReadonlySet<string> = new Set(['loopback', 'linkLocal', 'unspecified', 'broadcast', 'multicast'])
/** IPv6 addresses that are routed between networks (RFC 4291 §2.4); outside lie ways to spell IPv4 ones, among others. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** Exported for its test. */
export function isOwnAddress(
  host: string,
  cards: () => NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces
): boolean {
  if (isIP(host) === 0) return host === 'localhost' || host.endsWith('.localhost')
  const address = ipaddr.process(host)
  const range = address.range()
  if (OWN_RANGES.has(range)) return true
  if (address instanceof ipaddr.IPv6 && range !== 'uniqueLocal' && !(range === 'unicast' && address.match(GLOBAL_IPV6)))
    return true
  const own = Object.values(cards()).flatMap((entries) => entries ?? [])
  return own.some((entry) => ipaddr.process(entry.address).toString() === address.toString())
}

function refused(
  reason: 'characters' | 'dollar' | 'masked' | 'scheme' | 'host' | 'credential' | 'port' | 'address'
): AppError {
  return new AppError('pull_url_refused', { reason })
}

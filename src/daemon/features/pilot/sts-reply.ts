import { isIP } from 'node:net'
import type { StsReply } from '../../../shared/api/pilot.ts'
import type { TemporaryCredentials } from '../../object-store/object-store.ts'

/** What of a request tells how the controller reaches this machine. */
export interface RequestAddress {
  host: string | undefined
  forwardedHost: string | undefined
  forwardedProto: string | undefined
  /** The address of this machine that the connection came in on. */
  localAddress: string | undefined
}

export interface EndpointRules {
  /** Set by the operator; wins over everything. */
  publicEndpoint: string | null
  trustForwardedHeaders: boolean
  /** Port of the store that controllers use, and whether it speaks TLS. */
  port: number
  scheme: 'http' | 'https'
}

/**
 * The store's address as the controller can reach it, with scheme, without bucket or path. The controller already reached
 * this machine by some name, so that name is the best guess. Loopback is never taken from a header: only a program on this
 * machine gets it, as the literal address its connection came to.
 */
export function chooseEndpoint(request: RequestAddress, rules: EndpointRules): string {
  if (rules.publicEndpoint !== null) return rules.publicEndpoint
  if (rules.trustForwardedHeaders) {
    const forwarded = hostOf(request.forwardedHost?.split(',')[0]?.trim())
    const scheme = request.forwardedProto?.split(',')[0]?.trim().toLowerCase() === 'https' ? 'https' : rules.scheme
    if (forwarded !== undefined && !isLoopback(forwarded)) return `${scheme}://${bracketed(forwarded)}:${rules.port}`
  }
  const asked = hostOf(request.host)
  const local = request.localAddress?.replace(/^::ffff:(?=\d+\.)/i, '') ?? '127.0.0.1'
  const host = asked !== undefined && !isLoopback(asked) ? asked : local
  return `${rules.scheme}://${bracketed(host)}:${rules.port}`
}

/** The host of a Host header, IPv6 without brackets; undefined when it is none (it is the client's text). */
function hostOf(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9][A-Za-z0-9.-]{0,252}))(?::\d{1,5})?$/.exec(header ?? '')
  if (match?.[1] !== undefined) return isIP(match[1]) === 6 ? match[1] : undefined
  return match?.[2]
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1|0\.0\.0\.0|::)$/i.test(host)
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** So much earlier the controller is told to renew, so that its clock and a long request cannot outlive the real end. */
const RENEW_EARLY_S = 300
const SHORTEST_EXPIRE_S = 60

/**
 * The `data` of an STS answer. `compatibilityFields` repeats the credentials under the other spellings that older servers
 * sent, inside `credentials` and beside it.
 */
export function stsReply(from: {
  endpoint: string
  bucket: string
  region: string
  provider: StsReply['provider']
  prefix: string
  credentials: TemporaryCredentials
  nowMs: number
  compatibilityFields: boolean
}): StsReply {
  const remainingS = Math.floor((from.credentials.expiresAtMs - from.nowMs) / 1000)
  const { accessKeyId, secretAccessKey, sessionToken } = from.credentials
  const credentials = {
    access_key_id: accessKeyId,
    access_key_secret: secretAccessKey,
    security_token: sessionToken,
    expire: Math.max(remainingS - RENEW_EARLY_S, SHORTEST_EXPIRE_S)
  }
  const repeated = from.compatibilityFields
    ? {
        accessKeyId,
        accessKeySecret: secretAccessKey,
        secretAccessKey,
        securityToken: sessionToken,
        sessionToken,
        session_token: sessionToken
      }
    : {}
  return {
    provider: from.provider,
    endpoint: from.endpoint,
    bucket: from.bucket,
    region: from.region,
    object_key_prefix: from.prefix,
    ...(from.compatibilityFields ? { ...credentials, ...repeated } : {}),
    credentials: { ...credentials, ...repeated }
  }
}

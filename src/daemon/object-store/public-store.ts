/** What controllers are told of the store. */
export type PublicStore = {
  /** Null: the host they already use, with this port and scheme. */
  publicEndpoint: string | null
  port: number
  scheme: 'http' | 'https'
  region: string
  provider: 'minio' | 'aws'
}

/** A server of somebody else's, as controllers find it; `publicEndpoint` is the address that was set for them, if any. */
export function publicStoreAt(
  endpoint: string,
  { publicEndpoint, region, provider }: Pick<PublicStore, 'publicEndpoint' | 'region' | 'provider'>
): PublicStore {
  const url = new URL(endpoint)
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  return {
    publicEndpoint: publicEndpoint ?? (isKnownElsewhere(url.hostname) ? endpoint : null),
    port: Number(url.port || (scheme === 'https' ? 443 : 80)),
    scheme,
    region,
    provider
  }
}

/**
 * Whether controllers can use the host name that the daemon uses. Loopback is another machine for them, and a name of one word is
 * known to this machine at most.
 */
function isKnownElsewhere(hostname: string): boolean {
  if (hostname.startsWith('[')) return hostname !== '[::1]' && hostname !== '[::]'
  return hostname.includes('.') && !/^(127\.|0\.0\.0\.0$)/.test(hostname)
}

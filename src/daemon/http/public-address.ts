import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/** An address (or a host that is one) that must not be connected to. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
  constructor(what: string) {
    super(`${what} is not a public address`)
  }
}

/** IPv6 addresses that are routed between networks (RFC 4291 §2.4); outside lie old ways to spell IPv4 ones, among others. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** Whether an IP address is reached over the Internet, and not by this machine or its networks alone. */
export function isPublicAddress(address: string): boolean {
  const parsed = ipaddr.process(address)
  return parsed.range() === 'unicast' && (parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_IPV6))
}

/** True where `host`, a name or an address, may be asked for although only `isAllowed` addresses are. Names are judged when they are resolved. */
export function mayConnectTo(host: string, isAllowed: (address: string) => boolean = isPublicAddress): boolean {
  const address = host.replace(/^\[|\]$/g, '')
  return isIP(address) === 0 || isAllowed(address)
}

/**
 * A `lookup` for connections that fails with `AddressRefused` when a name leads to an address that is not allowed. The name is
 * resolved once, and what was judged is what is connected to. Not asked for hosts that are addresses: see `mayConnectTo`.
 */
export function guardedLookup(
  isAllowed: (address: string) => boolean = isPublicAddress,
  resolve: LookupFunction = lookup
): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      const addresses = Array.isArray(found) ? found : []
      const refused = addresses.find(({ address }) => !isAllowed(address))
      if (error || refused) callback(error ?? new AddressRefused(`${host} (${refused?.address})`), '', 0)
      else if (options.all) callback(null, addresses)
      else callback(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
}

import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

/** Cards that only programs of this machine reach: containers and virtual machines. */
const INNER = /^(docker|br-|veth|virbr|vmnet|vboxnet|lxc|lxd|cni|flannel|cali|podman|vethernet|virtualbox|vmware)/i
/** Cards that lead into another network than the one that is here. */
const TUNNEL = /^(tun|tap|utun|wg|ppp|tailscale|zt)/i

/** IPv4 addresses that others reach this machine by: those of the network that it is in come first, those that hardly anybody reaches last. */
export function lanAddresses(cards: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces()): string[] {
  return Object.entries(cards)
    .flatMap(([card, entries = []]) => entries.map((entry) => ({ ...entry, card })))
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address, card }) => ({ address, rank: rankOf(card, address) }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ address }) => address)
}

function rankOf(card: string, address: string): number {
  if (INNER.test(card)) return 3
  // Nobody gave it one (RFC 3927).
  if (address.startsWith('169.254.')) return 2
  return TUNNEL.test(card) ? 1 : 0
}

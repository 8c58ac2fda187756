import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { lanAddresses } from './lan-addresses.ts'

const card = (address: string, changes: Partial<NetworkInterfaceInfo> = {}): NetworkInterfaceInfo[] => [
  { address, family: 'IPv4', internal: false, netmask: '', mac: '', cidr: null, ...changes } as NetworkInterfaceInfo
]

test('the network that this machine is in comes before tunnels, and those before bridges to its own programs', () => {
  expect(
    lanAddresses({
      lo: card('127.0.0.1', { internal: true }),
      docker0: card('172.17.0.1'),
      'br-1f2e3d': card('172.18.0.1'),
      'vEthernet (WSL)': card('172.29.0.1'),
      wg0: card('10.8.0.2'),
      usb0: card('169.254.7.7'),
      wlan0: [...card('fe80::1', { family: 'IPv6' }), ...card('192.168.1.10')],
      eth1: card('10.0.0.5')
    })
  ).toEqual(['192.168.1.10', '10.0.0.5', '10.8.0.2', '169.254.7.7', '172.17.0.1', '172.18.0.1', '172.29.0.1'])
})

test('where there is nothing else, a bridge is what there is', () => {
  expect(lanAddresses({ docker0: card('172.17.0.1') })).toEqual(['172.17.0.1'])
  expect(lanAddresses({})).toEqual([])
})

import { expect, test } from 'vitest'
import { reachableUrls } from '../features/system/system.service.ts'
import { controllerAddresses } from './serve.ts'

test('on all addresses controllers are told those of the network, and of this computer only for want of one', () => {
  const network = reachableUrls({ host: '0.0.0.0', port: 28700 })
  const told = controllerAddresses('0.0.0.0', 'http://127.0.0.1:28700')
  if (network.length === 0) expect(told).toContain('http://127.0.0.1:28700 (this computer only')
  else expect(told.split(/\s+/)).toEqual(network)
})

test('one address is told as it is, on any port', () => {
  expect(controllerAddresses('192.168.1.10', 'http://192.168.1.10:8700')).toBe('http://192.168.1.10:8700')
  expect(controllerAddresses('192.168.1.10', 'http://192.168.1.10')).toBe('http://192.168.1.10:80')
  expect(controllerAddresses('fd00::5', 'http://[fd00::5]:8700')).toBe('http://[fd00::5]:8700')
})

test.each([
  ['127.0.0.1', 'http://127.0.0.1:8700'],
  ['127.0.0.2', 'http://127.0.0.2:8700'],
  ['::1', 'http://[::1]:8700'],
  ['localhost', 'http://localhost:8700']
])('%s is told with a warning', (host, url) => {
  expect(controllerAddresses(host, url)).toBe(`${url} (this computer only: --field, or its setting, names ${host})`)
})

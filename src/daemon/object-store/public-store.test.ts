import { expect, it } from 'vitest'
import { publicStoreAt } from './public-store.ts'

const at = (endpoint: string, publicEndpoint: string | null = null) =>
  publicStoreAt(endpoint, { publicEndpoint, region: 'us-east-1', provider: 'minio' })

it.each(['http://10.0.0.5:9000', 'https://s3.example.org', 'http://nas.lan:9000', 'http://[fd00::5]:9000'])(
  'hands out %s as it is',
  (endpoint) => {
    expect(at(endpoint).publicEndpoint).toBe(endpoint)
  }
)

it.each(['http://127.0.0.1:9000', 'http://localhost:9000', 'http://minio:9000', 'http://[::1]:9000'])(
  'keeps %s to this machine: controllers use the host they know, with its port',
  (endpoint) => {
    expect(at(endpoint)).toMatchObject({ publicEndpoint: null, port: 9000, scheme: 'http' })
  }
)

it('hands out what was set', () => {
  expect(at('http://127.0.0.1:9000', 'https://media.example.org').publicEndpoint).toBe('https://media.example.org')
})

it('knows the usual ports', () => {
  expect(at('https://localhost')).toMatchObject({ port: 443, scheme: 'https' })
  expect(at('http://localhost')).toMatchObject({ port: 80, scheme: 'http' })
})

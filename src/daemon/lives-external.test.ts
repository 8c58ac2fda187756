import { afterAll, beforeAll } from 'vitest'
import { EndpointHarness } from './embedded-store/endpoint/endpoint-harness.ts'
import { testRandomLives } from './testing/lives/random-lives.ts'

let external: EndpointHarness
beforeAll(async () => {
  external = await EndpointHarness.open()
})
afterAll(() => external.dispose())

testRandomLives(() => external)

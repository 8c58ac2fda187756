import fc from 'fast-check'
import { afterAll, beforeAll, test } from 'vitest'
import { EndpointHarness } from './embedded-store/endpoint/endpoint-harness.ts'
import { anyLife } from './testing/sequences/operations.ts'
import { runLife } from './testing/sequences/run-life.ts'

const LIVES = Number(process.env['FLIGHTCASE_TEST_LIVES'] ?? 60)
const SEED = Number(process.env['FLIGHTCASE_TEST_SEED'] ?? Date.now() % 2 ** 31)

let external: EndpointHarness
beforeAll(async () => {
  external = await EndpointHarness.open()
})
afterAll(() => external.dispose())

test(`${LIVES} lives of a base (seed ${SEED}): nothing held is lost, nothing else stays, counts are right`, {
  timeout: 0
}, async () => {
  console.log(`seed ${SEED}, ${LIVES} lives`)
  await fc.assert(
    fc.asyncProperty(anyLife, (life) => runLife(life, external)),
    { numRuns: LIVES, seed: SEED, includeErrorInReport: true }
  )
})

import fc from 'fast-check'
import { afterAll, beforeAll, test } from 'vitest'
import { EndpointHarness } from './embedded-store/endpoint/endpoint-harness.ts'
import { anyLife } from './testing/sequences/operations.ts'
import { runLife } from './testing/sequences/run-life.ts'

const LIVES = Number(process.env['FLIGHTCASE_TEST_LIVES'] ?? 60)
const SEED = Number(process.env['FLIGHTCASE_TEST_SEED'] ?? Date.now() % 2 ** 31)
/** Side by side, because a life mostly waits for the disk. */
const LANES = 4

let external: EndpointHarness
beforeAll(async () => {
  external = await EndpointHarness.open()
})
afterAll(() => external.dispose())

test.concurrent.each(Array.from({ length: LANES }, (_, lane) => SEED + lane))(
  `random lives of a base (seed %i): nothing held is lost, nothing else stays, counts are right`,
  { timeout: 0 },
  async (seed) => {
    const numRuns = Math.ceil(LIVES / LANES)
    console.log(`seed ${seed}, ${numRuns} lives`)
    await fc.assert(
      fc.asyncProperty(anyLife, (life) => runLife(life, external)),
      { numRuns, seed, includeErrorInReport: true }
    )
  }
)

import fc from 'fast-check'
import { test } from 'vitest'
import type { EndpointHarness } from '../../embedded-store/endpoint/endpoint-harness.ts'
import { anyLife } from './operations.ts'
import { runLife } from './run-life.ts'

const LIVES = Number(process.env['FLIGHTCASE_TEST_LIVES'] ?? 60)
const SEED = Number(process.env['FLIGHTCASE_TEST_SEED'] ?? Date.now() % 2 ** 31)
/** Side by side, because a life often waits for the disk. */
const LANES = 2

/** Tests half of the lives that are to be tried, with the store that is given (null: the base's own). */
export function testRandomLives(external: () => EndpointHarness | null): void {
  test.concurrent.each(Array.from({ length: LANES }, (_, lane) => SEED + lane))(
    `random lives of a base (seed %i): nothing held is lost, nothing else stays, counts are right`,
    { timeout: 0 },
    async (seed) => {
      const numRuns = Math.ceil(LIVES / 2 / LANES)
      console.log(`seed ${seed}, ${numRuns} lives`)
      await fc.assert(
        fc.asyncProperty(anyLife, (life) => runLife(life, external())),
        { numRuns, seed, includeErrorInReport: true }
      )
    }
  )
}

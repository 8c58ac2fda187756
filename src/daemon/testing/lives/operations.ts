import fc from 'fast-check'
import type { Moment } from './world.ts'

/** Contents that files have, by number: few, so that the same bytes come again. */
export const CONTENTS = 5
/** Holders of references, by number: few, so that the same one comes again. */
export const HOLDERS = 3

/** What happens to the base. `asset` picks one of those that are known, `reference` one of those it has, `upload` one that was begun. */
export type Operation =
  | {
      do: 'upload'
      how: 'form' | 'link' | 'parts' | 'tus'
      content: number
      holder: number | null
      isFinished: boolean
    }
  | { do: 'go on'; upload: number }
  | { do: 'read'; asset: number }
  | { do: 'refer'; asset: number; holder: number; kind: 'strong' | 'weak' | 'temporary' }
  | { do: 'refer to many'; assets: number[]; holder: number }
  | { do: 'let go'; asset: number; reference: number }
  | { do: 'let go of all'; holder: number }
  | { do: 'delete'; asset: number; guard: boolean; holder: number | null }
  | { do: 'restore'; asset: number }
  | { do: 'purge'; asset: number }
  | { do: 'empty the bin' }
  | { do: 'collect'; isDryRun: boolean }
  | { do: 'quarantine'; content: number; isOn: boolean }
  | { do: 'wait'; hours: number }
  | { do: 'store away'; isCollecting: boolean }
  | { do: 'store back' }
  | { do: 'restart' }
  | { do: 'die'; at: Moment; during: Operation | null }

const number = (end: number) => fc.nat({ max: end - 1 })
const asset = number(12)
const holder = number(HOLDERS)
const maybeHolder: fc.Arbitrary<number | null> = fc.option(holder)

/** After which nothing brings an asset back. */
const lastSteps: fc.WeightedArbitrary<Operation>[] = [
  { weight: 2, arbitrary: fc.record({ do: fc.constant('purge' as const), asset }) },
  { weight: 1, arbitrary: fc.constant({ do: 'empty the bin' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('collect' as const), isDryRun: fc.boolean() }) }
]

const simple: fc.WeightedArbitrary<Operation>[] = [
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('upload' as const),
      how: fc.constantFrom('form' as const, 'link' as const, 'parts' as const, 'tus' as const),
      content: number(CONTENTS),
      holder: maybeHolder,
      isFinished: fc.integer({ min: 0, max: 5 }).map((n) => n > 0)
    })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('go on' as const), upload: number(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), asset }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('refer' as const),
      asset,
      holder,
      kind: fc.constantFrom('strong' as const, 'weak' as const, 'temporary' as const)
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('refer to many' as const),
      assets: fc.array(asset, { minLength: 1, maxLength: 4 }),
      holder
    })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('let go' as const), asset, reference: number(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('let go of all' as const), holder }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('delete' as const),
      asset,
      guard: fc.boolean(),
      holder: maybeHolder
    })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restore' as const), asset }) },
  ...lastSteps,
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('quarantine' as const),
      content: number(CONTENTS),
      isOn: fc.boolean()
    })
  }
]

const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  ...simple,
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.constantFrom(1, 13, 25, 31 * 24) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('store away' as const), isCollecting: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ do: 'store back' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('die' as const),
      at: fc.record({ turns: number(60), commits: fc.constantFrom(1, 1, 2, 3, 4, 60) }),
      during: fc.option(fc.oneof(...simple, { weight: 6, arbitrary: fc.oneof(...lastSteps) }), { freq: 8 })
    })
  }
)

/** A life of a base: what becomes of orphans, and what happens in which order. */
export const anyLife = fc.record({
  orphanPolicy: fc.constantFrom('bin' as const, 'purge' as const, 'archive' as const),
  operations: fc.array(anyOperation, { minLength: 8, maxLength: 40, size: 'max' })
})
export type Life = typeof anyLife extends fc.Arbitrary<infer T> ? T : never

import fc from 'fast-check'

/**
 * How many random cases a property is tried with: `FLIGHTCASE_TEST_FUZZ_RUNS`, or as many as a usual test run can afford.
 * @param share of the variable's number that a property takes whose cases are slow
 */
export function fuzzRuns(unlessGiven: number, share = 1): number {
  const wanted = process.env['FLIGHTCASE_TEST_FUZZ_RUNS']
  return wanted === undefined ? unlessGiven : Math.max(1, Math.round(Number(wanted) * share))
}

/** fast-check's options; `FLIGHTCASE_TEST_SEED` brings the same cases again. A failure prints its seed. */
export function fuzzOptions(unlessGiven: number, share = 1): { numRuns: number; seed?: number } {
  const seed = process.env['FLIGHTCASE_TEST_SEED']
  return { numRuns: fuzzRuns(unlessGiven, share), ...(seed === undefined ? {} : { seed: Number(seed) }) }
}

/** No limit: how long it takes is asked for with the number of cases. */
export const FUZZ_TIMEOUT_MS = 0

interface Edit {
  at: number
  length: number
  how: 'cut' | 'double' | 'put' | 'replace'
  piece: string
}

/** Up to three changes of a text: something cut out, doubled, put in or replaced, also by what matters to its reader. */
export function edits(tokens: readonly string[]): fc.Arbitrary<Edit[]> {
  const character = fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code))
  const edit = fc.record({
    at: fc.nat(),
    length: fc.nat({ max: 12 }),
    how: fc.constantFrom('cut' as const, 'double' as const, 'put' as const, 'replace' as const),
    piece: fc.oneof(fc.constantFrom(...tokens), character)
  })
  return fc.array(edit, { maxLength: 3 })
}

export function edited(text: string, changes: readonly Edit[]): string {
  return changes.reduce((changed, { at, length, how, piece }) => {
    const start = at % (changed.length + 1)
    const before = changed.slice(0, start)
    const span = changed.slice(start, start + length)
    const after = changed.slice(start + length)
    if (how === 'cut') return before + after
    if (how === 'double') return before + span + span + after
    return how === 'put' ? before + piece + span + after : before + piece + after
  }, text)
}

/** Text that was right, with up to three changes. */
export function damaged(right: fc.Arbitrary<string>, tokens: readonly string[]): fc.Arbitrary<string> {
  return fc.tuple(right, edits(tokens)).map(([text, changes]) => edited(text, changes))
}

/** Runs a reader on what may be wrong: its result, or undefined when it refused in the way it should. Everything else is raised. */
export function refusedOr<T>(read: () => T, isRefusal: (error: unknown) => boolean): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

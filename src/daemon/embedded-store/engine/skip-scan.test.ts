import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BUCKET, EngineHarness, OWNER } from './engine-harness.ts'
import { type ScanStart, skipScan, successorOf } from './skip-scan.ts'

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** Entry names of a listing, the slow and obvious way. */
function naiveList(keys: string[], prefix: string, delimiter: string, after: string | undefined): string[] {
  const names = keys
    .filter((key) => key.startsWith(prefix))
    .map((key) => {
      const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
      return at < 0 ? key : key.slice(0, at + delimiter.length)
    })
  return [...new Set(names)].filter((name) => after === undefined || byBytes(name, after) > 0).sort(byBytes)
}

// A small alphabet, so that prefixes and delimiters really meet; with characters whose UTF-16 and UTF-8 orders differ.
const letters = fc.constantFrom(
  'a',
  'b',
  '/',
  '//',
  '%',
  '\u00ff',
  '\ud7ff',
  '\ue000',
  '\uffee',
  '\ud83d\ude81',
  '\u{10fffd}'
)
const text = (minLength: number, maxLength: number) =>
  fc.array(letters, { minLength, maxLength }).map((parts) => parts.join(''))

describe('listing', () => {
  let store: EngineHarness
  beforeAll(async () => {
    store = await EngineHarness.open()
  })
  afterAll(() => store.dispose())

  it('equals the naive listing, whatever the keys, prefix, delimiter, start and page size', async () => {
    let bucketNumber = 0
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(text(1, 5), { maxLength: 25 }),
        text(0, 2),
        fc.constantFrom('', '/', '//', 'a', '%', '\ue000'),
        fc.option(text(0, 4), { nil: undefined }),
        fc.integer({ min: 1, max: 7 }),
        async (keys, prefix, delimiter, after, limit) => {
          const bucket = `bucket-${bucketNumber++}`
          await store.engine.createBucket({ name: bucket, owner: OWNER })
          await Promise.all(keys.map((key) => store.put(key, '', { bucket })))
          const names: string[] = []
          let from = after
          for (;;) {
            const page = await store.engine.listObjects({ bucket, prefix, delimiter, after: from, limit })
            expect(page.entries.length).toBeLessThanOrEqual(limit)
            names.push(...page.entries.map((entry) => ('prefix' in entry ? entry.prefix : entry.object.key)))
            if (page.next === null) break
            from = page.next
          }
          expect(names).toEqual(naiveList(keys, prefix, delimiter, after))
        }
      ),
      { numRuns: 100 }
    )
  })

  it('gives an empty page that is not truncated for limit 0', async () => {
    await store.put('k', 'x')
    expect(await store.engine.listObjects({ bucket: BUCKET, limit: 0 })).toEqual({ entries: [], next: null })
  })
})

describe('skipScan', () => {
  it('reads one row per common prefix (O32)', () => {
    const keys = ['p1', 'p2', 'p3']
      .flatMap((folder) => Array.from({ length: 3333 }, (_, at) => `${folder}/${at}`))
      .sort()
    let rowsRead = 0
    const scan = function* (start: ScanStart, end: string | null) {
      for (const key of keys) {
        if (start.inclusive ? key < start.key : key <= start.key) continue
        if (end !== null && key >= end) return
        rowsRead++
        yield key
      }
    }
    const page = skipScan({ prefix: '', delimiter: '/', after: null, limit: 1000, scan, keyOf: (key: string) => key })
    expect(page).toEqual({ entries: [{ prefix: 'p1/' }, { prefix: 'p2/' }, { prefix: 'p3/' }], more: false })
    expect(rowsRead).toBe(3)
  })

  it.each([
    ['', null],
    ['a', 'b'],
    ['a/', 'a0'],
    ['\ud7ff', '\ue000'],
    ['a\u{10ffff}', 'b'],
    ['\u{10ffff}', null]
  ])('takes the successor of %j to be %j', (prefix, successor) => {
    expect(successorOf(prefix)).toBe(successor)
  })
})

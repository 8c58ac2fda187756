import { expect, test } from 'vitest'
import { archived, arrived, binned, type Lifecycle, restored, stateOf, withStrongReferences } from './lifecycle.ts'

const HOUR_MS = 3_600_000

test('an upload waits for a reference, and what has one is active', () => {
  const fresh = arrived(0, 1000)
  expect([stateOf(fresh), fresh.pendingSinceMs]).toEqual(['pending_reference', 1000])
  const held = withStrongReferences(fresh, 2, 2000)
  expect([stateOf(held), held.pendingSinceMs, held.refCount]).toEqual(['active', null, 2])
  expect(stateOf(arrived(1, 1000))).toBe('active')
})

test('the grace period begins with the loss of the last reference, not of the one before', () => {
  const held = arrived(2, 0)
  const one = withStrongReferences(held, -1, HOUR_MS)
  expect([stateOf(one), one.pendingSinceMs]).toEqual(['active', null])
  const none = withStrongReferences(one, -1, 2 * HOUR_MS)
  expect([stateOf(none), none.pendingSinceMs]).toEqual(['pending_reference', 2 * HOUR_MS])
})

test('a change that is none does not begin a new grace period', () => {
  expect(withStrongReferences(arrived(0, 1000), 0, 5000).pendingSinceMs).toBe(1000)
})

test('in the archive nothing begins a new grace period but a reference that comes and goes', () => {
  const inArchive = archived(arrived(0, 1000), 2000)
  expect([stateOf(inArchive), inArchive.pendingSinceMs, inArchive.archivedAtMs]).toEqual([
    'pending_reference',
    null,
    2000
  ])
  expect(withStrongReferences(inArchive, 0, 3000)).toEqual(inArchive)
  const held = withStrongReferences(inArchive, 1, 3000)
  expect([stateOf(held), held.archivedAtMs]).toEqual(['active', null])
  expect(withStrongReferences(held, -1, 4000).pendingSinceMs).toBe(4000)
  const back = restored(binned(inArchive, 3000), 4000)
  expect([back.pendingSinceMs, back.archivedAtMs]).toEqual([4000, null])
})

test('no reference can go that is not there', () => {
  expect(() => withStrongReferences(arrived(1, 0), -2, 0)).toThrow(RangeError)
})

test.each<[string, Lifecycle, 'active' | 'pending_reference', number | null]>([
  ['a held one comes back active', arrived(1, 0), 'active', null],
  ['one that nothing held gets a new grace period', arrived(0, 0), 'pending_reference', 9 * HOUR_MS],
  [
    'one whose last reference went while it was there waits as well',
    withStrongReferences(binned(arrived(1, 0), HOUR_MS), -1, 2 * HOUR_MS),
    'pending_reference',
    9 * HOUR_MS
  ]
])('out of the bin: %s', (_, before, state, pendingSinceMs) => {
  const inBin = binned(before, HOUR_MS)
  expect([stateOf(inBin), inBin.binnedAtMs]).toEqual(['binned', HOUR_MS])
  expect(binned(inBin, 5 * HOUR_MS).binnedAtMs).toBe(HOUR_MS)
  const back = restored(inBin, 9 * HOUR_MS)
  expect([stateOf(back), back.pendingSinceMs, back.binnedAtMs]).toEqual([state, pendingSinceMs, null])
})

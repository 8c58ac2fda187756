import { expect, test } from 'vitest'
import { binnedUntil, daysLeftInBin, isGoneSoon } from './bin-time.ts'

const at = '2026-11-01T10:00:00.000Z'
const dayMs = 86_400_000

test.each([
  ['just now', 0, 30, 30],
  ['by a clock that is behind', -60_000, 30, 30],
  ['an hour ago', 3_600_000, 30, 30],
  ['one day and a bit ago', dayMs + 1, 30, 29],
  ['on the last day', 29.5 * dayMs, 30, 1],
  ['when its time is over', 30 * dayMs, 30, 0],
  ['long ago', 90 * dayMs, 30, 0],
  ['into a bin that keeps for half a day', 1, 0.5, 1],
  ['into a bin that keeps nothing', 0, 0, 0]
])('what went to the bin %s', (_, agoMs, binDays, expected) => {
  expect(daysLeftInBin(at, binDays, Date.parse(at) + agoMs)).toBe(expected)
})

test('the end is told, and pointed out when it is near', () => {
  expect(binnedUntil(at, 1.5)).toBe('2026-11-02T22:00:00.000Z')
  expect([4, 3, 0].map(isGoneSoon)).toEqual([false, true, true])
})

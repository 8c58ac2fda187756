import { expect, test } from 'vitest'
import { roomFor } from './room.ts'

const GB = 1e9
const NOON = new Date(2026, 3, 7, 12).getTime()
const YESTERDAY = NOON - 86_400_000
const flight = (gb: number, updatedAtMs = YESTERDAY, expectedCount: number | null = null, files = 100) => ({
  updatedAtMs,
  expectedCount,
  files,
  bytes: gb * GB
})

test('without a flight nothing is said', () => {
  expect(roomFor([], 100 * GB, NOON)).toBeNull()
  expect(roomFor([flight(0)], 100 * GB, NOON)).toBeNull()
})

test('a flight of today counts more than all before, and one that is out of the ordinary little', () => {
  const before = [flight(10), flight(12), flight(300)]
  expect(roomFor(before, 100 * GB, NOON)).toEqual({ flights: 8, flightBytes: 12 * GB, like: 'latest' })
  expect(roomFor([...before, flight(40, NOON)], 100 * GB, NOON)).toEqual({
    flights: 2,
    flightBytes: 40 * GB,
    like: 'today'
  })
})

test('files that are still on their way count', () => {
  expect(roomFor([flight(10, NOON, 400)], 100 * GB, NOON)).toMatchObject({ flights: 2, flightBytes: 40 * GB })
  // It told of fewer than it sent.
  expect(roomFor([flight(10, NOON, 3)], 100 * GB, NOON)).toMatchObject({ flightBytes: 10 * GB })
})

test('what does not fit any more is no flight', () => {
  expect(roomFor([flight(10, NOON)], 9 * GB, NOON)).toMatchObject({ flights: 0 })
  expect(roomFor([flight(10, NOON)], 0, NOON)).toMatchObject({ flights: 0 })
})

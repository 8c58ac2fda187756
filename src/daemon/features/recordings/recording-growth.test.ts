import { expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { US_PER_MS, US_PER_S } from './instants.ts'
import { RecordingGrowth } from './recording-growth.ts'

const SOURCE = 'a source'

function startGrowth() {
  const clock = new ManualClock(Date.UTC(2026, 10, 21, 12))
  const growth = new RecordingGrowth({ clock })
  const startUs = clock.nowMs() * US_PER_MS
  const since = new Date(clock.nowMs()).toISOString()
  const file = (seconds: number, more: object = {}) => ({
    startUs,
    durationMs: seconds * 1000,
    sizeBytes: seconds * 1000,
    ...more
  })
  return { clock, growth, startUs, since, file, isGrowing: () => growth.isGrowing(SOURCE, since) }
}

test('what was seen once is not growing, what grew since is, and what grows no more is not for long', () => {
  const { clock, growth, file, isGrowing } = startGrowth()
  expect(isGrowing()).toBe(false)
  growth.note(SOURCE, file(1))
  expect(isGrowing()).toBe(false)
  growth.note(SOURCE, file(2))
  expect(isGrowing()).toBe(true)
  for (let looks = 0; looks < 3; looks++) {
    clock.advanceMs(5000)
    growth.note(SOURCE, file(2))
    expect(isGrowing()).toBe(true)
  }
  clock.advanceMs(5000)
  growth.note(SOURCE, file(2))
  expect(isGrowing()).toBe(false)
})

test('a file that came between two looks has grown; one without a whole part has not, however many of them come', () => {
  const { clock, growth, file, startUs, isGrowing } = startGrowth()
  growth.note(SOURCE, null)
  // A disk that is full still takes names.
  for (let n = 0; n < 4; n++) {
    clock.advanceMs(2000)
    growth.note(SOURCE, file(0, { startUs: startUs + n * 2 * US_PER_S, durationMs: null, sizeBytes: 0 }))
    expect(isGrowing()).toBe(false)
  }
  growth.note(SOURCE, file(1, { startUs: startUs + 8 * US_PER_S }))
  expect(isGrowing()).toBe(true)
})

test('what nobody looks at is not known, and what was written of an earlier stream is not this one', () => {
  const { clock, growth, file, since, isGrowing } = startGrowth()
  growth.note(SOURCE, file(1))
  growth.note(SOURCE, file(2))
  const later = new Date(clock.nowMs() + 20_000).toISOString()
  expect([growth.isGrowing(SOURCE, later), growth.isGrowing(SOURCE, since)]).toEqual([false, true])
  clock.advanceMs(31_000)
  expect(isGrowing()).toBe(false)
})

test('it is about to begin for some seconds after it was asked for, or the stream came, or the base began to look', () => {
  const { clock, growth } = startGrowth()
  const longAgo = clock.nowMs() - 3600_000
  growth.note(SOURCE, null)
  expect(growth.isBeginning(SOURCE, longAgo)).toBe(true)
  clock.advanceMs(16_000)
  const isBeginning = (...sinceMs: number[]) => growth.isBeginning(SOURCE, longAgo, ...sinceMs)
  expect([isBeginning(), isBeginning(clock.nowMs() - 1000), isBeginning(Number.NaN)]).toEqual([false, true, false])
  // The clock of another machine.
  expect(isBeginning(clock.nowMs() + 3600_000)).toBe(false)
})

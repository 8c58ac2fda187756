import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RecordingSegment, RecordingSession } from '../../../../shared/api/recordings.ts'
import { isRecorded, jumpFrom, longestWindowMs, mark, spansOf, startAfter, windowFrom } from './playback-plan.ts'

const at = (seconds: number) => new Date(seconds * 1000).toISOString()
const always = { startMs: 0, endMs: Number.MAX_SAFE_INTEGER }
function session(start: number, duration: number, gaps: [number, number][] = [], isOpen = false): RecordingSession {
  return {
    start: at(start),
    duration,
    size_bytes: 1,
    segments: 1,
    is_open: isOpen,
    has_damage: false,
    gaps: gaps.map(([from, length]) => ({ start: at(from), duration: length }))
  }
}

test('a session less its gaps is what can be played', () => {
  expect(spansOf([session(100, 50, [[120, 5]], true), session(0, 10)], always)).toEqual([
    { startMs: 0, endMs: 10_000, isOpen: false },
    { startMs: 100_000, endMs: 120_000, isOpen: false },
    { startMs: 125_000, endMs: 150_000, isOpen: true }
  ])
})

test('of what goes on over midnight the day has its part, which ends there', () => {
  const day = { startMs: 50_000, endMs: 120_000 }
  const list = [session(0, 20), session(30, 40, [[40, 15]]), session(100, 50, [], true)]
  expect(spansOf(list, day)).toEqual([
    { startMs: 55_000, endMs: 70_000, isOpen: false },
    { startMs: 100_000, endMs: 120_000, isOpen: false }
  ])
})

const sessions = fc
  .array(
    fc.record({
      before: fc.integer({ min: 1, max: 500 }),
      duration: fc.integer({ min: 1, max: 5000 }),
      gaps: fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 9 })), { maxLength: 4 })
    }),
    { minLength: 1, maxLength: 8 }
  )
  .map((parts) => {
    let start = 0
    return parts.map(({ before, duration, gaps }) => {
      start += before
      const own = gaps
        .filter(([offset, length]) => offset + length < duration)
        .map(([offset, length]): [number, number] => [start + offset, length])
      const made = session(start, duration, own)
      start += duration
      return made
    })
  })

test('spans are in order, do not touch, and hold nothing of a gap', () => {
  fc.assert(
    fc.property(sessions, (list) => {
      const spans = spansOf(list, always)
      for (const [index, span] of spans.entries()) {
        expect(span.endMs).toBeGreaterThan(span.startMs)
        expect(span.startMs).toBeGreaterThan(spans[index - 1]?.endMs ?? -1)
      }
      for (const { gaps } of list)
        for (const gap of gaps) expect(isRecorded(spans, Date.parse(gap.start) + 500)).toBe(false)
    })
  )
})

test('windows, one after the other, play everything once', () => {
  fc.assert(
    fc.property(sessions, (list) => {
      const spans = spansOf(list, always)
      let played = 0
      for (let window = windowFrom(spans, 0); window !== null; window = windowFrom(spans, window.endMs)) {
        expect(window.endMs - window.startMs).toBeLessThanOrEqual(longestWindowMs)
        expect(isRecorded(spans, window.startMs) && isRecorded(spans, window.endMs - 1)).toBe(true)
        played += window.endMs - window.startMs
      }
      const recorded = spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)
      expect(played).toBe(recorded)
    })
  )
})

test('a time in a gap plays what follows; after the end nothing does', () => {
  const spans = spansOf([session(0, 10), session(100, 10)], always)
  expect(windowFrom(spans, 4000)).toEqual({ startMs: 4000, endMs: 10_000 })
  expect(windowFrom(spans, 50_000)).toEqual({ startMs: 100_000, endMs: 110_000 })
  expect(windowFrom(spans, 9_900)).toEqual({ startMs: 100_000, endMs: 110_000 })
  expect(windowFrom(spans, 110_000)).toBeNull()
  expect(windowFrom([], 0)).toBeNull()
})

test('a jump back out of what was recorded leads into the span before, never to where it began', () => {
  const spans = spansOf([session(0, 5), session(100, 10), session(119.7, 10)], always)
  expect(jumpFrom(spans, 105_000, -4000)).toBe(101_000)
  expect(jumpFrom(spans, 105_000, -10_000)).toBe(0)
  expect(jumpFrom(spans, 119_700, -10_000)).toBe(100_000)
  expect(jumpFrom(spans, 3000, -10_000)).toBe(0)
  expect(jumpFrom(spans, 108_000, 10_000)).toBe(118_000)
})

test('marks never stand the wrong way round', () => {
  const none = { inMs: null, outMs: null }
  expect(mark(mark(none, 'in', 5), 'out', 9)).toEqual({ inMs: 5, outMs: 9 })
  expect(mark(mark(none, 'out', 9), 'in', 5)).toEqual({ inMs: 5, outMs: 9 })
  expect(mark({ inMs: 5, outMs: 9 }, 'in', 9)).toEqual({ inMs: 9, outMs: null })
  expect(mark({ inMs: 5, outMs: 9 }, 'out', 5)).toEqual({ inMs: null, outMs: 5 })
})

describe('behind a file that does not play', () => {
  const file = (start: string, state: RecordingSegment['state'] = 'whole') => ({ start, state })
  const spans = [
    { startMs: 0, endMs: 60_000, isOpen: false },
    { startMs: 90_000, endMs: 100_000, isOpen: false }
  ]
  const instant = (time: string) => `1970-01-01T00:00:${time}Z`

  test('comes the next one, not the same again though it begins a little later than what was asked for', () => {
    const files = [file(instant('00.000000')), file(instant('10.000456'), 'damaged'), file(instant('20.000789'))]
    expect(startAfter(files, spans, 9950)).toBe(20_001)
    expect(startAfter(files, spans, 10_000)).toBe(20_001)
  })
  test('what is damaged, too, is passed over', () => {
    const files = [
      file(instant('00')),
      file(instant('10'), 'damaged'),
      file(instant('20'), 'damaged'),
      file(instant('30'))
    ]
    expect(startAfter(files, spans, 10_000)).toBe(30_001)
  })
  test('comes nothing where it is the last', () => {
    expect(startAfter([file(instant('00')), file(instant('10'), 'damaged')], spans, 10_000)).toBeNull()
  })
  test('comes the next span where the files are not known', () => {
    expect(startAfter([], spans, 10_000)).toBe(90_000)
    expect(startAfter([], spans, 95_000)).toBeNull()
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dayStretch, follow, pan, shareOf, sharesIn, spanOf, ticksIn, timeAt, viewOf, zoom } from './timeline-view.ts'

const hourMs = 3_600_000
const day = { startMs: 1_000 * hourMs, endMs: 1_024 * hourMs }
const sinceMidnight = (timeMs: number) => timeMs - day.startMs
const view = { startMs: 1_006 * hourMs, endMs: 1_012 * hourMs }
const step = fc.oneof(
  fc.record({
    factor: fc.double({ min: 0.05, max: 50, noNaN: true }),
    share: fc.double({ min: 0, max: 1, noNaN: true })
  }),
  fc.record({ deltaMs: fc.integer({ min: -30 * hourMs, max: 30 * hourMs }) })
)

test('whatever is zoomed and panned, the view stays within the day and never gets too near', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let now = view
      for (const one of steps)
        now = 'factor' in one ? zoom(now, one.factor, timeAt(now, one.share), day) : pan(now, one.deltaMs, day)
      expect(now.startMs).toBeGreaterThanOrEqual(day.startMs - 1)
      expect(now.endMs).toBeLessThanOrEqual(day.endMs + 1)
      expect(spanOf(now)).toBeGreaterThanOrEqual(20_000 - 1)
    })
  )
})

test('zooming in keeps the time under the pointer where it is', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 20, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (by, share) => {
        const at = timeAt(view, share)
        expect(shareOf(zoom(view, by, at, day), at)).toBeCloseTo(share, 6)
      }
    )
  )
})

test('panning keeps what is shown as long as it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: -40 * hourMs, max: 40 * hourMs }), (delta) => {
      expect(spanOf(pan(view, delta, day))).toBeCloseTo(spanOf(view), 3)
    })
  )
})

test('zooming out ends with the whole day', () => {
  expect(zoom(view, 0.001, view.startMs, day)).toEqual(day)
})

test('a time that leaves the view is followed, one in it moves nothing', () => {
  expect(follow(view, view.startMs + 5, day)).toBe(view)
  const after = follow(view, view.endMs + hourMs, day)
  expect(spanOf(after)).toBe(spanOf(view))
  expect(shareOf(after, view.endMs + hourMs)).toBeCloseTo(0.1)
})

test('a time outside of the day moves the view to its edge, and then no further', () => {
  for (const atMs of [day.startMs - hourMs, day.endMs + hourMs, day.endMs]) {
    const edge = follow(view, atMs, day)
    expect(spanOf(edge)).toBe(spanOf(view))
    expect(follow(edge, atMs, day)).toBe(edge)
  }
})

test('at first everything that was recorded is in view, and not much else', () => {
  const noon = day.startMs + 12 * hourMs
  expect(viewOf([], day)).toEqual(day)
  expect(viewOf([{ startMs: noon, endMs: noon + 1000 }], day)).toEqual({
    startMs: noon - 299_500,
    endMs: noon + 300_500
  })
  expect(
    viewOf(
      [
        { startMs: noon, endMs: noon + hourMs },
        { startMs: noon + 9 * hourMs, endMs: noon + 10 * hourMs }
      ],
      day
    )
  ).toEqual({
    startMs: noon - hourMs / 2,
    endMs: noon + 10.5 * hourMs
  })
  // Over midnight, from the day before to the day after.
  expect(viewOf([{ startMs: day.startMs - hourMs, endMs: day.endMs + hourMs }], day)).toEqual(day)
})

describe('stretches in view', () => {
  test.each([
    ['before', 1, 2, null],
    ['up to the start', 1_000, 1_006, null],
    ['over the start', 1_000, 1_009, { from: 0, to: 0.5 }],
    ['inside', 1_009, 1_012, { from: 0.5, to: 1 }],
    ['around', 1_000, 1_020, { from: 0, to: 1 }]
  ])('%s', (_where, from, to, shares) => {
    expect(sharesIn(view, { startMs: from * hourMs, endMs: to * hourMs })).toEqual(shares)
  })
})

test('ticks are round times of the day, as many as there is room for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 20_000, max: 24 * hourMs }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (span, share) => {
        const startMs = day.startMs + Math.floor((24 * hourMs - span) * share)
        const shown = { startMs, endMs: startMs + span }
        const { stepMs, atMs } = ticksIn(shown, 8, sinceMidnight)
        expect(atMs.length).toBeLessThanOrEqual(9)
        for (const at of atMs) {
          expect(sinceMidnight(at) % stepMs).toBe(0)
          expect(at).toBeGreaterThanOrEqual(startMs)
          expect(at).toBeLessThanOrEqual(shown.endMs)
        }
      }
    )
  )
  expect(ticksIn(day, 8, sinceMidnight).atMs.map((at) => (at - day.startMs) / hourMs)).toEqual([
    0, 3, 6, 9, 12, 15, 18, 21, 24
  ])
})

test('ticks are round by a clock that is half an hour apart, and by one that is put forward or back', () => {
  const night = { startMs: day.startMs, endMs: day.startMs + 9 * hourMs }
  const shown = (clock: (timeMs: number) => number) =>
    ticksIn(night, 9, clock).atMs.map((at) => (clock(at) - clock(day.startMs)) / hourMs)
  expect(shown((at) => sinceMidnight(at) + hourMs / 2)).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5])
  const after = (at: number, hours: number) => at >= day.startMs + hours * hourMs
  expect(shown((at) => sinceMidnight(at) + (after(at, 2) ? hourMs : 0))).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9, 10])
  const wide = { startMs: day.startMs, endMs: day.startMs + 25 * hourMs }
  const back = (at: number) => sinceMidnight(at) - (after(at, 3) ? hourMs : 0)
  expect(ticksIn(wide, 9, back).atMs.map((at) => back(at) / hourMs)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24])
})

test('a day begins and ends at midnight of this computer', () => {
  const { startMs, endMs } = dayStretch('2026-11-21')
  for (const at of [startMs, endMs]) {
    const date = new Date(at)
    expect([date.getHours(), date.getMinutes(), date.getSeconds()]).toEqual([0, 0, 0])
  }
  expect([new Date(startMs).getDate(), new Date(endMs).getDate()]).toEqual([21, 22])
})

import { expect, it, onTestFinished } from 'vitest'
import { localDay, localDayBounds, wallClockAt } from './clock.ts'

function inZone(zone: string): void {
  const before = process.env['TZ']
  process.env['TZ'] = zone
  onTestFinished(() => {
    if (before === undefined) delete process.env['TZ']
    else process.env['TZ'] = before
  })
}

it.each([
  [480, '2026-11-22T04:30:59'],
  [0, '2026-11-21T20:30:59'],
  [-210, '2026-11-21T17:00:59']
])('shows the clock %d minutes east of UTC', (offsetMin, expected) => {
  expect(wallClockAt(Date.parse('2026-11-21T20:30:59.750Z'), offsetMin)).toBe(expected)
})

it.each([
  ['in winter', '2026-01-31T23:30:00Z', '2026-02-01T00:30:00'],
  ['in summer', '2026-07-31T22:30:00Z', '2026-08-01T00:30:00']
])('takes the zone of this machine, %s, where none is known', (_when, instant, expected) => {
  inZone('Europe/Zurich')
  expect(wallClockAt(Date.parse(instant), null)).toBe(expected)
  expect(localDay(Date.parse(instant))).toBe(expected.slice(0, 10))
})

it.each([
  ['2026-11-21', '2026-11-20T23:00:00.000Z', 24],
  ['2026-03-29', '2026-03-28T23:00:00.000Z', 23],
  ['2026-10-25', '2026-10-24T22:00:00.000Z', 25]
])('%s begins at midnight of this machine', (day, start, hours) => {
  inZone('Europe/Zurich')
  const { startMs, endMs } = localDayBounds(day)
  expect(new Date(startMs).toISOString()).toBe(start)
  expect(endMs - startMs).toBe(hours * 3_600_000)
  expect([localDay(startMs), localDay(endMs - 1)]).toEqual([day, day])
})

import { expect, test } from 'vitest'
import { formatsOf } from './format.ts'

const en = formatsOf('en')
const zh = formatsOf('zh-CN')

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1_000, '1 kB'],
  [11_400_000, '11.4 MB'],
  [482_000_000, '482 MB'],
  [999_600_000, '1 GB'],
  [2_340_000_000_000, '2.3 TB']
])('%d bytes read %s', (bytes, expected) => {
  expect(en.bytes(bytes)).toBe(expected)
})

test('what rounds to zero has no sign', () => {
  expect(en.degrees(-0.04)).toBe('0°')
  expect(en.degrees(-0)).toBe('0°')
  expect(en.degrees(-90)).toBe('-90°')
  expect(zh.bytes(4)).toBe('4字节')
})

test('megapixels are counted as each language does', () => {
  expect(en.megapixels(4000 * 3000)).toBe('12')
  expect(zh.megapixels(4000 * 3000)).toBe('1200')
  expect(zh.megapixels(500 * 400)).toBe('20')
})

test('a moment of another day is told with its date', () => {
  const noon = new Date(2026, 10, 21, 12)
  expect(en.recent(new Date(2026, 10, 21, 9, 5).toISOString(), noon.getTime())).toBe('09:05:00')
  expect(en.recent(new Date(2026, 10, 20, 9, 5).toISOString(), noon.getTime())).toBe('Nov 20, 2026, 09:05:00')
})

test('speed keeps its unit in both languages', () => {
  expect(en.speed(18_400_000)).toBe('18.4 MB/s')
  expect(zh.speed(18_400_000)).toContain('18.4')
})

test.each([
  [7_000, '0:07'],
  [83_400, '1:23'],
  [3_723_000, '1:02:03']
])('%d ms on a clock read %s', (durationMs, expected) => {
  expect(en.clock(durationMs)).toBe(expected)
})

test.each([
  [400, '1 second'],
  [20_000, '20 seconds'],
  [180_000, '3 minutes'],
  [5_400_000, '1.5 hours']
])('%d ms left read %s', (durationMs, expected) => {
  expect(en.span(durationMs)).toBe(expected)
})

test('a moment ago never lies in the future, whatever the two clocks say', () => {
  const now = Date.parse('2026-11-21T10:00:00Z')
  expect(en.ago('2026-11-21T10:00:05Z', now)).toBe('now')
  expect(en.ago('2026-11-21T09:53:00Z', now)).toBe('7 minutes ago')
  expect(zh.ago('2026-11-19T10:00:00Z', now)).toBe('前天')
})

test('a day does not slip where the clock is behind UTC', () => {
  expect(en.day('2026-11-21')).toBe('Saturday, November 21, 2026')
})

test('a wall clock reads the same whatever the zone of this computer', () => {
  expect(en.wallClock('2026-11-22T04:30:00')).toBe('Nov 22, 2026, 04:30:00')
  expect(zh.wallClock('2026-11-22T04:30:00')).toContain('04:30:00')
})

test('data rates are told in bits, as cameras count', () => {
  expect([850_000, 4_230_000, 25_000_000, 123_400_000].map(en.bitrate)).toEqual([
    '850 kbit/s',
    '4.2 Mbit/s',
    '25 Mbit/s',
    '123 Mbit/s'
  ])
})

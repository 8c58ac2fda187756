import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isoFromUs, startOfFile, usFromIso } from './instants.ts'

const instants = fc.integer({ min: 1_000_000_000_000_000, max: 8_999_999_999_999_000 })

test('an instant survives being written and read, to the microsecond', () => {
  fc.assert(fc.property(instants, (us) => usFromIso(isoFromUs(us)) === us))
  expect(isoFromUs(1_795_282_529_000_495)).toBe('2026-11-21T17:35:29.000495Z')
})

test('what a media server writes is read in any offset and with any number of digits', () => {
  expect(usFromIso('2026-11-21T17:35:29Z')).toBe(1_795_282_529_000_000)
  expect(usFromIso('2026-11-22T01:35:29.5+08:00')).toBe(1_795_282_529_500_000)
  expect(usFromIso('2026-11-21T17:35:29.020495123Z')).toBe(1_795_282_529_020_495)
  expect(usFromIso('yesterday')).toBeNull()
})

test('only files of recordings have a start', () => {
  expect(startOfFile('1795282529-020495.mp4')).toBe(1_795_282_529_020_495)
  for (const name of [
    '1795282529-020495.bad',
    '1795282529-02049.mp4',
    'x1795282529-020495.mp4',
    '1795282529.mp4',
    '..'
  ])
    expect(startOfFile(name)).toBeNull()
})

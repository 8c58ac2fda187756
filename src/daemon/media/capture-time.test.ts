import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  captureTimeOfName,
  formatOffset,
  parseCreatedTime,
  parseExifTime,
  parseOffset,
  zoneOf
} from './capture-time.ts'

const at = (iso: string) => Date.parse(iso)

describe('parseCreatedTime', () => {
  it.each<[unknown, string, number | null, string]>([
    ['2023-01-01T20:00:00+08:00', '2023-01-01T12:00:00Z', 480, '2023-01-01T20:00:00'],
    ['2023-01-01T20:00:00+0800', '2023-01-01T12:00:00Z', 480, '2023-01-01T20:00:00'],
    ['2023-01-01T20:00:00-03:30', '2023-01-01T23:30:00Z', -210, '2023-01-01T20:00:00'],
    ['2023-01-01T20:00:00Z', '2023-01-01T20:00:00Z', 0, '2023-01-01T20:00:00'],
    ['2023-01-01 20:00:00+08:00', '2023-01-01T12:00:00Z', 480, '2023-01-01T20:00:00'],
    ['2023-01-01 20:00:00', '2023-01-01T15:00:00Z', null, '2023-01-01T20:00:00'],
    ['2023-01-01T20:00:00.75', '2023-01-01T15:00:00.750Z', null, '2023-01-01T20:00:00'],
    ['2023-01-01', '2022-12-31T19:00:00Z', null, '2023-01-01T00:00:00'],
    [' 2023:01:01 20:00:00 ', '2023-01-01T15:00:00Z', null, '2023-01-01T20:00:00'],
    ['20230101200000', '2023-01-01T15:00:00Z', null, '2023-01-01T20:00:00'],
    ['1672574400', '2023-01-01T12:00:00Z', 0, '2023-01-01T12:00:00'],
    [1672574400123, '2023-01-01T12:00:00.123Z', 0, '2023-01-01T12:00:00']
  ])('%j', (value, instant, offsetMinutes, local) => {
    const assumedMinutes = 300
    expect(parseCreatedTime(value, assumedMinutes)).toEqual({
      epochMs: at(instant),
      offsetMinutes,
      zoneKnown: offsetMinutes !== null,
      local
    })
  })

  it.each([
    [''],
    ['yesterday'],
    ['2023-02-30T00:00:00Z'],
    ['2023-01-01T24:00:00Z'],
    ['2023-01-01T20:00:00+25:00'],
    ['0000-00-00T00:00:00Z'],
    ['1970-01-01T00:00:00Z'],
    [null],
    [undefined],
    [{}],
    [Number.NaN],
    [-5],
    ['9'.repeat(1000)]
  ])('has no time for %j', (value) => {
    expect(parseCreatedTime(value)).toBeNull()
  })

  it('takes a time without zone as the time of this machine', () => {
    const time = parseCreatedTime('2023-07-01T12:00:00')
    expect(time?.epochMs).toBe(new Date(2023, 6, 1, 12).getTime())
    expect(time?.zoneKnown).toBe(false)
  })

  it('reads back every instant in every zone', () => {
    const zone = fc.integer({ min: -14 * 4, max: 14 * 4 }).map((quarters) => quarters * 15)
    const second = fc.integer({ min: at('1981-01-01') / 1000, max: at('2099-01-01') / 1000 })
    fc.assert(
      fc.property(second, zone, (epochS, offsetMinutes) => {
        const local = new Date(epochS * 1000 + offsetMinutes * 60_000).toISOString().slice(0, 19)
        const expected = { epochMs: epochS * 1000, offsetMinutes, zoneKnown: true, local }
        expect(parseCreatedTime(local + formatOffset(offsetMinutes))).toEqual(expected)
      })
    )
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), (value) => void parseCreatedTime(value)))
    fc.assert(fc.property(fc.string(), (value) => void parseCreatedTime(value)))
  })
})

describe('captureTimeOfName', () => {
  it.each([
    ['DJI_20220831151616_0002_W_Waypoint4.JPG'],
    ['DJI_20220831151616_0002_V.MP4'],
    ['DJI_20220831151616_0002_T_航点 1_🙂.JPG'],
    ['dji_20220831151616.jpg']
  ])('%s', (name) => {
    expect(captureTimeOfName(name, 480)).toMatchObject({ epochMs: at('2022-08-31T07:16:16Z'), zoneKnown: false })
  })

  it.each([
    ['DJI_0018.JPG'],
    ['DJI_202208311516161_0002.JPG'],
    ['DJI_20221331151616_0002_V.JPG'],
    ['x_DJI_20220831151616'],
    ['']
  ])('finds none in %j', (name) => {
    expect(captureTimeOfName(name)).toBeNull()
  })
})

it('reads EXIF times with their fraction', () => {
  expect(parseExifTime('2025:06:14 09:30:00', '25')).toEqual({ local: '2025-06-14T09:30:00', milliseconds: 250 })
  expect(parseExifTime('2025:06:14 09:30:00\0', 'x')).toEqual({ local: '2025-06-14T09:30:00', milliseconds: 0 })
  expect(parseExifTime('0000:00:00 00:00:00', null)).toBeNull()
  expect(parseExifTime(null, '1')).toBeNull()
})

it('reads zone offsets', () => {
  expect(['+08:00', '-0330', '+05', 'Z', ' +05:45 '].map(parseOffset)).toEqual([480, -210, 300, 0, 345])
  expect(['+15:00', '+08:60', '08:00', '', '+8', null].map(parseOffset)).toEqual(Array(6).fill(null))
})

it('finds the zone between a wall clock and an instant', () => {
  const clock = { local: '2025-06-14T09:30:00', milliseconds: 0 }
  expect(zoneOf(clock, at('2025-06-14T01:30:20Z'))).toBe(480)
  expect(zoneOf(clock, at('2025-06-14T03:45:00Z'))).toBe(345)
  expect(zoneOf(clock, at('2025-06-14T01:36:00Z'))).toBeNull() // six minutes apart: a wrong clock, not a zone
  expect(zoneOf(clock, at('2025-06-12T01:30:00Z'))).toBeNull()
})

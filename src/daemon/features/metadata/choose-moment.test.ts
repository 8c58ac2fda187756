import { expect, it } from 'vitest'
import { parseCreatedTime } from '../../media/capture-time.ts'
import { chooseMoment, type Moment } from './choose-moment.ts'

const at = (iso: string) => Date.parse(iso)
const told = (text: string, source: Moment['source'] = 'callback'): Moment => {
  const time = parseCreatedTime(text, 0)!
  return {
    takenAtMs: time.epochMs,
    takenDay: time.local.slice(0, 10),
    zoneOffsetMin: time.offsetMinutes,
    source
  }
}
const photo = (text: string) => ({ photo: parseCreatedTime(text, 0), videoCreatedAtMs: null })

it('believes a photo that tells its zone', () => {
  expect(chooseMoment(told('2025-06-14T09:30:05+08:00'), photo('2025-06-14T09:30:00+08:00'))).toEqual({
    takenAtMs: at('2025-06-14T01:30:00Z'),
    takenDay: '2025-06-14',
    zoneOffsetMin: 480,
    source: 'file'
  })
})

it('finds the zone between a photo without one and a controller that reports UTC', () => {
  expect(chooseMoment(told('2025-06-13T23:30:00Z'), photo('2025-06-14T07:30:01'))).toEqual({
    takenAtMs: at('2025-06-13T23:30:00Z'),
    takenDay: '2025-06-14',
    zoneOffsetMin: 480,
    source: 'callback'
  })
})

it('keeps to the controller when its instant and the photo cannot belong together', () => {
  const known = told('2025-06-14T09:30:00+08:00')
  expect(chooseMoment(known, photo('2015-01-01T00:07:00'))).toEqual(known)
})

it('takes the clock of a photo over a name or the time of arrival', () => {
  for (const source of ['name', 'received'] as const) {
    const moment = chooseMoment(told('2025-06-14T09:30:00', source), photo('2025-06-14T09:30:02'))
    expect(moment).toMatchObject({ takenAtMs: at('2025-06-14T09:30:02Z'), zoneOffsetMin: null, source: 'file' })
  }
})

it('takes the time of a video only when nothing else is known', () => {
  const video = { photo: null, videoCreatedAtMs: at('2025-06-14T01:31:00Z') }
  expect(chooseMoment(told('2026-01-01T00:00:00', 'received'), video)).toMatchObject({
    takenAtMs: at('2025-06-14T01:31:00Z'),
    source: 'file'
  })
  for (const source of ['callback', 'name'] as const) {
    const known = told('2025-06-14T09:31:00+08:00', source)
    expect(chooseMoment(known, video)).toEqual(known)
  }
})

it('leaves what is known when the file says nothing', () => {
  const known = told('2025-06-14T09:30:00', 'received')
  expect(chooseMoment(known, { photo: null, videoCreatedAtMs: null })).toEqual(known)
})

import { expect, test } from 'vitest'
import { type CaptureData, captureDataSchema } from '../../../../shared/api/assets.ts'
import { formatsOf } from '../../lib/format.ts'
import { cameraName, gpsFix, shutterText } from './capture-text.ts'
import { fitInto, uprightSize } from './picture-size.ts'

const unknown = Object.fromEntries(Object.keys(captureDataSchema.shape).map((key) => [key, null])) as CaptureData

test.each<[string, number | null, number | null, boolean]>([
  ['a place', 47.1, 8.6, true],
  ['the equator', 0, 8.6, true],
  ['the zero meridian', 51.5, 0, true],
  ['0, 0, which means no fix', 0, 0, false],
  ['nothing', null, null, false]
])('%s', (_what, latitude, longitude, expected) => {
  expect(gpsFix({ ...unknown, latitude, longitude }) !== null).toBe(expected)
})

test.each([
  ['DJI', 'M30T', 'DJI M30T'],
  ['Hasselblad', 'Hasselblad L2D-20c', 'Hasselblad L2D-20c'],
  ['DJI', null, 'DJI'],
  [null, 'FC3411', 'FC3411'],
  [null, null, null]
])('camera %s %s is %s', (cameraMake, cameraModel, expected) => {
  expect(cameraName({ ...unknown, cameraMake, cameraModel })).toBe(expected)
})

test.each([
  [1 / 640, '1/640'],
  [0.0125, '1/80'],
  [1 / 8000, '1/8000'],
  [0.5, '0.5'],
  [2, '2'],
  [0, '0']
])('shutter %d s reads %s', (seconds, expected) => {
  expect(shutterText(formatsOf('en'), seconds)).toBe(expected)
})

test('a picture fits its room by the tighter side', () => {
  expect(fitInto({ width: 4000, height: 3000 }, { width: 800, height: 800 })).toEqual({ width: 800, height: 600 })
  expect(fitInto({ width: 3000, height: 4000 }, { width: 800, height: 400 })).toEqual({ width: 300, height: 400 })
})

test('a catalogued size is turned when the preview stands the other way', () => {
  expect(uprightSize({ width: 4000, height: 3000 }, { width: 768, height: 1024 })).toEqual({
    width: 3000,
    height: 4000
  })
  expect(uprightSize({ width: 4000, height: 3000 }, { width: 1024, height: 768 })).toEqual({
    width: 4000,
    height: 3000
  })
})

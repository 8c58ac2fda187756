import { describe, expect, test } from 'vitest'
import { diffOf, isPathName, pathConfSchema } from './path-conf.ts'

describe('what differs', () => {
  test.each([
    ['1m', '1m0s'],
    ['60s', '1m0s'],
    ['15m', '15m0s'],
    ['24h', '1d'],
    ['36h', '1d12h0m0s'],
    ['0s', ''],
    ['1500ms', '1.5s']
  ])('%s and %s are one duration', (wanted, actual) => {
    expect(diffOf({ recordSegmentDuration: wanted }, { recordSegmentDuration: actual })).toEqual({})
  })

  test.each([
    ['15m', '1h0m0s'],
    ['0s', '1d'],
    ['1m', '1ms'],
    ['0s', 'soon']
  ])('%s and %s are two', (wanted, actual) => {
    expect(diffOf({ recordDeleteAfter: wanted }, { recordDeleteAfter: actual })).toEqual({ recordDeleteAfter: wanted })
  })

  test('is what was asked for, and nothing else', () => {
    const wanted = { source: 'rtsp://cam.lan/1', record: true, overridePublisher: true, sourceFingerprint: 'AB' }
    const actual = {
      source: 'publisher',
      record: false,
      overridePublisher: true,
      sourceFingerprint: 'ab',
      recordFormat: 'fmp4'
    } as const
    expect(diffOf(wanted, actual)).toEqual({ source: 'rtsp://cam.lan/1', record: true })
    expect(diffOf(wanted, {})).toEqual(wanted)
    expect(diffOf({}, actual)).toEqual({})
  })
})

test('an answer keeps only what is ours to set', () => {
  const answer = { name: 'live/cam-0a1b2c3d', record: true, runOnReady: 'rm -rf /', forward: [{ url: 'rtmp://x' }] }
  expect(pathConfSchema.parse(answer)).toEqual({ record: true })
})

test.each([
  ['live/camera1-a1b2c3d4', true],
  ['live/a-b-c-00000000', true],
  ['live/a1b2c3d4', false],
  ['live/-a1b2c3d4', false],
  ['live/Camera-a1b2c3d4', false],
  ['live/camera-a1b2c3d4/', false],
  ['live/../x-a1b2c3d4', false],
  ['live/x--a1b2c3d4', false],
  ['other/camera-a1b2c3d4', false],
  ['live/camera-a1b2c3d4\n', false],
  [`live/${'a'.repeat(115)}-a1b2c3d4`, false]
])('%j is a path of ours: %s', (name, expected) => expect(isPathName(name)).toBe(expected))

import { expect, test } from 'vitest'
import { runtimePathSchema } from '../../mediamtx/answers.ts'
import { aSource } from '../../testing/a-source.ts'
import { statusOf } from './stream-status.ts'

const path = runtimePathSchema.parse({
  name: 'live/cam-0a1b2c3d',
  available: true,
  source: { type: 'rtmpConn', id: 'x' },
  tracks2: [{ codec: 'H264', codecProps: null }]
})

test('what is wrong with a stream that can be watched is told: a recorder may fail while it goes on', () => {
  const seen = { bitrate: null, lastError: 'write: no space left on device', isRecorded: false }
  expect(statusOf(aSource({ recordEnabled: true }), path, seen)).toMatchObject({
    available: true,
    recording: { desired: true, active: false },
    last_error: 'write: no space left on device'
  })
})

test('recording is what is seen being written, of a stream that is there and shall be recorded', () => {
  const active = (recordEnabled: boolean, now: typeof path | null, isRecorded: boolean) =>
    statusOf(aSource({ recordEnabled }), now, { bitrate: null, lastError: null, isRecorded }).recording.active
  expect(active(true, path, true)).toBe(true)
  expect([active(true, path, false), active(false, path, true), active(true, null, true)]).toEqual([
    false,
    false,
    false
  ])
})

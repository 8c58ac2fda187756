import { describe, expect, test } from 'vitest'
import { streamStatus } from '../../testing/media-source.ts'
import { canWatch, codecWarnings, failureOf, recordTruthOf, truthOf, waysFor } from './stream-truth.ts'

const idle = streamStatus()
const live = { ...idle, available: true, connected: true }
const recording = (desired: boolean, active: boolean) => ({ recording: { desired, active } })
const tracks = (...codecs: string[]) => codecs.map((codec) => ({ codec }))

test.each([
  ['live', 'push', true, live],
  ['live', 'pull', true, live],
  ['waiting', 'push', true, idle],
  ['connecting', 'pull', true, idle],
  ['onDemand', 'pull', true, { ...idle, on_demand: true }],
  ['unreachable', 'pull', true, { ...idle, last_error: 'dial tcp 192.168.1.9:554: i/o timeout' }],
  ['unreachable', 'pull', true, { ...idle, on_demand: true, last_error: 'EOF' }],
  // What went wrong before it came is over.
  ['live', 'pull', true, { ...live, last_error: 'EOF' }],
  ['missing', 'push', true, { ...idle, registered: false }],
  ['unknown', 'push', true, null],
  ['off', 'pull', false, null],
  ['off', 'push', false, live]
] as const)('%s: a %s source', (text, type, enabled, status) => {
  expect(truthOf({ type, enabled, status }).text).toBe(text)
})

test.each([
  ['recording', true, true, { ...live, ...recording(true, true) }],
  ['stuck', true, true, { ...live, ...recording(true, false) }],
  ['armed', true, true, { ...idle, ...recording(true, false) }],
  ['stopping', true, false, { ...live, ...recording(false, true) }],
  ['off', true, false, live],
  ['armedOff', false, true, null],
  ['armedUnknown', true, true, null],
  ['off', true, false, null]
] as const)('the recording is %s', (text, enabled, record_enabled, status) => {
  expect(recordTruthOf({ enabled, record_enabled, status }).text).toBe(text)
})

test('a stream is asked for when it is there, comes on demand, or nobody knows', () => {
  expect(canWatch({ enabled: true, status: live })).toBe(true)
  expect(canWatch({ enabled: true, status: { ...idle, on_demand: true } })).toBe(true)
  expect(canWatch({ enabled: true, status: null })).toBe(true)
  expect(canWatch({ enabled: true, status: idle })).toBe(false)
  expect(canWatch({ enabled: true, status: { ...idle, on_demand: true, registered: false } })).toBe(false)
  expect(canWatch({ enabled: false, status: live })).toBe(false)
})

test.each([
  ['refused', 'dial tcp 192.168.1.64:554: connect: connection refused'],
  ['noAnswer', 'dial tcp 192.168.1.64:554: i/o timeout'],
  ['noAnswer', 'dial tcp 10.0.0.9:554: connect: no route to host'],
  ['noAnswer', 'dial tcp 192.168.1.64:554: connect: network is unreachable'],
  ['noHost', 'lookup camera.lan: no such host'],
  ['credentials', 'bad status code: 401 (Unauthorized)'],
  ['noStream', 'bad status code: 404 (Not Found)'],
  ['certificate', 'x509: certificate signed by unknown authority'],
  ['other', 'something new']
] as const)('%s is read from "%s"', (failure, text) => {
  expect(failureOf(text)).toBe(failure)
})

test('what screens do not take is warned of', () => {
  expect(codecWarnings(tracks('H264', 'MPEG-4 Audio'))).toEqual([])
  expect(codecWarnings(tracks('H264', 'G711'))).toEqual([])
  expect(codecWarnings(tracks('H265', 'MPEG-1/2 Audio'))).toEqual([
    { text: 'h265', codec: 'H265' },
    { text: 'sound', codec: 'MPEG-1/2 Audio' }
  ])
  expect(codecWarnings(tracks('M-JPEG'))).toEqual([{ text: 'picture', codec: 'M-JPEG' }])
})

describe('the ways to watch', () => {
  const ways = (codecs: string[], wantsSound = false, canReceive = false) =>
    waysFor(tracks(...codecs), wantsSound, () => canReceive)

  test('WebRTC comes first, also before anything is known', () => {
    expect(ways([])).toEqual(['webrtc', 'hls'])
    expect(ways(['H264', 'MPEG-4 Audio'])).toEqual(['webrtc', 'hls'])
  })
  test('sound that WebRTC lacks is worth the delay where it is wanted', () => {
    expect(ways(['H264', 'MPEG-4 Audio'], true)).toEqual(['hls', 'webrtc'])
    expect(ways(['H264', 'G711'], true)).toEqual(['webrtc', 'hls'])
  })
  test('a way without the picture is none', () => {
    expect(ways(['H265'])).toEqual(['hls'])
    expect(ways(['H265'], false, true)).toEqual(['webrtc', 'hls'])
    expect(ways(['VP8'])).toEqual(['webrtc'])
    expect(ways(['M-JPEG'])).toEqual(['hls'])
  })
})

import { beforeEach, expect, test, vi } from 'vitest'
import type { Span } from './playback-plan.ts'
import { createRecordingPlayer, type RecordingPlayer, type RecordingState } from './recording-player.ts'
import type { Stretch } from './timeline-view.ts'

let video: HTMLVideoElement
let media: { time: number; bufferedTo: number; isSeekable: boolean; error: unknown; isPlaying: boolean }
let spans: Span[]
let asked: Stretch[]
let states: RecordingState[]
let gaps: Stretch[]
let shownMs: number
let player: RecordingPlayer

const ranges = (to: number) =>
  ({ length: to > 0 ? 1 : 0, start: () => 0, end: () => to }) satisfies Pick<TimeRanges, 'length' | 'start' | 'end'>
const tell = (event: string) => video.dispatchEvent(new Event(event))
const arrive = (bufferedTo: number) => {
  media.bufferedTo = bufferedTo
  tell('loadeddata')
}
const playTo = (seconds: number) => {
  media.time = seconds
  tell('timeupdate')
}
const span = (start: number, end: number, isOpen = false) => ({ startMs: start * 1000, endMs: end * 1000, isOpen })

beforeEach(() => {
  asked = []
  states = []
  gaps = []
  media = { time: 0, bufferedTo: 0, isSeekable: true, error: null, isPlaying: false }
  spans = [span(0, 1000), span(2000, 2100)]
  video = document.createElement('video')
  Object.defineProperties(video, {
    currentTime: { get: () => media.time, set: (time: number) => (media.time = time) },
    buffered: { get: () => ranges(media.bufferedTo) },
    seekable: { get: () => ranges(media.isSeekable ? media.bufferedTo : 0) },
    error: { get: () => media.error }
  })
  video.load = () => {
    Object.assign(media, { time: 0, bufferedTo: 0, error: null })
  }
  video.play = async () => {
    media.isPlaying = true
  }
  video.pause = () => {
    media.isPlaying = false
  }
  player = createRecordingPlayer({
    video,
    urlOf: (window) => {
      asked.push(window)
      return '/media'
    },
    spans: () => spans,
    onState: (state) => states.push(state),
    onTime: (timeMs) => (shownMs = timeMs),
    onGap: (gap) => gaps.push(gap)
  })
})

test('the first picture of a day is shown, and does not play by itself', () => {
  player.spansChanged()
  arrive(5)
  expect(asked).toEqual([{ startMs: 0, endMs: 600_000 }])
  expect(states).toEqual(['loading', 'ready'])
  expect(media.isPlaying).toBe(false)
})

test('the wall clock goes with the picture, window after window', () => {
  player.seek(500_000)
  player.play()
  arrive(10)
  playTo(4)
  expect(shownMs).toBe(504_000)
  expect(asked).toEqual([{ startMs: 500_000, endMs: 1_000_000 }])
  playTo(500)
  tell('ended')
  expect(asked.at(-1)).toEqual({ startMs: 2_000_000, endMs: 2_100_000 })
  expect(gaps).toEqual([{ startMs: 1_000_000, endMs: 2_000_000 }])
  expect(player.atMs()).toBe(2_000_000)
  arrive(100)
  playTo(100)
  tell('ended')
  expect(states.at(-1)).toBe('ended')
  expect(player.atMs()).toBe(2_100_000)
  expect(player.isPlaying()).toBe(false)
  player.play()
  expect(asked.at(-1)).toEqual({ startMs: 0, endMs: 600_000 })
})

test('what has arrived is gone to at once, anything else is asked for', () => {
  player.seek(0)
  arrive(60)
  player.seek(30_000)
  expect(media.time).toBe(30)
  expect(asked).toHaveLength(1)
  player.step(10_000)
  expect(media.time).toBe(40)
  player.seek(90_000)
  expect(asked.at(-1)).toEqual({ startMs: 90_000, endMs: 690_000 })
  arrive(60)
  player.step(-10_000)
  expect(asked.at(-1)).toEqual({ startMs: 80_000, endMs: 680_000 })
})

test('a browser that cannot go to what arrived asks again', () => {
  media.isSeekable = false
  player.seek(0)
  arrive(60)
  player.seek(30_000)
  expect(asked.at(-1)?.startMs).toBe(30_000)
})

test('a time in a gap shows what follows it', () => {
  player.seek(1_500_000)
  expect(asked).toEqual([{ startMs: 2_000_000, endMs: 2_100_000 }])
})

test('a window that ends early goes on where it ended; one without progress a second later, not with the next window', () => {
  player.seek(0)
  arrive(10)
  playTo(100)
  tell('ended')
  expect(asked.at(-1)?.startMs).toBe(100_000)
  arrive(1)
  tell('ended')
  expect(asked.at(-1)?.startMs).toBe(101_000)
  arrive(1)
  playTo(0.4)
  tell('ended')
  expect(asked.at(-1)?.startMs).toBe(102_400)
})

test('a step back over a gap leads into what was recorded before it', () => {
  player.seek(2_003_000)
  arrive(10)
  player.step(-10_000)
  expect(asked.at(-1)?.startMs).toBe(990_000)
})

test('whoever has caught up with a recording goes on when there is more', () => {
  spans = [span(0, 10, true)]
  player.seek(0)
  player.play()
  arrive(10)
  playTo(10)
  tell('ended')
  expect(states.at(-1)).toBe('caughtUp')
  spans = [span(0, 12, true)]
  player.spansChanged()
  expect(asked).toHaveLength(1)
  spans = [span(0, 20, true)]
  player.spansChanged()
  expect(asked.at(-1)).toEqual({ startMs: 10_000, endMs: 20_000 })
  expect(media.isPlaying).toBe(true)
})

test('a part that cannot be played says so and keeps its time', () => {
  player.seek(60_000)
  media.error = { code: 4 }
  tell('error')
  expect(states.at(-1)).toBe('failed')
  expect(player.atMs()).toBe(60_000)
  player.seek(120_000)
  expect(asked.at(-1)?.startMs).toBe(120_000)
  expect(states.at(-1)).toBe('loading')
})

test('what breaks off on its way is asked for once more; what then does not come either has failed', () => {
  const network = { code: 2, MEDIA_ERR_NETWORK: 2 }
  player.seek(60_000)
  arrive(30)
  playTo(20)
  media.error = network
  tell('error')
  expect(asked.at(-1)).toEqual({ startMs: 80_000, endMs: 680_000 })
  expect(states.at(-1)).toBe('loading')
  media.error = network
  tell('error')
  expect(states.at(-1)).toBe('failed')
  expect(asked).toHaveLength(2)
})

test('stopping leaves the element alone', () => {
  player.seek(0)
  player.stop()
  const before = states.length
  const load = vi.spyOn(video, 'load')
  tell('ended')
  tell('loadeddata')
  expect(states).toHaveLength(before)
  expect(load).not.toHaveBeenCalled()
  expect(video.hasAttribute('src')).toBe(false)
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ApiError } from '../../../../shared/api-client.ts'
import type { ProblemCode } from '../../../../shared/problem.ts'
import { createStreamPlayer, type OpenedWay, type PlayerState, type StreamPlayer } from './stream-player.ts'
import type { Way } from './stream-truth.ts'

/** What the next attempts do, by way: a picture, none, or a refusal. */
type Plan = 'picture' | 'nothing' | ProblemCode

let player: StreamPlayer
let states: PlayerState[]
let opens: Way[]
let open: OpenedWay[]
let plans: Record<Way, Plan>
let video: HTMLVideoElement
let picture: { width: number; time: number; moves: boolean; isPaused: boolean }
let isReceiving: boolean

function refusal(code: ProblemCode) {
  return new ApiError(404, { type: 'about:blank', title: code, status: 404, code, requestId: 'r' })
}

beforeEach(() => {
  vi.useFakeTimers()
  isReceiving = false
  states = []
  opens = []
  open = []
  plans = { webrtc: 'picture', hls: 'picture' }
  picture = { width: 0, time: 0, moves: true, isPaused: false }
  video = document.createElement('video')
  Object.defineProperties(video, {
    readyState: { get: () => (picture.width > 0 ? 4 : 0) },
    videoWidth: { get: () => picture.width },
    paused: { get: () => picture.isPaused },
    currentTime: { get: () => (picture.moves ? Date.now() / 1000 : picture.time) }
  })
  video.play = async () => {
    Object.assign(picture, { isPaused: false, moves: true })
  }
  const opening = (way: Way) => async (): Promise<OpenedWay> => {
    opens.push(way)
    const plan = plans[way]
    if (plan !== 'picture' && plan !== 'nothing') throw refusal(plan)
    const ended = Promise.withResolvers<void>()
    const opened: OpenedWay = {
      ended: ended.promise,
      isReceiving: async () => isReceiving,
      latencySeconds: async () => 0.5,
      close() {
        picture.width = 0
        ended.resolve()
      }
    }
    open.push(opened)
    if (plan === 'picture') {
      picture.width = 640
      setTimeout(() => video.dispatchEvent(new Event('loadeddata')), 100)
    }
    return opened
  }
  player = createStreamPlayer({
    video,
    open: { webrtc: opening('webrtc'), hls: opening('hls') },
    onState: (state) => states.push(state)
  })
})
afterEach(() => {
  player.stop()
  vi.useRealTimers()
})

const latest = () => states.at(-1)
const pass = (timeMs: number) => vi.advanceTimersByTimeAsync(timeMs)
const breakOff = () => open.at(-1)?.close()

test('the first way that shows a picture is taken', async () => {
  player.play(['webrtc', 'hls'])
  await pass(200)
  expect(latest()).toEqual({ state: 'playing', way: 'webrtc' })
  expect(opens).toEqual(['webrtc'])
  expect(await player.latencySeconds()).toBe(0.5)
})

test('without a picture within seconds the next way is tried, silently', async () => {
  plans.webrtc = 'nothing'
  player.play(['webrtc', 'hls'])
  await pass(3900)
  expect(opens).toEqual(['webrtc'])
  await pass(400)
  expect(latest()).toEqual({ state: 'playing', way: 'hls' })
  expect(states.map(({ state }) => state)).toEqual(['connecting', 'playing'])
})

test('a way whose data comes already is waited for until the next whole picture', async () => {
  plans.webrtc = 'nothing'
  isReceiving = true
  player.play(['webrtc', 'hls'])
  await pass(10_000)
  expect(opens).toEqual(['webrtc'])
  picture.width = 640
  video.dispatchEvent(new Event('loadeddata'))
  await pass(0)
  expect(latest()).toEqual({ state: 'playing', way: 'webrtc' })
})

test('data that never becomes a picture is not waited for forever', async () => {
  plans.webrtc = 'nothing'
  isReceiving = true
  player.play(['webrtc', 'hls'])
  await pass(15_000)
  expect(latest()).toEqual({ state: 'playing', way: 'hls' })
})

test('a way that shows nothing is not asked first again', async () => {
  plans.webrtc = 'nothing'
  player.play(['webrtc', 'hls'])
  await pass(60_000)
  breakOff()
  await pass(1500)
  expect(opens).toEqual(['webrtc', 'hls', 'hls'])
  expect(latest()).toEqual({ state: 'playing', way: 'hls' })
})

test('a way that breaks off at once gives place to the other', async () => {
  player.play(['webrtc', 'hls'])
  await pass(500)
  breakOff()
  await pass(1500)
  expect(opens).toEqual(['webrtc', 'hls'])
})

test.each(['stream_not_available', 'live_unavailable'] as const)('%s by one way, the other is tried', async (code) => {
  plans.webrtc = code
  player.play(['webrtc', 'hls'])
  await pass(200)
  expect(latest()).toEqual({ state: 'playing', way: 'hls' })
})

test('a refusal that holds for every way is asked for by one only, after 1, 2, 4, 8 and again 8 seconds', async () => {
  plans.webrtc = 'source_disabled'
  player.play(['webrtc', 'hls'])
  await pass(1000 + 2000 + 4000 + 8000 + 8000 + 100)
  expect(opens).toEqual(Array(6).fill('webrtc'))
  const pauses = states.flatMap((state) => (state.state === 'broken' ? [state.retryInMs] : []))
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 8000, 8000])
  expect(latest()).toMatchObject({ problem: 'source_disabled' })
})

test('after it played for a while the pauses begin anew', async () => {
  plans = { webrtc: 'nothing', hls: 'nothing' }
  player.play(['hls'])
  await pass(21_500)
  plans.hls = 'picture'
  await pass(21_500)
  expect(latest()).toEqual({ state: 'playing', way: 'hls' })
  await pass(20_000)
  breakOff()
  await pass(0)
  expect(latest()).toEqual({ state: 'broken', retryInMs: 1000, problem: null })
})

test('a picture that stands still is started again', async () => {
  player.play(['webrtc'])
  await pass(20_000)
  picture.time = Date.now() / 1000
  picture.moves = false
  await pass(8000)
  expect(opens).toEqual(['webrtc', 'webrtc'])
})

test('a picture that something else has paused is started again while somebody looks', async () => {
  const pause = () => Object.assign(picture, { isPaused: true, moves: false, time: Date.now() / 1000 })
  const look = vi.spyOn(document, 'visibilityState', 'get')
  player.play(['webrtc'])
  await pass(20_000)
  pause()
  await pass(1500)
  expect(picture.isPaused).toBe(false)
  look.mockReturnValue('hidden')
  pause()
  await pass(10_000)
  expect(picture.isPaused).toBe(true)
  look.mockReturnValue('visible')
  await pass(1500)
  expect(picture.isPaused).toBe(false)
  expect(opens).toEqual(['webrtc'])
  look.mockRestore()
})

test('stopping ends everything', async () => {
  player.play(['webrtc', 'hls'])
  await pass(200)
  player.stop()
  await pass(60_000)
  expect(opens).toEqual(['webrtc'])
  expect(latest()).toEqual({ state: 'idle' })
  expect(await player.latencySeconds()).toBeNull()
})

test('a page that nobody sees for long rests until somebody does; a short while it goes on', async () => {
  const show = (visibility: string) => {
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(visibility as DocumentVisibilityState)
    document.dispatchEvent(new Event('visibilitychange'))
  }
  player.play(['webrtc'])
  await pass(200)
  show('hidden')
  await pass(5000)
  show('visible')
  await pass(200)
  expect(opens).toHaveLength(1)
  show('hidden')
  await pass(31_000)
  expect(picture.width).toBe(0)
  await pass(60_000)
  expect(opens).toHaveLength(1)
  show('visible')
  await pass(200)
  expect(opens).toHaveLength(2)
  expect(latest()).toEqual({ state: 'playing', way: 'webrtc' })
})

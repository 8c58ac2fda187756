import { ApiError } from '../../../../shared/api-client.ts'
import type { ProblemCode } from '../../../../shared/problem.ts'
import type { Way } from './stream-truth.ts'

/** A stream on its way into a video element. */
export interface OpenedWay {
  /** Resolves when it cannot go on, and when it is closed. */
  ended: Promise<void>
  /** Whether data of the picture has come, of which none can be shown before the next whole one. */
  isReceiving(): Promise<boolean>
  /** How late the picture is, as far as that can be told. */
  latencySeconds(): Promise<number | null>
  /** Ends it and leaves the video element empty. */
  close(): void
}

/** Begins to bring a stream into a video element; resolves before there is a picture. */
export type OpenWay = (video: HTMLVideoElement, signal: AbortSignal) => Promise<OpenedWay>

/** What a player does. `problem` is why the base refused, null where it did not. */
export type PlayerState =
  | { state: 'idle' }
  | { state: 'connecting' }
  | { state: 'playing'; way: Way }
  | { state: 'broken'; retryInMs: number; problem: ProblemCode | null }

export interface StreamPlayer {
  /** Plays by the first of these ways that shows a picture, again and again, until `stop`. What played before ends. */
  play(ways: readonly Way[]): void
  stop(): void
  latencySeconds(): Promise<number | null>
}

/** How long a way may take to show its first picture; HLS begins with a whole segment. */
const patienceMs: Readonly<Record<Way, number>> = { webrtc: 4000, hls: 20_000 }
/** So much longer where data comes already: drones send a whole picture every 2 to 10 seconds, and cannot be asked for one. */
const receivingPatienceMs = 10_000
const pausesMs = [1000, 2000, 4000, 8000] as const
/** A picture that lasted this long shows that its way works. */
const steadyMs = 10_000
/** A picture that stands still for so long has broken off without anybody saying so. */
const stalledMs = 6000
/** A page that nobody sees for so long rests: a stream costs data and the battery. */
const restsAfterMs = 30_000
/** Refusals that hold for every way. What is not available by one way, or not reached, may be by another. */
const holdsForAll: ReadonlySet<string> = new Set<ProblemCode>([
  'source_disabled',
  'source_not_found',
  'live_misconfigured',
  'forbidden',
  'unauthenticated'
])

/** The way that shows a picture, or what the base refused with. */
type Found = { way: Way; problem: null } | { way: null; problem: ProblemCode | null }

/** Keeps a stream playing in `video` through whatever breaks it off; tells each change of its state. */
export function createStreamPlayer({
  video,
  open,
  onState
}: {
  video: HTMLVideoElement
  open: Readonly<Record<Way, OpenWay>>
  onState: (state: PlayerState) => void
}): StreamPlayer {
  let run: AbortController | undefined
  let opened: OpenedWay | undefined
  let latestWays: readonly Way[] = []
  let rest: ReturnType<typeof setTimeout> | undefined

  /** Opens one way; true once it shows a picture. Throws what the base refused with. */
  async function shows(way: Way, signal: AbortSignal): Promise<boolean> {
    const candidate = await open[way](video, signal)
    if (signal.aborted) {
      candidate.close()
      return false
    }
    opened = candidate
    start(video)
    const watch = new AbortController()
    const over = AbortSignal.any([signal, watch.signal])
    const waited = async () => {
      if (await firstPicture(video, patienceMs[way], over)) return true
      // What cannot be told is no reason to wait longer.
      const isReceiving = !over.aborted && (await candidate.isReceiving().catch(() => false))
      return isReceiving && firstPicture(video, receivingPatienceMs, over)
    }
    const hasPicture = await Promise.race([waited(), candidate.ended.then(() => false)])
    watch.abort()
    if (!hasPicture && !signal.aborted) closeOpened()
    return hasPicture && !signal.aborted
  }

  function closeOpened(): void {
    opened?.close()
    opened = undefined
  }

  async function firstThatShows(ways: readonly Way[], signal: AbortSignal): Promise<Found> {
    let problem: ProblemCode | null = null
    for (const way of ways) {
      try {
        if (await shows(way, signal)) return { way, problem: null }
      } catch (error) {
        if (error instanceof ApiError && error.problem !== null) problem = error.problem.code
      }
      if (signal.aborted || (problem !== null && holdsForAll.has(problem))) break
    }
    return { way: null, problem }
  }

  /** Waits for the end of what plays; true when it played long enough to show that its way works. */
  async function lasts(signal: AbortSignal): Promise<boolean> {
    const since = Date.now()
    const watch = new AbortController()
    await Promise.race([opened?.ended, standstill(video, AbortSignal.any([signal, watch.signal]))])
    watch.abort()
    if (!signal.aborted) closeOpened()
    return Date.now() - since >= steadyMs
  }

  async function keepPlaying(ways: readonly Way[], signal: AbortSignal): Promise<void> {
    let order = ways
    let failures = 0
    while (!signal.aborted) {
      onState({ state: 'connecting' })
      const { way: found, problem } = await firstThatShows(order, signal)
      if (signal.aborted) return
      if (found !== null) {
        onState({ state: 'playing', way: found })
        const wasSteady = await lasts(signal)
        if (signal.aborted) return
        if (wasSteady) failures = 0
        const others = order.filter((way) => way !== found)
        order = wasSteady ? [found, ...others] : [...others, found]
      }
      const retryInMs = pausesMs[Math.min(failures, pausesMs.length - 1)] ?? pausesMs[0]
      failures += 1
      onState({ state: 'broken', retryInMs, problem })
      await pause(retryInMs, signal)
    }
  }

  function end(): void {
    run?.abort()
    run = undefined
    closeOpened()
  }

  function stop(): void {
    document.removeEventListener('visibilitychange', onVisibility)
    clearTimeout(rest)
    end()
    onState({ state: 'idle' })
  }

  function play(ways: readonly Way[]): void {
    end()
    latestWays = ways
    document.addEventListener('visibilitychange', onVisibility)
    run = new AbortController()
    void keepPlaying(ways, run.signal)
    onVisibility()
  }

  function onVisibility(): void {
    clearTimeout(rest)
    if (document.visibilityState === 'hidden') rest = setTimeout(end, restsAfterMs)
    else if (run === undefined) play(latestWays)
  }

  return { play, stop, latencySeconds: async () => (await opened?.latencySeconds()) ?? null }
}

/** Browsers start a picture without sound at any time, but sound only where a person has just pressed something. */
function start(video: HTMLVideoElement): void {
  video.play().catch((error: unknown) => {
    if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return
    video.muted = true
    // What keeps even that from starting shows as a missing picture.
    video.play().catch(() => {})
  })
}

/** Whether `video` shows a picture before `timeoutMs` are over. */
function firstPicture(video: HTMLVideoElement, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const events = ['loadeddata', 'playing', 'resize', 'timeupdate'] as const
    const finish = (hasPicture: boolean) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      for (const name of events) video.removeEventListener(name, look)
      resolve(hasPicture)
    }
    const giveUp = () => finish(false)
    const look = () => {
      // Sound alone has no width.
      if (video.readyState >= video.HAVE_CURRENT_DATA && video.videoWidth > 0) finish(true)
    }
    const timer = setTimeout(giveUp, timeoutMs)
    signal.addEventListener('abort', giveUp)
    for (const name of events) video.addEventListener(name, look)
    look()
  })
}

/** Resolves when the picture stands still although somebody looks; a browser may rest what nobody sees. */
function standstill(video: HTMLVideoElement, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let at = video.currentTime
    let since = Date.now()
    const timer = setInterval(() => {
      const isSeen = document.visibilityState !== 'hidden'
      // A key for media pauses it, and so does a browser that rests: what stands still must not pass for live.
      if (isSeen && video.paused) start(video)
      if (!isSeen || video.currentTime !== at) {
        at = video.currentTime
        since = Date.now()
      } else if (Date.now() - since >= stalledMs) finish()
    }, 1000)
    const finish = () => {
      clearInterval(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    signal.addEventListener('abort', finish)
  })
}

function pause(timeMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, timeMs)
    signal.addEventListener('abort', finish)
  })
}

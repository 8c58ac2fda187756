import { isRecorded, jumpFrom, type Span, windowFrom } from './playback-plan.ts'
import type { Stretch } from './timeline-view.ts'

/**
 * What a player does: `ended` at the end of what was recorded, `caughtUp` at the end of a recording that goes on, `failed` where a
 * part cannot be played.
 */
export type RecordingState = 'empty' | 'loading' | 'ready' | 'ended' | 'caughtUp' | 'failed'

export interface RecordingPlayer {
  /** Shows a time of the recording, or what follows where nothing was recorded then. Playing goes on when it was. */
  seek(atMs: number): void
  /** Jumps from the time that is shown; backwards over a time in which nothing was recorded, too. */
  step(deltaMs: number): void
  /** After the end, from the beginning. */
  play(): void
  pause(): void
  /** Whether it plays, or would if there were something to play. */
  isPlaying(): boolean
  /** More or less is recorded than before. */
  spansChanged(): void
  /** The wall time that is shown. */
  atMs(): number
  stop(): void
}

/** So much more must have been recorded before a player that had caught up goes on. */
const worthGoingOnMs = 5000
/** Windows that end sooner than promised by more than this have a hole that nobody knew of. */
const shortfallMs = 1000

/**
 * Plays a recording by wall time in `video`. What comes from the base is a window of it, which knows neither its length nor other
 * times: so the time is kept here, and a time outside of what has arrived is asked for anew.
 */
export function createRecordingPlayer({
  video,
  urlOf,
  spans,
  onState,
  onTime,
  onGap
}: {
  video: HTMLVideoElement
  urlOf: (window: Stretch) => string
  spans: () => readonly Span[]
  onState: (state: RecordingState) => void
  onTime: (atMs: number) => void
  /** Playing has gone over a time in which nothing was recorded. */
  onGap: (gap: Stretch) => void
}): RecordingPlayer {
  let window: Stretch | null = null
  let state: RecordingState = 'empty'
  let isWanted = false
  /** Where it stands while there is no window, or the present one has not begun. */
  let standsAtMs = 0

  function set(next: RecordingState): void {
    state = next
    onState(next)
  }

  function atMs(): number {
    if (window === null || state === 'loading') return standsAtMs
    return Math.min(window.startMs + video.currentTime * 1000, window.endMs)
  }

  function load(next: Stretch): void {
    window = next
    standsAtMs = next.startMs
    set('loading')
    video.src = urlOf(next)
    video.load()
    if (isWanted) startPlaying()
    onTime(standsAtMs)
  }

  function startPlaying(): void {
    // Another time that is asked for meanwhile interrupts this; `error` tells of whatever else goes wrong.
    video.play().catch(() => {})
  }

  function seek(target: number): void {
    if (window !== null && state !== 'failed' && state !== 'loading' && isHere(window, target)) {
      video.currentTime = (target - window.startMs) / 1000
      set('ready')
      if (isWanted) startPlaying()
      onTime(target)
      return
    }
    const next = windowFrom(spans(), target)
    if (next === null) finish(target)
    else load(next)
  }

  function isHere(present: Stretch, target: number): boolean {
    if (target < present.startMs || target >= present.endMs || !isRecorded(spans(), target)) return false
    const seconds = (target - present.startMs) / 1000
    return covers(video.buffered, seconds) && covers(video.seekable, seconds)
  }

  /** There is nothing to play from `atMs` on. The last picture stays. */
  function finish(timeMs: number): void {
    const last = spans().at(-1)
    standsAtMs = Math.min(timeMs, last?.endMs ?? timeMs)
    window = null
    video.pause()
    if (last !== undefined && !last.isOpen) isWanted = false
    set(last === undefined ? 'empty' : last.isOpen ? 'caughtUp' : 'ended')
    onTime(standsAtMs)
  }

  const onEnded = () => {
    if (window === null) return
    const playedToMs = window.startMs + video.currentTime * 1000
    const isShort = window.endMs - playedToMs > shortfallMs
    const hasPlayed = playedToMs - window.startMs > shortfallMs
    // A window that ends early is gone on with where it ended. One without progress would then be asked for forever.
    const from = !isShort ? window.endMs : hasPlayed ? playedToMs : playedToMs + shortfallMs
    const next = windowFrom(spans(), from)
    if (next === null) {
      finish(window.endMs)
      return
    }
    if (next.startMs - from > shortfallMs) onGap({ startMs: from, endMs: next.startMs })
    load(next)
  }
  const onLoaded = () => {
    if (state === 'loading') set('ready')
  }
  const onError = () => {
    // An element that was emptied complains of nothing that matters.
    if (window === null || video.error === null) return
    standsAtMs = atMs()
    const hasPlayed = standsAtMs - window.startMs > shortfallMs
    const rest =
      video.error.code === video.error.MEDIA_ERR_NETWORK && hasPlayed ? windowFrom(spans(), standsAtMs) : null
    // What broke off on its way is asked for once more; if the base refuses that, it is known why.
    if (rest === null) set('failed')
    else load(rest)
  }
  const onTimeUpdate = () => {
    if (state === 'ready') onTime(atMs())
  }
  const listeners = { ended: onEnded, loadeddata: onLoaded, error: onError, timeupdate: onTimeUpdate } as const
  for (const [name, listener] of Object.entries(listeners)) video.addEventListener(name, listener)

  return {
    seek,
    step: (deltaMs) => seek(jumpFrom(spans(), atMs(), deltaMs)),
    play() {
      isWanted = true
      if (state === 'ready' || state === 'loading') startPlaying()
      else seek(state === 'ended' ? (spans()[0]?.startMs ?? standsAtMs) : standsAtMs)
    },
    pause() {
      isWanted = false
      video.pause()
    },
    isPlaying: () => isWanted,
    spansChanged() {
      if (state === 'empty') {
        const first = spans()[0]
        if (first !== undefined) seek(first.startMs)
      } else if (state === 'caughtUp') {
        const next = windowFrom(spans(), standsAtMs)
        if (next !== null && next.endMs - next.startMs >= worthGoingOnMs) load(next)
      }
    },
    atMs,
    stop() {
      for (const [name, listener] of Object.entries(listeners)) video.removeEventListener(name, listener)
      window = null
      video.removeAttribute('src')
      video.load()
    }
  }
}

function covers(ranges: TimeRanges, seconds: number): boolean {
  for (let index = 0; index < ranges.length; index += 1)
    if (ranges.start(index) <= seconds && seconds <= ranges.end(index)) return true
  return false
}

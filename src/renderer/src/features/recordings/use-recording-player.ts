import { type RefObject, useEffect, useRef, useState } from 'react'
import { playRecording } from '../../../../shared/api/recordings.ts'
import { endpointUrl } from '../../../../shared/api-client.ts'
import type { Span } from './playback-plan.ts'
import { createRecordingPlayer, type RecordingPlayer, type RecordingState } from './recording-player.ts'
import { instantOf, type Stretch } from './timeline-view.ts'

/** A player of recordings as a screen shows it. */
export interface ShownPlayer {
  state: RecordingState
  isPlaying: boolean
  /** The wall time that is shown, as of its last report: a playing film gives one some times a second. */
  atMs: number
  /** The same at this very moment. */
  now: () => number
  /** What was last played over, in which nothing was recorded; null once something else is gone to. */
  gap: Stretch | null
  seek: (atMs: number) => void
  playFrom: (atMs: number) => void
  step: (deltaMs: number) => void
  toggle: () => void
}

/** Plays the recordings of a source in `video`. */
export function useRecordingPlayer(
  video: RefObject<HTMLVideoElement | null>,
  sourceId: string,
  spans: readonly Span[]
): ShownPlayer {
  const [state, setState] = useState<RecordingState>('empty')
  const [playedMs, setPlayedMs] = useState<number | null>(null)
  const [gap, setGap] = useState<Stretch | null>(null)
  const [isPlaying, setIsPlaying] = useState(false)
  const player = useRef<RecordingPlayer>(null)
  const newest = useRef(spans)
  newest.current = spans
  const hasSpans = spans.length > 0

  useEffect(() => {
    const element = video.current
    // The element comes with the first recording.
    if (element === null || !hasSpans) return
    const made = createRecordingPlayer({
      video: element,
      urlOf: ({ startMs, endMs }) =>
        endpointUrl(playRecording.path, {
          params: { sourceId },
          query: { start: instantOf(startMs), duration: (endMs - startMs) / 1000 }
        }),
      spans: () => newest.current,
      onState: (next) => {
        setState(next)
        setIsPlaying(player.current?.isPlaying() ?? false)
      },
      onTime: setPlayedMs,
      onGap: setGap
    })
    player.current = made
    made.spansChanged()
    return () => {
      player.current = null
      made.stop()
    }
  }, [video, sourceId, hasSpans])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the player is told of other spans, which it reads by itself
  useEffect(() => player.current?.spansChanged(), [spans])

  const atMs = playedMs ?? spans[0]?.startMs ?? 0
  const seek = (next: number) => {
    setGap(null)
    player.current?.seek(next)
  }
  const toggle = () => {
    if (player.current?.isPlaying()) player.current.pause()
    else player.current?.play()
    setIsPlaying(player.current?.isPlaying() ?? false)
  }
  return {
    state,
    isPlaying,
    atMs,
    now: () => player.current?.atMs() ?? atMs,
    gap,
    seek,
    playFrom(next) {
      seek(next)
      if (!player.current?.isPlaying()) toggle()
    },
    step(deltaMs) {
      setGap(null)
      player.current?.step(deltaMs)
    },
    toggle
  }
}

import { fireEvent, screen } from '@testing-library/react'
import { afterEach, beforeEach, type Mock, vi } from 'vitest'
import type { RecordingSegment, RecordingSession } from '../../../../../shared/api/recordings.ts'
import { toasts } from '../../../lib/toasts.ts'
import { mediaSource, sourceList } from '../../../testing/media-source.ts'
import { renderScreen } from '../../../testing/render-screen.tsx'
import { RecordingsScreen } from '../RecordingsScreen.tsx'

export const id = 's'.repeat(26)
export const path = `/api/v1/sources/${id}`
export const day = '2026-11-21'
/** A time of that day. */
export const at = (time: string) => new Date(`${day}T${time}`).toISOString()

/** Half an hour with a gap of some seconds in it. */
export const session: RecordingSession = {
  start: at('09:00:00'),
  duration: 1800,
  size_bytes: 900_000_000,
  segments: 2,
  is_open: false,
  has_damage: true,
  gaps: [{ start: at('09:15:00'), duration: 5 }]
}
/** A quarter of an hour. */
export function file(letter: string, change: Partial<RecordingSegment> = {}): RecordingSegment {
  return {
    id: letter.repeat(26),
    source_id: id,
    start: at('09:00:00'),
    duration: 900,
    size_bytes: 450_000_000,
    file_name: 'one.mp4',
    state: 'whole',
    problem: null,
    is_kept: false,
    ...change
  }
}
/** The one behind the gap. */
export const damaged = file('d', { start: at('09:15:05'), state: 'damaged', problem: 'moov atom not found' })
/** What the base answers to whoever opens the screen. */
export const answers = {
  'GET /api/v1/recordings/sources': { items: [], nextCursor: null },
  'GET /api/v1/sources': sourceList(mediaSource(), mediaSource({ id: 't'.repeat(26), name: 'Gate' })),
  [`GET ${path}/record/days`]: {
    earlier: null,
    items: [{ day, start: at('00:00:00'), end: at('24:00:00'), segments: 2, duration: 1800, size_bytes: 900_000_000 }]
  },
  [`GET ${path}/record/sessions`]: { items: [session] },
  [`GET ${path}/record/files`]: { items: [file('f'), damaged], nextCursor: null },
  [`GET ${path}/clips`]: { items: [], nextCursor: null }
}

/** Opens the screen at its newest day, with some answers changed. */
export function openRecordings(
  change: Record<string, unknown> = {},
  sourceId: string | null = null
): ReturnType<typeof renderScreen> & { onGo: Mock } {
  const onGo = vi.fn()
  // What is to be read anew each time stays so.
  const all = Object.defineProperties({}, Object.getOwnPropertyDescriptors(answers))
  Object.defineProperties(all, Object.getOwnPropertyDescriptors(change))
  return { ...renderScreen(<RecordingsScreen sourceId={sourceId} day={null} onGo={onGo} />, all), onGo }
}

export const video = () => screen.findByLabelText<HTMLVideoElement>('Recording of Drone 1')
export const rows = () => screen.findAllByTestId('recording-file')
/** The video element as if a window of the recording had arrived and played for some seconds. */
export async function play(toSeconds: number) {
  const element = await video()
  Object.defineProperty(element, 'currentTime', { value: toSeconds, configurable: true, writable: true })
  fireEvent(element, new Event('loadeddata'))
  fireEvent(element, new Event('timeupdate'))
}

beforeEach(() => {
  vi.spyOn(HTMLMediaElement.prototype, 'load').mockImplementation(() => {})
  vi.spyOn(HTMLMediaElement.prototype, 'play').mockClear().mockResolvedValue()
  vi.spyOn(HTMLMediaElement.prototype, 'pause').mockImplementation(() => {})
  // What jsdom lacks.
  HTMLElement.prototype.scrollIntoView = () => {}
})
afterEach(() => toasts.set([]))

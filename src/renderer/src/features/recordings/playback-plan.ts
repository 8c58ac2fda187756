import type { RecordingSegment, RecordingSession } from '../../../../shared/api/recordings.ts'
import type { Stretch } from './timeline-view.ts'

/** What can be played without a gap; one that `isOpen` still grows. */
export interface Span extends Stretch {
  isOpen: boolean
}

/** So much is asked for at once. */
export const longestWindowMs = 600_000
/** What one jump back or forward goes over. */
export const jumpMs = 10_000
/** Nearer to the end of a span than this there is no picture to be had. */
const nothingLeftMs = 300

/** The spans of these sessions, in order: what of each session lies within `bounds`, less the gaps in it. */
export function spansOf(sessions: readonly RecordingSession[], bounds: Stretch): Span[] {
  return sessions
    .flatMap((session) => {
      const spans: Span[] = []
      let startMs = Date.parse(session.start)
      const endMs = startMs + session.duration * 1000
      const gaps = session.gaps.toSorted((a, b) => Date.parse(a.start) - Date.parse(b.start))
      for (const gap of gaps) {
        const gapStartMs = Date.parse(gap.start)
        if (gapStartMs > startMs) spans.push({ startMs, endMs: gapStartMs, isOpen: false })
        startMs = Math.max(startMs, gapStartMs + gap.duration * 1000)
      }
      if (endMs > startMs) spans.push({ startMs, endMs, isOpen: session.is_open })
      return spans
    })
    .flatMap(({ startMs, endMs, isOpen }) => {
      const within = { startMs: Math.max(startMs, bounds.startMs), endMs: Math.min(endMs, bounds.endMs) }
      // What grows beyond the bounds does not grow within them.
      return within.endMs > within.startMs ? [{ ...within, isOpen: isOpen && endMs < bounds.endMs }] : []
    })
    .toSorted((a, b) => a.startMs - b.startMs)
}

/** What to ask for to play from a time on: from there, or from the next span when nothing was recorded then; null at the end. */
export function windowFrom(spans: readonly Span[], atMs: number): Stretch | null {
  const span = spans.find(({ endMs }) => endMs - nothingLeftMs > atMs)
  if (span === undefined) return null
  const startMs = Math.max(span.startMs, atMs)
  return { startMs, endMs: Math.min(span.endMs, startMs + longestWindowMs) }
}

/**
 * Where a jump from a time leads. Backwards, a time with nothing to play leads into the span before it: what follows that time would be
 * where the jump began.
 */
export function jumpFrom(spans: readonly Span[], atMs: number, deltaMs: number): number {
  const target = Math.max(0, atMs + deltaMs)
  if (deltaMs >= 0 || windowFrom(spans, target)?.startMs === target) return target
  const before = spans.findLast(({ startMs }) => startMs <= target)
  return before === undefined ? target : Math.max(before.startMs, before.endMs + deltaMs)
}

/** Whether something was recorded at a time. */
export function isRecorded(spans: readonly Span[], atMs: number): boolean {
  return spans.some(({ startMs, endMs }) => startMs <= atMs && atMs < endMs)
}

/** Files of one recording follow each other to a second; the end of a window and the start of the next file may differ by as much. */
const cutToleranceMs = 1000

/**
 * The first time that a file plays at when that time is asked for. It begins between two milliseconds, and at the earlier one there still
 * is the file before it.
 */
export function playableStartOf({ start }: Pick<RecordingSegment, 'start'>): number {
  return Date.parse(start) + 1
}

/**
 * From when on there is something else to play where a file does not at `atMs`: the next file that is not known to be damaged, or the
 * next span where the files are not known. Null where nothing follows.
 */
export function startAfter(
  files: readonly Pick<RecordingSegment, 'start' | 'state'>[],
  spans: readonly Span[],
  atMs: number
): number | null {
  const isLater = (startMs: number) => startMs > atMs + cutToleranceMs
  const file = files.find(({ start, state }) => isLater(Date.parse(start)) && state !== 'damaged')
  if (file !== undefined) return playableStartOf(file)
  return files.length > 0 ? null : (spans.find(({ startMs }) => isLater(startMs))?.startMs ?? null)
}

/** Beginning and end of a clip, null until they are marked. */
export interface Marks {
  inMs: number | null
  outMs: number | null
}

export const noMarks: Marks = { inMs: null, outMs: null }

/** Marks one end; the other one goes when it would lie on the wrong side. */
export function mark(marks: Marks, end: 'in' | 'out', atMs: number): Marks {
  if (end === 'in') return { inMs: atMs, outMs: marks.outMs !== null && marks.outMs > atMs ? marks.outMs : null }
  return { inMs: marks.inMs !== null && marks.inMs < atMs ? marks.inMs : null, outMs: atMs }
}

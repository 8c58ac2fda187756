import { US_PER_MS, US_PER_S } from './instants.ts'
import type { SegmentRow } from './segments.repository.ts'

/** As far as it is known. */
export function endOf({ startUs, durationMs }: Pick<SegmentRow, 'startUs' | 'durationMs'>): number {
  return startUs + (durationMs ?? 0) * US_PER_MS
}

export interface Span {
  startUs: number
  endUs: number
}

export interface Session extends Span {
  segments: SegmentRow[]
  gaps: Span[]
}

/**
 * Groups files, oldest first, into what somebody would call one recording: until nothing was recorded for longer than `maxGapMs`. Shorter
 * times without a recording are its gaps, but for those that only come of how files are cut.
 */
export function sessionsOf(segments: readonly SegmentRow[], maxGapMs: number): Session[] {
  const sessions: Session[] = []
  for (const segment of segments) {
    const { startUs } = segment
    const session = sessions.at(-1)
    if (!session || startUs - session.endUs > maxGapMs * US_PER_MS) {
      sessions.push({ startUs, endUs: endOf(segment), segments: [segment], gaps: [] })
      continue
    }
    if (startUs - session.endUs > CUT_TOLERANCE_US) session.gaps.push({ startUs: session.endUs, endUs: startUs })
    session.segments.push(segment)
    session.endUs = Math.max(session.endUs, endOf(segment))
  }
  return sessions
}

/** Files of one run follow each other to a frame; clocks and rounding make some tenths of a second of it. */
const CUT_TOLERANCE_US = US_PER_S

export interface PlayableSpan extends Span {
  segments: SegmentRow[]
  /** It grows. */
  isOpen: boolean
}

/**
 * Groups files, oldest first, into what the media server plays in one go: files of one run with numbers in a row, and such as name no run
 * but follow each other without a gap. What is damaged cannot be played, and ends what comes before it.
 */
export function playableSpans(segments: readonly SegmentRow[]): PlayableSpan[] {
  const spans: PlayableSpan[] = []
  let previous: SegmentRow | null = null
  for (const segment of segments) {
    const span = previous && isContinuation(previous, segment) ? spans.at(-1) : undefined
    previous = segment.state === 'damaged' ? null : segment
    if (!previous) continue
    const isOpen = segment.state === 'open'
    if (span) {
      span.segments.push(segment)
      span.endUs = Math.max(span.endUs, endOf(segment))
      span.isOpen = isOpen
    } else spans.push({ startUs: segment.startUs, endUs: endOf(segment), segments: [segment], isOpen })
  }
  return spans.filter(({ startUs, endUs, isOpen }) => isOpen || endUs > startUs)
}

function isContinuation(before: SegmentRow, after: SegmentRow): boolean {
  if (before.run && after.run) return before.run.id === after.run.id && before.run.number + 1 === after.run.number
  return !before.run && !after.run && Math.abs(after.startUs - endOf(before)) <= CUT_TOLERANCE_US
}

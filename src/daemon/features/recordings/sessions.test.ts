import fc from 'fast-check'
import { expect, test } from 'vitest'
import { US_PER_MS, US_PER_S } from './instants.ts'
import type { SegmentRow, SegmentState } from './segments.repository.ts'
import { endOf, playableSpans, sessionsOf } from './sessions.ts'

const GAP_MS = 10_000

function segment(startS: number, durationS: number, more: Partial<SegmentRow> = {}): SegmentRow {
  return {
    id: `s${startS}`,
    sourceId: 'source',
    workspaceId: 'default',
    pathName: 'live/cam-00000000',
    startUs: startS * US_PER_S,
    fileName: 'file.mp4',
    rawStart: null,
    durationMs: durationS * 1000,
    sizeBytes: 1,
    run: null,
    state: 'whole',
    problem: null,
    isKept: false,
    ...more
  }
}
const ofRun = (id: string, number: number) => ({ run: { id, number } })
const inSeconds = (spans: { startUs: number; endUs: number }[]) =>
  spans.map(({ startUs, endUs }) => [startUs / US_PER_S, endUs / US_PER_S])

test('short breaks are gaps of one session, long ones divide it', () => {
  const segments = [segment(0, 60), segment(60.5, 60), segment(127, 60), segment(300, 10)]
  const sessions = sessionsOf(segments, GAP_MS)
  expect(inSeconds(sessions)).toEqual([
    [0, 187],
    [300, 310]
  ])
  expect(inSeconds(sessions[0]!.gaps)).toEqual([[120.5, 127]])
  expect(sessions[0]!.segments).toHaveLength(3)
})

test('a break of just the time that is allowed divides nothing', () => {
  expect(sessionsOf([segment(0, 60), segment(70, 60)], GAP_MS)).toHaveLength(1)
  expect(sessionsOf([segment(0, 60), segment(70.001, 60)], GAP_MS)).toHaveLength(2)
})

test('files of one run are played in one go, whatever the clock says', () => {
  const segments = [
    segment(0, 60, ofRun('a', 0)),
    segment(58, 60, ofRun('a', 1)),
    segment(125, 60, ofRun('a', 2)),
    segment(185, 60, ofRun('a', 4)),
    segment(245, 60, ofRun('b', 5))
  ]
  expect(inSeconds(playableSpans(segments))).toEqual([
    [0, 185],
    [185, 245],
    [245, 305]
  ])
})

test('files that name no run are played in one go where they touch', () => {
  const segments = [segment(0, 60), segment(60.4, 60), segment(125, 60), segment(185, 60, ofRun('a', 0))]
  expect(inSeconds(playableSpans(segments))).toEqual([
    [0, 120.4],
    [125, 185],
    [185, 245]
  ])
})

test('what is damaged is left out, and divides what is around it', () => {
  const segments = [0, 1, 2].map((n) => segment(n * 60, 60, { ...ofRun('a', n), state: n === 1 ? 'damaged' : 'whole' }))
  expect(inSeconds(playableSpans(segments))).toEqual([
    [0, 60],
    [120, 180]
  ])
})

test('what is still written can be played before its length is known', () => {
  const spans = playableSpans([segment(0, 60, ofRun('a', 0)), segment(100, 0, { state: 'open', durationMs: null })])
  expect(spans.map(({ isOpen }) => isOpen)).toEqual([false, true])
  expect(playableSpans([segment(0, 0, { durationMs: null })])).toEqual([])
})

const recordings = fc
  .array(
    fc.record({
      pauseMs: fc.integer({ min: 0, max: 30_000 }),
      durationMs: fc.option(fc.integer({ min: 0, max: 900_000 })),
      state: fc.constantFrom<SegmentState>('whole', 'damaged', 'unchecked', 'repaired'),
      run: fc.option(fc.record({ id: fc.constantFrom('a', 'b'), number: fc.integer({ min: 0, max: 3 }) }))
    })
  )
  .map((parts) => {
    let startUs = US_PER_S
    return parts.map(({ pauseMs, ...part }, index) => {
      startUs += pauseMs * US_PER_MS
      const made = segment(0, 0, { ...part, id: `${index}`, startUs })
      startUs = endOf(made) + 1
      return made
    })
  })

test('whatever was recorded: every file is in one session, and sessions lie apart', () => {
  fc.assert(
    fc.property(recordings, (segments) => {
      const sessions = sessionsOf(segments, GAP_MS)
      expect(sessions.flatMap((session) => session.segments)).toEqual(segments)
      for (const [index, session] of sessions.entries()) {
        const before = sessions[index - 1]
        if (before) expect(session.startUs - before.endUs).toBeGreaterThan(GAP_MS * US_PER_MS)
        for (const gap of session.gaps) {
          expect(gap.endUs - gap.startUs).toBeLessThanOrEqual(GAP_MS * US_PER_MS)
          // Nothing was recorded in a gap.
          for (const each of session.segments)
            expect(each.startUs >= gap.endUs || endOf(each) <= gap.startUs).toBe(true)
        }
      }
    })
  )
})

test('whatever was recorded: all that is not damaged and has a length can be played, once', () => {
  fc.assert(
    fc.property(recordings, (segments) => {
      const spans = playableSpans(segments)
      const played = spans.flatMap((span) => span.segments)
      expect(new Set(played).size).toBe(played.length)
      for (const each of segments) {
        if (each.state === 'damaged') expect(played).not.toContain(each)
        else if ((each.durationMs ?? 0) > 0) expect(played).toContain(each)
      }
      for (const { startUs, endUs, segments: inside } of spans)
        expect([startUs, endUs]).toEqual([inside[0]!.startUs, Math.max(...inside.map(endOf))])
    })
  )
})

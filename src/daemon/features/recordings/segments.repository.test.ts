import { expect, test } from 'vitest'
import { localDay } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { plansOf, testDatabase } from '../../testing/test-database.ts'
import { US_PER_MS, US_PER_S } from './instants.ts'
import { placeOf } from './recordings-bench.ts'
import { type SegmentRow, SegmentsRepository } from './segments.repository.ts'

const { sourceId, workspaceId, pathName } = placeOf()
const MINUTE_US = 60 * US_PER_S
const START_US = Date.UTC(2026, 3, 7, 10) * US_PER_MS

function insert(db: Database, n: number, more: Partial<SegmentRow> = {}): void {
  const startUs = START_US + n * MINUTE_US
  new SegmentsRepository(db).insert({
    id: `${n}`.padStart(26, '0'),
    ...{ sourceId, workspaceId, pathName, startUs, fileName: `${n}.mp4`, rawStart: null },
    ...{ durationMs: 60_000, sizeBytes: 10, run: null, state: 'whole', problem: null, isKept: false },
    day: localDay(startUs / US_PER_MS),
    ...more
  })
}

test('a window holds what reaches into it, in pages', () => {
  const db = testDatabase()
  const segments = new SegmentsRepository(db)
  for (let n = 0; n < 10; n++) if (n !== 5) insert(db, n)
  insert(db, 99, { sourceId: 'other', id: 'other' })
  const at = (n: number) => START_US + n * MINUTE_US
  const found = (fromUs: number, toUs: number, page?: { afterUs: number; limit: number }) =>
    segments.listWindow(sourceId, { fromUs, toUs }, page).map(({ id }) => Number(id))
  expect(found(at(2) + 1, at(4))).toEqual([2, 3])
  expect(found(at(2), at(4) + 1)).toEqual([2, 3, 4])
  expect(found(at(5) + 1, at(7))).toEqual([6])
  expect(found(at(20), at(30))).toEqual([])
  expect(found(at(0) - 1, at(100), { afterUs: at(2), limit: 3 })).toEqual([3, 4, 6])
  expect(segments.findAfter(sourceId, at(4))?.id).toMatch(/6$/)
  expect(segments.findLast(sourceId)?.id).toMatch(/9$/)
})

test('days are summed up newest first, and sources found, each without looking at the files of others', () => {
  const db = testDatabase()
  const segments = new SegmentsRepository(db)
  insert(db, 0, { day: '2026-04-07' } as never)
  insert(db, 1, { day: '2026-04-07', sizeBytes: null } as never)
  insert(db, 2, { day: '2026-04-08', durationMs: null } as never)
  insert(db, 3, { sourceId: 'other', day: '2026-04-09' } as never)
  expect(segments.sumDays(sourceId, '2026-04-07', '2026-04-08')).toEqual([
    { day: '2026-04-08', segments: 1, durationMs: 0, sizeBytes: 10 },
    { day: '2026-04-07', segments: 2, durationMs: 120_000, sizeBytes: 10 }
  ])
  expect(segments.sumDays(sourceId, '2026-03-08', '2026-04-07')).toMatchObject([{ day: '2026-04-07' }])
  expect(['2026-04-09', '2026-04-07', '2026-04-06'].map((day) => segments.findDayUpTo(sourceId, day))).toEqual([
    '2026-04-08',
    '2026-04-07',
    null
  ])
  // The size of one is not known, so that of all is not.
  expect(segments.sumOf(sourceId)).toMatchObject({ segments: 3, sizeBytes: null, firstUs: START_US })
  expect(segments.sumOf('other')).toMatchObject({ segments: 1, sizeBytes: 10 })
  expect(segments.sumOf('nobody')).toBeUndefined()
  expect(segments.listSourceIds()).toEqual(['other', sourceId])
  expect(new SegmentsRepository(testDatabase()).listSourceIds()).toEqual([])
})

test('no question looks at all recordings', () => {
  const db = testDatabase()
  const segments = new SegmentsRepository(db)
  for (const ask of [
    () => segments.listWindow(sourceId, { fromUs: 0, toUs: 1 }),
    () => segments.sumDays(sourceId, '2026-04-07', '2026-04-08'),
    () => segments.findDayUpTo(sourceId, '2026-04-07'),
    () => segments.sumOf(sourceId),
    () => segments.listSourceIds(),
    () => segments.listOpen(sourceId),
    () => segments.listOpenSourceIds(),
    () => segments.listOldest(10, 'here'),
    () => segments.listOldest(10, 'elsewhere'),
    () => segments.findAfter(sourceId, 0),
    () => segments.isNeeded('x')
  ])
    for (const step of plansOf(db, ask)) expect(step).not.toMatch(/^SCAN (recording_segment|clip)(?! USING)/)
})

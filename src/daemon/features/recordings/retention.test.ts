import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AuditLog } from '../../audit/audit-log.ts'
import type { LiveConfig } from '../../config/settings/live.ts'
import { freeBytesOfDisk } from '../../files.ts'
import { segmentBytes } from '../../testing/fake-mediamtx/segment-media.ts'
import { ClipsRepository } from './clips.repository.ts'
import { EVER, isoFromUs, US_PER_MS, US_PER_S } from './instants.ts'
import { ENOUGH_BYTES, RecordingRoom } from './recording-room.ts'
import { CAMERA, placeOf, RUN, startIndex } from './recordings-bench.ts'
import { chooseToDelete, Retention, type Room } from './retention.ts'
import type { SegmentRow } from './segments.repository.ts'
import { endOf } from './sessions.ts'

const NEVER = new AbortController().signal
const noLimits = { keepMs: null, maxBytes: null, minFreeBytes: null }
const MINUTE_US = 60 * US_PER_S
const DAY_MS = 86_400_000

/** Recordings of a minute each, oldest first, the newest of the last minute. */
async function startRetention(config: Partial<LiveConfig['recordings']>, minutes = 5) {
  const bench = await startIndex()
  const { clock, db, fake } = bench
  const audit = new AuditLog({ db, clock })
  const nowUs = clock.nowMs() * US_PER_MS
  for (let n = minutes; n > 0; n--) fake.addSegment(CAMERA, isoFromUs(nowUs - n * MINUTE_US), 60)
  const rows = await bench.scanned()
  const settings = { dir: '', segmentMs: 0, maxGapMs: 0, ...noLimits, ...config }
  const disk: { freeBytes: number | null } = { freeBytes: null }
  const freeBytesOf = async (folder: string) => disk.freeBytes ?? freeBytesOfDisk(folder)
  const room = new RecordingRoom({ ...bench, freeBytesOf, applyRecording: async () => undefined })
  const retention = new Retention({ ...bench, room, audit, config: settings })
  return {
    ...bench,
    disk,
    rows,
    retention,
    async left() {
      await retention.run(NEVER)
      const ids = rows.map(({ id }) => id)
      return bench.segments.listWindow(placeOf().sourceId, EVER).map(({ id }) => ids.indexOf(id))
    },
    told: () =>
      db
        .prepare<unknown[], { json: string }>(`SELECT data_json AS json FROM audit WHERE action = 'recording.deleted'`)
        .all()
        .map(({ json }) => JSON.parse(json) as { reason: string; path: string; sizeBytes: number })
  }
}

test('without limits everything stays', async () => {
  const { left } = await startRetention({})
  expect(await left()).toEqual([0, 1, 2, 3, 4])
})

test('what is too old goes, with its file, and that is written down and told', async () => {
  const { left, told, rows, index, outbox } = await startRetention({ keepMs: 150_000 })
  expect(await left()).toEqual([2, 3, 4])
  expect(rows.map((row) => existsSync(index.filePath(row)!))).toEqual([false, false, true, true, true])
  expect(told()).toMatchObject([
    { reason: 'too_old', path: CAMERA, sizeBytes: rows[0]!.sizeBytes },
    { reason: 'too_old' }
  ])
  expect(outbox.readFor(rows[0]!.id, 10)).toMatchObject([{ type: 'recording.deleted', data: { reason: 'too_old' } }])
})

test('the oldest go until all fit, but none that somebody keeps', async () => {
  const { left, told, rows, segments } = await startRetention({ maxBytes: 1 })
  segments.setKept(rows[1]!.id, true)
  expect(await left()).toEqual([1])
  expect(told().map(({ reason }) => reason)).toEqual(Array.from({ length: 4 }, () => 'too_much'))
})

test('no more go than have to', async () => {
  const sizeBytes = segmentBytes({ run: RUN, number: 0, startUs: 0 }, 60_000).length
  const { left } = await startRetention({ maxBytes: sizeBytes * 3 })
  expect(await left()).toEqual([2, 3, 4])
})

test('where the disk has less room than it shall have, recordings go', async () => {
  const { left, told } = await startRetention({ minFreeBytes: Number.MAX_SAFE_INTEGER })
  expect(await left()).toEqual([])
  expect(told()[0]).toMatchObject({ reason: 'disk_full' })
})

test('a disk that gives nothing back loses no more than was in the way, until it does', async () => {
  const { left, rows, disk } = await startRetention({ minFreeBytes: ENOUGH_BYTES }, 250)
  const sizeBytes = rows[0]!.sizeBytes!
  disk.freeBytes = ENOUGH_BYTES - 120 * sizeBytes
  for (let run = 0; run < 3; run++) expect(await left()).toHaveLength(130)
  // It gave them back, and others took a tenth of that.
  disk.freeBytes = ENOUGH_BYTES - 10 * sizeBytes
  expect(await left()).toHaveLength(120)
})

test('a disk that frees late is not taken for one that never does because recording goes on', async () => {
  const { left, rows, disk, scanned, fake, clock } = await startRetention({ minFreeBytes: ENOUGH_BYTES }, 20)
  const sizeBytes = rows[0]!.sizeBytes!
  disk.freeBytes = ENOUGH_BYTES - 2 * sizeBytes
  expect(await left()).toHaveLength(18)
  // What was deleted is free by now, and as much was recorded.
  for (const n of [1, 2]) fake.addSegment(CAMERA, isoFromUs(clock.nowMs() * US_PER_MS + n * MINUTE_US), 60)
  await scanned()
  expect(await left()).toEqual([...rows.keys()].slice(4).concat(-1, -1))
})

test('a clock that jumps ahead makes nothing too old at once, and one that stays there does', async () => {
  const { left, clock } = await startRetention({ keepMs: 30 * DAY_MS })
  expect(await left()).toHaveLength(5)
  clock.advanceMs(400 * DAY_MS)
  expect(await left()).toHaveLength(5)
  clock.advanceMs(-400 * DAY_MS)
  expect(await left()).toHaveLength(5)
  clock.advanceMs(400 * DAY_MS)
  expect(await left()).toHaveLength(5)
  clock.advanceMs(3600_000)
  expect(await left()).toEqual([])
})

test('nor does a base that begins with such a clock', async () => {
  const { left, clock } = await startRetention({ keepMs: 30 * DAY_MS })
  clock.advanceMs(400 * DAY_MS)
  expect(await left()).toHaveLength(5)
})

test('what is with a media server elsewhere is not taken for deleted here', async () => {
  const { retention, rows, db, told, segments } = await startRetention({ maxBytes: 1 })
  const { id } = rows[0]!
  db.prepare('UPDATE recording_segment SET file_name = NULL, raw_start = ?').run(isoFromUs(rows[0]!.startUs))
  await retention.run(NEVER)
  await expect(retention.delete(rows[0]!, 'asked')).rejects.toMatchObject({ code: 'recording_away' })
  expect([told(), segments.find(id)?.id]).toEqual([[], id])
})

test('a media server elsewhere is not asked to delete what is of a stream that was removed', async () => {
  const { left, rows, db, told, server, removed } = await startRetention({ keepMs: 1 })
  db.prepare('UPDATE recording_segment SET file_name = NULL, raw_start = ?').run(isoFromUs(rows[0]!.startUs))
  Object.assign(server, { recordRoot: null })
  const { sourceId, ...place } = placeOf()
  removed.insert({ id: sourceId, ...place })
  expect([await left(), told()]).toEqual([[0, 1, 2, 3, 4], []])
})

test('of a stream that was removed nothing is left with its last recording', async () => {
  const { left, removed } = await startRetention({ maxBytes: 1 })
  const { sourceId, ...place } = placeOf()
  removed.insert({ id: sourceId, ...place })
  expect([await left(), removed.find(sourceId)]).toEqual([[], undefined])
})

test('what is written, and what a clip is still to be cut from, stays', async () => {
  const { left, rows, db, segments } = await startRetention({ maxBytes: 1 })
  const { sourceId, workspaceId } = placeOf()
  const clips = new ClipsRepository(db)
  // It ends where the next file begins, and needs nothing of that.
  const span = { startUs: rows[1]!.startUs + 1, endUs: rows[2]!.startUs }
  clips.insert({ id: 'clip', sourceId, workspaceId, kind: 'clip', name: 'clip', ...span })
  segments.update(rows[4]!.id, { ...rows[4]!, state: 'open' })
  expect(await left()).toEqual([1, 4])
  clips.setFailed('clip', 'it could not')
  expect(await left()).toEqual([4])
})

test('what lies beside a recording goes with it; one that cannot be deleted keeps no other', async () => {
  const { left, rows, index, retention } = await startRetention({ maxBytes: 1 }, 3)
  const filePath = index.filePath(rows[0]!)!
  writeFileSync(filePath.replace('.mp4', '.bad'), 'damaged')
  await retention.delete(rows[0]!, 'asked')
  expect(readdirSync(dirname(filePath))).toHaveLength(2)
  // A folder is not removed as a file is.
  const stuck = index.filePath(rows[1]!)!.replace('.mp4', '.bad')
  mkdirSync(stuck)
  expect(await left()).toEqual([1])
  expect(existsSync(index.filePath(rows[1]!)!)).toBe(true)
})

test('many that cannot be deleted keep none of the newer ones', async () => {
  const { left, rows, index } = await startRetention({ maxBytes: 1 }, 120)
  const stuck = rows.slice(0, 110)
  // A folder is not removed as a file is.
  for (const row of stuck) mkdirSync(index.filePath(row)!.replace('.mp4', '.bad'))
  expect(await left()).toEqual(stuck.map((_, n) => n))
})

const rowOf = (startUs: number, part: { durationMs: number; sizeBytes: number | null }): SegmentRow => ({
  ...{ id: `${startUs}`, startUs, ...part, state: 'whole' },
  ...{ ...placeOf(), fileName: 'f', rawStart: null, run: null, problem: null, isKept: false }
})

test('whatever there is: the oldest go first, all that must, and none that need not', () => {
  const rows = fc
    .array(fc.record({ durationMs: fc.nat(10_000), sizeBytes: fc.option(fc.nat(1000)) }))
    .map((parts) => parts.map((part, index) => rowOf(index * 10 * US_PER_S, part)))
  const rooms = fc.record<Room>({
    oldestUs: fc.option(fc.nat(200 * US_PER_S)),
    tooMuchBytes: fc.integer({ min: -500, max: 5000 }),
    missingBytes: fc.integer({ min: -500, max: 5000 })
  })
  fc.assert(
    fc.property(rows, rooms, (oldest, room) => {
      const chosen = chooseToDelete(oldest, room).map(({ segment }) => segment)
      expect(chosen).toEqual(oldest.slice(0, chosen.length))
      const freed = chosen.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0)
      const lacks = Math.max(room.tooMuchBytes, room.missingBytes)
      const isTooOld = (row: SegmentRow) => room.oldestUs !== null && endOf(row) < room.oldestUs
      const next = oldest[chosen.length]
      if (next) expect([freed >= lacks, isTooOld(next)]).toEqual([true, false])
      const last = chosen.at(-1)
      if (last) expect(isTooOld(last) || freed - (last.sizeBytes ?? 0) < lacks).toBe(true)
    })
  )
})

test('while the disk is away nothing goes, by rule or because somebody asks, and nothing is said to have gone', async () => {
  const { left, told, rows, index, retention, server } = await startRetention({ maxBytes: 1, keepMs: 1 })
  renameSync(server.recordRoot!, `${server.recordRoot}-away`)
  mkdirSync(server.recordRoot!)
  expect(await left()).toEqual([0, 1, 2, 3, 4])
  await expect(retention.delete(rows[0]!, 'asked')).rejects.toMatchObject({ code: 'recording_away' })
  expect(told()).toEqual([])
  rmSync(server.recordRoot!, { recursive: true })
  renameSync(`${server.recordRoot}-away`, server.recordRoot!)
  expect(existsSync(index.filePath(rows[0]!)!)).toBe(true)
})

test('what a clip was asked of meanwhile is not deleted, whoever wants it', async () => {
  const { rows, db, retention, segments } = await startRetention({})
  const { sourceId, workspaceId } = placeOf()
  const span = { startUs: rows[1]!.startUs + 1, endUs: rows[2]!.startUs }
  new ClipsRepository(db).insert({ id: 'clip', sourceId, workspaceId, kind: 'clip', name: 'clip', ...span })
  for (const reason of ['asked', 'source_deleted'] as const)
    await expect(retention.delete(rows[1]!, reason)).rejects.toMatchObject({ code: 'recording_in_use' })
  expect(segments.find(rows[1]!.id)).toBeDefined()
})

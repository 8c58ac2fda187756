import { renameSync, writeFileSync } from 'node:fs'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { JobDeferred } from '../../jobs/define-job.ts'
import { segmentBytes } from '../../testing/fake-mediamtx/segment-media.ts'
import { RecordingRoom, SHORT_BYTES } from './recording-room.ts'
import { CAMERA, RUN, startIndex } from './recordings-bench.ts'
import { SegmentJobs } from './segment-jobs.ts'

const START = '2026-11-20T13:04:05.000001Z'

/** A recording that is cut off, on a disk with so much room, and the work on it. */
async function startJobs(freeBytes: number) {
  const bench = await startIndex()
  const file = bench.fake.addSegment(CAMERA, START, 20)
  writeFileSync(file, segmentBytes({ run: RUN, number: 0, startUs: 0 }, 20_000).subarray(0, -9))
  const [row] = await bench.scanned()
  const room = new RecordingRoom({
    ...bench,
    freeBytesOf: async () => freeBytes,
    applyRecording: async () => undefined
  })
  const [check, repair] = new SegmentJobs({ ...bench, room, ffmpegPath: () => null }).bindJobs()
  const context = {
    signal: new AbortController().signal,
    log: pino({ level: 'silent' }),
    attempt: 1,
    reportProgress() {}
  }
  const run = (job: typeof check) => job!.run({ segmentId: row!.id }, context)
  return {
    ...bench,
    check: () => run(check),
    repair: () => run(repair),
    state: () => bench.segments.find(row!.id)?.state,
    size: row!.sizeBytes!
  }
}

test('while the disk is away a file is neither checked nor repaired, and both are done later', async () => {
  const { check, repair, state, server } = await startJobs(Number.MAX_SAFE_INTEGER)
  const away = `${server.recordRoot}-away`
  renameSync(server.recordRoot!, away)
  await expect(check()).rejects.toBeInstanceOf(JobDeferred)
  renameSync(away, server.recordRoot!)
  await check()
  expect(state()).toBe('damaged')
  renameSync(server.recordRoot!, away)
  await expect(repair()).rejects.toBeInstanceOf(JobDeferred)
  renameSync(away, server.recordRoot!)
  await repair()
  expect(state()).toBe('repaired')
})

test('without room for what it is written to anew, a file is not repaired', async () => {
  const { check, repair, state } = await startJobs(SHORT_BYTES + 1)
  await check()
  await expect(repair()).rejects.toMatchObject({ code: 'disk_full' })
  expect(state()).toBe('damaged')
})

import { existsSync } from 'node:fs'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { AuditLog } from '../../audit/audit-log.ts'
import { JobDeferred } from '../../jobs/define-job.ts'
import { ClipsRepository } from './clips.repository.ts'
import { RecordingPlaces } from './recorded-sources.ts'
import { CAMERA, placeOf, startIndex } from './recordings-bench.ts'
import { Retention } from './retention.ts'
import { SourceRemoval } from './source-removal.ts'

const { sourceId, workspaceId } = placeOf()
const context = {
  signal: new AbortController().signal,
  log: pino({ level: 'silent' }),
  attempt: 1,
  reportProgress() {}
}
const noLimits = { dir: '', segmentMs: 0, maxGapMs: 0, keepMs: null, maxBytes: null, minFreeBytes: null }

/** A recording of a stream that is gone, and the work that deletes it. */
async function startRemoval(options: { isElsewhere?: boolean } = {}) {
  const bench = await startIndex(options)
  const { clock, db } = bench
  const file = bench.fake.addSegment(CAMERA, '2026-11-20T13:04:05.000001Z', 60)
  const [row] = await bench.scanned()
  bench.removed.insert({ ...placeOf(), id: sourceId })
  const sources = { find: () => undefined, listRecorded: () => [], setRecording: async () => undefined }
  const retention = new Retention({ ...bench, audit: new AuditLog({ db, clock }), config: noLimits })
  const places = new RecordingPlaces({ ...bench, sources })
  const job = new SourceRemoval({ ...bench, places, retention }).bindJob()
  // Such as the version before queued it.
  const run = () => job.run({ id: sourceId, workspaceId, pathName: CAMERA }, context)
  return {
    ...bench,
    places,
    file,
    run,
    clips: new ClipsRepository(db),
    span: { startUs: row!.startUs, endUs: row!.startUs + 1 }
  }
}

test('what was recorded of a stream that is gone waits for a clip that is still to be cut, and goes then', async () => {
  const { run, clips, span, file, removed } = await startRemoval()
  clips.insert({ id: 'clip', sourceId, workspaceId, kind: 'clip', name: 'clip', ...span })
  await expect(run()).rejects.toBeInstanceOf(JobDeferred)
  clips.setFailed('clip', 'it could not')
  await run()
  expect([existsSync(file), removed.find(sourceId)]).toEqual([false, undefined])
})

test('what is of a stream that is gone is looked for also when nothing of it is known just now', async () => {
  const { places, index, segments, span } = await startRemoval()
  segments.forgetAt(sourceId, span.startUs)
  await index.scan(places.listAll())
  expect(segments.findLast(sourceId)).toMatchObject({ startUs: span.startUs })
})

test('a media server elsewhere is not left with the path, whatever happens', async () => {
  const { run, clips, span, fake } = await startRemoval({ isElsewhere: true })
  clips.insert({ id: 'clip', sourceId, workspaceId, kind: 'clip', name: 'clip', ...span })
  await expect(run()).rejects.toBeInstanceOf(JobDeferred)
  expect((await fetch(`${fake.urls.api}/v3/config/paths/get/${CAMERA}`)).status).toBe(404)
})

import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { getRecordStatus, listRecordingFiles } from '../../../shared/api/recordings.ts'
import { createSource } from '../../../shared/api/sources.ts'
import { Outbox } from '../../events/outbox.ts'
import { JobQueue } from '../../jobs/job-queue.ts'
import { MediaMtxClient } from '../../mediamtx/client.ts'
import { segmentBytes } from '../../testing/fake-mediamtx/segment-media.ts'
import { startFakeMediaMtx } from '../../testing/fake-mediamtx/start-fake-mediamtx.ts'
import { untilReady } from '../../testing/live-base.ts'
import { fakeMediaMtxProgram } from '../../testing/managed-media-server.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { startTestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder, testDatabase } from '../../testing/test-database.ts'
import { EVER, US_PER_S } from './instants.ts'
import type { RecordingPlace } from './recorded-sources.ts'
import { RecordingGrowth } from './recording-growth.ts'
import { RecordingIndex } from './recording-index.ts'
import { RecordingRoom } from './recording-room.ts'
import type { RecordingServer } from './recording-server.ts'
import { RemovedSourcesRepository } from './removed-sources.repository.ts'
import { SegmentsRepository } from './segments.repository.ts'

export const CAMERA = 'live/roof-0a1b2c3d'
/** Of every recording in tests. */
export const RUN = '6661dfc6-9bd5-4781-ae52-370e50f1f934'

/** The place of a path in recordings; every path has a source of its own. */
export function placeOf(pathName: string = CAMERA, isRecorded = true): RecordingPlace {
  const sourceId = `source-of-${pathName.slice(-8)}`.padEnd(26, '0')
  return { sourceId, workspaceId: 'default', pathName, name: 'Roof', isRecorded, isRemoved: false }
}

/** An index over a fake media server, which runs on this machine or (`isElsewhere`) on another one. */
export async function startIndex(options: { isElsewhere?: boolean } = {}) {
  const log = pino({ level: 'silent' })
  const fake = await startFakeMediaMtx({ config: { paths: { [CAMERA]: {} } } })
  onTestFinished(() => fake.close())
  const client = new MediaMtxClient({ apiUrl: fake.urls.api, playbackUrl: fake.urls.playback, credential: null })
  const server: RecordingServer = {
    recordRoot: options.isElsewhere ? null : fake.recordRoot!,
    client: () => client,
    lastErrorOf: () => null,
    onReady: () => undefined
  }
  const clock = new ManualClock(Date.now())
  const db = testDatabase()
  const outbox = new Outbox({ db, clock })
  const queue = new JobQueue({ db, clock, outbox })
  const segments = new SegmentsRepository(db)
  const removed = new RemovedSourcesRepository(db)
  const growth = new RecordingGrowth({ clock })
  const common = { db, clock, log, outbox, queue, server, segments, removed, growth }
  const index = new RecordingIndex(common)
  const room = new RecordingRoom({ ...common, index, applyRecording: async () => undefined })
  return {
    ...common,
    room,
    fake,
    index,
    place: placeOf(),
    /** The rows of a place after a look at it. */
    async scanned(place: RecordingPlace = placeOf()) {
      await index.scan([place])
      return segments.listWindow(place.sourceId, EVER)
    },
    queued: () =>
      db
        .prepare<unknown[], { name: string }>("SELECT name FROM job WHERE state = 'queued' ORDER BY id")
        .all()
        .map(({ name }) => name)
  }
}

/** A whole daemon whose media server is a program on this machine, the fake unless told otherwise. Not for Windows. */
export async function startRecordings(options: { programPath?: string; env?: Record<string, string> } = {}) {
  const listeners = ['RTMP', 'RTSP', 'HLS', 'WEBRTC', 'WEBRTC_UDP'].map((name) => [
    `FLIGHTCASE_LIVE_${name}`,
    '127.0.0.1:0'
  ])
  const base = await startTestDaemon({
    env: {
      ...Object.fromEntries(listeners),
      FLIGHTCASE_LIVE_ENABLED: 'true',
      FLIGHTCASE_LIVE_PUBLIC_HOST: '127.0.0.1',
      FLIGHTCASE_MEDIAMTX_BIN: options.programPath ?? fakeMediaMtxProgram(temporaryFolder('mediamtx')),
      ...options.env
    }
  })
  await untilReady(base)
  const source = await base.api.call(createSource, { body: { name: 'Roof', type: 'push' } })
  const params = { sourceId: source.id }
  const folder = join(base.dataDir, 'recordings', ...source.path_name.split('/'))
  const fileOf = (startUs: number) =>
    join(folder, `${Math.floor(startUs / US_PER_S)}-${String(startUs % US_PER_S).padStart(6, '0')}.mp4`)
  return {
    ...base,
    source,
    params,
    folder,
    fileOf,
    /** Puts a recording of so many seconds in place, as if it had ended. */
    put(startUs: number, seconds: number, place: { run?: string; number?: number } = {}): string {
      mkdirSync(folder, { recursive: true })
      const header = { run: place.run ?? randomUUID(), number: place.number ?? 0, startUs }
      writeFileSync(fileOf(startUs), segmentBytes(header, seconds * 1000))
      return fileOf(startUs)
    },
    /** Has the base look at what is there, and check it. */
    async look() {
      await base.api.call(getRecordStatus, { params })
      await base.daemon.idle()
      const from = new Date(Date.now() - 86_400_000 * 30).toISOString()
      const { items } = await base.api.call(listRecordingFiles, { params, query: { from } })
      return items
    }
  }
}

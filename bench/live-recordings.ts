import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { localDay } from '../src/daemon/clock.ts'
import { newId } from '../src/daemon/ids.ts'
import { listRecordingDays, listRecordingFiles, listRecordingSessions } from '../src/shared/api/recordings.ts'
import { createSource } from '../src/shared/api/sources.ts'
import type { LiveOptions } from './live.bench.ts'
import { timed, withLiveDaemon } from './live-daemon.ts'
import type { PartResult } from './parts.ts'
import { median, percentile } from './report.ts'

const SOURCES = 10
const SEGMENT_MS = 15 * 60_000
const DAY_MS = 86_400_000
const CALLS = 300
const SIZE_BYTES = 450_000_000
const LAST_MS = Date.parse('2026-11-20T00:00:00Z')

type Recorded = { sourceId: string; pathName: string }

/** How fast a day of recordings is told from a large index. */
export async function benchLiveRecordings({ quick }: LiveOptions): Promise<PartResult> {
  const count = quick ? 5000 : 100_000
  return withLiveDaemon(async ({ api, dataDir }) => {
    const sources: Recorded[] = []
    for (let index = 0; index < SOURCES; index++) {
      const { id, path_name } = await api.call(createSource, { body: { name: `Camera ${index}`, type: 'push' } })
      sources.push({ sourceId: id, pathName: path_name })
    }
    seedSegments(join(dataDir, 'flightcase.db'), sources, count / SOURCES)
    const days = Math.floor((count / SOURCES) * (SEGMENT_MS / DAY_MS))
    const measure = async (ask: (sourceId: string, from: string, to: string) => Promise<unknown>) => {
      const tookMs: number[] = []
      for (let call = 0; call < CALLS; call++) {
        const { sourceId } = sources[call % SOURCES]!
        const fromMs = LAST_MS - (1 + ((call * 37) % days)) * DAY_MS
        const [from, to] = [new Date(fromMs).toISOString(), new Date(fromMs + DAY_MS).toISOString()]
        tookMs.push(await timed(() => ask(sourceId, from, to)))
      }
      return tookMs
    }
    const sessions = await measure((sourceId, from, to) =>
      api.call(listRecordingSessions, { params: { sourceId }, query: { from, to } })
    )
    const files = await measure((sourceId, from, to) =>
      api.call(listRecordingFiles, { params: { sourceId }, query: { from, to, limit: 100 } })
    )
    const allDays = await measure((sourceId) => api.call(listRecordingDays, { params: { sourceId } }))
    return {
      figures: [
        { name: `a day's sessions of ${count} segments, p50`, value: median(sessions), unit: 'ms' },
        { name: 'the same, p95', value: percentile(sessions, 0.95), unit: 'ms', goal: { atMost: 20 } },
        { name: "a day's files, p50", value: median(files), unit: 'ms' },
        { name: 'the same, p95', value: percentile(files, 0.95), unit: 'ms', goal: { atMost: 20 } },
        { name: 'the days of a source, p95', value: percentile(allDays, 0.95), unit: 'ms' }
      ],
      notes: [
        `recordings: ${SOURCES} sources with files of 15 minutes (96 a day); ${CALLS} calls each, another day each time`
      ]
    }
  })
}

/** Notes files that are not there: the index leaves alone what lies in a folder that is empty, as one that was not mounted is. */
function seedSegments(filePath: string, sources: readonly Recorded[], perSource: number): void {
  const db = new Sqlite(filePath, { fileMustExist: true })
  const insert = db.prepare(
    `INSERT INTO recording_segment (id, source_id, workspace_id, path_name, start_us, day, file_name, duration_ms,
       size_bytes, state, is_kept)
     VALUES (?, ?, 'default', ?, ?, ?, ?, ?, ?, 'whole', 0)`
  )
  db.transaction(() => {
    for (const { sourceId, pathName } of sources)
      for (let index = 1; index <= perSource; index++) {
        const startMs = LAST_MS - index * SEGMENT_MS
        const file = `${startMs / 1000}-000000.mp4`
        const day = localDay(startMs)
        insert.run(newId(startMs), sourceId, pathName, startMs * 1000, day, file, SEGMENT_MS, SIZE_BYTES)
      }
  })()
  db.close()
}

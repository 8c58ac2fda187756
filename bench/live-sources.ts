import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { mediaServerPid } from '../src/daemon/testing/media-server-processes.ts'
import { createSource, getMediaServer, listSources } from '../src/shared/api/sources.ts'
import type { LiveOptions } from './live.bench.ts'
import { type LiveDaemon, timed, until, withLiveDaemon } from './live-daemon.ts'
import type { PartResult } from './parts.ts'
import { median, percentile } from './report.ts'

const KILLS = 5
const CALLS = 300
/** The largest page. */
const SOURCES = 500
/** One that ends sooner is started again later. */
const LASTING_MS = 3000

/** How soon all paths are back after MediaMTX was killed, and how fast the status of all is told. */
export async function benchLiveSources({ quick }: LiveOptions): Promise<PartResult> {
  const count = quick ? 50 : SOURCES
  return withLiveDaemon(async (daemon) => {
    const { api } = daemon
    const addedMs: number[] = []
    for (let index = 0; index < count; index++) {
      const body = { name: `Camera ${index}`, type: 'push' } as const
      addedMs.push(await timed(() => api.call(createSource, { body })))
    }
    for (let warm = 0; warm < 20; warm++) await statuses(daemon)
    const statusMs: number[] = []
    for (let call = 0; call < CALLS; call++) statusMs.push(await timed(() => statuses(daemon)))
    const backMs: number[] = []
    const stallMs: number[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(LASTING_MS)
      await daemon.longestStallMs()
      backMs.push(await untilBack(daemon, count))
      // What follows upon its coming back is part of it.
      await pause(LASTING_MS)
      stallMs.push(await daemon.longestStallMs())
    }
    return {
      figures: [
        { name: `kill -9 of MediaMTX to the last of ${count} paths, median`, value: median(backMs) / 1000, unit: 's' },
        { name: 'the same, slowest', value: Math.max(...backMs) / 1000, unit: 's', goal: { atMost: 5 } },
        { name: 'longest event-loop delay meanwhile', value: Math.max(...stallMs), unit: 'ms', goal: { atMost: 100 } },
        { name: `status of ${count} sources in one call, p50`, value: median(statusMs), unit: 'ms' },
        { name: 'the same, p95', value: percentile(statusMs, 0.95), unit: 'ms', goal: { atMost: 50 } },
        { name: 'adding a source, p50', value: median(addedMs), unit: 'ms' },
        { name: 'adding a source, p95', value: percentile(addedMs, 0.95), unit: 'ms' }
      ],
      notes: [`sources: ${count} that nobody sends; killed ${KILLS} times; status asked ${CALLS} times, one at a time`]
    }
  })
}

/** Kills MediaMTX and gives how long it takes until every path is there again, in ms. */
async function untilBack(daemon: LiveDaemon, count: number): Promise<number> {
  const pid = await mediaServerPid(join(daemon.dataDir, 'mediamtx'))
  return timed(async () => {
    process.kill(pid, 'SIGKILL')
    await until(async () => (await mediaServerPid(join(daemon.dataDir, 'mediamtx'))) !== pid)
    await until(async () => (await daemon.api.call(getMediaServer, {})).state === 'ready')
    await until(async () => {
      const { items } = await statuses(daemon)
      return items.filter(({ status }) => status?.registered).length === count
    })
  })
}

const statuses = ({ api }: LiveDaemon) => api.call(listSources, { query: { with_status: 'true', limit: SOURCES } })

import { onTestFinished, vi } from 'vitest'
import type { z } from 'zod'
import { createSource, getSourceStatus, type MediaSource, type StreamStatus } from '../../shared/api/sources.ts'
import { findFfmpeg } from '../media/find-ffmpeg.ts'
import { askingEachOther } from './fake-mediamtx/asking-each-other.ts'
import { untilReady } from './live-base.ts'
import { realLiveEnv } from './real-live-env.ts'
import { findRealMediaMtx, startRealMediaMtx } from './real-mediamtx.ts'
import { startTestDaemon, type TestDaemon } from './test-daemon.ts'

/** For conditions that take programs to start, on a machine that is busy. */
export const PATIENCE = { timeout: 60_000, interval: 100 }

/** The real MediaMTX to run streams with; null, and said, where that or ffmpeg is missing. */
export async function findLivePrograms(): Promise<string | null> {
  if (findFfmpeg() !== null) return findRealMediaMtx()
  console.warn('no test with real streams: there is no ffmpeg to send them')
  return null
}

export interface RealLiveBase extends TestDaemon {
  /** Adds a source; `push` unless told otherwise. */
  add(request?: Partial<z.input<NonNullable<typeof createSource.body>>>): Promise<MediaSource>
  statusOf(sourceId: string): Promise<StreamStatus>
  untilConnected(sourceId: string): Promise<StreamStatus>
  untilGone(sourceId: string): Promise<void>
}

/** A whole daemon that runs the real MediaMTX; both end with the test. */
export async function startRealLiveBase(program: string): Promise<RealLiveBase> {
  return startWith(await realLiveEnv(program))
}

/** The same with the real MediaMTX run by somebody else, which asks the daemon who may, or lets everybody do everything. */
export async function startBaseBesideRealServer(program: string, { asks }: { asks: boolean }): Promise<RealLiveBase> {
  const asking = asks ? await askingEachOther() : { config: {}, env: {} }
  const mediamtx = await startRealMediaMtx(program, asking.config, '')
  onTestFinished(() => mediamtx.close())
  return startWith({
    FLIGHTCASE_LIVE_ENABLED: 'true',
    FLIGHTCASE_MEDIAMTX_API: mediamtx.urls.api,
    FLIGHTCASE_LIVE_PUBLIC_HOST: '127.0.0.1',
    ...asking.env
  })
}

async function startWith(env: Record<string, string>): Promise<RealLiveBase> {
  const base = await startTestDaemon({ env })
  await untilReady(base)
  const statusOf = (sourceId: string) => base.api.call(getSourceStatus, { params: { sourceId } })
  return {
    ...base,
    add: (request = {}) => base.api.call(createSource, { body: { name: 'Roof camera', type: 'push', ...request } }),
    statusOf,
    untilConnected: (sourceId) =>
      vi.waitFor(async () => {
        const status = await statusOf(sourceId)
        if (!status.connected) throw new Error(`nothing sends: ${status.last_error}`)
        return status
      }, PATIENCE),
    untilGone: (sourceId) =>
      vi.waitFor(async () => {
        const { connected, available } = await statusOf(sourceId)
        if (connected || available) throw new Error('it still sends')
      }, PATIENCE)
  }
}

import { onTestFinished, vi } from 'vitest'
import type { z } from 'zod'
import { createSource, getMediaServer, type MediaSource } from '../../shared/api/sources.ts'
import { askingEachOther, sendTo } from './fake-mediamtx/asking-each-other.ts'
import type { FakeMediaMtx, PublishOptions } from './fake-mediamtx/fake-mediamtx.ts'
import { startFakeMediaMtx } from './fake-mediamtx/start-fake-mediamtx.ts'
import { freePort } from './free-port.ts'
import { startTestDaemon, type TestDaemon } from './test-daemon.ts'

export interface LiveBase extends TestDaemon {
  mediamtx: FakeMediaMtx
  /** Adds a source; `push` unless told otherwise. */
  add(request?: Partial<z.input<NonNullable<typeof createSource.body>>>): Promise<MediaSource>
  /** Begins to send a stream to its address. */
  send(source: MediaSource, options?: PublishOptions): Promise<unknown>
}

/**
 * A whole daemon with a media server that somebody else runs, which is a fake one that asks the daemon who may send and watch (unless
 * `asks` is false), and lets everybody use its API. Both end with the test.
 */
export async function startLiveBase({
  asks = true,
  ...options
}: NonNullable<Parameters<typeof startTestDaemon>[0]> & { asks?: boolean } = {}): Promise<LiveBase> {
  const [hls, playback] = [await freePort(), await freePort()]
  const asking = asks ? await askingEachOther() : { config: {}, env: {} }
  // It tells where it listens, so the ports have to be known before.
  const mediamtx = await startFakeMediaMtx({
    config: {
      webrtc: false,
      hlsAddress: `127.0.0.1:${hls}`,
      playbackAddress: `127.0.0.1:${playback}`,
      ...asking.config
    }
  })
  onTestFinished(() => mediamtx.close())
  const base = await startTestDaemon({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    overrides: { livenessMs: 200, ...options.overrides },
    env: {
      FLIGHTCASE_LIVE_ENABLED: 'true',
      FLIGHTCASE_MEDIAMTX_API: mediamtx.urls.api,
      FLIGHTCASE_LIVE_ALLOW_LOOPBACK: 'true',
      FLIGHTCASE_LIVE_PUBLIC_HOST: 'base.lan',
      ...asking.env,
      ...options.env
    }
  })
  await untilReady(base)
  return {
    ...base,
    mediamtx,
    send: (source, options) => sendTo(mediamtx, source, options),
    add: (request = {}) => base.api.call(createSource, { body: { name: 'Roof camera', type: 'push', ...request } })
  }
}

/** Waits until the daemon is on terms with its media server. */
export async function untilReady({ api }: Pick<TestDaemon, 'api'>): Promise<void> {
  await vi.waitFor(
    async () => {
      const { state } = await api.call(getMediaServer, {})
      if (state !== 'ready') throw new Error(`the media server is ${state}`)
    },
    { timeout: 15_000 }
  )
}

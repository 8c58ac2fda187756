import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findMediaMtx } from '../src/daemon/mediamtx/find-mediamtx.ts'
import { realLiveEnv } from '../src/daemon/testing/real-live-env.ts'
import { openAdmin } from '../src/demo/admin-access.ts'
import { launchDaemon } from '../src/demo/daemon-process.ts'
import { getMediaServer } from '../src/shared/api/sources.ts'
import type { ApiClient } from '../src/shared/api-client.ts'
import type { ReadyInfo } from '../src/shared/ready.ts'

const POLL_MS = 20

export type LiveDaemon = {
  dataDir: string
  admin: ReadyInfo['admin']
  api: ApiClient
  /** The longest time in ms that its event loop stood still since the last call. */
  longestStallMs(): Promise<number>
}

/**
 * Runs `measure` with a daemon that has the real MediaMTX; both end with it, and their data goes. Throws with what helps where
 * there is no MediaMTX.
 */
export async function withLiveDaemon<Result>(measure: (daemon: LiveDaemon) => Promise<Result>): Promise<Result> {
  const found = await findMediaMtx({ configured: process.env['FLIGHTCASE_MEDIAMTX_BIN'] ?? null, resourcesDir: null })
  if ('problem' in found)
    throw new Error(`this bench needs the real MediaMTX: ${found.problem.message} ${found.problem.remedy}`)
  const root = join(import.meta.dirname, '..', '.cache', 'bench')
  await mkdir(root, { recursive: true })
  const dataDir = await mkdtemp(join(root, 'live-'))
  let onStall: ((stallMs: number) => void) | undefined
  const daemon = launchDaemon({
    dataDir,
    env: { ...(await realLiveEnv(found.program.path)), FLIGHTCASE_LOG_LEVEL: 'warn' },
    nodeArgs: ['--import', join(import.meta.dirname, 'tell-stalls.ts')],
    onLog: (line) => {
      const [, stallMs] = /^longest stall (\S+) ms$/.exec(line) ?? []
      if (stallMs !== undefined) onStall?.(Number(stallMs))
    }
  })
  try {
    const { admin } = await daemon.ready
    const { api } = openAdmin(admin)
    const longestStallMs = () =>
      new Promise<number>((resolve) => {
        onStall = resolve
        process.kill(daemon.pid, 'SIGUSR2')
      })
    await until(async () => (await api.call(getMediaServer, {})).state === 'ready')
    return await measure({ dataDir, admin, api, longestStallMs })
  } finally {
    await daemon.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Asks again and again until something is so; an error is no. Throws after a minute. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 60_000; !(await isSo().catch(() => false)); await pause(POLL_MS))
    if (performance.now() > deadline) throw new Error('it has not come to that within a minute')
}

/** How long a call takes, in ms. */
export async function timed(call: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await call()
  return performance.now() - startedAt
}

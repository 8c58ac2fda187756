import { join } from 'node:path'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { type ApiClient, createApiClient } from '../../shared/api-client.ts'
import type { ReadyInfo } from '../../shared/ready.ts'
import { loadConfig } from '../config/load.ts'
import { createDaemon, type Daemon, type DaemonOverrides } from '../daemon.ts'
import { temporaryFolder } from './test-database.ts'

export interface TestDaemon {
  daemon: Daemon
  ready: ReadyInfo
  dataDir: string
  /** Calls with the admin token. */
  api: ApiClient
  /** `fetch` on the admin listener with the admin token. */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

export const TEST_PILOT_TOKEN = 'a-token-for-all-controllers'

/** The whole daemon on free loopback ports with a fresh data folder; stops with the test. */
export async function startTestDaemon(
  options: { env?: Record<string, string>; dataDir?: string; overrides?: DaemonOverrides } = {}
): Promise<TestDaemon> {
  const dataDir = options.dataDir ?? join(temporaryFolder('daemon'), 'data')
  const config = loadConfig({
    flags: { dataDir, field: '127.0.0.1:0', admin: '127.0.0.1:0', s3: '127.0.0.1:0', mqtt: '127.0.0.1:0' },
    // A media server on PATH would be started with every base, on the same ports.
    env: { FLIGHTCASE_PILOT_TOKEN: TEST_PILOT_TOKEN, FLIGHTCASE_LIVE_ENABLED: 'false', ...options.env }
  })
  const daemon = await createDaemon(config, {
    log: pino({ level: 'silent' }),
    checkResponses: true,
    ...options.overrides
  })
  const ready = await daemon.start()
  onTestFinished(() => daemon.stop())
  const authorization = `Bearer ${ready.admin.token}`
  return {
    daemon,
    ready,
    dataDir,
    api: createApiClient({
      baseUrl: ready.admin.url,
      headers: () => ({ authorization }),
      transport: (url, init) => fetch(url, init as RequestInit)
    }),
    fetch: (path, init) =>
      fetch(ready.admin.url + path, { ...init, headers: { authorization, ...(init?.headers as object | undefined) } })
  }
}

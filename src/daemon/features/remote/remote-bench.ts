import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { onTestFinished, vi } from 'vitest'
import { cacheRemoteMedia, getRemoteMedia, type RemoteMedia } from '../../../shared/api/remote.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'

export type OriginAnswer = (request: IncomingMessage, response: ServerResponse) => void

/** A server of somebody else on loopback, and what it was asked. Ends with the test. */
export async function startOrigin(answer: OriginAnswer) {
  const origin = { port: 0, requests: [] as IncomingMessage[], answer }
  const server = createServer((request, response) => {
    origin.requests.push(request)
    origin.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  origin.port = (server.address() as AddressInfo).port
  return Object.assign(origin, { url: (path: string) => `http://origin.example:${origin.port}${path}` })
}
export type Origin = Awaited<ReturnType<typeof startOrigin>>

/** Every name leads to loopback. */
export const loopbackNames: LookupFunction = (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])

/** Settings with which the origin's port on loopback is asked. */
export const remoteEnv = (origin: Pick<Origin, 'port'>, env: Record<string, string> = {}): Record<string, string> => ({
  FLIGHTCASE_REMOTE_ENABLED: 'true',
  FLIGHTCASE_REMOTE_ALLOW_PRIVATE: 'true',
  FLIGHTCASE_REMOTE_PORTS: String(origin.port),
  ...env
})

/** A whole daemon beside an origin. */
export async function startRemote(
  answer: OriginAnswer,
  { env = {}, dataDir }: { env?: Record<string, string>; dataDir?: string } = {}
) {
  const origin = await startOrigin(answer)
  const clock = new ManualClock(Date.now())
  const start = (folder: string | undefined) =>
    startTestDaemon({
      env: remoteEnv(origin, env),
      ...(folder === undefined ? {} : { dataDir: folder }),
      overrides: { clock, lookup: loopbackNames }
    })
  const running = { base: await start(dataDir) }
  return {
    origin,
    clock,
    get base(): TestDaemon {
      return running.base
    },
    ask: (path: string, body: Partial<{ workspaceId: string; refresh: boolean }> = {}) =>
      running.base.api.call(cacheRemoteMedia, { body: { url: origin.url(path), ...body } }),
    task: (taskId: string) => running.base.api.call(getRemoteMedia, { params: { taskId } }),
    content: (taskId: string, headers: Record<string, string> = {}) =>
      running.base.fetch(`/api/v1/remote-media/${taskId}/content`, { headers }),
    /** Asks, and waits until that is settled. */
    async settled(path: string, body: Partial<{ workspaceId: string; refresh: boolean }> = {}): Promise<RemoteMedia> {
      const { taskId } = await this.ask(path, body)
      return this.until(taskId, ({ status }) => status === 'ready' || status === 'failed')
    },
    until(taskId: string, holds: (task: RemoteMedia) => boolean): Promise<RemoteMedia> {
      return vi.waitFor(
        async () => {
          const task = await this.task(taskId)
          if (!holds(task)) throw new Error(JSON.stringify(task))
          return task
        },
        { timeout: 20_000, interval: 20 }
      )
    },
    async restart(): Promise<void> {
      await running.base.daemon.stop()
      running.base = await start(running.base.dataDir)
    }
  }
}
export type Remote = Awaited<ReturnType<typeof startRemote>>

export const hexDigest = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')

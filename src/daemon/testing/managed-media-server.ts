import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { type Logger, pino } from 'pino'
import { z } from 'zod'
import { loadConfig } from '../config/load.ts'
import type { LiveConfig } from '../config/settings/live.ts'
import { ManagedServer, type ManagedServerOptions } from '../mediamtx/managed-server.ts'

const questionSchema = z.object({ action: z.string(), user: z.string(), password: z.string() })

/** What a managed server needs for a test: ports that nobody has, nothing beyond this machine, and haste. */
export function testLiveConfig(dataDir: string, programPath: string): LiveConfig {
  const listeners = ['RTMP', 'RTSP', 'HLS', 'WEBRTC', 'WEBRTC_UDP'].map((name) => [
    `FLIGHTCASE_LIVE_${name}`,
    '127.0.0.1:0'
  ])
  const env = { ...Object.fromEntries(listeners), FLIGHTCASE_MEDIAMTX_BIN: programPath }
  return loadConfig({ flags: { dataDir }, env }).live
}

/** Is not in a hurry where a slow machine would suffer from that. */
export const testTiming = { restartMinMs: 20, restartMaxMs: 100, searchMs: 50, readyMs: 60_000 }

/** A program in `dir` that stands in for MediaMTX: the fake, started as that is. Not for Windows. */
export function fakeMediaMtxProgram(dir: string): string {
  const path = join(dir, 'mediamtx')
  const script = join(import.meta.dirname, 'fake-mediamtx/program.ts')
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`, { mode: 0o755 })
  return path
}

/** A managed server, not yet started, with somebody who answers its questions: only the daemon itself may do anything. */
export async function createManagedMediaServer(
  options: Pick<ManagedServerOptions, 'config' | 'dir'> & Partial<ManagedServerOptions> & { log?: Logger }
): Promise<{ server: ManagedServer; stop: () => Promise<void> }> {
  const answerer = createServer((request, response) => {
    void (async () => {
      const { user, password } = questionSchema.parse(await json(request))
      const isOwn = user === server.credential.user && password === server.credential.password
      response.writeHead(isOwn && request.url === `/auth?k=${server.callbackKey}` ? 200 : 401).end()
    })()
  }).listen(0, '127.0.0.1')
  await once(answerer, 'listening')
  const address = answerer.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  const server = new ManagedServer({
    resourcesDir: null,
    callbackUrl: () => `http://127.0.0.1:${address.port}/auth`,
    initialPaths: () => ({}),
    log: pino({ level: 'silent' }),
    timing: testTiming,
    ...options
  })
  const stop = async () => {
    await server.stop()
    answerer.closeAllConnections()
    answerer.close()
  }
  return { server, stop }
}

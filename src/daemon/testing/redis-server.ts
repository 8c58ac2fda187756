import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { temporaryFolder } from './test-database.ts'

/** The version line of the installed Redis; null where there is none. */
export const redisVersion: string | null = versionOf(spawnSync('redis-server', ['--version'], { encoding: 'utf8' }))

if (redisVersion === null) console.warn('redis-server is not installed: the tests that need one are skipped')

export interface TestRedis {
  url: string
  start(): Promise<void>
  /** Ends it as a power cut does; what it acknowledged is there again after `start`. */
  kill(): Promise<void>
  /** Keeps it from answering, and lets it go on. */
  freeze(): void
  thaw(): void
}

/** A Redis of our own on a free loopback port, which writes everything to disk at once. Ends with the test. */
export async function startRedis(): Promise<TestRedis> {
  const dir = temporaryFolder('redis')
  const port = await freePort()
  let server: ChildProcess
  const start = async (): Promise<void> => {
    const settings = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'yes', appendfsync: 'always' }
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
    server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const line of createInterface({ input: server.stdout! })) if (line.includes('Ready to accept')) break
    server.stdout!.resume()
  }
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill('SIGKILL')
    await ended
  }
  await start()
  onTestFinished(kill)
  return {
    url: `redis://127.0.0.1:${port}/0`,
    start,
    kill,
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT')
  }
}

function versionOf({ status, stdout }: { status: number | null; stdout: string | null }): string | null {
  return status === 0 && stdout !== null ? stdout.trim() : null
}

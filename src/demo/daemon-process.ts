import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type ReadyInfo, readyInfoFrom } from '../shared/ready.ts'

export type DaemonProcess = {
  pid: number
  /** What the daemon announced. Rejects when it ends before it is ready. */
  ready: Promise<ReadyInfo>
  /** Exit code or signal, once it has ended. */
  ended: Promise<number | NodeJS.Signals>
  /** Asks for a graceful end and waits for it. */
  stop(): Promise<void>
  /** Ends it as a power cut does: at once and without asking (kill -9). */
  kill(): Promise<void>
}

export type DaemonLaunch = {
  dataDir: string
  /** Further arguments of `serve`; the listeners take any free port of the loopback interface unless named here. */
  args?: string[]
  env?: Record<string, string>
  /** Arguments for Node itself. */
  nodeArgs?: string[]
  /** What the daemon logs, line by line; the last lines are also part of a failure's message. */
  onLog?: (line: string) => void
}

const LISTENERS = ['--field', '--admin', '--s3', '--mqtt']
const TAIL_LINES = 15

/** Starts `flightcase serve` from its sources in a process of its own. */
export function launchDaemon({ dataDir, args = [], env = {}, nodeArgs = [], onLog }: DaemonLaunch): DaemonProcess {
  const cli = join(import.meta.dirname, '..', 'daemon', 'cli.ts')
  const listeners = LISTENERS.filter((flag) => !args.includes(flag)).flatMap((flag) => [flag, '127.0.0.1:0'])
  const child = spawn(
    process.execPath,
    [...nodeArgs, cli, 'serve', '--data-dir', dataDir, '--ready-json', ...listeners, ...args],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }
  )
  const tail: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    tail.push(line)
    if (tail.length > TAIL_LINES) tail.shift()
    onLog?.(line)
  })
  const ended = once(child, 'close').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals)
  const ready = new Promise<ReadyInfo>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const info = readyInfoFrom(line)
      if (info) resolve(info)
      else onLog?.(line)
    })
    child.once('error', reject)
    ended.then((how) => reject(new Error(`the daemon ended with ${how} before it was ready:\n${tail.join('\n')}`)))
  })
  // Whoever does not wait for readiness learns of the end through `ended`.
  ready.catch(() => {})
  const end = async (signal: NodeJS.Signals) => {
    if (isRunning(child)) child.kill(signal)
    await ended
  }
  return { pid: child.pid ?? 0, ready, ended, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}

const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

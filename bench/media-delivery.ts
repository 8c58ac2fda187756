import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { openAsBlob, readFileSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../src/daemon/testing/free-port.ts'
import { launchDaemon } from '../src/demo/daemon-process.ts'
import { uploadMedia } from '../src/shared/api/uploads.ts'
import { processorSeconds, untilQuiet } from './process-facts.ts'
import { type Figure, median } from './report.ts'

const MIB = 1024 ** 2
const SMALL_FILES = 32
const READ_BYTES = 1024 ** 2

interface Server {
  url: string
  /** Headers of a request, ready to be sent. */
  headers: string
  /** Paths of the small files and of the large one. */
  small: string[]
  large: string
  /** Processor time of all its processes so far, in seconds. */
  processorSeconds(): number
}

/** How fast files are read, beside nginx with the same bytes and the same client, in turns. */
export async function benchDelivery({ quick }: { quick: boolean }): Promise<{ figures: Figure[]; notes: string[] }> {
  const nginxPath = findNginx()
  if (nginxPath === null)
    return { figures: [], notes: ['delivery was not measured: there is no nginx (FLIGHTCASE_NGINX names one)'] }
  const largeBytes = quick ? 64 * MIB : 1024 * MIB
  const root = join(import.meta.dirname, '..', '.cache', 'bench')
  await mkdir(root, { recursive: true })
  const directory = await mkdtemp(join(root, 'delivery-'))
  const files = join(directory, 'files')
  await mkdir(files)
  await makeFiles(files, largeBytes)
  const nginx = await startNginx(nginxPath, directory, files)
  const daemon = launchDaemon({ dataDir: join(directory, 'data'), env: { FLIGHTCASE_LOG_LEVEL: 'warn' } })
  try {
    const { admin } = await daemon.ready
    const ids: string[] = []
    for (let at = 0; at < SMALL_FILES; at++) ids.push(await upload(admin, join(files, `${at}.bin`)))
    const large = await upload(admin, join(files, 'large.bin'))
    await untilQuiet(daemon.pid, 120_000)
    const ours: Server = {
      url: admin.url,
      headers: `host: 127.0.0.1\r\nauthorization: Bearer ${admin.token}\r\n`,
      small: ids.map((id) => `/media/${id}`),
      large: `/media/${large}`,
      processorSeconds: () => processorSeconds(daemon.pid)
    }
    const rounds = quick ? 1 : 7
    const small = await inTurns(rounds, ours, nginx.server, {
      paths: ({ small }) => small,
      connections: 4,
      calls: quick ? 64 : 1024
    })
    const one = await inTurns(quick ? 1 : 5, ours, nginx.server, {
      paths: ({ large }) => [large],
      connections: 1,
      calls: quick ? 1 : 2
    })
    const size = `${largeBytes / MIB} MiB`
    return {
      figures: [
        { name: 'original of 1 MiB / nginx', value: small.ratio, unit: '×', goal: { atLeast: 0.8 } },
        { name: 'original of 1 MiB', value: small.ours.mbPerSecond, unit: 'MB/s' },
        { name: 'nginx, 1 MiB', value: small.other.mbPerSecond, unit: 'MB/s' },
        { name: 'processor time for a GB, 1 MiB each', value: small.ours.processorMs, unit: 'ms' },
        { name: 'nginx, processor time for a GB, 1 MiB each', value: small.other.processorMs, unit: 'ms' },
        { name: `original of ${size} / nginx`, value: one.ratio, unit: '×', goal: { atLeast: 0.8 } },
        { name: `original of ${size}`, value: one.ours.mbPerSecond, unit: 'MB/s' },
        { name: `nginx, ${size}`, value: one.other.mbPerSecond, unit: 'MB/s' },
        { name: `processor time for a GB, ${size} each`, value: one.ours.processorMs, unit: 'ms' },
        { name: `nginx, processor time for a GB, ${size} each`, value: one.other.processorMs, unit: 'ms' }
      ],
      notes: [
        'delivery: the files are in memory (page cache); nginx with sendfile and two workers, without a log; 4 connections for',
        'the small files, one for the large one; daemon and nginx in turns, the ratio is the median of the turns'
      ]
    }
  } finally {
    await daemon.stop()
    await nginx.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

type Reading = { paths: (server: Server) => string[]; connections: number; calls: number }
type Measured = { mbPerSecond: number; processorMs: number }

async function inTurns(rounds: number, ours: Server, other: Server, reading: Reading) {
  for (const server of [ours, other]) await measure(server, { ...reading, calls: Math.ceil(reading.calls / 4) })
  const turns: { ours: Measured; other: Measured }[] = []
  for (let round = 0; round < rounds; round++)
    turns.push({ ours: await measure(ours, reading), other: await measure(other, reading) })
  const middle = (of: (turn: (typeof turns)[number]) => number) => median(turns.map(of))
  return {
    ratio: middle((turn) => turn.ours.mbPerSecond / turn.other.mbPerSecond),
    ours: {
      mbPerSecond: middle((turn) => turn.ours.mbPerSecond),
      processorMs: middle((turn) => turn.ours.processorMs)
    },
    other: {
      mbPerSecond: middle((turn) => turn.other.mbPerSecond),
      processorMs: middle((turn) => turn.other.processorMs)
    }
  }
}

/** Reads files over connections that stay open, one at a time on each, and counts the bytes. Throws unless every answer is whole. */
async function measure(server: Server, { paths, connections, calls }: Reading): Promise<Measured> {
  const addresses = paths(server)
  const usedBefore = server.processorSeconds()
  const startedAt = performance.now()
  let next = 0
  let receivedBytes = 0
  const lane = () =>
    new Promise<void>((resolve, reject) => {
      let leftBytes = 0
      const answered = (bytes: number, buffer: Buffer) => {
        receivedBytes += bytes
        if (leftBytes === 0) {
          const end = buffer.subarray(0, bytes).indexOf('\r\n\r\n')
          const head = buffer.toString('latin1', 0, Math.max(0, end))
          const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1])
          if (!head.startsWith('HTTP/1.1 200') || !length)
            return socket.destroy(
              new Error(`unexpected answer from ${server.url}: ${buffer.toString('latin1', 0, 200)}`)
            )
          leftBytes = end + 4 + length
        }
        leftBytes -= bytes
        if (leftBytes === 0) ask()
      }
      const { hostname, port } = new URL(server.url)
      const socket = connect({
        host: hostname,
        port: Number(port),
        onread: {
          buffer: Buffer.allocUnsafe(READ_BYTES),
          callback: (bytes, buffer) => {
            answered(bytes, buffer as Buffer)
            return true
          }
        }
      })
      const ask = () => {
        if (next >= calls) return socket.destroy()
        const path = addresses[next++ % addresses.length]
        socket.write(`GET ${path} HTTP/1.1\r\n${server.headers}\r\n`)
      }
      socket.on('connect', ask).on('error', reject)
      socket.on('close', () => resolve())
    })
  await Promise.all(Array.from({ length: connections }, lane))
  const seconds = (performance.now() - startedAt) / 1000
  const processorMs = ((server.processorSeconds() - usedBefore) * 1000) / (receivedBytes / 1e9)
  return { mbPerSecond: receivedBytes / 1e6 / seconds, processorMs }
}

async function makeFiles(directory: string, largeBytes: number): Promise<void> {
  for (let at = 0; at < SMALL_FILES; at++) await writeFile(join(directory, `${at}.bin`), randomBytes(MIB))
  const file = await open(join(directory, 'large.bin'), 'wx')
  for (let bytes = 0; bytes < largeBytes; bytes += 16 * MIB) await file.write(randomBytes(16 * MIB))
  await file.close()
}

async function upload({ url, token }: { url: string; token: string }, path: string): Promise<string> {
  const body = new FormData()
  body.append('file', await openAsBlob(path), 'file.bin')
  const answer = await fetch(url + uploadMedia.path, {
    method: uploadMedia.method,
    headers: { authorization: `Bearer ${token}` },
    body
  })
  if (answer.status !== 200) throw new Error(`the upload answered ${answer.status}: ${await answer.text()}`)
  return uploadMedia.response.parse(await answer.json()).asset.id
}

function findNginx(): string | null {
  const path = process.env['FLIGHTCASE_NGINX'] ?? 'nginx'
  return spawnSync(path, ['-v']).status === 0 ? path : null
}

async function startNginx(path: string, directory: string, files: string) {
  const port = await freePort()
  const configuration = join(directory, 'nginx.conf')
  await copyFile('/dev/null', join(directory, 'nginx.log'))
  await writeFile(
    configuration,
    `daemon off; worker_processes 2; pid ${directory}/nginx.pid; error_log ${directory}/nginx.log;
     events { worker_connections 64; }
     http {
       sendfile on; tcp_nopush on; access_log off; keepalive_requests 100000; types {} default_type application/octet-stream;
       client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p; fastcgi_temp_path ${directory}/f;
       uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
       server { listen 127.0.0.1:${port}; root ${files}; }
     }`
  )
  const child = spawn(path, ['-c', configuration, '-p', directory, ...asOurselves()], { stdio: 'ignore' })
  await untilOpen(child, port, join(directory, 'nginx.log'))
  const server: Server = {
    url: `http://127.0.0.1:${port}`,
    headers: 'host: 127.0.0.1\r\n',
    small: Array.from({ length: SMALL_FILES }, (_, at) => `/${at}.bin`),
    large: '/large.bin',
    processorSeconds: () => workersOf(child.pid!).reduce((sum, pid) => sum + processorSeconds(pid), 0)
  }
  return {
    server,
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
}

/** Started by root, its workers would be another user, who may not read our files. */
const asOurselves = () => (process.getuid?.() === 0 ? ['-g', 'user root;'] : [])

/** Fails with the last lines of the log when it ends before. */
async function untilOpen(child: ChildProcess, port: number, logPath: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx has ended: ${readFileSync(logPath, 'utf8')}`)
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await pause(20)
  }
}

function workersOf(pid: number): number[] {
  if (process.platform !== 'linux') return []
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number)
}

import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, open, rm, statfs, symlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { launchDaemon } from '../src/demo/daemon-process.ts'
import { presignUpload, uploadMedia } from '../src/shared/api/uploads.ts'
import type { ReadyInfo } from '../src/shared/ready.ts'
import { measureLoad, postRequest } from './http-load.ts'
import { seededData, WORKSPACE } from './million.ts'
import { processorSeconds, residentBytes, untilQuiet } from './process-facts.ts'
import { type Figure, median } from './report.ts'

const GB = 1e9
const CHUNK_BYTES = 1024 ** 2
const SPARE_BYTES = 5 * GB
const ROUNDS = 3
const SMALL_FILES = 200
const SMALL_BYTES = 1_000_000
const INSTANT_CALLS = 2000

type Part = { figures: Figure[]; notes: string[] }

/**
 * How fast one large file comes in by a form beside the same bytes written durably and hashed by a plain program, what memory that
 * takes, how 200 small files at once fare, and how long it takes to learn that the base has a file already.
 */
export async function benchUploads({
  quick,
  largeGb = quick ? 0.2 : 10
}: {
  quick: boolean
  largeGb?: number | undefined
}): Promise<Part> {
  const root = join(import.meta.dirname, '..', '.cache', 'bench')
  await mkdir(root, { recursive: true })
  const scratch = await mkdtemp(join(root, 'uploads-'))
  try {
    const large = await largeFile(scratch, largeGb * GB)
    const small = await smallFiles(scratch)
    const instant = await instantUploads(scratch, quick)
    return {
      figures: [large, small, instant].flatMap(({ figures }) => figures),
      notes: [large, small, instant].flatMap(({ notes }) => notes)
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Rounds of a smaller file for the rate, then one of the whole size for the memory. */
async function largeFile(scratch: string, wantedBytes: number): Promise<Part> {
  const { bavail, bsize } = await statfs(scratch)
  const sizeBytes = Math.min(wantedBytes, Math.max(GB / 10, bavail * bsize - SPARE_BYTES))
  const roundBytes = Math.min(sizeBytes, GB)
  return withDaemon(join(scratch, 'large'), async (ready, pid) => {
    await sendForm(ready, CHUNK_BYTES * 64)
    await untilQuiet(pid, 60_000)
    const rounds: { plain: number; upload: number }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const plain = roundBytes / (await plainWrite(join(scratch, 'plain'), roundBytes))
      rounds.push({ plain, upload: roundBytes / (await sendForm(ready, roundBytes)) })
    }
    await untilQuiet(pid, 60_000)
    const before = { residentBytes: residentBytes(pid), processorS: processorSeconds(pid) }
    let peakBytes = 0
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, residentBytes(pid))
    }, 50)
    const tookS = await sendForm(ready, sizeBytes).finally(() => clearInterval(watch))
    const ratio = median(rounds.map(({ plain, upload }) => upload / plain))
    return {
      figures: [
        { name: `a form with ${sizeBytes / GB} GB`, value: sizeBytes / tookS / 1e6, unit: 'MB/s' },
        {
          name: 'processor time of the daemon meanwhile',
          value: (processorSeconds(pid) - before.processorS) / tookS,
          unit: 'cores'
        },
        {
          name: 'growth of its memory meanwhile',
          value: (peakBytes - before.residentBytes) / 1e6,
          unit: 'MB',
          goal: { atMost: 64 }
        },
        { name: 'durable write with sha256', value: median(rounds.map(({ plain }) => plain)) / 1e6, unit: 'MB/s' },
        { name: 'form / durable write with sha256', value: ratio, unit: '×', goal: { atLeast: 0.9 } }
      ],
      notes: [
        `form / durable write: medians of ${ROUNDS} rounds of ${roundBytes / GB} GB in turn; the daemon also computes crc32c, and client and daemon share the cores`,
        ...(sizeBytes < wantedBytes
          ? [`the large file was to have ${wantedBytes / GB} GB, but the disk has no room for it`]
          : [])
      ]
    }
  })
}

async function smallFiles(scratch: string): Promise<Part> {
  return withDaemon(join(scratch, 'small'), async (ready, pid) => {
    const seconds: number[] = []
    let growthBytes = 0
    for (let round = 0; round < ROUNDS; round++) {
      await untilQuiet(pid, 60_000)
      const before = residentBytes(pid)
      const startedAt = performance.now()
      const watch = setInterval(() => {
        growthBytes = Math.max(growthBytes, residentBytes(pid) - before)
      }, 20)
      await Promise.all(Array.from({ length: SMALL_FILES }, () => sendForm(ready, SMALL_BYTES))).finally(() =>
        clearInterval(watch)
      )
      seconds.push((performance.now() - startedAt) / 1000)
    }
    const tookS = median(seconds)
    return {
      figures: [
        { name: `${SMALL_FILES} forms of 1 MB at once`, value: SMALL_FILES / tookS, unit: 'files/s' },
        { name: 'growth of memory meanwhile', value: growthBytes / 1e6, unit: 'MB' }
      ],
      notes: [`${SMALL_FILES} connections, one form each; median of ${ROUNDS} rounds`]
    }
  })
}

/** Catalogue and index are copies; the payload files are only looked at. */
async function instantUploads(scratch: string, quick: boolean): Promise<Part> {
  const seeded = await seededData(quick ? 20_000 : 1_000_000)
  const dataDir = join(scratch, 'instant')
  await mkdir(join(dataDir, 'store'), { recursive: true })
  for (const name of ['flightcase.db', 'store/index.db'])
    await copyFile(join(seeded.dataDir, name), join(dataDir, name))
  await symlink(join(seeded.dataDir, 'store/blobs'), join(dataDir, 'store/blobs'))
  return withDaemon(dataDir, async (ready, pid) => {
    await untilQuiet(pid, 600_000)
    const authorization = `Bearer ${ready.admin.token}`
    const { p50Ms, p99Ms } = await measureLoad({
      url: ready.admin.url,
      connections: 1,
      calls: INSTANT_CALLS,
      request: (call) => {
        const index = Math.floor((call / INSTANT_CALLS) * seeded.count)
        const body = {
          workspaceId: WORKSPACE,
          name: 'again.jpg',
          sizeBytes: seeded.sizeBytes,
          sha256: seeded.sha256(index)
        }
        return postRequest(presignUpload.path, { authorization, host: new URL(ready.admin.url).host }, body)
      }
    })
    const files = `of ${seeded.count} blobs`
    return {
      figures: [
        { name: `instant upload, one ${files}, p50`, value: p50Ms, unit: 'ms' },
        { name: `instant upload, one ${files}, p99`, value: p99Ms, unit: 'ms', goal: { atMost: 10 } }
      ],
      notes: [`instant upload: ${INSTANT_CALLS} calls, one after the other, each makes an asset durably`]
    }
  })
}

async function withDaemon<T>(dataDir: string, work: (ready: ReadyInfo, pid: number) => Promise<T>): Promise<T> {
  const daemon = launchDaemon({ dataDir, env: { FLIGHTCASE_LOG_LEVEL: 'warn' } })
  try {
    return await work(await daemon.ready, daemon.pid)
  } finally {
    await daemon.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Uploads so many bytes, no two files alike, over a connection of its own; gives the seconds until the answer. */
async function sendForm({ admin }: ReadyInfo, sizeBytes: number): Promise<number> {
  const { host, hostname, port } = new URL(admin.url)
  const chunk = randomBytes(Math.min(CHUNK_BYTES, sizeBytes))
  const before = `--b\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n`
  const after = '\r\n--b--\r\n'
  const startedAt = performance.now()
  const socket = connect(Number(port), hostname)
  const answer = text(socket)
  socket.write(
    `POST ${uploadMedia.path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\nauthorization: Bearer ${admin.token}\r\n` +
      `content-type: multipart/form-data; boundary=b\r\ncontent-length: ${before.length + sizeBytes + after.length}\r\n\r\n${before}`
  )
  for (let left = sizeBytes; left > 0; left -= Math.min(left, chunk.length))
    // Who is refused hears of it before all is sent.
    if (!socket.write(chunk.subarray(0, left))) await Promise.race([once(socket, 'drain'), answer])
  socket.write(after)
  const said = await answer
  if (!said.startsWith('HTTP/1.1 200')) throw new Error(`an upload was answered ${said.slice(0, 500)}`)
  return (performance.now() - startedAt) / 1000
}

/** Writes so many bytes to a new file, hashing each chunk while the one before is written; gives the seconds until they are durable. */
async function plainWrite(path: string, sizeBytes: number): Promise<number> {
  const chunk = randomBytes(CHUNK_BYTES)
  const startedAt = performance.now()
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  try {
    for (let left = sizeBytes; left > 0; left -= Math.min(left, chunk.length)) {
      const bytes = chunk.subarray(0, left)
      const written = file.write(bytes)
      hash.update(bytes)
      await written
    }
    await file.sync()
    hash.digest()
    return (performance.now() - startedAt) / 1000
  } finally {
    await file.close()
    await rm(path)
  }
}

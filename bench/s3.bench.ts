import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type PartResult, runParts } from './parts.ts'
import { processorSeconds, residentBytes } from './process-facts.ts'
import { type BenchResult, type Figure, median } from './report.ts'
import { callOnce, hashed, type PreparedCall, prepare, type S3Server, sendAll } from './s3-client.ts'

const KIB = 1024
const MIB = 1024 ** 2
const CONNECTIONS = 8
const ROUNDS = 5

type Options = { quick: boolean; only?: string | undefined }
type Stage = Options & { servers: S3Server[]; bucket: string; scratch: string }
type Work = 'PUT' | 'GET' | 'DELETE'
/** Rate in calls a second, processor time of the server in milliseconds a call (NaN where its process is not known). */
type Measured = { perSecond: number; p99Ms: number; processorMs: number }

/**
 * The embedded store and, where `FLIGHTCASE_TEST_S3_ENDPOINT` names one, another S3 server in turn: the same client, the same objects,
 * on the same disk if the other's folder is on it.
 */
export async function benchS3(options: Options): Promise<BenchResult> {
  const root = join(import.meta.dirname, '..', '.cache', 'bench')
  await mkdir(root, { recursive: true })
  const scratch = await mkdtemp(join(root, 's3-'))
  const own = await startOwn(join(scratch, 'store'))
  const other = otherServer()
  const servers = other ? [own.server, other] : [own.server]
  const bucket = `bench-${randomBytes(6).toString('hex')}`
  const memory = watchMemory(servers)
  const stage = { ...options, servers, bucket, scratch }
  try {
    for (const server of servers) await callOnce(server, { method: 'PUT', target: `/${bucket}` })
    const result = await runParts('s3', { objects: benchObjects, multipart: benchMultipart, list: benchList }, stage)
    result.figures.push(...memoryFigures(memory.stop()))
    if (!other) result.notes.push('FLIGHTCASE_TEST_S3_ENDPOINT is not set: there is no other server to be held against')
    else if (other.pid === undefined)
      result.notes.push(
        'FLIGHTCASE_TEST_S3_PID is not set: memory and processor time of the other server are not known'
      )
    return result
  } finally {
    memory.stop()
    if (other) await removeBucket(other, bucket)
    await own.stop()
    await rm(scratch, { recursive: true, force: true })
  }
}

async function startOwn(directory: string): Promise<{ server: S3Server; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 's3-store.ts'), directory], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const [line] = await once(child.stdout, 'data')
  const ready = z
    .object({ url: z.string(), accessKeyId: z.string(), secretAccessKey: z.string() })
    .parse(JSON.parse(String(line)))
  return {
    server: { name: 'ours', ...ready, region: 'us-east-1', pid: child.pid },
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
  }
}

function otherServer(): S3Server | undefined {
  const { env } = process
  const url = env['FLIGHTCASE_TEST_S3_ENDPOINT']
  const accessKeyId = env['FLIGHTCASE_TEST_S3_ACCESS_KEY']
  const secretAccessKey = env['FLIGHTCASE_TEST_S3_SECRET_KEY']
  if (url === undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined
  const pid = env['FLIGHTCASE_TEST_S3_PID']
  const region = env['FLIGHTCASE_TEST_S3_REGION'] ?? 'us-east-1'
  return { name: 'other', url, accessKeyId, secretAccessKey, region, pid: pid === undefined ? undefined : Number(pid) }
}

/** Objects of three sizes over eight connections: written, read and, the small ones, deleted. */
async function benchObjects(stage: Stage): Promise<PartResult> {
  const figures: Figure[] = []
  const sizes = [
    { label: '4 KiB', sizeBytes: 4 * KIB, count: 2000, works: ['PUT', 'GET', 'DELETE'] },
    { label: '1 MiB', sizeBytes: MIB, count: 200, works: ['PUT', 'GET'] },
    { label: '16 MiB', sizeBytes: 16 * MIB, count: 24, works: ['PUT', 'GET'] }
  ] satisfies { label: string; sizeBytes: number; count: number; works: Work[] }[]
  for (const { label, sizeBytes, count, works } of sizes) {
    const body = hashed(randomBytes(sizeBytes))
    const measured = new Map<string, Measured[]>()
    // The round before the first warms both servers up and does not count.
    for (let round = -1; round < ROUNDS; round++)
      for (const work of works)
        for (const server of stage.servers) {
          const calls = Array.from({ length: stage.quick ? Math.ceil(count / 20) : count }, (_, index) =>
            prepare(server, {
              method: work,
              target: `/${stage.bucket}/${sizeBytes}/${round}-${index}`,
              body: work === 'PUT' ? body : undefined
            })
          )
          const taken = await measure(server, calls)
          const name = `${work} ${server.name}`
          if (round >= 0) measured.set(name, [...(measured.get(name) ?? []), taken])
        }
    for (const work of works)
      figures.push(...compared(`${work} ${label}`, (server) => measured.get(`${work} ${server}`), sizeBytes, work))
    if (sizeBytes === 16 * MIB) figures.push(...(await limits(stage.scratch, body.bytes, stage.quick)))
  }
  return {
    figures,
    notes: [
      `objects: ${CONNECTIONS} connections, medians of ${ROUNDS} rounds in which the servers take turns; bodies signed with their sha256; read back from the page cache`
    ]
  }
}

async function measure(server: S3Server, calls: readonly PreparedCall[]): Promise<Measured> {
  const from = processorTime(server)
  const { perSecond, p99Ms } = await sendAll(server, calls, CONNECTIONS)
  return { perSecond, p99Ms, processorMs: ((processorTime(server) - from) / calls.length) * 1000 }
}

const processorTime = ({ pid }: S3Server) => (pid === undefined ? Number.NaN : processorSeconds(pid))

function compared(
  name: string,
  of: (server: string) => Measured[] | undefined,
  sizeBytes: number,
  work: Work
): Figure[] {
  const ours = of('ours') ?? []
  const others = of('other')
  const rate = (rounds: Measured[]) => median(rounds.map(({ perSecond }) => perSecond))
  const told = (who: string, rounds: Measured[]): Figure[] => [
    sizeBytes < MIB || work === 'DELETE'
      ? { name: `${name}, ${who}`, value: rate(rounds), unit: '/s' }
      : { name: `${name}, ${who}`, value: (rate(rounds) * sizeBytes) / 1e6, unit: 'MB/s' },
    { name: `${name}, ${who}, p99`, value: median(rounds.map(({ p99Ms }) => p99Ms)), unit: 'ms' },
    ...ifKnown(`${name}, ${who}, processor`, median(rounds.map(({ processorMs }) => processorMs)), 'ms')
  ]
  if (!others) return told('ours', ours)
  const ratio = median(ours.map(({ perSecond }, round) => perSecond / (others[round]?.perSecond ?? Number.NaN)))
  return [
    ...told('ours', ours),
    ...told('other', others),
    { name: `${name}, ours / other`, value: ratio, unit: '×', goal: { atLeast: 1 } }
  ]
}

/** A figure that is left out where it could not be measured. */
const ifKnown = (name: string, value: number, unit: string): Figure[] =>
  Number.isNaN(value) ? [] : [{ name, value, unit }]

/** What the machine itself can do: durable files of the same size over as many lanes, and both digests of an S3 server on one core. */
async function limits(scratch: string, bytes: Buffer, quick: boolean): Promise<Figure[]> {
  const files = quick ? 2 : 24
  let next = 0
  const startedAt = performance.now()
  const lane = async () => {
    for (let index = next++; index < files; index = next++) {
      const file = await open(join(scratch, `limit-${index}`), 'wx')
      await file.write(bytes)
      await file.sync()
      await file.close()
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, lane))
  const durable = (files * bytes.length) / 1e6 / ((performance.now() - startedAt) / 1000)
  const hashingFrom = performance.now()
  for (let round = 0; round < 8; round++) {
    createHash('sha256').update(bytes).digest()
    createHash('md5').update(bytes).digest()
  }
  const hashing = (8 * bytes.length) / 1e6 / ((performance.now() - hashingFrom) / 1000)
  return [
    { name: 'limit: durable files of 16 MiB, plain program', value: durable, unit: 'MB/s' },
    { name: 'limit: sha256 and md5 on one core', value: hashing, unit: 'MB/s' }
  ]
}

/** An upload of 1 GiB in parts over eight connections, what its completion takes, and reading it back. */
async function benchMultipart(stage: Stage): Promise<PartResult> {
  const parts = stage.quick ? 4 : 64
  const body = hashed(randomBytes(16 * MIB))
  const rounds = new Map<string, { putMBs: number; completeMs: number; getMBs: number }[]>()
  for (let round = 0; round < 3; round++)
    for (const server of stage.servers) {
      const measured = await uploadInParts(server, `/${stage.bucket}/large-${round}`, body, parts)
      rounds.set(server.name, [...(rounds.get(server.name) ?? []), measured])
    }
  const of = (server: string, pick: 'putMBs' | 'completeMs' | 'getMBs') =>
    (rounds.get(server) ?? []).map((r) => r[pick])
  const figures: Figure[] = []
  for (const { name } of stage.servers)
    figures.push(
      { name: `parts of 16 MiB, ${name}`, value: median(of(name, 'putMBs')), unit: 'MB/s' },
      {
        name: `completion of 1 GiB, ${name}`,
        value: median(of(name, 'completeMs')),
        unit: 'ms',
        ...(name === 'ours' ? { goal: { atMost: 50 } } : {})
      },
      { name: `GET 1 GiB, one connection, ${name}`, value: median(of(name, 'getMBs')), unit: 'MB/s' }
    )
  if (stage.servers.length > 1)
    for (const [label, pick] of [
      ['parts of 16 MiB', 'putMBs'],
      ['GET 1 GiB', 'getMBs']
    ] as const) {
      const others = of('other', pick)
      const ratios = of('ours', pick).map((ours, round) => ours / (others[round] ?? Number.NaN))
      figures.push({ name: `${label}, ours / other`, value: median(ratios), unit: '×', goal: { atLeast: 1 } })
    }
  return { figures, notes: [`multipart: ${parts} parts of 16 MiB, medians of 3 rounds`] }
}

async function uploadInParts(server: S3Server, path: string, body: ReturnType<typeof hashed>, parts: number) {
  const begun = await callOnce(server, { method: 'POST', target: `${path}?uploads=` })
  const uploadId = encodeURIComponent(/<UploadId>(.*?)<\/UploadId>/.exec(begun.body.toString())?.[1] ?? '')
  const calls = Array.from({ length: parts }, (_, index) =>
    prepare(server, { method: 'PUT', target: `${path}?partNumber=${index + 1}&uploadId=${uploadId}`, body })
  )
  const etags: string[] = []
  const { perSecond } = await sendAll(server, calls, CONNECTIONS, ({ head }, index) => {
    etags[index] = /^etag: *(\S+)/im.exec(head)?.[1] ?? ''
  })
  const list = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
  const xml = hashed(Buffer.from(`<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`))
  const completeFrom = performance.now()
  await callOnce(server, { method: 'POST', target: `${path}?uploadId=${uploadId}`, body: xml })
  const completeMs = performance.now() - completeFrom
  const get = await sendAll(server, [prepare(server, { method: 'GET', target: path })], 1)
  const sizeMB = (parts * body.bytes.length) / 1e6
  return { putMBs: (perSecond * body.bytes.length) / 1e6, completeMs, getMBs: get.perSecond * sizeMB }
}

/** All pages of a bucket with 100,000 keys. */
async function benchList(stage: Stage): Promise<PartResult> {
  const keys = stage.quick ? 2000 : 100_000
  const body = hashed(Buffer.from('x'))
  const seconds = new Map<string, number[]>()
  for (const server of stage.servers) {
    process.stderr.write(`list: ${keys} objects for ${server.name} …\n`)
    // In portions, because a signature is good for a quarter of an hour.
    for (let from = 0; from < keys; from += 10_000) {
      const calls = Array.from({ length: Math.min(10_000, keys - from) }, (_, index) => {
        const key = String(from + index).padStart(6, '0')
        return prepare(server, { method: 'PUT', target: `/${stage.bucket}/list/${key.slice(0, 3)}/${key}`, body })
      })
      await sendAll(server, calls, CONNECTIONS)
    }
  }
  for (let round = 0; round < 3; round++)
    for (const server of stage.servers) {
      const startedAt = performance.now()
      let found = 0
      for await (const page of pages(server, stage.bucket, 'list/')) found += page.length
      if (found !== keys) throw new Error(`${server.name} lists ${found} of ${keys} keys`)
      seconds.set(server.name, [...(seconds.get(server.name) ?? []), (performance.now() - startedAt) / 1000])
    }
  const of = (server: string) => seconds.get(server) ?? []
  const figures: Figure[] = stage.servers.map(({ name }) => ({
    name: `list of ${keys} keys, ${name}`,
    value: median(of(name)),
    unit: 's'
  }))
  if (stage.servers.length > 1) {
    const ratios = of('other').map((other, round) => other / (of('ours')[round] ?? Number.NaN))
    figures.push({ name: 'list, ours / other', value: median(ratios), unit: '×', goal: { atLeast: 1 } })
  }
  return {
    figures,
    notes: [`list: ListObjectsV2 by pages of 1,000, ${keys} keys in folders of 1,000, medians of 3 rounds`]
  }
}

/** The keys below a prefix, page by page. */
async function* pages(server: S3Server, bucket: string, prefix: string): AsyncGenerator<string[]> {
  for (let token: string | undefined = ''; token !== undefined; ) {
    const after: string = token === '' ? '' : `&continuation-token=${encodeURIComponent(token)}`
    const target = `/${bucket}?list-type=2${after}&prefix=${encodeURIComponent(prefix)}`
    const text: string = (await callOnce(server, { method: 'GET', target })).body.toString()
    yield [...text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key ?? '')
    token = /<NextContinuationToken>(.*?)<\/NextContinuationToken>/.exec(text)?.[1]
  }
}

async function removeBucket(server: S3Server, bucket: string): Promise<void> {
  for await (const keys of pages(server, bucket, '')) {
    if (keys.length === 0) continue
    const xml = `<Delete><Quiet>true</Quiet>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`
    await callOnce(server, { method: 'POST', target: `/${bucket}?delete=`, body: hashed(Buffer.from(xml)) })
  }
  await callOnce(server, { method: 'DELETE', target: `/${bucket}` })
}

/** Looks at what the servers hold in memory four times a second. */
function watchMemory(servers: readonly S3Server[]): { stop(): Map<string, number> } {
  const most = new Map<string, number>()
  const look = () => {
    for (const { name, pid } of servers)
      if (pid !== undefined) most.set(name, Math.max(most.get(name) ?? 0, residentBytes(pid)))
  }
  const timer = setInterval(look, 250)
  return {
    stop() {
      clearInterval(timer)
      return most
    }
  }
}

function memoryFigures(most: ReadonlyMap<string, number>): Figure[] {
  const figures: Figure[] = [...most].map(([name, bytes]) => ({
    name: `most memory, ${name}`,
    value: bytes / MIB,
    unit: 'MiB'
  }))
  const [ours, other] = [most.get('ours'), most.get('other')]
  if (ours !== undefined && other !== undefined)
    figures.push({ name: 'memory, ours / other', value: ours / other, unit: '×', goal: { atMost: 0.7 } })
  return figures
}

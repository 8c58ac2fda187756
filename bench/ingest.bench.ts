import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type AdminAccess, everyItem, openAdmin } from '../src/demo/admin-access.ts'
import { waitUntilIdle } from '../src/demo/catalogue-check.ts'
import { launchDaemon } from '../src/demo/daemon-process.ts'
import { type CardFile, createPhotoCard } from '../src/demo/photo-card.ts'
import { PilotController } from '../src/demo/pilot-controller.ts'
import { listAssets } from '../src/shared/api/assets.ts'
import { createToken } from '../src/shared/api/system.ts'
import { WORKSPACE } from './million.ts'
import { peakMemoryBytes, processorSeconds } from './process-facts.ts'
import { type BenchResult, type Figure, median } from './report.ts'

const CONTROLLERS = 4
const ROUNDS = 3
const run = promisify(execFile)

/** `copy` and `hash` are bytes per second. */
type Round = {
  copy: number
  hash: number
  visibleS: number
  /** Processor time of the daemon meanwhile; previews made at the same time are part of it. */
  processorS: number
  previewsPerSecond: number
  peakBytes: number
}

/**
 * How fast photos become visible assets when four controllers upload at once, beside a durable copy of the same bytes and
 * beside hashing alone; how much memory the daemon takes; how fast previews are made, beside `vipsthumbnail`.
 */
export async function benchIngest({ quick }: { quick: boolean }): Promise<BenchResult> {
  const photos = quick ? 40 : 500
  const root = join(import.meta.dirname, '..', '.cache', 'bench')
  await mkdir(root, { recursive: true })
  const scratch = await mkdtemp(join(root, 'ingest-'))
  try {
    process.stderr.write(`drawing ${photos} photos …\n`)
    const cards = await drawCards(scratch, photos)
    const files = cards.flat()
    const bytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
    const rounds: Round[] = []
    for (let round = 0; round < ROUNDS; round++) {
      process.stderr.write(`round ${round + 1} of ${ROUNDS} …\n`)
      const copy = await durableCopy(files, join(scratch, 'copy'))
      const hash = await hashAlone(files)
      rounds.push({ copy: bytes / copy, hash: bytes / hash, ...(await ingest(cards, join(scratch, 'data'))) })
    }
    const of = (pick: (round: Round) => number) => median(rounds.map(pick))
    const figures: Figure[] = [
      { name: 'PUT to visible', value: of((each) => bytes / each.visibleS) / 1e6, unit: 'MB/s' },
      { name: 'PUT to visible', value: of((each) => photos / each.visibleS), unit: 'photos/s' },
      {
        name: 'processor time of the daemon meanwhile',
        value: of((each) => each.processorS / each.visibleS),
        unit: 'cores'
      },
      { name: 'durable copy (copy + fsync)', value: of((each) => each.copy) / 1e6, unit: 'MB/s' },
      { name: 'sha256 + md5 on one core', value: of((each) => each.hash) / 1e6, unit: 'MB/s' },
      {
        name: 'ingest / durable copy',
        value: of((each) => bytes / each.visibleS / each.copy),
        unit: '×',
        goal: { atLeast: 0.25 }
      },
      {
        name: 'ingest / hashing',
        value: of((each) => bytes / each.visibleS / each.hash),
        unit: '×',
        goal: { atLeast: 0.5 }
      },
      {
        name: 'peak memory of the daemon',
        value: Math.max(...rounds.map((each) => each.peakBytes)) / 1e6,
        unit: 'MB',
        goal: { atMost: 400 }
      },
      { name: 'previews', value: of((each) => each.previewsPerSecond), unit: 'photos/s' }
    ]
    const notes = [
      `${photos} photos of ${(bytes / photos / 1e6).toFixed(1)} MB, ${CONTROLLERS} controllers at once, signed chunks; medians of ${ROUNDS} rounds`,
      'visible: the asset is in GET /api/v1/assets; clients and daemon share the cores'
    ]
    const vips = await vipsthumbnail(files.slice(0, Math.min(photos, 100)))
    if (vips) {
      figures.push({ name: 'vipsthumbnail, two processes', value: vips, unit: 'photos/s' })
      figures.push({
        name: 'previews / vipsthumbnail',
        value: of((each) => each.previewsPerSecond) / vips,
        unit: '×',
        goal: { atLeast: 0.9 }
      })
    } else notes.push('vipsthumbnail is not installed: previews have nothing to be compared with')
    return { bench: 'ingest', figures, notes }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Photos of about 5 MB; the pixels repeat, the files are all distinct. */
function drawCards(scratch: string, photos: number): Promise<CardFile[][]> {
  return Promise.all(
    Array.from({ length: CONTROLLERS }, (_, index) =>
      createPhotoCard({
        directory: join(scratch, `card-${index}`),
        count: photos / CONTROLLERS,
        seed: index + 1,
        megapixels: 20,
        distinctPictures: 3,
        previewPx: 320,
        withClip: false
      })
    )
  )
}

/** Seconds to copy all files so that they survive a power cut, by as many lanes as there are controllers. */
async function durableCopy(files: CardFile[], target: string): Promise<number> {
  await rm(target, { recursive: true, force: true })
  await mkdir(target, { recursive: true })
  const waiting = files.map((file, index) => ({ from: file.filePath, to: join(target, String(index)) }))
  const startedAt = performance.now()
  const lane = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      await copyFile(next.from, next.to)
      const handle = await open(next.to, 'r+')
      await handle.sync()
      await handle.close()
    }
  }
  await Promise.all(Array.from({ length: CONTROLLERS }, lane))
  const seconds = (performance.now() - startedAt) / 1000
  await rm(target, { recursive: true, force: true })
  return seconds
}

/** Seconds of pure hashing; reading the files is not counted. */
async function hashAlone(files: CardFile[]): Promise<number> {
  let milliseconds = 0
  for (const file of files) {
    const bytes = await readFile(file.filePath)
    const startedAt = performance.now()
    createHash('sha256').update(bytes).digest()
    createHash('md5').update(bytes).digest()
    milliseconds += performance.now() - startedAt
  }
  return milliseconds / 1000
}

async function ingest(cards: CardFile[][], dataDir: string) {
  await rm(dataDir, { recursive: true, force: true })
  const daemon = launchDaemon({ dataDir, env: { FLIGHTCASE_LOG_LEVEL: 'warn' } })
  try {
    const ready = await daemon.ready
    const admin = openAdmin(ready.admin)
    const controllers = []
    for (let index = 0; index < cards.length; index++) {
      const name = `BENCH-${index}`
      const { secret } = await admin.api.call(createToken, { body: { name, role: 'controller' } })
      controllers.push(
        new PilotController({
          fieldUrl: ready.field.url,
          token: secret,
          workspaceId: WORKSPACE,
          deviceId: name,
          droneSerial: `1581F00000${index}DEMO`,
          droneModelKey: '0-99-0',
          payloadModelKey: '1-88-0',
          photoType: 'original'
        })
      )
    }
    const startedAt = performance.now()
    const processorFrom = processorSeconds(daemon.pid)
    const results = await Promise.all(controllers.map((controller, index) => controller.offer(cards[index] ?? [])))
    const uploaded = results.reduce((sum, result) => sum + result.uploaded.length, 0)
    const expected = cards.flat().length
    if (uploaded !== expected) throw new Error(`only ${uploaded} of ${expected} photos were uploaded`)
    while ((await countAssets(admin)) < expected) await pause(10)
    const visibleS = (performance.now() - startedAt) / 1000
    const processorS = processorSeconds(daemon.pid) - processorFrom
    for (const controller of controllers) controller.close()

    const previewsBefore = await countPreviews(admin)
    const previewsFrom = performance.now()
    await waitUntilIdle(admin)
    const previewsS = (performance.now() - previewsFrom) / 1000
    const previews = (await countPreviews(admin)) - previewsBefore
    return {
      visibleS,
      processorS,
      previewsPerSecond: previews / previewsS,
      peakBytes: peakMemoryBytes(daemon.pid)
    }
  } finally {
    await daemon.stop()
  }
}

async function countAssets(admin: AdminAccess): Promise<number> {
  let count = 0
  for await (const _ of everyItem((cursor) => admin.api.call(listAssets, { query: { limit: 500, cursor } }))) count++
  return count
}

async function countPreviews(admin: AdminAccess): Promise<number> {
  let count = 0
  for await (const asset of everyItem((cursor) => admin.api.call(listAssets, { query: { limit: 500, cursor } })))
    if (asset.preview === 'ready') count++
  return count
}

/** Photos per second, both preview sizes each, by two `vipsthumbnail` processes at once; null when it is not installed. */
async function vipsthumbnail(files: CardFile[]): Promise<number | null> {
  if (!(process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, 'vipsthumbnail')))) return null
  const halves = [files.filter((_, index) => index % 2 === 0), files.filter((_, index) => index % 2 === 1)]
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now()
    await Promise.all(
      halves.map(async (half) => {
        for (const size of [1024, 256])
          await run(
            'vipsthumbnail',
            [
              '--size',
              `${size}`,
              '-o',
              `/dev/shm/flightcase-bench-%s-${size}.webp`,
              ...half.map((file) => file.filePath)
            ],
            {
              env: { ...process.env, VIPS_CONCURRENCY: '1' }
            }
          )
      })
    )
    rates.push(files.length / ((performance.now() - startedAt) / 1000))
    for (const name of await readdir('/dev/shm'))
      if (name.startsWith('flightcase-bench-')) await rm(join('/dev/shm', name))
  }
  return median(rates)
}

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { launchDaemon } from '../src/demo/daemon-process.ts'
import { bucketFromSettings, type DemoBucket } from '../src/demo/demo-bucket.ts'
import { cardsFromPhotos, generateCards } from '../src/demo/demo-cards.ts'
import { type DayOptions, type DaySummary, hasFfmpeg, planDay, playDay, sendAgain } from '../src/demo/demo-day.ts'
import { DemoScreen } from '../src/demo/demo-screen.ts'
import type { CardFile } from '../src/demo/photo-card.ts'

// Plays one upload day against a real daemon on a fresh data directory; see --help.

const STORES = ['embedded', 'external', 'gateway'] as const
/** Files that a second workspace uploads although the base holds them. */
const SENT_AGAIN = 3

const flags = new Command('npm run demo --')
  .description('Start Flightcase on a fresh data directory and play a day with two DJI Pilot 2 controllers')
  .option('--once', 'leave after the day instead of serving on')
  .option('--json', 'print one JSON object with the counts of the day on standard output')
  .option('--photos <dir>', 'use the photos and videos of this folder instead of generated ones')
  .option('--verbose', 'show the log of the daemon')
  .addOption(
    new Option(
      '--store <mode>',
      'where media is kept; external: the server that FLIGHTCASE_S3_* names; gateway: there, through the base'
    ).choices(STORES)
  )
  .option('--count <n>', 'generated photos per card', parseCount, 24)
  .parse()
  .opts<{
    once?: boolean
    json?: boolean
    verbose?: boolean
    photos?: string
    store?: (typeof STORES)[number]
    count: number
  }>()

const root = join(import.meta.dirname, '..')
const scratch = await mkdtemp(join(tmpdir(), 'flightcase-demo-'))
const screen = new DemoScreen(process.stderr)

process.exitCode = await demo().catch((error: unknown) => {
  screen.say(error instanceof Error ? error.message : String(error))
  return 1
})
await rm(scratch, { recursive: true, force: true, maxRetries: 5 })

async function demo(): Promise<number> {
  if (!flags.once) buildPages()
  screen.say(flags.photos ? `Reading ${flags.photos} …` : `Drawing two cards of ${flags.count} photos …`)
  const cards = flags.photos
    ? await cardsFromPhotos(flags.photos, join(scratch, 'bravo'))
    : await generateCards(scratch, flags.count)
  const bucket = flags.store === undefined || flags.store === 'embedded' ? null : bucketFromSettings(process.env)
  const daemon = launchDaemon({
    dataDir: join(scratch, 'data'),
    env: { ...(flags.store && { FLIGHTCASE_OBJECT_STORE: flags.store }), ...bucket?.env },
    args: flags.once ? [] : await usualPorts(),
    ...(flags.verbose ? { onLog: (line) => screen.say(line) } : {})
  })
  try {
    const ready = await daemon.ready
    const stopped = untilInterrupted(daemon.ended)
    const adminUrl = `${ready.admin.url}/#token=${encodeURIComponent(ready.admin.token)}`
    if (!flags.once) screen.say(`\nOpen this page and watch:  ${adminUrl}\n`)
    const plan = await planDay(cards, { ffmpeg: await hasFfmpeg(ready) })
    const interruption = stopped.then(() => Promise.reject(new Error('The day was broken off.')))
    interruption.catch(() => {})
    const scenery: Omit<DayOptions, 'plan'> = {
      ready,
      ...(bucket && { workspaceId: bucket.workspaces[0] }),
      ...(flags.once ? {} : { bytesPerSecond: 3 * 1024 * 1024 }),
      onScene: (text) => screen.say(text),
      onEvent: (controller, event) => screen.show(controller, event)
    }
    const { summary, problems } = await Promise.race([playDay({ ...scenery, plan }), interruption])
    const store = bucket && (await Promise.race([lookAtBucket(bucket, summary, cards.alpha, scenery), interruption]))
    if (store) problems.push(...store.problems)
    screen.clear()
    if (flags.json) process.stdout.write(`${JSON.stringify({ ...summary, ...(store && { store: store.found }) })}\n`)
    else screen.say(inWords(summary) + (store ? ` In the bucket: ${JSON.stringify(store.found)}.` : ''))
    for (const problem of problems) screen.say(`WRONG: ${problem}`)
    if (!flags.once) {
      screen.say(`\nFlightcase keeps serving at ${adminUrl}\nCtrl-C ends it; the demo data is deleted then.`)
      await stopped
    }
    return problems.length === 0 ? 0 : 1
  } finally {
    await daemon.stop()
    await bucket?.empty()
    bucket?.close()
  }
}

/** What is in the bucket after somebody else has sent some of the files once more: every content is there once. */
async function lookAtBucket(
  bucket: DemoBucket,
  { blobs }: DaySummary,
  card: readonly CardFile[],
  scenery: Omit<DayOptions, 'plan'>
): Promise<{ found: object; problems: string[] }> {
  screen.say('Another workspace sends what the base holds already.')
  const files = card.slice(0, SENT_AGAIN)
  const sentAgain = await sendAgain(files, { ...scenery, workspaceId: bucket.workspaces[1] })
  const counts = await bucket.count()
  const problems: string[] = []
  if (sentAgain !== files.length) problems.push(`sent again: expected ${files.length}, found ${sentAgain}`)
  if (counts.originals !== blobs) problems.push(`originals in the bucket: expected ${blobs}, found ${counts.originals}`)
  return { found: { mode: flags.store, bucket: bucket.bucket, sentAgain, ...counts }, problems }
}

function inWords(day: DaySummary): string {
  return (
    `${day.files} files were offered: ${day.uploaded} uploaded, ${day.skipped} known already, ${day.failures} failed. ` +
    `The base holds ${day.assets} assets (${day.videos} videos, ${day.blobs} distinct), ${day.thumbnails} with previews. ` +
    `It took ${day.seconds.toFixed(1)} s.`
  )
}

/** Without its pages the daemon still works, but the page to watch would be missing. */
function buildPages(): void {
  if (existsSync(join(root, 'out', 'renderer', 'index.html'))) return
  screen.say('Building the pages (once) …')
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const { status } = spawnSync(process.execPath, [vite, 'build', '-c', 'vite.web.config.ts', '--logLevel', 'warn'], {
    cwd: root,
    stdio: ['ignore', 2, 2]
  })
  if (status !== 0) throw new Error('the pages could not be built; see above')
}

/** The usual port of each listener, or any free one where something else has it already. */
async function usualPorts(): Promise<string[]> {
  const usual = { '--field': 8700, '--admin': 8701, '--s3': 9000, '--mqtt': 1883 }
  const args = await Promise.all(
    Object.entries(usual).map(async ([flag, port]) => [flag, `127.0.0.1:${(await isFree(port)) ? port : 0}`])
  )
  return args.flat()
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

function untilInterrupted(ended: Promise<unknown>): Promise<unknown> {
  const interrupted = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
  return Promise.race([interrupted, ended])
}

function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 2 || count > 5000) throw new InvalidArgumentError('expected 2 to 5000')
  return count
}

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { getField } from '../shared/api/field.ts'
import { openAdmin } from './admin-access.ts'
import { launchDaemon } from './daemon-process.ts'
import { generateCards } from './demo-cards.ts'
import { hasFfmpeg, planDay, playDay } from './demo-day.ts'

let scratch: string
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'demo-day-'))
})
afterEach(() => rm(scratch, { recursive: true, force: true }))

it('tells a count that is not what the cards say, and only that', async () => {
  const cards = await generateCards(join(scratch, 'cards'), 4)
  const daemon = launchDaemon({ dataDir: join(scratch, 'data') })
  try {
    const ready = await daemon.ready
    const plan = await planDay(cards, { ffmpeg: await hasFfmpeg(ready) })
    expect(plan.expected).toMatchObject({
      files: 15,
      uploaded: 9,
      skipped: 5,
      assets: 9,
      blobs: 9,
      videos: 2,
      failures: 1
    })
    const wrong = { ...plan, expected: { ...plan.expected, blobs: 8 } }
    const { summary, problems } = await playDay({ ready, plan: wrong })
    expect(problems).toEqual(['blobs: expected 8, found 9'])
    expect(summary).toMatchObject(plan.expected)
    const { flights } = await openAdmin(ready.admin).api.call(getField, {})
    expect(flights.find(({ name }) => name === 'Survey south')).toMatchObject({ expectedCount: 5, uploadedCount: 4 })
  } finally {
    await daemon.stop()
  }
})

it('runs once, prints one JSON object and leaves with 0', async () => {
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'demo.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--once', '--json', '--count', '2'])
  expect(stdout.trim().split('\n')).toHaveLength(1)
  expect(JSON.parse(stdout)).toMatchObject({
    files: 9,
    uploaded: 5,
    skipped: 3,
    assets: 5,
    blobs: 5,
    videos: 2,
    failures: 1
  })
})

it.runIf(process.env.FLIGHTCASE_TEST_PHOTOS)('plays the day with real photos', async () => {
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'demo.ts')
  const photos = process.env.FLIGHTCASE_TEST_PHOTOS ?? ''
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--once', '--json', '--photos', photos])
  expect(JSON.parse(stdout)).toMatchObject({ failures: 1 })
})

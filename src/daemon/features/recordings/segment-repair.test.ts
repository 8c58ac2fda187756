import { execFile } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { JobDeferred } from '../../jobs/define-job.ts'
import { findFfmpeg } from '../../media/find-ffmpeg.ts'
import { tinyClip } from '../../testing/clips.ts'
import { partsBytes, segmentBytes } from '../../testing/fake-mediamtx/segment-media.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { startOfFile } from './instants.ts'
import { RUN } from './recordings-bench.ts'
import { type CheckedFile, type CheckOptions, checkSegmentFile } from './segment-check.ts'
import { besidePaths, RepairFailed, repairSegmentFile } from './segment-repair.ts'

const ffmpegPath = findFfmpeg()
if (!ffmpegPath) console.warn('\n!!! SKIPPED repair of recordings by ffmpeg: there is no ffmpeg on this machine !!!\n')
const header = { run: RUN, number: 3, startUs: 0 }

/** Repairs a file that nobody else wants; gives what became of it. */
async function repair(options: CheckOptions): Promise<CheckedFile> {
  let made: CheckedFile | undefined
  await repairSegmentFile(options, async (repaired, replace) => {
    await replace()
    made = repaired
  })
  return made!
}

function recording(bytes: Buffer) {
  const filePath = join(temporaryFolder('repair'), '1795282529-020495.mp4')
  writeFileSync(filePath, bytes)
  const options = { filePath, ffmpegPath, nextAfterMs: null, signal: new AbortController().signal }
  return { ...options, files: () => readdir(dirname(filePath)) }
}

test('what lies beside a recording is none, neither for us nor for a search for digits and .mp4', () => {
  const { draft, copy, damaged } = besidePaths('/r/live/roof-0a1b2c3d/1795282529-020495.mp4')
  for (const path of [draft, copy, damaged]) {
    expect(path).not.toMatch(/\d{10}-\d{6}\.mp4/)
    expect(startOfFile(path.slice(path.lastIndexOf('/') + 1))).toBeNull()
  }
})

test('of a file that is cut off all whole parts are kept as they are, without ffmpeg', async () => {
  const whole = segmentBytes(header, 20_000, true)
  const upTo19 = segmentBytes(header, 19_000, true)
  const { files, ...options } = recording(whole.subarray(0, whole.length - 7))
  const before = await checkSegmentFile(options)
  expect(before.problem).toMatch(/cut off/)
  const repaired = await repair({ ...options, ffmpegPath: null })
  expect(repaired).toMatchObject({ durationMs: 19_000, problem: null, run: { number: 3 } })
  expect(readFileSync(options.filePath).equals(upTo19)).toBe(true)
  expect(await files()).toEqual(['1795282529-020495.mp4'])
})

test('where much is lost the damaged file is kept', async () => {
  const whole = segmentBytes(header, 3000, true)
  const { files, ...options } = recording(whole.subarray(0, whole.length - 7))
  const damaged = readFileSync(options.filePath)
  expect(await repair(options)).toMatchObject({ durationMs: 2000 })
  expect(await files()).toEqual(['1795282529-020495.bad', '1795282529-020495.mp4'])
  expect(readFileSync(besidePaths(options.filePath).damaged).equals(damaged)).toBe(true)
  // Run again after a crash, it finds its work done.
  expect(await repair(options)).toMatchObject({ durationMs: 2000 })
  expect(await files()).toHaveLength(2)
})

test('a file that is written meanwhile stays in place', async () => {
  const whole = segmentBytes(header, 20_000, true)
  const { files, ...options } = recording(whole.subarray(0, whole.length - 7))
  const repairing = repairSegmentFile(options, async (_, replace) => {
    appendFileSync(options.filePath, whole.subarray(whole.length - 7))
    await replace()
  })
  await expect(repairing).rejects.toBeInstanceOf(JobDeferred)
  expect(readFileSync(options.filePath).equals(whole)).toBe(true)
  expect(await files()).toEqual(['1795282529-020495.mp4'])
})

test('behind a hole there may be more: the damaged file is kept, however little is missing of the new one', async () => {
  const bytes = segmentBytes(header, 60_000, true)
  const upTo57 = segmentBytes(header, 57_000, true).length
  bytes.fill(0, upTo57 + 3, upTo57 + 60)
  const { files, ...options } = recording(bytes)
  expect((await checkSegmentFile(options)).durationMs).toBe(60_000)
  expect(await repair({ ...options, ffmpegPath: null })).toMatchObject({ durationMs: 57_000 })
  expect(await files()).toEqual(['1795282529-020495.bad', '1795282529-020495.mp4'])
  expect(readFileSync(besidePaths(options.filePath).damaged).equals(bytes)).toBe(true)
})

test('a second repair takes nothing of what the first one kept', async () => {
  const { files, ...options } = recording(segmentBytes(header, 60_000, true).subarray(0, -7))
  writeFileSync(besidePaths(options.filePath).damaged, 'the first damaged file')
  expect(await repair({ ...options, ffmpegPath: null })).toMatchObject({ durationMs: 59_000 })
  expect(await files()).toHaveLength(2)
  expect(readFileSync(besidePaths(options.filePath).damaged, 'utf8')).toBe('the first damaged file')
})

test('whoever does not want it any more is not given it, and keeps what there was', async () => {
  const bytes = segmentBytes(header, 20_000, true).subarray(0, -7)
  const { files, ...options } = recording(bytes)
  await repairSegmentFile(options, async () => undefined)
  await expect(
    repairSegmentFile(options, async () => {
      throw new Error('the catalogue is away')
    })
  ).rejects.toThrow('the catalogue is away')
  expect(readFileSync(options.filePath).equals(bytes)).toBe(true)
  expect(await files()).toEqual(['1795282529-020495.mp4'])
})

test('what cannot be repaired is left as it is', async () => {
  const { files, ...options } = recording(Buffer.from('this is not a video at all'))
  await expect(repair(options)).rejects.toThrow(RepairFailed)
  expect(await files()).toEqual(['1795282529-020495.mp4'])
  expect(readFileSync(options.filePath, 'utf8')).toBe('this is not a video at all')
  const empty = recording(Buffer.alloc(0))
  await expect(repair(empty)).rejects.toThrow(RepairFailed)
})

test('a file that claims more time than went by is damaged', async () => {
  const { files, ...options } = recording(segmentBytes(header, 100_000))
  expect((await checkSegmentFile({ ...options, nextAfterMs: 95_000 })).problem).toBeNull()
  expect((await checkSegmentFile({ ...options, nextAfterMs: 60_000 })).problem).toBe(
    'it claims to be 100 s long, but the next recording begins after 60 s'
  )
  expect(await files()).toHaveLength(1)
})

describe.skipIf(!ffmpegPath)('by ffmpeg', () => {
  async function fragments(): Promise<Buffer> {
    const { path } = await tinyClip(ffmpegPath!, { seconds: 4, args: ['-c:v', 'mpeg4', '-g', '5'] })
    const out = join(temporaryFolder('fragments'), 'out.mp4')
    const movflags = '+frag_keyframe+empty_moov+default_base_moof'
    await promisify(execFile)(ffmpegPath!, ['-v', 'error', '-i', path, '-c', 'copy', '-movflags', movflags, out])
    return readFileSync(out)
  }

  test('what is spoilt in the middle is written anew around it', async () => {
    const bytes = await fragments()
    const middle = bytes.indexOf('moof', bytes.length / 2) - 4
    // A box of a kind that nobody knows, with a size that leads nowhere, then the rest.
    const spoilt = Buffer.concat([bytes.subarray(0, middle), Buffer.alloc(64, 0xff), bytes.subarray(middle)])
    const { files, ...options } = recording(spoilt)
    expect((await checkSegmentFile(options)).problem).toMatch(/cannot be read from byte/)
    const repaired = await repair(options)
    expect(repaired.problem).toBeNull()
    expect(repaired.durationMs).toBeGreaterThan(1000)
    expect(await checkSegmentFile(options)).toMatchObject({ problem: null })
    expect((await files()).filter((name) => name.endsWith('.repair'))).toEqual([])
  })

  test('times that go back are damage and made to follow each other; such as stand still are none', async () => {
    const start = segmentBytes(header, 3000, true)
    const still = recording(Buffer.concat([start, partsBytes(2000, 1000)]))
    expect(await checkSegmentFile(still)).toMatchObject({ problem: null, durationMs: 3000 })
    const back = recording(Buffer.concat([start, partsBytes(0, 2000)]))
    expect((await checkSegmentFile(back)).problem).toMatch(/non monotonically increasing dts/)
    expect(await repair(back)).toMatchObject({ problem: null, run: null })
  })

  test('what ffmpeg finds wrong is told in its words, and the check leaves the file alone', async () => {
    const bytes = await fragments()
    const { files, ...options } = recording(bytes)
    expect((await checkSegmentFile(options)).problem).toBeNull()
    expect(readFileSync(options.filePath).equals(bytes)).toBe(true)
    expect(existsSync(besidePaths(options.filePath).draft)).toBe(false)
    expect(await files()).toHaveLength(1)
  })
})

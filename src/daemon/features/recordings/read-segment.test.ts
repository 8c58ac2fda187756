import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { withFileSource } from '../../media/byte-source.ts'
import { findFfmpeg } from '../../media/find-ffmpeg.ts'
import { tinyClip } from '../../testing/clips.ts'
import { partsBytes, segmentBytes } from '../../testing/fake-mediamtx/segment-media.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { readSegment } from './read-segment.ts'
import { RUN } from './recordings-bench.ts'

const header = { run: RUN, number: 7, startUs: 0 }
const run = { id: RUN.replaceAll('-', ''), number: 7 }

const sourceOf = (bytes: Buffer) => ({
  sizeBytes: bytes.length,
  read: async (position: number, length: number) => bytes.subarray(position, position + length)
})
const read = (bytes: Buffer, options: { isThorough?: boolean; resumeAt?: number } = {}) =>
  readSegment(sourceOf(bytes), { isThorough: true, ...options })

test('a file tells its length and its place in a run, whether or not it was closed', async () => {
  const closed = segmentBytes(header, 4500)
  const whole = { durationMs: 4500, run, wholeBytes: closed.length, problem: null }
  expect(await read(closed)).toEqual({ ...whole, isClosed: true })
  expect(await read(closed, { isThorough: false })).toEqual({ ...whole, isClosed: true })
  expect(await read(segmentBytes(header, 4500, true), { isThorough: false })).toEqual({ ...whole, isClosed: false })
})

test('what is closed is not read through unless that is asked for', async () => {
  const cut = segmentBytes(header, 4500).subarray(0, -10)
  expect((await read(cut, { isThorough: false })).problem).toBeNull()
  expect((await read(cut)).problem).toMatch(/^it is cut off after \d+ bytes$/)
})

test('of a file that is cut off, all whole parts count', async () => {
  const bytes = segmentBytes(header, 5000, true)
  const upToFour = segmentBytes(header, 4000, true).length
  for (const length of [upToFour + 5, upToFour + 60, bytes.length - 1])
    expect(await read(bytes.subarray(0, length))).toMatchObject({ durationMs: 4000, wholeBytes: upToFour })
  expect(await read(bytes.subarray(0, upToFour))).toMatchObject({ durationMs: 4000, problem: null })
})

test('what grows is read on from where it was read to', async () => {
  const short = segmentBytes(header, 2000, true)
  const { wholeBytes } = await read(short)
  expect(await read(short, { resumeAt: wholeBytes })).toMatchObject({ durationMs: null, wholeBytes })
  const grown = Buffer.concat([short, partsBytes(2000, 3000)])
  expect(await read(grown, { resumeAt: wholeBytes })).toMatchObject({ durationMs: 5000, wholeBytes: grown.length })
})

test('what is no recording says why', async () => {
  const bytes = segmentBytes(header, 2000)
  const moovAt = bytes.indexOf('moov') - 4
  expect((await read(Buffer.alloc(0))).problem).toBe('the file is empty')
  expect((await read(Buffer.from('this is not a video at all'))).problem).toBe('it does not begin like an MP4 file')
  expect((await read(bytes.subarray(0, moovAt))).problem).toBe('its header is missing')
  expect((await read(bytes.subarray(0, moovAt + 100))).problem).toBe('its header is missing')
  const mvhdOnly = segmentBytes(header, 0)
  expect((await read(mvhdOnly)).problem).toBe('it holds no pictures')
  const middle = bytes.lastIndexOf('moof') - 4
  const spoilt = Buffer.concat([bytes.subarray(0, middle), Buffer.alloc(50, 0xff), bytes.subarray(middle)])
  const problem = `it cannot be read from byte ${middle} on`
  expect(await read(spoilt)).toMatchObject({ durationMs: 2000, wholeBytes: middle, problem })
})

test('a hole is none that it ends with: what lies behind it counts', async () => {
  const bytes = segmentBytes(header, 5000, true)
  const upTo = (seconds: number) => segmentBytes(header, seconds * 1000, true).length
  for (const filler of [0, 0x41, 0xff]) {
    const spoilt = Buffer.from(bytes).fill(filler, upTo(1) + 3, upTo(2) + 20)
    const { problem, ...found } = await read(spoilt)
    expect([filler, problem]).toEqual([filler, `it cannot be read from byte ${upTo(1)} on`])
    expect(found).toMatchObject({ durationMs: 5000, wholeBytes: upTo(1) })
    // Without anything behind it, it is the end, whatever it is filled with.
    const ended = Buffer.from(bytes).fill(filler, upTo(3) + 3)
    expect(await read(ended)).toMatchObject({
      durationMs: 3000,
      wholeBytes: upTo(3),
      problem: `it is cut off after ${upTo(3)} bytes`
    })
  }
  // A mark across the edge of what is searched at once.
  for (const size of [(1 << 20) - 8, (1 << 20) - 5, 1 << 20]) {
    const far = Buffer.concat([bytes.subarray(0, upTo(1)), Buffer.alloc(size), bytes.subarray(upTo(1))])
    expect(await read(far)).toMatchObject({ durationMs: 5000, wholeBytes: upTo(1) })
  }
})

const ffmpegPath = findFfmpeg() ?? ''
test.skipIf(!ffmpegPath)('what ffmpeg writes has its length in defaults of the tracks', async () => {
  const { path } = await tinyClip(ffmpegPath, { seconds: 2 })
  const out = join(temporaryFolder('fragments'), 'out.mp4')
  const movflags = '+frag_keyframe+empty_moov+default_base_moof'
  await promisify(execFile)(ffmpegPath, ['-v', 'error', '-i', path, '-c', 'copy', '-movflags', movflags, out])
  const content = await withFileSource(out, (source) => readSegment(source, { isThorough: true }))
  expect(content).toMatchObject({ run: null, problem: null })
  expect(content.durationMs).toBeGreaterThanOrEqual(1950)
  expect(content.durationMs).toBeLessThanOrEqual(2150)
})

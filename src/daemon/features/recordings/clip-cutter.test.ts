import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clipBytes } from '../../testing/fake-mediamtx/segment-media.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { ClipCutter } from './clip-cutter.ts'
import { isoFromUs, US_PER_S } from './instants.ts'
import { Playback } from './playback.service.ts'
import { RecordingPlaces } from './recorded-sources.ts'
import { SHORT_BYTES } from './recording-room.ts'
import { CAMERA, placeOf, RUN, startIndex } from './recordings-bench.ts'
import { RemovedSourcesRepository } from './removed-sources.repository.ts'

const START_US = 1_795_282_529_020_495
const { sourceId, workspaceId } = placeOf()
const context = { signal: new AbortController().signal, reportProgress: () => undefined }

/** A recording of two minutes in two files, and a disk with so much room. */
async function startCutter(freeBytes: (sizeBytes: number) => number) {
  const bench = await startIndex()
  for (const number of [0, 1])
    bench.fake.addSegment(CAMERA, isoFromUs(START_US + number * 60 * US_PER_S), 60, { run: RUN, number })
  const rows = await bench.scanned()
  const about = { name: 'Roof', pathName: CAMERA, enabled: true, recordEnabled: false, updatedAtMs: 0 }
  const sources = {
    find: () => ({ id: sourceId, workspaceId, ...about }),
    listRecorded: () => [],
    setRecording: async () => undefined
  }
  const places = new RecordingPlaces({
    sources,
    removed: new RemovedSourcesRepository(bench.db),
    segments: bench.segments
  })
  const scratchDir = temporaryFolder('scratch')
  const common = { ...bench, places, scratchDir, ffmpegPath: () => null }
  const asked: string[] = []
  const freeBytesOf = async (folder: string) => {
    asked.push(folder)
    return freeBytes(rows.reduce((sum, { sizeBytes }) => sum + sizeBytes!, 0))
  }
  const cutterWith = (ffmpegPath: string | null) =>
    new ClipCutter({ ...common, ffmpegPath: () => ffmpegPath, playback: new Playback(common), freeBytesOf })
  const cutter = cutterWith(null)
  const clip = { id: 'clip', sourceId, startUs: START_US + 30 * US_PER_S, endUs: START_US + 90 * US_PER_S }
  return { ...bench, cutter, cutterWith, clip, scratchDir, asked }
}

test('a clip is not begun that would fill the disk: half of two files, fetched and made, and what has to stay free', async () => {
  const { cutter, clip, scratchDir, asked, fake } = await startCutter((sizeBytes) => SHORT_BYTES + sizeBytes * 0.98)
  await expect(cutter.assertRoom(clip)).rejects.toMatchObject({ code: 'disk_full' })
  fake.journal.length = 0
  await expect(cutter.withCut(clip, context, async () => undefined)).rejects.toMatchObject({ code: 'disk_full' })
  expect([fake.journal.length, readdirSync(scratchDir)]).toEqual([0, []])
  expect(new Set(asked)).toEqual(new Set([scratchDir]))
  // The half of that takes half the room.
  await cutter.assertRoom({ ...clip, endUs: START_US + 60 * US_PER_S })
})

test('a clip for which there is room is cut, and nothing is left beside it', async () => {
  const { cutter, clip, scratchDir } = await startCutter((sizeBytes) => SHORT_BYTES + sizeBytes * 1.02)
  const cut = await cutter.withCut(clip, context, async (file) => ({ ...file, isThere: existsSync(file.filePath) }))
  expect(cut).toMatchObject({ isThere: true, begins: 'exact', covered: [{ startUs: clip.startUs, endUs: clip.endUs }] })
  expect(readdirSync(scratchDir)).toEqual([])
})

test.skipIf(process.platform === 'win32')('what was joined and is not what was asked for becomes no clip', async () => {
  const { cutterWith, clip, fake, scanned, scratchDir } = await startCutter(() => Number.MAX_SAFE_INTEGER)
  // Another run: what lies between the two has to be joined.
  fake.addSegment(CAMERA, isoFromUs(START_US + 150 * US_PER_S), 60)
  await scanned()
  const wide = { ...clip, endUs: START_US + 190 * US_PER_S }
  const folder = temporaryFolder('ffmpeg')
  /** A program that joins to a film of so many seconds, and finds what it reads to be as it says. */
  const programOf = (seconds: number, complaint: string) => {
    const path = join(folder, `ffmpeg-${seconds}`)
    writeFileSync(`${path}.mp4`, clipBytes(seconds * 1000, 'mp4'))
    const lines = [
      'for last; do :; done',
      `case "$last" in file:*) cp '${path}.mp4' "\${last#file:}" ;; *) echo '${complaint}' >&2 ;; esac`
    ]
    writeFileSync(path, `#!/bin/sh\n${lines.join('\n')}\n`, { mode: 0o755 })
    return path
  }
  const cutWith = (seconds: number, complaint = '') =>
    cutterWith(programOf(seconds, complaint)).withCut(wide, context, async ({ covered }) => covered.length)
  // 90 seconds up to the break, 40 behind it.
  await expect(cutWith(130)).resolves.toBe(2)
  await expect(cutWith(100)).rejects.toThrow('100000 ms were cut of 130000')
  await expect(cutWith(7200)).rejects.toThrow('claims 7200000 ms')
  await expect(cutWith(131, 'a packet is broken')).rejects.toThrow('cannot be read: a packet is broken')
  expect(readdirSync(scratchDir)).toEqual([])
})

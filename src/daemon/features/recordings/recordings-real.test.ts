import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  cutClip,
  getClip,
  getPlaybackUrl,
  getRecordStatus,
  keepSnapshot,
  listPlaybackSegments,
  listRecordingFiles,
  listRecordingSessions,
  repairSegment,
  startRecording,
  stopRecording
} from '../../../shared/api/recordings.ts'
import { findFfmpeg } from '../../media/find-ffmpeg.ts'
import { readMp4 } from '../../media/read-mp4.ts'
import { findRealMediaMtx } from '../../testing/real-mediamtx.ts'
import { usFromIso } from './instants.ts'
import { startRecordings } from './recordings-bench.ts'

const ffmpegPath = findFfmpeg()
const programPath = await findRealMediaMtx()
const PATIENCE = { timeout: 60_000, interval: 200 }

/** Sends a test picture with a tone by RTMP, as a drone does, until it is stopped. */
function push(url: string): { stop(): Promise<void> } {
  const child: ChildProcess = spawn(
    ffmpegPath!,
    [
      ...['-v', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=10'],
      ...['-re', '-f', 'lavfi', '-i', 'sine=f=440:r=48000', '-c:v', 'libx264', '-preset', 'ultrafast'],
      ...['-pix_fmt', 'yuv420p', '-g', '10', '-c:a', 'aac', '-f', 'flv', url]
    ],
    { stdio: 'ignore' }
  )
  const exit = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGKILL')
    await exit
  }
  onTestFinished(stop)
  return { stop }
}

/** As if the base had been off since before the file was closed. */
function lookAgainAt({ dataDir }: { dataDir: string }, segmentId: string): void {
  const db = new Sqlite(join(dataDir, 'flightcase.db'))
  db.prepare("UPDATE recording_segment SET state = 'open' WHERE id = ?").run(segmentId)
  db.close()
}

async function readFilm(bytes: Buffer) {
  return readMp4({
    sizeBytes: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length)
  })
}

describe.skipIf(!programPath || !ffmpegPath)('with the real MediaMTX', () => {
  test('a stream is recorded, played, cut, and repaired after its disk lost the end of a file', async () => {
    const base = await startRecordings({ programPath: programPath! })
    const { api, params, source, daemon, look } = base
    const status = () => api.call(getRecordStatus, { params })
    const files = async () => (await api.call(listRecordingFiles, { params })).items

    await api.call(startRecording, { params })
    expect(await status()).toMatchObject({ desired: true, active: false, problem: 'nobody_sends' })
    const first = push(source.push_url!)
    await vi.waitFor(async () => expect(await status()).toMatchObject({ active: true, problem: null }), PATIENCE)
    await vi.waitFor(async () => {
      await status()
      expect(await files()).toMatchObject([{ state: 'open' }])
      expect((await files())[0]!.duration).toBeGreaterThan(6)
    }, PATIENCE)
    // What is still written can be watched from its beginning, too.
    const live = await api.call(getPlaybackUrl, { params, query: { start: (await files())[0]!.start, duration: 2 } })
    expect((await (await fetch(live.url)).arrayBuffer()).byteLength).toBeGreaterThan(10_000)
    await api.call(stopRecording, { params })
    await first.stop()
    expect(await status()).toMatchObject({ desired: false, active: false })
    await vi.waitFor(async () => expect(await look()).toMatchObject([{ state: 'whole', problem: null }]), PATIENCE)
    const [file] = await files()
    const { items: sessions } = await api.call(listRecordingSessions, { params })
    expect(sessions).toEqual([
      expect.objectContaining({ start: file!.start, duration: file!.duration, segments: 1, gaps: [], is_open: false })
    ])

    // Played in the middle: from the very picture, as long as was asked for.
    const startUs = usFromIso(file!.start)!
    const at = (seconds: number) => new Date(startUs / 1000 + seconds * 1000).toISOString()
    const query = { start: at(2), duration: 3, format: 'mp4' as const }
    const { url } = await api.call(getPlaybackUrl, { params, query })
    const film = await readFilm(Buffer.from(await (await fetch(url)).arrayBuffer()))
    expect(film).toMatchObject({ videoCodec: 'h264', audioCodec: 'aac', widthPx: 320, heightPx: 180 })
    expect(Math.abs(film!.durationMs! - 3000)).toBeLessThan(300)

    const asked = await api.call(cutClip, { params, body: { start: at(1), end: at(4) } })
    const clipParams = { ...params, clipId: asked.clipId }
    // It waits until the last part that it needs is surely on the disk.
    await vi.waitFor(
      async () => expect(await api.call(getClip, { params: clipParams })).toMatchObject({ state: 'ready' }),
      PATIENCE
    )
    const clip = await api.call(getClip, { params: clipParams })
    const bytes = Buffer.from(await (await base.fetch(`/media/${clip.asset_id}`)).arrayBuffer())
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(clip.sha256)
    expect(Math.abs((await readFilm(bytes))!.durationMs! - 3000)).toBeLessThan(300)
    const picture = await api.call(keepSnapshot, { params, body: { at: at(2.5) } })
    expect(picture.asset).toMatchObject({ kind: 'image', mimeType: 'image/jpeg' })

    // A power cut: the end of another recording is lost.
    await api.call(startRecording, { params })
    const second = push(source.push_url!)
    await vi.waitFor(async () => {
      await status()
      expect((await files()).at(-1)!.duration).toBeGreaterThan(3)
      expect(await files()).toHaveLength(2)
    }, PATIENCE)
    await second.stop()
    await vi.waitFor(async () => expect((await look()).at(-1)).toMatchObject({ state: 'whole' }), PATIENCE)
    const cutFile = (await files())[1]!
    const filePath = base.fileOf(usFromIso(cutFile.start)!)
    truncateSync(filePath, readFileSync(filePath).length - 100)
    lookAgainAt(base, cutFile.id)
    await look()
    expect((await files())[1]).toMatchObject({ state: 'damaged', problem: expect.stringMatching(/cut off/) })
    expect((await api.call(listPlaybackSegments, { params })).items).toHaveLength(1)
    await api.call(repairSegment, { params: { ...params, segmentId: cutFile.id } })
    await daemon.idle()
    expect((await files())[1]).toMatchObject({ state: 'repaired', problem: null })
    const { items: spans } = await api.call(listPlaybackSegments, { params })
    expect(spans).toHaveLength(2)
    const repaired = Buffer.from(await (await fetch(spans[1]!.url)).arrayBuffer())
    expect(repaired.length).toBeGreaterThan(10_000)
  }, 240_000)
})

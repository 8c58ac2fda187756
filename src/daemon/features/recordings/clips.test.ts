import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { getAsset } from '../../../shared/api/assets.ts'
import { listJobs, retryJob } from '../../../shared/api/jobs.ts'
import {
  cutClip,
  deleteSegment,
  getClip,
  getRecordStatus,
  keepSnapshot,
  listClips,
  listRecordingFiles
} from '../../../shared/api/recordings.ts'
import { Outbox } from '../../events/outbox.ts'
import { JobQueue } from '../../jobs/job-queue.ts'
import { findFfmpeg } from '../../media/find-ffmpeg.ts'
import { readMp4 } from '../../media/read-mp4.ts'
import { startLiveBase } from '../../testing/live-base.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { ClipsRepository } from './clips.repository.ts'
import { isoFromUs, US_PER_S } from './instants.ts'
import { cutClipJob } from './recordings.jobs.ts'
import { placeOf, RUN, startRecordings } from './recordings-bench.ts'

const HOUR_AGO_US = (Math.floor(Date.now() / 1000) - 3600) * US_PER_S + 123_456
const at = (seconds: number) => HOUR_AGO_US + seconds * US_PER_S
const ffmpegPath = findFfmpeg()
if (!ffmpegPath)
  console.warn('\n!!! SKIPPED joined clips and pictures of recordings: there is no ffmpeg on this machine !!!\n')
const onServer = describe.skipIf(process.platform === 'win32')

type Base = Awaited<ReturnType<typeof startRecordings>>

async function cut({ api, params, daemon }: Base, from: number, to: number, name?: string) {
  const body = { start: isoFromUs(at(from)), end: isoFromUs(at(to)), ...(name === undefined ? {} : { name }) }
  const { clipId } = await api.call(cutClip, { params, body })
  await daemon.idle()
  return api.call(getClip, { params: { ...params, clipId } })
}

async function bytesOf({ fetch }: Base, assetId: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`/media/${assetId}`)).arrayBuffer())
}

onServer('a clip', () => {
  test('becomes an asset that is held, says where it comes from, and has the bytes that it says', async () => {
    const base = await startRecordings()
    base.put(at(0), 60, { run: RUN, number: 0 })
    base.put(at(60), 60, { run: RUN, number: 1 })
    await base.look()
    const clip = await cut(base, 50, 70)
    expect(clip).toMatchObject({ kind: 'clip', state: 'ready', problem: null, start: isoFromUs(at(50)) })
    const asset = await base.api.call(getAsset, { params: { assetId: clip.asset_id! } })
    expect(asset).toMatchObject({ kind: 'video', mimeType: 'video/mp4', state: 'active', sha256: clip.sha256 })
    expect(asset.name).toMatch(/^Roof \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.mp4$/)
    expect(Date.parse(asset.takenAt)).toBe(Math.floor(at(50) / 1000))
    expect(asset.references).toMatchObject([
      { kind: 'strong', namespace: 'live', owner: base.source.id, externalId: clip.id }
    ])
    expect(asset.metadata).toMatchObject({
      source_id: base.source.id,
      source_name: 'Roof',
      path: base.source.path_name,
      start: isoFromUs(at(50)),
      end: isoFromUs(at(70)),
      covered: [{ start: isoFromUs(at(50)), duration: 20 }],
      begins: 'exact'
    })
    const bytes = await bytesOf(base, clip.asset_id!)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(clip.sha256)
    expect((await base.api.call(listClips, { params: base.params })).items).toEqual([clip])
  })

  test('keeps the name that it is given', async () => {
    const base = await startRecordings()
    base.put(at(0), 60)
    await base.look()
    const { asset_id: assetId } = await cut(base, 0, 20, 'The roof burns')
    expect((await base.api.call(getAsset, { params: { assetId: assetId! } })).name).toBe('The roof burns.mp4')
  })

  test.skipIf(!ffmpegPath)('leaves out what was not recorded, and says so', async () => {
    const base = await startRecordings()
    base.put(at(0), 20)
    base.put(at(26), 20)
    await base.look()
    const clip = await cut(base, 10, 36)
    const asset = await base.api.call(getAsset, { params: { assetId: clip.asset_id! } })
    expect(asset.metadata).toMatchObject({
      covered: [
        { start: isoFromUs(at(10)), duration: 10 },
        { start: isoFromUs(at(26)), duration: 10 }
      ]
    })
    const bytes = await bytesOf(base, clip.asset_id!)
    const info = await readMp4({
      sizeBytes: bytes.length,
      read: async (position, length) => bytes.subarray(position, position + length)
    })
    expect(Math.abs((info?.durationMs ?? 0) - 20_000)).toBeLessThan(2500)
  })

  test('is refused for a time without a recording, and for one that makes no sense', async () => {
    const base = await startRecordings()
    base.put(at(0), 60)
    await base.look()
    await expect(cut(base, 100, 200)).rejects.toMatchObject({ problem: { code: 'recording_not_found' } })
    for (const [from, to] of [
      [50, 50],
      [50, 40],
      [0, 90_000],
      [0, 4000]
    ] as const)
      await expect(cut(base, from, to)).rejects.toMatchObject({ problem: { code: 'invalid_request' } })
    await expect(base.api.call(getClip, { params: { ...base.params, clipId: '0'.repeat(26) } })).rejects.toMatchObject({
      problem: { code: 'clip_not_found' }
    })
  })

  test('of several parts fails with the reason where there is no ffmpeg, and can be tried again', async () => {
    const base = await startRecordings({ env: { FLIGHTCASE_FFMPEG: '/nowhere/ffmpeg' } })
    base.put(at(0), 20)
    base.put(at(26), 20)
    await base.look()
    const clip = await cut(base, 10, 36)
    const reason = expect.stringMatching(/no ffmpeg was found/)
    expect(clip).toMatchObject({ state: 'failed', problem: reason, asset_id: null, sha256: null })
    const { items } = await base.api.call(listJobs, { query: { state: 'dead' } })
    expect(items).toMatchObject([{ name: 'recordings.clip', errorMessage: reason }])
    // What is left of it needs no joining.
    rmSync(base.fileOf(at(26)))
    await base.api.call(retryJob, { params: { jobId: items[0]!.id } })
    await base.daemon.idle()
    const params = { ...base.params, clipId: clip.id }
    expect(await base.api.call(getClip, { params })).toMatchObject({ state: 'ready', problem: null })
  })

  test('can be cut where the media server is elsewhere', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    base.mediamtx.addSegment(source.path_name, isoFromUs(at(0)), 30)
    const params = { sourceId: source.id }
    await base.api.call(getRecordStatus, { params })
    const { items } = await base.api.call(listRecordingFiles, { params })
    expect(items).toMatchObject([{ file_name: null, size_bytes: null, duration: 30, start: isoFromUs(at(0)) }])
    const body = { start: isoFromUs(at(5)), end: isoFromUs(at(15)) }
    const { clipId } = await base.api.call(cutClip, { params, body })
    await base.daemon.idle()
    expect(await base.api.call(getClip, { params: { ...params, clipId } })).toMatchObject({ state: 'ready' })
    await base.api.call(deleteSegment, { params: { ...params, segmentId: items[0]!.id } })
    expect(base.mediamtx.journal.filter(({ method }) => method === 'DELETE')).toHaveLength(1)
    expect((await base.api.call(listRecordingFiles, { params })).items).toEqual([])
  })
})

test('a clip that nobody works on any more is found', () => {
  const db = testDatabase()
  const clock = new ManualClock()
  const queue = new JobQueue({ db, clock, outbox: new Outbox({ db, clock }) })
  const clips = new ClipsRepository(db)
  const { sourceId, workspaceId } = placeOf()
  for (const id of ['cut', 'queued', 'failed']) {
    clips.insert({ id, sourceId, workspaceId, kind: 'clip', name: 'clip', startUs: 0, endUs: 1 })
  }
  clips.setFailed('failed', 'it could not')
  const jobId = queue.enqueue(cutClipJob, { clipId: 'queued' })
  expect(clips.listAbandoned().map(({ id }) => id)).toEqual(['cut'])
  queue.cancel(jobId)
  expect(clips.listAbandoned().map(({ id }) => id)).toEqual(['cut', 'queued'])
})

describe.skipIf(!ffmpegPath || process.platform === 'win32')('a picture', () => {
  test('of a recording becomes an asset, taken at that time', async () => {
    const base = await startRecordings()
    base.put(at(0), 30)
    await base.look()
    const stored = await base.api.call(keepSnapshot, { params: base.params, body: { at: isoFromUs(at(12)) } })
    expect(stored.asset).toMatchObject({ kind: 'image', mimeType: 'image/jpeg', state: 'active' })
    expect(Date.parse(stored.asset.takenAt)).toBe(Math.floor(at(12) / 1000))
    const bytes = await bytesOf(base, stored.asset.id)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(stored.sha256)
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', width: 64, height: 36 })
    expect((await base.api.call(listClips, { params: base.params })).items).toMatchObject([
      { kind: 'snapshot', state: 'ready', asset_id: stored.asset.id, sha256: stored.sha256 }
    ])
    await expect(
      base.api.call(keepSnapshot, { params: base.params, body: { at: isoFromUs(at(300)) } })
    ).rejects.toMatchObject({ problem: { code: 'recording_not_found' } })
  })
})

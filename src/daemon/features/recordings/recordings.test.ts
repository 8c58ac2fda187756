import { existsSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listJobs } from '../../../shared/api/jobs.ts'
import {
  cutClip,
  deleteSegment,
  getClip,
  getPlaybackUrl,
  getRecordStatus,
  keepSegment,
  listPlaybackSegments,
  listRecordingDays,
  listRecordingFiles,
  listRecordingSessions,
  repairSegment,
  startRecording,
  stopRecording
} from '../../../shared/api/recordings.ts'
import { deleteSource, disableSource } from '../../../shared/api/sources.ts'
import { createToken } from '../../../shared/api/system.ts'
import { findFfmpeg } from '../../media/find-ffmpeg.ts'
import { segmentBytes } from '../../testing/fake-mediamtx/segment-media.ts'
import { startLiveBase } from '../../testing/live-base.ts'
import { isoFromUs, US_PER_S } from './instants.ts'
import { readSegment } from './read-segment.ts'
import { RUN, startRecordings } from './recordings-bench.ts'

const HOUR_AGO_US = (Math.floor(Date.now() / 1000) - 3600) * US_PER_S + 123_456
const at = (seconds: number) => HOUR_AGO_US + seconds * US_PER_S
const ffmpegPath = findFfmpeg()
const onServer = describe.skipIf(process.platform === 'win32')

describe('recording', () => {
  test('is what shall be and what is, and says why it is not', async () => {
    const base = await startLiveBase()
    const source = await base.add()
    const params = { sourceId: source.id }
    const status = () => base.api.call(getRecordStatus, { params })
    expect(await status()).toEqual({ desired: false, active: false, last_segment_start: null, problem: null })
    expect(await base.api.call(startRecording, { params })).toMatchObject({ desired: true, problem: 'nobody_sends' })
    await base.send(source, { tracks: [{ codec: 'VP8', codecProps: null }] })
    expect(await status()).toMatchObject({ active: false, problem: 'no_usable_track' })
    base.mediamtx.unpublish(source.path_name)
    await base.send(source)
    expect(await status()).toMatchObject({ desired: true, active: true, problem: null })
    base.mediamtx.advanceClock(3000)
    expect((await status()).last_segment_start).not.toBeNull()
    expect(await base.api.call(stopRecording, { params })).toMatchObject({
      desired: false,
      active: false,
      problem: null
    })
    await base.api.call(startRecording, { params })
    await base.mediamtx.down()
    expect(await status()).toMatchObject({ desired: true, active: false, problem: 'server_unavailable' })
  })

  test('of a stream that is switched off, or of none, is refused', async () => {
    const base = await startLiveBase()
    const { id: sourceId } = await base.add()
    await base.api.call(disableSource, { params: { sourceId } })
    await expect(base.api.call(startRecording, { params: { sourceId } })).rejects.toMatchObject({
      problem: { code: 'source_disabled' }
    })
    const nobody = { sourceId: '0'.repeat(26) }
    for (const call of [startRecording, stopRecording, getRecordStatus, listRecordingSessions, listRecordingDays])
      await expect(base.api.call(call as typeof getRecordStatus, { params: nobody })).rejects.toMatchObject({
        problem: { code: 'source_not_found' }
      })
  })
})

onServer('what was recorded', () => {
  test('is listed as sessions with gaps, as files and by days', async () => {
    const { api, params, put, look } = await startRecordings()
    put(at(0), 60, { run: RUN, number: 0 })
    put(at(60), 60, { run: RUN, number: 1 })
    put(at(126), 30)
    put(at(1000), 10)
    const files = await look()
    expect(files.map(({ start, duration, state }) => [start, duration, state])).toEqual([
      [isoFromUs(at(0)), 60, 'whole'],
      [isoFromUs(at(60)), 60, 'whole'],
      [isoFromUs(at(126)), 30, 'whole'],
      [isoFromUs(at(1000)), 10, 'whole']
    ])
    const { items: sessions } = await api.call(listRecordingSessions, { params })
    expect(sessions).toMatchObject([
      { start: isoFromUs(at(0)), duration: 156, segments: 3, gaps: [{ start: isoFromUs(at(120)), duration: 6 }] },
      { start: isoFromUs(at(1000)), duration: 10, segments: 1, gaps: [], is_open: false, has_damage: false }
    ])
    const query = { from: isoFromUs(at(61)), to: isoFromUs(at(999)) }
    expect((await api.call(listRecordingSessions, { params, query })).items).toMatchObject([{ segments: 2 }])
    const page = await api.call(listRecordingFiles, { params, query: { limit: 3 } })
    const rest = await api.call(listRecordingFiles, { params, query: { limit: 3, cursor: page.nextCursor! } })
    expect([...page.items, ...rest.items]).toEqual(files)
    expect(rest.nextCursor).toBeNull()
    const days = await api.call(listRecordingDays, { params })
    expect(days.items.reduce((sum, day) => sum + day.duration, 0)).toBe(160)
    // Each is a window that its recordings are found in.
    for (const { start: from, end: to, segments } of days.items)
      expect((await api.call(listRecordingFiles, { params, query: { from, to } })).items).toHaveLength(segments)
    for (const query of [{ cursor: 'x' }, { from: isoFromUs(at(2)), to: isoFromUs(at(1)) }])
      await expect(api.call(listRecordingFiles, { params, query })).rejects.toMatchObject({
        problem: { code: 'invalid_request' }
      })
  })

  test('is deleted when somebody says so, and kept when they do', async () => {
    const { api, params, put, look } = await startRecordings()
    put(at(0), 60)
    const [file] = await look()
    const segment = { ...params, segmentId: file!.id }
    expect(await api.call(keepSegment, { params: segment, body: { is_kept: true } })).toMatchObject({ is_kept: true })
    expect(await look()).toMatchObject([{ is_kept: true }])
    await api.call(deleteSegment, { params: segment })
    expect(await look()).toEqual([])
    await expect(api.call(deleteSegment, { params: segment })).rejects.toMatchObject({
      problem: { code: 'recording_not_found' }
    })
  })

  test('is not deleted while it is written', async () => {
    const { api, params, put, fileOf, look } = await startRecordings()
    put(at(0), 20)
    writeFileSync(fileOf(at(0)), segmentBytes({ run: RUN, number: 0, startUs: at(0) }, 20_000, true))
    const [open] = await look()
    expect(open).toMatchObject({ state: 'open', duration: 20 })
    for (const call of [deleteSegment, repairSegment])
      await expect(
        api.call(call as typeof deleteSegment, { params: { ...params, segmentId: open!.id } })
      ).rejects.toMatchObject({ problem: { code: 'recording_in_use' } })
    const { items } = await api.call(listRecordingSessions, { params })
    expect(items).toMatchObject([{ is_open: true, duration: 20 }])
  })

  test('can be damaged, and repaired on demand', async () => {
    const { api, params, put, look, daemon } = await startRecordings()
    const file = put(at(0), 20)
    put(at(60), 20)
    const bytes = segmentBytes({ run: RUN, number: 0, startUs: at(0) }, 20_000, true)
    writeFileSync(file, bytes.subarray(0, -9))
    const [damaged, whole] = await look()
    expect(damaged).toMatchObject({ state: 'damaged', problem: expect.stringMatching(/cut off/) })
    expect((await api.call(listRecordingSessions, { params })).items).toMatchObject([
      { has_damage: true },
      { has_damage: false }
    ])
    await expect(api.call(getPlaybackUrl, { params, query: { start: isoFromUs(at(5)) } })).resolves.toMatchObject({
      start: isoFromUs(at(60))
    })
    await expect(api.call(repairSegment, { params: { ...params, segmentId: whole!.id } })).rejects.toMatchObject({
      problem: { code: 'recording_not_damaged' }
    })
    const { jobId } = await api.call(repairSegment, { params: { ...params, segmentId: damaged!.id } })
    expect(jobId).toMatch(/^[0-9a-z]{26}$/)
    await daemon.idle()
    expect(await look()).toMatchObject([{ state: 'repaired', problem: null, duration: 19 }, { state: 'whole' }])
  })

  test('that cannot be repaired says why, as work that was given up', async () => {
    const { api, params, put, fileOf, look, daemon } = await startRecordings()
    writeFileSync(put(at(0), 20), 'this is not a video at all')
    // It was not written just now, or it might be a recording that begins.
    utimesSync(fileOf(at(0)), at(20) / US_PER_S, at(20) / US_PER_S)
    const [damaged] = await look()
    expect(damaged).toMatchObject({ state: 'damaged', duration: null, problem: 'it does not begin like an MP4 file' })
    await api.call(repairSegment, { params: { ...params, segmentId: damaged!.id } })
    await daemon.idle()
    const { items } = await api.call(listJobs, { query: { state: 'dead' } })
    expect(items).toMatchObject([{ name: 'recordings.repair' }])
    expect(await look()).toMatchObject([{ state: 'damaged' }])
  })
})

onServer('playback', () => {
  test('begins where it is asked to, or after the gap, and ends with what can be played in one go', async () => {
    const { api, params, put, look } = await startRecordings()
    put(at(0), 60, { run: RUN, number: 0 })
    put(at(60), 60, { run: RUN, number: 1 })
    put(at(126), 30)
    await look()
    const ask = (query: { start: string | number; duration?: number }) => api.call(getPlaybackUrl, { params, query })
    expect(await ask({ start: isoFromUs(at(30)) })).toMatchObject({ start: isoFromUs(at(30)), duration: 90 })
    expect(await ask({ start: isoFromUs(at(30)), duration: 5 })).toMatchObject({ duration: 5 })
    expect(await ask({ start: at(122) / US_PER_S })).toMatchObject({ start: isoFromUs(at(126)), duration: 30 })
    expect(await ask({ start: isoFromUs(at(-500)) })).toMatchObject({ start: isoFromUs(at(0)), duration: 120 })
    await expect(ask({ start: isoFromUs(at(200)) })).rejects.toMatchObject({ problem: { code: 'recording_not_found' } })
    const { items } = await api.call(listPlaybackSegments, { params })
    expect(items).toMatchObject([
      { start: isoFromUs(at(0)), duration: 120 },
      { start: isoFromUs(at(126)), duration: 30 }
    ])
  })

  test('is opened by the address for a while, or by a token', async () => {
    const { api, params, put, look, ready, fetch: fetchOwn } = await startRecordings()
    put(at(0), 60)
    await look()
    const { url, path } = await api.call(getPlaybackUrl, { params, query: { start: isoFromUs(at(10)), duration: 5 } })
    for (const answer of [await fetch(url), await fetchOwn(path)]) {
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'video/mp4'])
      expect(answer.headers.get('content-disposition')).toMatch(/^inline; filename="Roof /)
      expect(Buffer.from(await answer.arrayBuffer()).toString('latin1', 4, 8)).toBe('ftyp')
    }
    const saved = await fetch(`${url}&download=true`)
    expect(saved.headers.get('content-disposition')).toMatch(/^attachment; filename="Roof [^"]*\.mp4"/)
    await saved.arrayBuffer()
    const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code
    expect(await codeOf(await fetch(`${ready.admin.url}${path}`))).toBe('unauthenticated')
    expect(await codeOf(await fetch(`${url.slice(0, -3)}xyz`))).toBe('link_invalid')
    const { secret } = await api.call(createToken, { body: { name: 'other', role: 'viewer', workspaceIds: ['other'] } })
    const foreign = await fetch(`${ready.admin.url}${path}`, { headers: { authorization: `Bearer ${secret}` } })
    expect(await codeOf(foreign)).toBe('source_not_found')
  })

  test('of what is damaged says so', async () => {
    const { params, put, look, fetch } = await startRecordings()
    put(at(60), 20)
    const file = put(at(0), 20)
    writeFileSync(file, segmentBytes({ run: RUN, number: 0, startUs: at(0) }, 20_000).subarray(0, -9))
    await look()
    const path = `/api/v1/sources/${params.sourceId}/playback/media?start=${isoFromUs(at(5))}`
    const answer = await fetch(path)
    expect([answer.status, await answer.json()]).toMatchObject([502, { code: 'recording_corrupt' }])
  })

  test('goes on when the stream is gone and its recordings were kept', async () => {
    const { api, params, put, look, fetch, daemon } = await startRecordings()
    put(at(0), 30)
    await look()
    await api.call(deleteSource, { params, query: { recordings: 'keep' } })
    const { items } = await api.call(listRecordingSessions, { params })
    expect(items).toMatchObject([{ duration: 30 }])
    const { path } = await api.call(getPlaybackUrl, { params, query: { start: isoFromUs(at(0)) } })
    const answer = await fetch(path)
    // The media server does not know the path any more: it comes from the files, for which it takes ffmpeg.
    if (ffmpegPath) {
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'video/mp4'])
      const film = Buffer.from(await answer.arrayBuffer())
      expect(film.toString('latin1', 4, 8)).toBe('ftyp')
      const content = await readSegment(
        { sizeBytes: film.length, read: async (position, length) => film.subarray(position, position + length) },
        { isThorough: true }
      )
      expect(content.problem).toBeNull()
      expect(Math.abs(content.durationMs! - 30_000)).toBeLessThan(2000)
      const body = { start: isoFromUs(at(5)), end: isoFromUs(at(15)) }
      const { clipId } = await api.call(cutClip, { params, body })
      await daemon.idle()
      expect(await api.call(getClip, { params: { ...params, clipId } })).toMatchObject({ state: 'ready' })
    } else expect(await answer.json()).toMatchObject({ code: 'recording_not_found' })
    await expect(api.call(startRecording, { params })).rejects.toMatchObject({ problem: { code: 'source_not_found' } })
  })

  test('ends with the stream where its recordings are not wanted any more', async () => {
    const { api, params, put, look, daemon } = await startRecordings()
    put(at(0), 30)
    await look()
    const unseen = put(at(60), 30)
    await api.call(deleteSource, { params, query: { recordings: 'delete' } })
    await daemon.idle()
    expect([unseen, dirname(unseen)].map((path) => existsSync(path))).toEqual([false, true])
    await expect(api.call(listRecordingSessions, { params })).rejects.toMatchObject({
      problem: { code: 'source_not_found' }
    })
  })
})

test('a media server elsewhere deletes the recordings before it forgets the path', async () => {
  const base = await startLiveBase()
  const source = await base.add()
  const file = base.mediamtx.addSegment(source.path_name, isoFromUs(at(0)), 30)
  const kept = await base.add()
  const keptFile = base.mediamtx.addSegment(kept.path_name, isoFromUs(at(0)), 30)
  await base.api.call(deleteSource, { params: { sourceId: source.id }, query: { recordings: 'delete' } })
  await base.api.call(deleteSource, { params: { sourceId: kept.id }, query: { recordings: 'keep' } })
  await base.daemon.idle()
  expect([file, keptFile].map((path) => existsSync(path))).toEqual([false, true])
  await expect(base.api.call(listRecordingSessions, { params: { sourceId: source.id } })).rejects.toMatchObject({
    problem: { code: 'source_not_found' }
  })
})

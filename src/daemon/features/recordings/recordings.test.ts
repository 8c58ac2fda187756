import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
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
  listRecordedSources,
  listRecordingDays,
  listRecordingFiles,
  listRecordingSessions,
  repairSegment,
  startRecording,
  stopRecording
} from '../../../shared/api/recordings.ts'
import { createSource, deleteSource, disableSource } from '../../../shared/api/sources.ts'
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
    const nothing = { desired: false, active: false, problem: null, last_error: null }
    expect(await status()).toEqual({ ...nothing, last_segment_start: null })
    expect(await base.api.call(startRecording, { params })).toMatchObject({ desired: true, problem: 'nobody_sends' })
    await base.send(source, { tracks: [{ codec: 'VP8', codecProps: null }] })
    expect(await status()).toMatchObject({ active: false, problem: 'no_usable_track' })
    base.mediamtx.unpublish(source.path_name)
    await base.send(source)
    base.mediamtx.advanceClock(3000)
    expect(await status()).toMatchObject({ desired: true, active: true, problem: null })
    expect((await status()).last_segment_start).not.toBeNull()
    expect(await base.api.call(stopRecording, { params })).toMatchObject(nothing)
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

  test('is asked for in windows of a month at most, by instants that are some, page by page of one list', async () => {
    const { api, params, put, look, fetch } = await startRecordings()
    put(at(0), 60)
    put(at(100), 60)
    await look()
    const ask = async (path: string) => {
      const answer = await fetch(`/api/v1/sources/${params.sourceId}/${path}`)
      const { code, details } = (await answer.json()) as { code?: string; details?: { issues: { path: string }[] } }
      return [answer.status, code, details?.issues[0]?.path]
    }
    const month = (days: number) => `from=${isoFromUs(at(-days * 86_400))}&to=${isoFromUs(at(0))}`
    const windows = ['record/sessions', 'record/files', 'playback/segments']
    for (const list of windows) {
      expect(await ask(`${list}?${month(31)}`)).toEqual([200, undefined, undefined])
      expect(await ask(`${list}?${month(31.001)}`)).toEqual([400, 'invalid_request', 'from'])
    }
    for (const wrong of [
      '2026-02-30T00:00:00Z',
      '2026-02-20',
      '1969-12-31T23:59:59Z',
      '2026-02-20T00:00:00.1234567890Z',
      ''
    ])
      for (const [list, name] of [...windows.map((list) => [list, 'from'] as const), ['playback', 'start'] as const])
        expect([wrong, ...(await ask(`${list}?${name}=${wrong}`))]).toEqual([wrong, 400, 'invalid_request', name])
    for (const start of ['', '-1', '1e400', 'NaN', '0x10', '253402300800'])
      expect([start, ...(await ask(`playback?start=${start}`))]).toEqual([start, 400, 'invalid_request', 'start'])
    const { nextCursor } = await api.call(listRecordingFiles, { params, query: { limit: 1 } })
    const other = await api.call(createSource, { body: { name: 'Gate', type: 'push' } })
    const earlier = { to: isoFromUs(at(-1)) }
    await expect(
      api.call(listRecordingFiles, { params: { sourceId: other.id }, query: { cursor: nextCursor! } })
    ).rejects.toMatchObject({ problem: { code: 'invalid_request' } })
    await expect(
      api.call(listRecordingFiles, { params, query: { ...earlier, cursor: nextCursor! } })
    ).rejects.toMatchObject({ problem: { code: 'invalid_request' } })
  })

  test('is told by days, a month at a time, and what lies before can be asked for', async () => {
    const { api, params, put, look } = await startRecordings()
    const DAY = 86_400
    for (const days of [0, 10, 50, 90]) put(at(-days * DAY), 10)
    await look()
    const found: number[] = []
    let to: string | undefined
    do {
      const page = await api.call(listRecordingDays, { params, query: to === undefined ? {} : { to } })
      found.push(page.items.length)
      to = page.earlier ?? undefined
    } while (to !== undefined)
    expect(found).toEqual([2, 1, 1])
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
    // It was not written just now, or it might still be.
    utimesSync(file, at(20) / US_PER_S, at(20) / US_PER_S)
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
    const { api, params, put, fileOf, look, daemon, ready } = await startRecordings()
    writeFileSync(put(at(0), 20), 'this is not a video at all')
    // It was not written just now, or it might be a recording that begins.
    utimesSync(fileOf(at(0)), at(20) / US_PER_S, at(20) / US_PER_S)
    const [damaged] = await look()
    expect(damaged).toMatchObject({ state: 'damaged', duration: null, problem: 'it does not begin like an MP4 file' })
    await api.call(repairSegment, { params: { ...params, segmentId: damaged!.id } })
    await daemon.idle()
    const { items } = await api.call(listJobs, { query: { state: 'dead' } })
    expect(items).toMatchObject([{ name: 'recordings.repair' }])
    // It is for no asset, and nevertheless its workspace's.
    for (const [workspaceId, seen] of [
      ['default', 1],
      ['other', 0]
    ] as const) {
      const body = { name: workspaceId, role: 'operator' as const, workspaceIds: [workspaceId] }
      const { secret } = await api.call(createToken, { body })
      const headers = { authorization: `Bearer ${secret}` }
      const listed = await fetch(`${ready.admin.url}/api/v1/jobs`, { headers })
      expect((await listed.json()) as object).toMatchObject({ items: items.slice(0, seen) })
      const cancelled = await fetch(`${ready.admin.url}/api/v1/jobs/${items[0]!.id}/cancel`, {
        method: 'POST',
        headers
      })
      expect([workspaceId, cancelled.status]).toEqual([workspaceId, seen === 1 ? 200 : 404])
    }
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
    } else expect(await answer.json()).toMatchObject({ code: 'recording_away' })
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

describe('of a source that was removed', () => {
  const names = ({ items }: { items: { name: string; is_removed: boolean; segments: number }[] }) =>
    items.map(({ name, is_removed, segments }) => [name, is_removed, segments])

  test('recordings are found by its name, also by those of its workspace only, until they go', async () => {
    const base = await startLiveBase()
    const { api, ready } = base
    const source = await base.add({ name: 'Roof', workspaceId: 'ours' })
    const other = await base.add({ name: 'aerial' })
    await base.add({ name: 'Never recorded' })
    for (const { path_name } of [source, other]) base.mediamtx.addSegment(path_name, isoFromUs(at(0)), 30)
    const params = { sourceId: source.id }
    await api.call(getRecordStatus, { params: { sourceId: other.id } })
    // What nobody has looked at yet is seen before the path goes.
    await api.call(deleteSource, { params, query: { recordings: 'keep' } })
    const all = await api.call(listRecordedSources, {})
    expect(names(all)).toEqual([
      ['aerial', false, 1],
      ['Roof', true, 1]
    ])
    expect(all.items[1]).toMatchObject({
      source_id: source.id,
      path_name: source.path_name,
      first_start: isoFromUs(at(0))
    })
    const first = await api.call(listRecordedSources, { query: { limit: 1 } })
    const query = { limit: 1, cursor: first.nextCursor! }
    expect(names(await api.call(listRecordedSources, { query }))).toEqual([['Roof', true, 1]])
    const wrong = api.call(listRecordedSources, { query: { ...query, workspaceId: 'ours' } })
    await expect(wrong).rejects.toMatchObject({ problem: { code: 'invalid_request' } })

    const { secret } = await api.call(createToken, { body: { name: 'us', role: 'viewer', workspaceIds: ['ours'] } })
    const { secret: foreign } = await api.call(createToken, {
      body: { name: 'others', role: 'viewer', workspaceIds: ['others'] }
    })
    const ask = async (path: string, token: string) => {
      const answer = await fetch(`${ready.admin.url}${path}`, { headers: { authorization: `Bearer ${token}` } })
      return [answer.status, await answer.json()]
    }
    expect(await ask('/api/v1/recordings/sources', secret)).toMatchObject([200, { items: [{ name: 'Roof' }] }])
    expect(await ask('/api/v1/recordings/sources', foreign)).toEqual([200, { items: [], nextCursor: null }])
    const files = `/api/v1/sources/${source.id}/record/files`
    expect(await ask(files, secret)).toMatchObject([200, { items: [{ duration: 30 }] }])
    expect(await ask(files, foreign)).toMatchObject([404, { code: 'source_not_found' }])
  })
})

test('a media server elsewhere deletes recordings of a removed path that it gets back for that, and none it does not know', async () => {
  const base = await startLiveBase()
  const source = await base.add()
  const file = base.mediamtx.addSegment(source.path_name, isoFromUs(at(0)), 30)
  const kept = await base.add()
  const keptFile = base.mediamtx.addSegment(kept.path_name, isoFromUs(at(0)), 30)
  const pathOf = async (pathName: string) =>
    (await fetch(`${base.mediamtx.urls.api}/v3/config/paths/get/${pathName}`)).status
  await base.api.call(deleteSource, { params: { sourceId: source.id }, query: { recordings: 'delete' } })
  const params = { sourceId: kept.id }
  await base.api.call(deleteSource, { params, query: { recordings: 'keep' } })
  await base.daemon.idle()
  expect([file, keptFile].map((path) => existsSync(path))).toEqual([false, true])
  expect([await pathOf(source.path_name), await pathOf(kept.path_name)]).toEqual([404, 404])
  await expect(base.api.call(listRecordingSessions, { params: { sourceId: source.id } })).rejects.toMatchObject({
    problem: { code: 'source_not_found' }
  })
  const { items } = await base.api.call(listRecordingFiles, { params })
  // It answers that there is no such path, which does not say that the file is gone.
  await expect(base.api.call(deleteSegment, { params: { ...params, segmentId: items[0]!.id } })).rejects.toMatchObject({
    problem: { code: 'live_unavailable' }
  })
  expect((await base.api.call(listRecordingFiles, { params })).items).toEqual(items)
})

test('what was still written elsewhere has ended with its path', async () => {
  const base = await startLiveBase()
  const source = await base.add({ record_enabled: true })
  await base.send(source)
  const params = { sourceId: source.id }
  base.mediamtx.advanceClock(3000)
  await base.api.call(getRecordStatus, { params })
  expect((await base.api.call(listRecordingFiles, { params })).items).toMatchObject([{ state: 'open' }])
  await base.api.call(deleteSource, { params, query: { recordings: 'keep' } })
  expect((await base.api.call(listRecordingFiles, { params })).items).toMatchObject([{ state: 'unchecked' }])
})

test.skipIf(process.platform === 'win32')(
  'a disk that cannot be read is told as such, and no recording goes by what was seen before',
  async () => {
    const { api, params, folder } = await startRecordings()
    await api.call(startRecording, { params })
    mkdirSync(dirname(folder), { recursive: true })
    writeFileSync(folder, 'no folder')
    expect(await api.call(getRecordStatus, { params })).toMatchObject({
      desired: true,
      active: false,
      problem: 'disk_away'
    })
  }
)

test('recordings stay, and their source, when the media server is away as it is to be removed', async () => {
  const base = await startLiveBase()
  const source = await base.add()
  const file = base.mediamtx.addSegment(source.path_name, isoFromUs(at(0)), 30)
  const params = { sourceId: source.id }
  await base.api.call(getRecordStatus, { params })
  base.mediamtx.failNext('DELETE /v3/config/paths/delete/', { status: 500, error: 'terminated' })
  base.mediamtx.failNext('DELETE /v3/config/paths/delete/', { status: 500, error: 'terminated' })
  await expect(base.api.call(deleteSource, { params, query: { recordings: 'delete' } })).rejects.toMatchObject({
    status: 503
  })
  await base.daemon.idle()
  expect(existsSync(file)).toBe(true)
  expect((await base.api.call(listRecordingFiles, { params })).items).toHaveLength(1)
})

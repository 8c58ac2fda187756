import { existsSync, mkdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { segmentBytes } from '../../testing/fake-mediamtx/segment-media.ts'
import { type ContractDriver, eventually, literally, ok, refusal, send, startingWith } from './driver.ts'

const run = '0d9f6f8e-1f6b-4c56-9a53-5c8a4a1d2e3f'
const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
const spansSchema = z.array(z.object({ start: z.string(), duration: z.number(), url: z.string() }))

/** C37 to C54: streams, recordings and their playback; then what else is relied on there. */
export function recordingCases(contract: ContractDriver): void {
  const list = () => contract.playback(`/list?path=${contract.name}`)
  const get = (query: string) => contract.playback(`/get?path=${contract.name}&${query}`)
  const deleteSegment = (query: string) =>
    contract.api('DELETE', `recordings/deletesegment?path=${contract.name}${query}`)
  /** Puts a whole recorded file in place. */
  const placeRecorded = (unixSeconds: number, micros: string, number = 0, durationMs = 5000) => {
    const startUs = unixSeconds * 1e6 + Number(micros)
    return contract.place(`${unixSeconds}-${micros}.mp4`, segmentBytes({ run, number, startUs }, durationMs))
  }
  const sourceId = async () => {
    const { json } = await contract.getPath()
    return z.object({ source: z.object({ id: z.string() }).nullable() }).parse(json).source?.id ?? null
  }

  it('C37 shows who sends, and what', async () => {
    await contract.publishAndWait()
    expect((await contract.getPath()).json).toMatchObject({
      ready: true,
      available: true,
      online: true,
      availableTime: expect.any(String),
      onlineTime: expect.any(String),
      source: { type: expect.stringMatching(/^(rtmpConn|rtspSession)$/), id: uuid },
      tracks: expect.arrayContaining(['H264']),
      tracks2: expect.arrayContaining([
        {
          codec: 'H264',
          codecProps: expect.objectContaining({ width: expect.any(Number), height: expect.any(Number) })
        }
      ])
    })
  })

  it('C38 begins to record without disturbing who sends', async () => {
    await contract.publishAndWait()
    const before = await sourceId()
    expect(await contract.patch({ record: true })).toMatchObject(ok)
    await eventually(contract.getRecordings).toMatchObject({
      status: 200,
      json: { segments: [{ start: expect.any(String) }] }
    })
    expect(await sourceId()).toBe(before)
  })

  it('C39 disconnects who sends for any other setting', async () => {
    await contract.publishAndWait()
    const before = await sourceId()
    expect(await contract.patch({ maxReaders: 3 })).toMatchObject(ok)
    await eventually(sourceId).not.toBe(before)
  })

  it('puts out who sends to a path that is to be fetched from nowhere, and plays what was recorded of it', async () => {
    await contract.publishAndWait()
    placeRecorded(1_767_225_600, '000000')
    expect(await contract.patch({ source: 'rtsp://switched-off.invalid/', sourceOnDemand: true })).toMatchObject(ok)
    await eventually(contract.getPath).toMatchObject({
      json: { available: false, source: { type: 'rtspSource', id: '' } }
    })
    expect(await list()).toMatchObject({ status: 200, json: [{ start: '2026-01-01T00:00:00Z' }] })
  })

  it('C40 has no recordings of a path that was never recorded', async () => {
    await contract.addAndWait()
    expect(await contract.getRecordings()).toMatchObject({ status: 200, json: { name: contract.name, segments: [] } })
  })

  it('C41 refuses recordings of a path without settings', async () => {
    expect(await contract.getRecordings()).toMatchObject(refusal(`path '${contract.name}' is not configured`))
  })

  it('C42 lists the starts of files, to the microsecond', async () => {
    await contract.addAndWait()
    placeRecorded(1_767_225_700, '000001')
    placeRecorded(1_767_225_600, '123456')
    expect(await contract.getRecordings()).toMatchObject({
      status: 200,
      json: { segments: [{ start: '2026-01-01T00:00:00.123456Z' }, { start: '2026-01-01T00:01:40.000001Z' }] }
    })
  })

  it('C43 deletes one file by its exact start, once', async () => {
    await contract.addAndWait()
    placeRecorded(1_767_225_600, '123456')
    placeRecorded(1_767_225_700, '000001')
    const start = '&start=2026-01-01T00:00:00.123456Z'
    expect(await deleteSegment(start)).toMatchObject(ok)
    expect((await contract.getRecordings()).json).toEqual({
      name: contract.name,
      segments: [{ start: '2026-01-01T00:01:40.000001Z' }]
    })
    expect(await deleteSegment(start)).toMatchObject(refusal(startingWith('remove ')))
  })

  it('C44 refuses to delete without a start', async () => {
    expect(await deleteSegment('')).toMatchObject(refusal(startingWith(`invalid 'start' parameter: parsing time ""`)))
  })

  it('C45 keeps the files of a path whose settings go', async () => {
    await contract.addAndWait()
    const file = placeRecorded(1_767_225_600, '000000')
    await contract.remove()
    await eventually(contract.getRecordings).toMatchObject(refusal(`path '${contract.name}' is not configured`))
    expect(existsSync(file)).toBe(true)
  })

  it('C46 calls it an error to list what was never recorded', async () => {
    await contract.addAndWait()
    expect(await list()).toMatchObject(refusal(expect.stringContaining(contract.name)))
  })

  it('C47 finds nothing in an empty folder', async () => {
    await contract.addAndWait()
    mkdirSync(contract.folder, { recursive: true })
    expect(await list()).toMatchObject(refusal('no recording segments found', 404))
  })

  it('C48 lists nothing at all beside one empty file', async () => {
    await contract.addAndWait()
    placeRecorded(1_767_225_600, '000000')
    contract.place('1767225700-000000.mp4', Buffer.alloc(0))
    expect(await list()).toMatchObject(refusal('EOF', 500))
    expect((await contract.getRecordings()).json).toMatchObject({ segments: [{}, {}] })
  })

  it.each([
    ['C49', 'start=1700000000&duration=10', 'invalid start: parsing time "1700000000"'],
    ['C50', 'start=2026-01-01T00:00:00Z', 'invalid duration: time: invalid duration ""'],
    ['C51', 'start=2026-01-01T00:00:00Z&duration=10&format=webm', 'invalid format: webm']
  ])('%s refuses to play with %s', async (_case, query, error) => {
    await contract.addAndWait()
    expect(await get(query)).toMatchObject(refusal(startingWith(error)))
  })

  it('C52 plays what was recorded, at the address it was asked at', async () => {
    await contract.publishAndWait({ record: true })
    await eventually(list).toMatchObject({ status: 200 })
    await contract.target.unpublish(contract.name)
    await contract.isAvailable(false)
    const [span] = spansSchema.parse((await list()).json)
    expect(span?.url).toMatch(new RegExp(`^${literally(contract.target.urls.playback)}/get\\?`))
    expect(span?.duration).toBeGreaterThan(0)
    const reply = await send(span!.url)
    expect(reply).toMatchObject({ status: 200, text: expect.stringContaining('ftyp') })
    expect(reply.headers.get('content-type')).toBe('video/mp4')
    expect(reply.headers.get('accept-ranges')).toBe('none')
  })

  it('C53 begins a new entry where recording was off', async () => {
    await contract.publishAndWait({ record: true })
    await eventually(list).toMatchObject({ json: { length: 1 } })
    await contract.patch({ record: false })
    await eventually(contract.getConfig).toMatchObject({ json: { record: false } })
    await contract.patch({ record: true })
    await eventually(list).toMatchObject({ status: 200, json: { length: 2 } })
  })

  it('C54 does not play MPEG-TS', async () => {
    await contract.addAndWait({ recordFormat: 'mpegts' })
    contract.place('1767225600-000000.ts', Buffer.from('G'))
    expect(await list()).toMatchObject(refusal('MPEG-TS format is not supported yet', 500))
  })

  it('joins files that follow each other in one run, and cuts them to the window', async () => {
    await contract.addAndWait()
    placeRecorded(1_767_225_600, '000000', 0, 60_000)
    placeRecorded(1_767_225_660, '000000', 1, 60_000)
    placeRecorded(1_767_225_800, '000000', 3, 10_500)
    expect(await list()).toMatchObject({
      json: [
        { start: '2026-01-01T00:00:00Z', duration: 120 },
        { start: '2026-01-01T00:03:20Z', duration: 10.5 }
      ]
    })
    const window = '&start=2026-01-01T08:00:30%2B08:00&end=2026-01-01T00:01:30.25Z'
    expect(await contract.playback(`/list?path=${contract.name}${window}`)).toMatchObject({
      json: [{ start: '2026-01-01T08:00:30+08:00', duration: 60.25 }]
    })
  })

  it('takes a name that goes on after .mp4 for a recorded file, and no other ending', async () => {
    await contract.addAndWait()
    contract.place('1767225600-000000.bad', Buffer.alloc(0))
    expect((await contract.getRecordings()).json).toMatchObject({ segments: [] })
    contract.place('1767225600-000000.mp4.bad', Buffer.alloc(0))
    expect((await contract.getRecordings()).json).toMatchObject({ segments: [{}] })
  })

  it('disconnects who sends by its id', async () => {
    await contract.publishAndWait()
    const id = await sourceId()
    expect(await contract.api('GET', `rtmpconns/get/${id}`)).toMatchObject({
      json: { id, path: contract.name, state: 'publish', remoteAddr: expect.stringMatching(/^127\.0\.0\.1:\d+$/) }
    })
    expect(await contract.api('POST', `rtmpconns/kick/${id}`)).toMatchObject(ok)
    await eventually(sourceId).not.toBe(id)
    expect(await contract.api('GET', `rtmpconns/get/${id}`)).toMatchObject(refusal('connection not found', 404))
  })
}

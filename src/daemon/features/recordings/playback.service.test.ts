import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { MediaMtxClient } from '../../mediamtx/client.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { isoFromUs, US_PER_S } from './instants.ts'
import { Playback } from './playback.service.ts'
import { RecordingPlaces } from './recorded-sources.ts'
import { CAMERA, placeOf, startIndex } from './recordings-bench.ts'
import { RemovedSourcesRepository } from './removed-sources.repository.ts'

const START_US = 1_795_282_529_020_495
const { sourceId, workspaceId } = placeOf()

/** Set by who needs one. */
const ffmpeg: { path: string | null } = { path: null }
beforeEach(() => {
  ffmpeg.path = null
})

/** A recording of a minute, and a playback server that answers as `answer` says. */
async function startPlayback(answer: RequestListener) {
  const bench = await startIndex()
  bench.fake.addSegment(CAMERA, isoFromUs(START_US), 60)
  await bench.scanned()
  const stand = createServer(answer).listen(0, '127.0.0.1')
  await once(stand, 'listening')
  onTestFinished(() => {
    stand.closeAllConnections()
    stand.close()
  })
  const url = `http://127.0.0.1:${(stand.address() as AddressInfo).port}`
  const client = new MediaMtxClient({ apiUrl: url, playbackUrl: url, credential: null })
  const about = { name: 'Roof', pathName: CAMERA, enabled: true, recordEnabled: false, updatedAtMs: 0 }
  const source = { id: sourceId, workspaceId, ...about }
  const sources = { find: () => source, listRecorded: () => [], setRecording: async () => undefined }
  const playback = new Playback({
    ...bench,
    server: { ...bench.server, client: () => client },
    places: new RecordingPlaces({ sources, removed: new RemovedSourcesRepository(bench.db), segments: bench.segments }),
    ffmpegPath: () => ffmpeg.path,
    scratchDir: temporaryFolder('scratch')
  })
  return { ...bench, playback, play: playback.find(sourceId, START_US + 10 * US_PER_S, 5) }
}

test('who leaves ends the answer of the media server as well', async () => {
  const left = Promise.withResolvers<void>()
  const asked: string[] = []
  const { playback, play } = await startPlayback((request, response: ServerResponse) => {
    asked.push(request.url!)
    response.writeHead(200, { 'content-type': 'video/mp4' }).write('the first bytes of many')
    response.once('close', () => left.resolve())
  })
  const gone = new AbortController()
  const film = await playback.open(play, 'fmp4', gone.signal)
  film.once('error', () => undefined)
  await once(film, 'readable')
  const { searchParams } = new URL(asked[0]!, 'http://localhost')
  expect(Object.fromEntries(searchParams)).toEqual({
    path: CAMERA,
    start: '2026-11-21T17:35:39.020495Z',
    duration: '5',
    format: 'fmp4'
  })
  gone.abort()
  await left.promise
})

test('what the media server cannot read is told as damage, and looked at', async () => {
  const { playback, play, queued, db } = await startPlayback((_, response) => {
    response
      .writeHead(400, { 'content-type': 'application/json' })
      .end('{"status":"error","error":"moov box not found"}')
  })
  db.prepare('DELETE FROM job').run()
  await expect(playback.open(play, 'fmp4', new AbortController().signal)).rejects.toMatchObject({ code: 'Corrupt' })
  expect(queued()).toEqual(['recordings.check'])
})

test('what the media server does not find is away: the index knows that it was recorded', async () => {
  const { playback, play, fake } = await startPlayback((_, response) => {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"status":"error","error":"nothing"}')
  })
  const open = () => playback.open(play, 'fmp4', new AbortController().signal)
  await expect(open()).rejects.toMatchObject({ code: 'recording_away' })
  rmSync(fake.segmentFile(CAMERA, isoFromUs(START_US)))
  ffmpeg.path = process.execPath
  await expect(open()).rejects.toMatchObject({ code: 'recording_away' })
})

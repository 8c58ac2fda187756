import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { deleteAsset } from '../../../shared/api/assets.ts'
import { listDeletions } from '../../../shared/api/deletions.ts'
import { listSinks } from '../../../shared/api/sinks.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import type { Database } from '../../db/database.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { redisVersion, startRedis } from '../../testing/redis-server.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { assetNames, firstTimes, startTestSink } from '../../testing/test-sink.ts'
import { connectRedis } from './redis-connection.ts'

const STREAM = 'flightcase:events'

async function upload(base: TestDaemon, bytes: Uint8Array, name: string, owner?: string): Promise<string> {
  const body = new FormData()
  if (owner !== undefined) {
    body.append('namespace', 'gallery')
    body.append('owner', owner)
  }
  body.append('file', new Blob([bytes as never]), name)
  const answer = await base.fetch(uploadMedia.path, { method: 'POST', body })
  return uploadMedia.response.parse(await answer.json()).asset.id
}

function client(url: string): Redis {
  const redis = new Redis(url)
  onTestFinished(() => redis.disconnect())
  return redis
}

async function subscribe(url: string, ...channels: string[]) {
  const heard: { channel: string; message: Record<string, unknown> }[] = []
  const redis = client(url)
  redis.on('message', (channel, message) => heard.push({ channel, message: JSON.parse(message) }))
  await redis.subscribe(...channels)
  return heard
}

/** The envelopes in the stream, oldest first. */
async function entries(redis: Redis): Promise<Record<string, unknown>[]> {
  return (await redis.xrange(STREAM, '-', '+')).map(([, fields]) => JSON.parse(fields[fields.indexOf('event') + 1]!))
}

/** A sink over a catalogue of its own, or over that of another one. */
function startSink(url: string, options: { db?: Database; streamMax?: number } = {}) {
  const { db, streamMax = 1_000_000 } = options
  const source = 'urn:flightcase:test'
  const mediaUrl = (assetId: string) => `http://base/media/${assetId}`
  return startTestSink('redis', () => connectRedis({ url, stream: STREAM, streamMax, source, mediaUrl }), db)
}

describe.skipIf(redisVersion === null)('Redis', () => {
  test('hears of photos that came and went, and of everything as CloudEvents', async () => {
    const redis = await startRedis()
    const photos = await subscribe(redis.url, 'photo:uploaded', 'photo:deleted')
    const all = await subscribe(redis.url, 'flightcase:events')
    const base = await startTestDaemon({ env: { FLIGHTCASE_REDIS_URL: redis.url } })
    const assetId = await upload(base, await dronePhoto(), 'DJI_0001.JPG', 'ann')
    await upload(base, Buffer.from('no photo'), 'notes.txt')
    await base.api.call(deleteAsset, { params: { assetId } })
    await vi.waitFor(() => expect(photos).toHaveLength(2), 10_000)
    expect(photos).toEqual([
      {
        channel: 'photo:uploaded',
        message: {
          id: assetId,
          userId: 'ann',
          url: `${base.ready.admin.url}/media/${assetId}`,
          originalName: 'DJI_0001.JPG',
          mimeType: 'image/jpeg',
          sizeBytes: expect.any(Number),
          storageKey: expect.stringMatching(/^images\//),
          workspaceId: 'default',
          createdAt: expect.any(String)
        }
      },
      { channel: 'photo:deleted', message: { id: assetId } }
    ])
    await base.daemon.idle()
    const reader = client(redis.url)
    await vi.waitFor(async () => {
      const [sink] = (await base.api.call(listSinks, {})).items
      expect(sink).toMatchObject({ name: 'redis', address: redis.url, isUp: true, lagEvents: 0, lastError: null })
    }, 10_000)
    const stored = await entries(reader)
    expect(stored).toContainEqual(
      expect.objectContaining({ specversion: '1.0', type: 'flightcase.asset.binned', subject: assetId })
    )
    await vi.waitFor(() => expect(all.map(({ message }) => message)).toEqual(stored), 10_000)
  })

  test('that is away holds up nobody, and gets everything in order once it is back', async () => {
    const redis = await startRedis()
    const base = await startTestDaemon({ env: { FLIGHTCASE_REDIS_URL: redis.url } })
    const assetIds = [await upload(base, Buffer.from('a'), 'a')]
    const state = async () => (await base.api.call(listSinks, {})).items[0]!
    await vi.waitFor(async () => expect((await state()).lagEvents).toBe(0), 10_000)
    await redis.kill()
    for (const name of ['b', 'c', 'd']) assetIds.push(await upload(base, Buffer.from(name), name))
    await vi.waitFor(async () => expect(await state()).toMatchObject({ isUp: false }), 10_000)
    expect((await state()).lagEvents).toBeGreaterThanOrEqual(3)
    expect((await state()).lastError).toMatch(/ECONNREFUSED|closed/)
    await redis.start()
    await vi.waitFor(async () => expect(await state()).toMatchObject({ isUp: true, lagEvents: 0 }), 20_000)
    const arrived = (await entries(client(redis.url))).filter(({ type }) => type === 'flightcase.asset.arrived')
    expect(firstTimes(arrived.map(({ subject }) => subject))).toEqual(assetIds)
  })

  test('brings what other systems deleted, also after it was away', async () => {
    const redis = await startRedis()
    const base = await startTestDaemon({ env: { FLIGHTCASE_REDIS_URL: redis.url } })
    const publisher = client(redis.url)
    const publish = (message: string) =>
      vi.waitFor(async () => expect(await publisher.publish('drop_deleted', message)).toBe(1), 10_000)
    const waiting = async () => (await base.api.call(listDeletions, {})).items.map(({ mediaId }) => mediaId)
    const assetId = await upload(base, Buffer.from('a'), 'a')
    await publish('no JSON')
    await publish('{"media_ids":"not a list"}')
    await publish(JSON.stringify({ drop_id: '7', media_ids: [assetId] }))
    await vi.waitFor(async () => expect(await waiting()).toEqual([assetId]), 10_000)
    await redis.kill()
    await redis.start()
    await publish(JSON.stringify({ drop_id: '8', media_ids: ['another'] }))
    await vi.waitFor(async () => expect(await waiting()).toContain('another'), 10_000)
  })

  test('gets what happened while the program was not running', async () => {
    const redis = await startRedis()
    const first = startSink(redis.url)
    first.append(assetNames(0, 250))
    await vi.waitFor(() => expect(first.sink.describe().lagEvents).toBe(0), 10_000)
    await first.sink.stop()
    first.append(assetNames(250, 500))
    const second = startSink(redis.url, { db: first.db })
    await vi.waitFor(() => expect(second.sink.describe().lagEvents).toBe(0), 10_000)
    expect((await entries(client(redis.url))).map(({ subject }) => subject)).toEqual(assetNames(0, 500))
  })

  test('that no longer answers is given up, and loses nothing', async () => {
    const redis = await startRedis()
    const { sink, append } = startSink(redis.url)
    append(assetNames(0, 10))
    await vi.waitFor(() => expect(sink.describe().lagEvents).toBe(0), 10_000)
    redis.freeze()
    append(assetNames(10, 300))
    await vi.waitFor(() => expect(sink.describe()).toMatchObject({ isUp: false, lagEvents: 290 }), 15_000)
    redis.thaw()
    await vi.waitFor(() => expect(sink.describe()).toMatchObject({ isUp: true, lagEvents: 0 }), 20_000)
    const subjects = (await entries(client(redis.url))).map(({ subject }) => subject)
    expect(firstTimes(subjects)).toEqual(assetNames(0, 300))
  })

  test('keeps about as much in the stream as is wanted', async () => {
    const redis = await startRedis()
    const { sink, append } = startSink(redis.url, { streamMax: 100 })
    append(assetNames(0, 2000))
    await vi.waitFor(() => expect(sink.describe().lagEvents).toBe(0), 20_000)
    const length = await client(redis.url).xlen(STREAM)
    expect(length).toBeGreaterThanOrEqual(100)
    expect(length).toBeLessThan(500)
  })

  test('that was away for too long is told from where there is something, and how much it misses', async () => {
    const redis = await startRedis()
    const first = startSink(redis.url)
    await first.sink.stop()
    first.append(assetNames(0, 10))
    await first.outbox.trim({ keep: 3 })
    const second = startSink(redis.url, { db: first.db })
    await vi.waitFor(() => expect(second.sink.describe()).toMatchObject({ lagEvents: 0, lostEvents: 7 }), 10_000)
    expect((await entries(client(redis.url))).map(({ subject }) => subject)).toEqual(assetNames(7, 10))
  })
})

test('its address is shown without user and password', async () => {
  const base = await startTestDaemon({ env: { FLIGHTCASE_REDIS_URL: 'redis://ann:secret@127.0.0.1:1/0' } })
  const { items } = await base.api.call(listSinks, {})
  expect(items).toMatchObject([{ name: 'redis', address: 'redis://127.0.0.1:1/0' }])
})

test('nobody there: stopping does not wait for it', async () => {
  const { sink, append } = startSink('redis://127.0.0.1:1/0')
  append(assetNames(0, 1))
  await vi.waitFor(() => expect(sink.describe()).toMatchObject({ isUp: false, lagEvents: 1 }), 10_000)
  await sink.stop()
})

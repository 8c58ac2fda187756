import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createPhotoCard } from '../../../demo/photo-card.ts'
import { listAssets } from '../../../shared/api/assets.ts'
import { getStorage, listDamagedAssets, startScrub } from '../../../shared/api/storage.ts'
import { createToken } from '../../../shared/api/system.ts'
import { EVERYTHING } from '../../embedded-store/endpoint/endpoint-harness.ts'
import { openDistantStore } from '../../testing/distant-store.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { testController } from '../../testing/test-controller.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder } from '../../testing/test-database.ts'

const photoCard = (count: number) =>
  createPhotoCard({
    directory: join(temporaryFolder('card'), 'card'),
    count,
    seed: 3,
    startedAt: '2026-04-07T10:00:00',
    megapixels: 0.3,
    withClip: false
  })

const storage = (base: TestDaemon) => base.api.call(getStorage, {})
const damaged = async (base: TestDaemon, query: { limit?: number; cursor?: string } = {}) =>
  base.api.call(listDamagedAssets, { query })

test('a fresh base has room, keeps nothing, and says of no flight how many fit', async () => {
  const base = await startTestDaemon()
  const found = await storage(base)
  expect(found).toMatchObject({
    mode: 'embedded',
    place: join(base.dataDir, 'store'),
    trouble: null,
    assetTotal: 0,
    usage: { objects: 0, unfinishedUploads: 0, idleUploads: 0 },
    room: null,
    index: { problem: null },
    damagedAssets: 0,
    damagedOthers: 0,
    refused: []
  })
  const { totalBytes, freeBytes, availableBytes } = found.disk!
  expect(totalBytes).toBeGreaterThanOrEqual(freeBytes)
  expect(freeBytes).toBeGreaterThan(availableBytes)
})

test('what flights took says how many fit; a file that lost its bytes is told with its flight, until it was sent again', async () => {
  const base = await startTestDaemon()
  const controller = testController(base)
  const card = await photoCard(2)
  const mission = { groupId: 'b7a2c1de-7c0a-4b8e-9a55-000000000001', path: 'East slope', fileCount: 2 }
  await controller.offer(card, { mission })
  await base.daemon.idle()
  const flightBytes = card.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const { room, disk, assetBytes, usage } = await storage(base)
  expect(room).toMatchObject({ flightBytes, like: 'today' })
  expect(room!.flights).toBeGreaterThan(0)
  expect(room!.flights * flightBytes).toBeLessThanOrEqual(disk!.availableBytes)
  expect(assetBytes).toBe(flightBytes)
  expect(usage!.storedBytes).toBeGreaterThan(flightBytes)

  const text = new FormData()
  text.append('file', new Blob(['a report'], { type: 'text/plain' }), 'report.txt')
  expect((await base.fetch('/api/v1/media/upload', { method: 'POST', body: text })).status).toBe(200)
  await base.daemon.idle()
  rmSync(join(base.dataDir, 'store/blobs'), { recursive: true })
  const { items: assets } = await base.api.call(listAssets, {})
  for (const { id } of assets) await base.fetch(`/media/${id}`)
  await vi.waitFor(async () => expect((await storage(base)).damagedAssets).toBe(3), 20_000)
  const { items, nextCursor } = await damaged(base, { limit: 2 })
  expect(items).toMatchObject(
    card.map(({ name }) => ({ name, flightName: 'East slope', damage: 'bytes_missing', remedy: 'send_again' }))
  )
  const rest = await damaged(base, { limit: 2, cursor: nextCursor! })
  expect(rest).toMatchObject({
    items: [{ name: 'report.txt', flightName: null, remedy: 'upload_again' }],
    nextCursor: null
  })

  expect((await controller.offer(card, { mission })).uploaded).toHaveLength(2)
  await base.daemon.idle()
  expect((await damaged(base)).items).toMatchObject([{ name: 'report.txt' }])
})

test('previews that lost their bytes are told apart, and made again when they are looked at', async () => {
  const base = await startTestDaemon()
  await testController(base).offer(await photoCard(1))
  await base.daemon.idle()
  const { items } = await base.api.call(listAssets, {})
  const preview = `/thumbnail/256/${items[0]!.id}`
  expect((await base.fetch(preview)).status).toBe(200)
  rmSync(join(base.dataDir, 'store/blobs'), { recursive: true })
  expect((await base.fetch(preview)).status).toBe(404)
  expect((await storage(base)).damagedOthers).toBe(1)
})

test('a disk that is away is told as that, and nothing else is asked of it', async () => {
  const base = await startTestDaemon()
  const place = join(base.dataDir, 'store')
  renameSync(place, `${place}-away`)
  onTestFinished(() => renameSync(`${place}-away`, place))
  await vi.waitFor(
    async () =>
      expect(await storage(base)).toMatchObject({ trouble: 'unplugged', disk: null, usage: null, scrub: null }),
    20_000
  )
})

test('everything is checked when an operator asks for it', async () => {
  const base = await startTestDaemon()
  const { secret } = await base.api.call(createToken, { body: { name: 'looks on', role: 'viewer' } })
  const asViewer = { method: 'POST', headers: { authorization: `Bearer ${secret}` } }
  expect((await fetch(base.ready.admin.url + startScrub.path, asViewer)).status).toBe(403)
  expect(await base.api.call(startScrub, {})).toMatchObject({ state: expect.any(String) })
})

test('of an external store it is told whether it answers, and how late', async () => {
  const { gate, env } = await openDistantStore()
  const clock = new ManualClock(Date.now())
  const base = await startTestDaemon({ env, overrides: { clock } })
  expect(await storage(base)).toMatchObject({
    mode: 'external',
    place: env['FLIGHTCASE_S3_ENDPOINT'],
    trouble: null,
    credentialsRefused: null,
    latencyMs: expect.any(Number),
    clockDifferenceMs: expect.any(Number),
    disk: null,
    usage: null,
    room: null,
    scrub: null,
    index: null
  })
  await expect(base.api.call(startScrub, {})).rejects.toMatchObject({ problem: { code: 'scrub_not_available' } })
  gate.cut()
  clock.advanceMs(60_000)
  expect(await storage(base)).toMatchObject({ trouble: 'unreachable', latencyMs: null })
})

test('a store that refuses the credentials of controllers is told with what it says', async () => {
  const { store, env } = await openDistantStore()
  const key = store.user({ name: 'no role', canAssume: false, policy: EVERYTHING })
  const keys = { FLIGHTCASE_S3_ACCESS_KEY: key.accessKeyId, FLIGHTCASE_S3_SECRET_KEY: key.secretAccessKey }
  const base = await startTestDaemon({ env: { ...env, ...keys } })
  expect(await storage(base)).toMatchObject({
    trouble: null,
    credentialsRefused: expect.stringContaining('AccessDenied')
  })
  // Behind the gateway nobody asks for them.
  const behind = await startTestDaemon({ env: { ...env, ...keys, FLIGHTCASE_OBJECT_STORE: 'gateway' } })
  expect(await storage(behind)).toMatchObject({
    mode: 'gateway',
    place: env['FLIGHTCASE_S3_ENDPOINT'],
    trouble: null,
    credentialsRefused: null
  })
})

import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createPhotoCard } from '../demo/photo-card.ts'
import { deleteAsset, getAsset, listAssets } from '../shared/api/assets.ts'
import { getDoctor } from '../shared/api/doctor.ts'
import { getStorage } from '../shared/api/storage.ts'
import { getStatus } from '../shared/api/system.ts'
import { uploadMedia } from '../shared/api/uploads.ts'
import { loadConfig } from './config/load.ts'
import type { Config } from './config/schema.ts'
import { EndpointHarness, REGION } from './embedded-store/endpoint/endpoint-harness.ts'
import { outsideChecks } from './features/doctor/outside-checks.ts'
import { ManualClock } from './testing/manual-clock.ts'
import { testController } from './testing/test-controller.ts'
import { startTestDaemon, type TestDaemon } from './testing/test-daemon.ts'
import { temporaryFolder } from './testing/test-database.ts'

const ID = '.flightcase/store-id'

/** A server with some buckets. */
async function openServer(...buckets: string[]) {
  const server = await EndpointHarness.open()
  onTestFinished(() => server.dispose())
  for (const name of buckets) await server.engine.createBucket({ name, owner: 'flightcase' })
  const keys = async (bucket: string) =>
    (await server.engine.listObjects({ bucket, limit: 1000 })).entries.map((entry) =>
      'object' in entry ? entry.object.key : entry.prefix
    )
  return {
    server,
    keys,
    async copyAll(from: string, to: string, isWanted: (key: string) => boolean = () => true) {
      for (const key of (await keys(from)).filter(isWanted))
        await server.engine.copyObject({ source: { bucket: from, key }, bucket: to, key })
    },
    async empty(bucket: string) {
      for (const key of await keys(bucket)) await server.engine.deleteObject(bucket, key)
    }
  }
}

/** A base that is started with one store after the other. */
class Base {
  readonly clock = new ManualClock(Date.now())
  readonly dataDir = join(temporaryFolder('base'), 'data')
  config!: Config
  readonly #server: EndpointHarness
  #base: TestDaemon | undefined
  #logged: string[] = []

  constructor(server: EndpointHarness) {
    this.#server = server
  }

  async start(bucket: string | null, env: Record<string, string> = {}): Promise<TestDaemon> {
    await this.#base?.daemon.stop()
    // What waited for a store looks again at once.
    this.clock.advanceMs(3_600_000)
    const logged: string[] = []
    this.#logged = logged
    const { url, admin } = this.#server
    const external = {
      FLIGHTCASE_OBJECT_STORE: 'external',
      FLIGHTCASE_S3_ENDPOINT: url,
      FLIGHTCASE_S3_ACCESS_KEY: admin.accessKeyId,
      FLIGHTCASE_S3_SECRET_KEY: admin.secretAccessKey,
      FLIGHTCASE_S3_REGION: REGION
    }
    const settings = { ...(bucket !== null && { ...external, FLIGHTCASE_S3_BUCKET: bucket }), ...env }
    this.config = loadConfig({ flags: { dataDir: this.dataDir }, env: settings })
    this.#base = await startTestDaemon({
      dataDir: this.dataDir,
      env: settings,
      overrides: { clock: this.clock, log: pino({ level: 'debug' }, { write: (line) => void logged.push(line) }) }
    })
    await this.#base.daemon.idle()
    return this.#base
  }

  get base(): TestDaemon {
    return this.#base!
  }

  async upload(text: string): Promise<string> {
    const form = new FormData()
    form.append('namespace', 'posts')
    form.append('file', new Blob([text], { type: 'text/plain' }), 'note.txt')
    const answer = await this.base.fetch(uploadMedia.path, { method: 'POST', body: form })
    expect(answer.status).toBe(200)
    const { asset } = uploadMedia.response.parse(await answer.json())
    await this.base.daemon.idle()
    return asset.id
  }

  async read(assetId: string): Promise<string | number> {
    const answer = await this.base.fetch(`/media/${assetId}`)
    return answer.status === 200 ? answer.text() : answer.status
  }

  async purge(assetId: string): Promise<void> {
    const query = { force: 'true' }
    await this.base.api.call(deleteAsset, { params: { assetId }, query })
    await this.base.api.call(deleteAsset, { params: { assetId }, query: { ...query, permanent: 'true' } })
    await this.base.daemon.idle()
  }

  detail = (assetId: string) => this.base.api.call(getAsset, { params: { assetId } })

  /** What is wrong with the store, looked at anew. */
  async trouble(): Promise<string | null> {
    this.clock.advanceMs(60_000)
    return (await this.base.api.call(getStatus, {})).store.trouble
  }

  /** Waits until catalogue and store were compared, or could not be. */
  async compared(): Promise<void> {
    const isPass = (line: string) => /catalogue and store were compared|reconciling ended early/.test(line)
    await vi.waitFor(() => expect(this.#logged.some(isPass)).toBe(true), 20_000)
  }

  /** Changes the catalogue of a base that is stopped. */
  async change(work: (sql: Sqlite.Database) => void): Promise<void> {
    await this.base.daemon.stop()
    const sql = new Sqlite(join(this.dataDir, 'flightcase.db'))
    work(sql)
    sql.close()
  }
}

test('a bucket that was emptied is another store: nothing is damaged, nothing is done with, and it goes on when it is back', async () => {
  const { server, keys, copyAll, empty } = await openServer('aside')
  const base = new Base(server)
  await base.start('media')
  const [kept, purged] = [await base.upload('kept'), await base.upload('purged')]
  expect(await keys('media')).toContain(ID)
  const { objectKey } = await base.detail(purged)
  await copyAll('media', 'aside')
  await empty('media')

  expect(await base.read(kept)).toBe(503)
  expect(await base.trouble()).toBe('other_store')
  expect(await base.base.api.call(getStorage, {})).toMatchObject({ trouble: 'other_store', damagedAssets: 0 })
  const { checks } = await base.base.api.call(getDoctor, {})
  expect(checks.find(({ id }) => id === 'store')).toMatchObject({ code: 'other_store', state: 'problem' })
  expect((await base.base.fetch('/health/ready')).status).toBe(503)
  expect(await outsideChecks(base.config, true).store?.()).toMatchObject({ code: 'other_store' })
  await base.purge(purged)
  await base.start('media')
  await base.compared()
  expect(await base.trouble()).toBe('other_store')
  expect((await base.detail(kept)).damage).toBeNull()
  const form = new FormData()
  form.append('file', new Blob(['new'], { type: 'text/plain' }), 'new.txt')
  expect((await base.base.fetch(uploadMedia.path, { method: 'POST', body: form })).status).toBe(503)
  expect(await keys('media')).toEqual([])

  await copyAll('aside', 'media')
  expect(await base.trouble()).toBeNull()
  expect(await outsideChecks(base.config, true).store?.()).toMatchObject({ code: 'external' })
  expect(await base.read(kept)).toBe('kept')
  await base.start('media')
  expect(await keys('media')).not.toContain(objectKey)
  expect((await base.detail(kept)).damage).toBeNull()
}, 60_000)

test('a bucket of another base at the same address is not taken for the own one', async () => {
  const { server, copyAll, empty } = await openServer('others')
  const [base, other] = [new Base(server), new Base(server)]
  await base.start('media')
  const kept = await base.upload('kept')
  await other.start('others')
  await other.upload('of another base')
  await empty('media')
  await copyAll('others', 'media')
  expect(await base.trouble()).toBe('other_store')
  expect(await base.read(kept)).toBe(503)
})

test('after a switch, what is in the former store waits there, and is as it was when that is connected again', async () => {
  const { server, keys } = await openServer('second')
  const base = new Base(server)
  await base.start('media')
  const [kept, purged] = [await base.upload('kept'), await base.upload('purged')]
  const purgedKey = (await base.detail(purged)).objectKey!
  const { objectKey: keptKey } = await base.detail(kept)

  await base.start('second')
  await base.compared()
  expect(await base.trouble()).toBeNull()
  expect(await base.read(kept)).toBe(503)
  expect((await base.detail(kept)).damage).toBeNull()
  expect(await base.base.api.call(getStorage, {})).toMatchObject({
    damagedAssets: 0,
    notConnected: [{ place: server.url, bucket: 'media', assetTotal: 2, assetBytes: 10 }]
  })
  const added = await base.upload('added')
  expect(await base.read(added)).toBe('added')
  await base.purge(purged)
  expect(await keys('media')).toContain(purgedKey)

  await base.start('media')
  await base.compared()
  expect(await base.read(kept)).toBe('kept')
  expect(await base.read(added)).toBe(503)
  expect((await base.detail(added)).damage).toBeNull()
  expect(await keys('media')).toEqual([ID, keptKey])
  expect(await base.base.api.call(getStorage, {})).toMatchObject({
    notConnected: [{ place: server.url, bucket: 'second', assetTotal: 1, assetBytes: 5 }]
  })
}, 60_000)

test('from the embedded store to one of others and back, nothing is lost', async () => {
  const { server } = await openServer()
  const base = new Base(server)
  await base.start(null)
  const before = await base.upload('before')
  await base.start('media')
  await base.compared()
  expect(await base.read(before)).toBe(503)
  const { notConnected } = await base.base.api.call(getStorage, {})
  expect(notConnected).toMatchObject([{ place: join(base.dataDir, 'store'), bucket: null, assetTotal: 1 }])
  const after = await base.upload('after')
  await base.start(null)
  await base.compared()
  expect(await base.read(before)).toBe('before')
  expect(await base.read(after)).toBe(503)
  for (const id of [before, after]) expect((await base.detail(id)).damage).toBeNull()
  await base.start('media')
  expect(await base.read(after)).toBe('after')
}, 60_000)

test('bytes that come again after a switch are here then', async () => {
  const { server } = await openServer('second')
  const base = new Base(server)
  await base.start('media')
  const first = await base.upload('the same')
  await base.start('second')
  const second = await base.upload('the same')
  expect([await base.read(first), await base.read(second)]).toEqual(['the same', 'the same'])
})

test('a bucket that was used before stores had ids is known by what it holds', async () => {
  const { server, keys, copyAll } = await openServer('wrong', 'new', 'moved')
  const base = new Base(server)
  await base.start('media')
  const kept = await base.upload('kept')
  await server.engine.deleteObject('media', ID)
  await base.change((sql) => sql.exec(`UPDATE object_store SET id = NULL, endpoint = NULL, bucket = NULL`))

  await base.start('wrong')
  expect(await base.trouble()).toBe('other_store')
  expect(await keys('wrong')).toEqual([])
  // Whoever goes on to another bucket begins anew there, and yet loses nothing.
  await base.start('new')
  expect(await base.trouble()).toBeNull()
  expect(await base.read(kept)).toBe(503)
  expect((await base.base.api.call(getStorage, {})).notConnected).toMatchObject([{ assetTotal: 1 }])
  await base.start('media')
  expect(await base.trouble()).toBeNull()
  expect(await base.read(kept)).toBe('kept')
  expect(await keys('media')).toContain(ID)

  // A copy of the bucket is the same store in another place, also where the copy left the id out.
  await copyAll('media', 'moved', (key) => key !== ID)
  await base.start('moved')
  expect(await base.read(kept)).toBe('kept')
  expect(await keys('moved')).toContain(ID)
  // An id that somebody removed by mistake is written again.
  await server.engine.deleteObject('moved', ID)
  expect(await base.trouble()).toBeNull()
  expect(await keys('moved')).toContain(ID)
})

test.each(['external', 'gateway'])(
  'a controller sends again what a switch has put out of reach, and nothing becomes two assets: %s',
  async (mode) => {
    const { server, keys } = await openServer('second')
    const env = { FLIGHTCASE_OBJECT_STORE: mode, FLIGHTCASE_USE_PRESIGN: 'true' }
    const base = new Base(server)
    await base.start('media', env)
    const card = await createPhotoCard({ directory: temporaryFolder('card'), count: 2, seed: 1, megapixels: 0.1 })
    const offer = async () => {
      const { uploaded, failed } = await testController(base.base).offer(card)
      await base.base.daemon.idle()
      return { uploaded: uploaded.length, failed: failed.length }
    }
    expect(await offer()).toEqual({ uploaded: card.length, failed: 0 })
    const { items } = await base.base.api.call(listAssets, {})
    const readAll = async () => [
      ...new Set(await Promise.all(items.map(async ({ id }) => typeof (await base.read(id)))))
    ]

    await base.start('second', env)
    await base.compared()
    expect(await readAll()).toEqual(['number'])
    const link = await base.base.fetch(`/api/v1/assets/${items[0]!.id}/url`)
    expect(link.status).toBe(503)
    expect(await offer()).toEqual({ uploaded: card.length, failed: 0 })
    expect(await readAll()).toEqual(['string'])
    expect((await base.base.api.call(listAssets, {})).items).toHaveLength(items.length)

    // Both have the bytes now, so either is good.
    await base.start('media', env)
    await base.compared()
    await base.base.daemon.idle()
    expect(await readAll()).toEqual(['string'])
    expect((await base.base.api.call(listAssets, {})).items).toHaveLength(items.length)
    for (const { id } of items) expect((await base.detail(id)).damage).toBeNull()

    // Emptied under a base that runs: controllers are told what they are told in an outage.
    for (const key of await keys('media')) await server.engine.deleteObject('media', key)
    expect(await base.trouble()).toBe('other_store')
    const another = await createPhotoCard({ directory: temporaryFolder('card'), count: 1, seed: 2, megapixels: 0.1 })
    const refused = await testController(base.base)
      .offer(another)
      .catch(() => null)
    expect(refused?.uploaded ?? []).toEqual([])
    expect(await keys('media')).toEqual([])
  },
  90_000
)

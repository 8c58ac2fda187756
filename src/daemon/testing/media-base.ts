import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import express from 'express'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { AuditLog } from '../audit/audit-log.ts'
import { loadConfig } from '../config/load.ts'
import type { RenditionsConfig } from '../config/settings/renditions.ts'
import { Outbox } from '../events/outbox.ts'
import { type AssetRow, AssetsRepository } from '../features/assets/assets.repository.ts'
import { createDelivery } from '../features/delivery/create-delivery.ts'
import { DeliveryRepository } from '../features/delivery/delivery.repository.ts'
import { IngestRepository } from '../features/ingest/ingest.repository.ts'
import { MetadataRepository } from '../features/metadata/metadata.repository.ts'
import { MetadataService } from '../features/metadata/metadata.service.ts'
import { createRenditions } from '../features/renditions/create-renditions.ts'
import { createSimilar } from '../features/similar/create-similar.ts'
import { createEndpointBinder } from '../http/bind-endpoint.ts'
import { errorHandler } from '../http/error-handler.ts'
import { Idempotency } from '../http/idempotency.ts'
import { createRateLimits } from '../http/rate-limits.ts'
import { newId } from '../ids.ts'
import { JobQueue } from '../jobs/job-queue.ts'
import { JobRunner } from '../jobs/job-runner.ts'
import { guessMediaType } from '../media/guess-media-type.ts'
import { ObjectKeys } from '../object-keys.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { ObjectRemovals } from '../removals/object-removals.ts'
import { ManualClock } from './manual-clock.ts'
import { temporaryFolder, testDatabase } from './test-database.ts'

export interface NewAsset {
  name: string
  bytes: Buffer
  takenAtMs?: number
  zoneOffsetMin?: number | null
  takenSource?: 'callback' | 'name' | 'received'
}

/** Catalogue, jobs, previews and metadata over a store, with the preview address over real HTTP. Ends with the test. */
export async function startMediaBase(options: {
  store: ObjectStore
  ffmpegPath?: string | null
  proxy?: RenditionsConfig['proxy']
}) {
  const { store } = options
  const log = pino({ level: 'silent' })
  const clock = new ManualClock()
  const db = testDatabase()
  const outbox = new Outbox({ db, clock })
  const queue = new JobQueue({ db, clock, outbox })
  const removals = new ObjectRemovals({ db, queue, clock, log, storeKind: store.kind })
  const assets = new AssetsRepository(db)
  const state = {
    ffmpegPath: options.ffmpegPath ?? null,
    /** While it is pending, films pause. */
    mayGoOn: null as PromiseWithResolvers<void> | null
  }
  const common = {
    db,
    store,
    keys: new ObjectKeys(),
    queue,
    removals,
    outbox,
    clock,
    log,
    scratchDir: join(temporaryFolder('scratch'), 'objects')
  }
  const ffmpegPath = () => state.ffmpegPath
  const caller = {
    actorId: 'test',
    name: 'test',
    role: 'viewer' as const,
    workspaceIds: 'all' as const,
    tokenId: null,
    expiresAtMs: null,
    viaCookie: false
  }
  const { delivery: config } = loadConfig({ flags: { dataDir: common.scratchDir }, env: {} })
  const { gate } = createDelivery({
    ...common,
    audit: new AuditLog({ db, clock }),
    config,
    findThumbnail: (assetId, sizePx) => renditions.findPicture(assetId, sizePx),
    authenticate: () => caller
  })
  const similar = createSimilar({ db, getSummary: (assetId) => assets.getSummary(assetId) })
  const renditions = createRenditions({
    ...common,
    looks: similar,
    ffmpegPath,
    config: { proxy: options.proxy ?? 'on_demand' },
    gate,
    whenEased: () => state.mayGoOn?.promise ?? Promise.resolve()
  })
  const arrivals = new IngestRepository(db)
  const metadata = new MetadataService({
    ...common,
    repository: new MetadataRepository(db),
    noteDrone: (drone) => arrivals.noteDevice(drone, clock.nowMs()),
    onRead: (assetId) => renditions.noteCodec(assetId),
    ffmpegPath
  })
  const runner = new JobRunner({
    queue,
    jobs: [
      ...(renditions.jobs ?? []),
      metadata.bindJob(),
      removals.bindJob({ store, isInUse: (key) => renditions.isInUse(key), exclusively: (_, work) => work() })
    ],
    limits: () => ({ cpu: 1, io: 1, film: 1, net: 1 }),
    log,
    clock
  })

  const app = express()
  const binder = createEndpointBinder({
    router: app,
    authenticate: () => caller,
    assertInScope: () => undefined,
    idempotency: new Idempotency({ db, clock }),
    limits: createRateLimits({ requestsPerMinute: 0, mediaPerMinute: 0 }),
    checkResponses: true
  })
  renditions.bind?.(binder)
  similar.bind?.(binder)
  app.use(errorHandler(log))
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await runner.stop(5000)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  /** Stores the bytes and writes the rows an upload leaves behind, without any job. */
  async function add(asset: NewAsset): Promise<string> {
    const nowMs = clock.nowMs()
    const [assetId, blobId] = [newId(), newId()]
    const key = `images/2026/04/07/${blobId}`
    const { etag } = await store.put(key, asset.bytes)
    const { kind, mimeType } = guessMediaType(asset.name)
    const takenAtMs = asset.takenAtMs ?? nowMs
    db.prepare('INSERT OR IGNORE INTO workspace (id, name, created_at_ms) VALUES (?, ?, ?)').run('team', 'team', nowMs)
    db.prepare('INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)').run(
      blobId,
      store.kind,
      key,
      asset.bytes.length,
      etag,
      nowMs
    )
    db.prepare(
      `INSERT INTO asset (id, workspace_id, blob_id, object_key, name, kind, mime_type, state, size_bytes, ref_count,
                          taken_at_ms, taken_day, taken_zone_offset_min, taken_source, received_at_ms, updated_at_ms)
       VALUES (?, 'team', ?, ?, ?, ?, ?, 'active', ?, 1, ?, ?, ?, ?, ?, ?)`
    ).run(
      assetId,
      blobId,
      key,
      asset.name,
      kind,
      mimeType,
      asset.bytes.length,
      takenAtMs,
      new Date(takenAtMs).toISOString().slice(0, 10),
      asset.zoneOffsetMin ?? null,
      asset.takenSource ?? 'received',
      nowMs,
      nowMs
    )
    return assetId
  }

  /** Runs what is due, and what waits for another try after `advanceMs`. */
  async function settle(advanceMs = 0): Promise<void> {
    clock.advanceMs(advanceMs)
    runner.start()
    await runner.idle()
  }

  return {
    add,
    settle,
    renditions,
    metadata,
    queue,
    runner,
    db,
    store,
    state,
    assets,
    arrivals,
    row: (assetId: string): AssetRow => assets.get(assetId),
    detail: (assetId: string) => assets.getDetail(assetId, 'all'),
    keyOf: (assetId: string) => new DeliveryRepository(db).find(assetId)!.key,
    events: (assetId: string) => outbox.readFor(assetId, 100).map(({ type }) => type),
    /** A call to the API; `path` follows `/api/v1/assets/{id}`. */
    call: (assetId: string, path: string, init: RequestInit = {}) =>
      fetch(`${url}/api/v1/assets/${assetId}${path}`, init),
    thumbnail: (assetId: string, headers: Record<string, string> = {}, sizePx: number | string = 256) =>
      fetch(`${url}/thumbnail/${sizePx}/${assetId}`, { headers })
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { AuditLog } from '../audit/audit-log.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { PilotConfig } from '../config/settings/pilot.ts'
import type { TieringRule } from '../config/settings/retention.ts'
import { openDatabase } from '../db/database.ts'
import { migrations } from '../db/migrations/all.ts'
import { LiveFeed } from '../events/live-feed.ts'
import { Outbox } from '../events/outbox.ts'
import { AccessService } from '../features/access/access.service.ts'
import { FieldRepository } from '../features/field/field.repository.ts'
import { FieldBoard } from '../features/field/field-board.ts'
import { BlobsRepository } from '../features/ingest/blobs.repository.ts'
import { bindCheckBytesJob } from '../features/ingest/check-bytes.job.ts'
import { bindFingerprintJob } from '../features/ingest/fingerprint.job.ts'
import { IngestRepository } from '../features/ingest/ingest.repository.ts'
import { IngestService } from '../features/ingest/ingest.service.ts'
import { bindMoveBlobJob } from '../features/ingest/move-blob.job.ts'
import { bindPinBlobJob } from '../features/ingest/pin-blob.job.ts'
import { bindTidyJobs } from '../features/ingest/tidy-upload.job.ts'
import { UploadsRepository } from '../features/ingest/uploads.repository.ts'
import { PilotRepository } from '../features/pilot/pilot.repository.ts'
import { createPilotApp } from '../features/pilot/pilot.routes.ts'
import { PilotService } from '../features/pilot/pilot.service.ts'
import { ProtocolRecorder } from '../features/pilot/protocol-recorder.ts'
import { TieringRepository } from '../features/tiering/tiering.repository.ts'
import { TieringService } from '../features/tiering/tiering.service.ts'
import { createWorkspaces } from '../features/workspaces/create-workspaces.ts'
import { JobQueue } from '../jobs/job-queue.ts'
import { JobRunner } from '../jobs/job-runner.ts'
import { openObjectKeys } from '../object-keys.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { ObjectRemovals } from '../removals/object-removals.ts'

export const PILOT_TOKEN = 'a-token-for-all-controllers'

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flightcase-pilot-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const defaults: PilotConfig = {
  staticToken: PILOT_TOKEN,
  workspaceMode: 'open',
  prefixPerDevice: 'auto',
  trustForwardedHeaders: false,
  legacyKeyRoots: false,
  callbackDataObject: false,
  stsCompatibilityFields: false,
  recorder: false,
  credentialDurationS: 3600
}

export interface PilotBaseOptions {
  store: ObjectStore
  /** Keeps its catalogue here; a second base in the same folder is the first one started again. */
  folder?: string
  rootPrefix?: string
  config?: Partial<PilotConfig>
  clock?: Clock
  s3Port?: number
  headDeadlineMs?: number
  tieringRules?: TieringRule[]
  onFollowUpError?: ((error: unknown) => void) | undefined
}

export type PilotBase = Awaited<ReturnType<typeof startPilotBase>>

/** What controllers talk to, over real HTTP, with a real catalogue and real jobs. Stops with the test. */
export async function startPilotBase(options: PilotBaseOptions) {
  const folder = options.folder ?? temporaryFolder()
  const { store, clock = systemClock } = options
  const config = { ...defaults, ...options.config }
  const log = pino({ level: 'silent' })
  const db = openDatabase(join(folder, 'flightcase.db'), migrations, options.onFollowUpError)
  const outbox = new Outbox({ db, clock })
  const queue = new JobQueue({ db, clock, outbox })
  const keys = openObjectKeys(db, options.rootPrefix ?? null)
  const liveFeed = new LiveFeed()
  const audit = new AuditLog({ db, clock })
  const access = new AccessService({
    db,
    audit,
    clock,
    log,
    adminToken: 'the-admin-token',
    pilotToken: config.staticToken
  })
  const board = new FieldBoard({ repository: new FieldRepository(db), outbox, liveFeed, clock, log })
  const rows = {
    removals: new ObjectRemovals({ db, queue, clock, log, storeKind: store.kind }),
    repository: new IngestRepository(db),
    blobs: new BlobsRepository(db, store.kind),
    uploads: new UploadsRepository(db, store.kind)
  }
  const tiering = new TieringService({
    clock,
    queue,
    keys,
    repository: new TieringRepository(db, store.kind),
    rules: options.tieringRules ?? []
  })
  const newAssets: string[] = []
  const ingest = new IngestService({
    db,
    store,
    keys,
    ...rows,
    outbox,
    queue,
    clock,
    log,
    onNewAsset: (assetId) => {
      newAssets.push(assetId)
      tiering.review(assetId)
    }
  })
  const service = new PilotService({
    store,
    repository: new PilotRepository(db, store.kind),
    ingest,
    board,
    config,
    acceptsWorkspace: createWorkspaces({ db, audit, mode: config.workspaceMode, quotaBytes: null }).accepts,
    publicStore: () => ({
      publicEndpoint: null,
      port: options.s3Port ?? 9000,
      scheme: 'http',
      region: 'us-east-1',
      provider: 'minio'
    }),
    clock,
    log,
    ...(options.headDeadlineMs === undefined ? {} : { headDeadlineMs: options.headDeadlineMs })
  })
  const recorder = config.recorder ? new ProtocolRecorder(join(folder, 'pilot-recorder.jsonl'), log) : null
  const runner = new JobRunner({
    queue,
    jobs: [
      bindFingerprintJob({ db, store, ...rows, ingest, outbox, clock, reviewPlace: (id) => tiering.review(id) }),
      ...bindTidyJobs({ db, store, keys, ...rows, ingest, queue, clock }),
      bindPinBlobJob({ db, store, ...rows, ingest }),
      bindMoveBlobJob({ db, store, ...rows, ingest, belongsAt: (blob, key) => tiering.belongsAt(blob, key) }),
      bindCheckBytesJob({ db, store, ...rows, ingest }),
      rows.removals.bindJob({
        store,
        isInUse: (key, etag) => ingest.isInUse(key, etag),
        exclusively: (key, work) => ingest.whileQuiet(key, work)
      })
    ],
    limits: () => ({ cpu: 1, io: 2, film: 1, net: 1 }),
    log,
    clock
  })
  const app = createPilotApp({
    service,
    board,
    config,
    recorder,
    log,
    authenticate: (secret) => access.authenticateController(secret),
    isStopping: () => false
  })
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  board.start()
  let isOpen = true
  const stop = async (): Promise<void> => {
    if (!isOpen) return
    isOpen = false
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await runner.stop(1000)
    board.stop()
    await recorder?.flush()
    db.close()
  }
  onTestFinished(stop)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    folder,
    db,
    access,
    board,
    liveFeed,
    ingest,
    service,
    outbox,
    queue,
    keys,
    runner,
    rows,
    recorder,
    tiering,
    newAssets,
    stop,
    /** Runs all jobs that are due. */
    async settle(): Promise<void> {
      runner.start()
      await runner.idle()
    }
  }
}

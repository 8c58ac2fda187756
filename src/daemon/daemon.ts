import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { LookupFunction } from 'node:net'
import { join } from 'node:path'
import type { Request } from 'express'
import type { Logger } from 'pino'
import type { ReadyInfo } from '../shared/ready.ts'
import { AuditLog } from './audit/audit-log.ts'
import { BusyWatch } from './busy-watch.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Config } from './config/schema.ts'
import type { ListenAddress } from './config/settings/listeners.ts'
import { lockDataDir } from './db/data-dir-lock.ts'
import { dataDirProblem } from './db/data-dir-problem.ts'
import { openDatabase } from './db/database.ts'
import { migrations } from './db/migrations/all.ts'
import { AppError, messageOf } from './errors.ts'
import { eventSource } from './events/cloud-event.ts'
import { LiveFeed } from './events/live-feed.ts'
import { Outbox } from './events/outbox.ts'
import type { Feature } from './feature.ts'
import { authenticateAdmin, bindAccess } from './features/access/access.routes.ts'
import { AccessService } from './features/access/access.service.ts'
import { Belongings } from './features/access/belongings.ts'
import { JwtVerifier } from './features/access/jwt-verifier.ts'
import { SignInGuard } from './features/access/sign-in-guard.ts'
import { AssetsRepository } from './features/assets/assets.repository.ts'
import { createAssets } from './features/assets/create-assets.ts'
import { createAudit } from './features/audit/create-audit.ts'
import { createDeletions } from './features/deletions/create-deletions.ts'
import { createDelivery } from './features/delivery/create-delivery.ts'
import { bindEvents, type OpenStreams } from './features/events/events.routes.ts'
import { FieldRepository } from './features/field/field.repository.ts'
import { bindField } from './features/field/field.routes.ts'
import { FieldBoard } from './features/field/field-board.ts'
import { createIngest } from './features/ingest/create-ingest.ts'
import { checkBytesJob } from './features/ingest/ingest.jobs.ts'
import { bindJobs } from './features/jobs/jobs.routes.ts'
import { createLifecycle } from './features/lifecycle/create-lifecycle.ts'
import { createMetadata } from './features/metadata/create-metadata.ts'
import { createModeration } from './features/moderation/create-moderation.ts'
import { createMqttBroker } from './features/mqtt/mqtt-broker.ts'
import { PilotRepository } from './features/pilot/pilot.repository.ts'
import { createPilotApp } from './features/pilot/pilot.routes.ts'
import { PilotService } from './features/pilot/pilot.service.ts'
import { ProtocolRecorder } from './features/pilot/protocol-recorder.ts'
import { createRemote } from './features/remote/create-remote.ts'
import { createRenditions } from './features/renditions/create-renditions.ts'
import { createSimilar } from './features/similar/create-similar.ts'
import { createSinks } from './features/sinks/create-sinks.ts'
import { bindHealth } from './features/system/health.routes.ts'
import { bindSystem } from './features/system/system.routes.ts'
import { reachableUrls, StoreMonitor } from './features/system/system.service.ts'
import { tokenCommandOf } from './features/system/token-command.ts'
import { createTiering } from './features/tiering/create-tiering.ts'
import { createUploads } from './features/uploads/create-uploads.ts'
import { createWebhooks } from './features/webhooks/create-webhooks.ts'
import { createWorkspaces } from './features/workspaces/create-workspaces.ts'
import { createAdminApp } from './http/admin-app.ts'
import { clientAddress, peerKey } from './http/client-address.ts'
import { Idempotency } from './http/idempotency.ts'
import { createListener, urlOf } from './http/listener.ts'
import { createRateLimits } from './http/rate-limits.ts'
import { JobQueue } from './jobs/job-queue.ts'
import { JobRunner } from './jobs/job-runner.ts'
import { PreviewPace } from './jobs/preview-pace.ts'
import { createLogger } from './logger.ts'
import { findFfmpeg } from './media/find-ffmpeg.ts'
import { openStore } from './open-store.ts'
import { packageRoot, version } from './package-info.ts'
import { ObjectRemovals } from './removals/object-removals.ts'
import { observeMedia } from './telemetry/media-metrics.ts'
import { observeJobs } from './telemetry/observe-jobs.ts'
import { observeRequests } from './telemetry/observe-requests.ts'
import { observeStore } from './telemetry/observe-store.ts'
import { openTelemetry } from './telemetry/telemetry.ts'
import { tracedStore } from './telemetry/traced.ts'
import { Upkeep } from './upkeep.ts'

/** Replaces a construction; for tests and for hosts that own the thing already. */
export interface DaemonOverrides {
  clock?: Clock
  log?: Logger
  /** Age from which the reconciler takes in an upload nobody reported. */
  settleMs?: number
  /** Resolves the names of servers that files are fetched from. */
  lookup?: LookupFunction
  /** Check every answer against the contract. */
  checkResponses?: boolean
}

export interface Daemon {
  /** Opens the listeners and begins work; tells where everything is. Throws `StartupError`; nothing stays open then. */
  start(): Promise<ReadyInfo>
  /** Ends everything in phases, each with a time limit. Calling it again waits for the same end. */
  stop(): Promise<void>
  /** Resolves when no job runs and none is due. */
  idle(): Promise<void>
  /** Tells at once and then at every change whether uploads or jobs are in flight. */
  onBusyChange(listener: (busy: boolean) => void): void
}

/** How long each phase of stopping may take. */
const STOP_UPLOADS_MS = 10_000
const STOP_JOBS_MS = 10_000
const STOP_SCREENS_MS = 2000
/** How long a token that another process revoked may keep an open connection. */
const ACCESS_CHECK_MS = 1000

/**
 * The whole program, wired: the one place that knows every part. Opens the data folder (migrating it) and builds
 * everything in order of dependency; `start` opens the doors. Throws `StartupError` when the folder cannot be used.
 */
export async function createDaemon(config: Config, overrides: DaemonOverrides = {}): Promise<Daemon> {
  const clock = overrides.clock ?? systemClock
  const log = overrides.log ?? createLogger(config.logLevel)
  const closers: { name: string; close: () => unknown }[] = []
  const onClose = (name: string, close: () => unknown): void => void closers.unshift({ name, close })
  try {
    return await build()
  } catch (error) {
    await closeAll()
    throw dataDirProblem(config.dataDir, error)
  }

  async function closeAll(): Promise<void> {
    for (const { name, close } of closers.splice(0)) {
      try {
        await close()
      } catch (error) {
        log.error({ err: error, name }, 'closing failed')
      }
    }
  }

  async function build(): Promise<Daemon> {
    for (const name of config.unknownVariables) log.warn({ name }, 'this environment variable means nothing here')
    onClose('data folder', lockDataDir(config.dataDir))
    const db = openDatabase(join(config.dataDir, 'flightcase.db'), migrations, (error) =>
      log.error({ err: error }, 'what follows a commit failed')
    )
    onClose('catalogue', () => db.close())
    const audit = new AuditLog({ db, clock })
    const outbox = new Outbox({ db, clock })
    const liveFeed = new LiveFeed()
    const queue = new JobQueue({ db, clock, outbox })
    const removals = new ObjectRemovals({ db, queue, clock, log })
    const telemetry = await openTelemetry({ version, otlpEndpoint: config.otlpEndpoint })
    onClose('telemetry', () => telemetry.close())
    observeMedia(telemetry, { db, outbox, removals })
    const startToken = randomBytes(24).toString('base64url')
    const adminToken = config.adminToken ?? startToken
    const belongings = new Belongings(db)
    const signIns = new SignInGuard({ clock, maxFailures: config.limits.failedSignInsPerMinute })
    const jwt = config.jwt && new JwtVerifier({ config: config.jwt, clock, log })
    const idempotency = new Idempotency({ db, clock })
    const access = new AccessService({
      db,
      audit,
      clock,
      log,
      adminToken: config.adminToken,
      pilotToken: config.pilot.staticToken,
      startToken
    })
    const authenticate = (request: Request) => authenticateAdmin({ access, jwt, signIns }, request)

    const fieldRepository = new FieldRepository(db)
    const board = new FieldBoard({ repository: fieldRepository, outbox, liveFeed, clock, log })
    const opened = await openStore({
      config: config.store,
      dataDir: config.dataDir,
      log,
      onUploadProgress: (event) => board.transfer(event),
      onAnswered: observeStore(telemetry),
      onObjectDamaged: (key) => queue.enqueue(checkBytesJob, { key })
    })
    onClose('object store', () => opened.close())
    const store = tracedStore(opened.store, telemetry.tracer)

    const ffmpegPath = findFfmpeg(config.ffmpegPath === null ? {} : { configured: config.ffmpegPath })
    const scratchDir = join(config.dataDir, 'scratch')
    await rm(scratchDir, { recursive: true, force: true })
    const media = { db, store, queue, removals, outbox, clock, log, scratchDir, ffmpegPath: () => ffmpegPath }
    const previewPace = new PreviewPace({ inFlightBodies: () => opened.inFlightBodies(), onMore: () => runner.wake() })
    const delivery = createDelivery({
      db,
      store,
      outbox,
      audit,
      clock,
      config: config.delivery,
      findThumbnail: (assetId, sizePx) => renditions.findPicture(assetId, sizePx),
      authenticate
    })
    const assets = new AssetsRepository(db)
    const similar = createSimilar({ db, getSummary: (assetId) => assets.getSummary(assetId) })
    const renditions = createRenditions({
      ...media,
      looks: similar,
      config: config.renditions,
      gate: delivery.gate,
      whenEased: () => previewPace.whenEased()
    })
    const metadata = createMetadata({
      ...media,
      noteDrone: (drone) => ingest.noteDrone(drone),
      onRead: (assetId) => renditions.noteCodec(assetId)
    })
    const tiering = createTiering({ db, clock, queue, rules: config.tiering, storeKind: store.kind })
    const onNewAsset = (assetId: string): void => {
      tiering.review(assetId)
      metadata.enqueue(assetId)
      renditions.enqueue(assetId)
      moderation.enqueue(assetId)
    }
    const pilotRepository = new PilotRepository(db, store.kind)
    const acceptsWorkspace = (workspaceId: string): boolean =>
      config.pilot.workspaceMode === 'open' || pilotRepository.hasWorkspace(workspaceId)
    const assertWorkspace = (workspaceId: string): void => {
      if (!acceptsWorkspace(workspaceId)) throw new AppError('workspace_not_found', { workspaceId })
    }
    const ingest = createIngest({
      db,
      store,
      outbox,
      queue,
      removals,
      clock,
      log,
      onNewAsset,
      acceptsWorkspace,
      reviewPlace: tiering.review,
      belongsAt: tiering.belongsAt,
      onAdopted: (upload) => board.adopted(upload),
      ...(overrides.settleMs === undefined ? {} : { settleMs: overrides.settleMs })
    })
    const pilot = new PilotService({
      store,
      repository: pilotRepository,
      ingest: ingest.service,
      board,
      config: config.pilot,
      publicStore: () => opened.publicStore(),
      clock,
      log
    })
    const recorder = config.pilot.recorder
      ? new ProtocolRecorder(join(config.dataDir, 'pilot-recorder.jsonl'), log)
      : null

    const lifecycle = createLifecycle({
      db,
      clock,
      outbox,
      audit,
      log,
      config: config.retention,
      reviewPlace: tiering.review,
      forgetUploads: (assetId) => ingest.service.forgetAsset(assetId),
      rememberUploads: (assetId) => ingest.service.rememberAsset(assetId),
      releaseParts: (assetId) => {
        renditions.release(assetId)
        ingest.service.releaseUploads(assetId)
        queue.forgetAsset(assetId)
      },
      releaseBlob: (blobId) => ingest.service.releaseBlob(blobId)
    })
    const deletions = createDeletions({ db, clock, queue, config: config.deletions, letGo: lifecycle.letGo })
    const workspaces = createWorkspaces({ db, audit, quotaBytes: config.uploads.quotaBytes })
    const uploads = createUploads({
      db,
      store,
      blobs: ingest.keeper,
      removals,
      outbox,
      clock,
      config: config.uploads,
      tailsDir: join(config.dataDir, 'upload-tails'),
      quota: workspaces.quota,
      assertWorkspace,
      getSummary: (assetId) => assets.getSummary(assetId),
      assertNotQuarantined: delivery.assertDigest,
      listReferences: lifecycle.listReferences,
      createReference: lifecycle.createReference,
      onNewAsset
    })
    const remote = createRemote({
      db,
      store,
      removals,
      outbox,
      queue,
      clock,
      config: config.remote,
      version,
      lookup: overrides.lookup,
      assertWorkspace,
      assertNotQuarantined: delivery.assertDigest
    })
    const catalogue = createAssets({
      db,
      clock,
      outbox,
      queue,
      repository: assets,
      ...lifecycle,
      onJudged: (assetId, verdict) => moderation.noteVerdict(assetId, verdict)
    })
    let adminUrl = ''
    const moderation = createModeration({
      db,
      clock,
      queue,
      audit,
      config: config.moderation,
      signUrl: (assetId, expiresInSeconds) => delivery.signUrl(assetId, expiresInSeconds, adminUrl),
      judge: catalogue.judge,
      quarantine: delivery.quarantineAsset
    })
    const outgoing = { db, clock, outbox, log, source: eventSource(db) }
    const features: Feature[] = [
      ingest,
      metadata,
      catalogue,
      workspaces,
      uploads,
      lifecycle,
      deletions,
      tiering,
      delivery,
      moderation,
      renditions,
      similar,
      remote,
      createAudit({ db, clock, log, dataDir: config.dataDir }),
      createWebhooks({ ...outgoing, audit, version, ...config.webhooks }),
      createSinks({
        ...outgoing,
        config: config.sinks,
        mediaUrl: (assetId) => `${config.delivery.publicUrl ?? adminUrl}/media/${assetId}`,
        acceptInbound: (event) => void deletions.accept(event)
      })
    ]
    const runner = new JobRunner({
      queue,
      clock,
      log,
      jobs: [
        removals.bindJob({
          store,
          isInUse: (key, etag) => ingest.service.isInUse(key, etag) || renditions.isInUse(key) || remote.isInUse(key),
          exclusively: (key, work) => ingest.service.whileQuiet(key, work)
        }),
        ...features.flatMap((feature) => feature.jobs ?? [])
      ],
      observe: observeJobs(telemetry),
      limits: () => ({ cpu: previewPace.processors(), io: 2, film: previewPace.films(), net: 4 })
    })
    const storeMonitor = new StoreMonitor(store, config.store.mode)
    let fieldAddress: ListenAddress = config.field
    let streams: OpenStreams | undefined
    const adminApp = createAdminApp({
      version,
      log,
      rendererDir: join(packageRoot, 'out/renderer'),
      checkResponses: overrides.checkResponses ?? false,
      publicHosts: config.delivery.publicHosts,
      corsOrigins: config.delivery.corsOrigins,
      observe: observeRequests(telemetry, 'admin'),
      authenticate,
      assertInScope: (scope, input) => belongings.assertInScope(scope, input),
      idempotency,
      limits: createRateLimits(config.limits),
      bindAll: (binder) => {
        bindAccess(binder, access)
        for (const feature of features) feature.bind?.(binder)
        bindField(binder, { board, repository: fieldRepository })
        bindJobs(binder, queue)
        streams = bindEvents(binder, {
          outbox,
          liveFeed,
          clock,
          isInScope: (scope, event) => belongings.isEventInScope(scope, event)
        })
        bindHealth(binder, {
          scrape: () => telemetry.scrape(),
          storeMonitor,
          clock,
          isStopping: () => stopping !== undefined
        })
        bindSystem(binder, {
          version,
          clock,
          storeMonitor,
          ffmpegPath,
          retention: config.retention,
          controllersCanPair: () => access.controllersCanPair(),
          tokenCommand: tokenCommandOf({ root: packageRoot, dataDir: config.dataDir, platform: process.platform }),
          addresses: () => ({
            fieldUrls: reachableUrls(fieldAddress),
            s3Urls: s3Urls(config, opened.address())
          })
        })
      }
    })
    const fieldApp = createPilotApp({
      service: pilot,
      board,
      config: config.pilot,
      recorder,
      log,
      observe: observeRequests(telemetry, 'field'),
      authenticate: (secret, request) =>
        signIns.attempt(clientAddress(request), secret, () => access.authenticateController(secret)),
      isStopping: () => stopping !== undefined
    })
    const admin = createListener({
      name: 'admin',
      address: config.admin,
      handler: adminApp,
      // An upload takes as long as it takes; each kind of body has a limit of its own.
      requestTimeoutMs: 0,
      log
    })
    const field = createListener({
      name: 'field',
      address: config.field,
      handler: fieldApp,
      requestTimeoutMs: 60_000,
      log
    })

    const mqtt = await createMqttBroker({
      address: config.mqtt.address,
      authenticate: (secret, address) => {
        const found = signIns.attempt(peerKey(address), secret, () => access.authenticateController(secret))
        return found === 'too_many' ? undefined : found
      },
      clock,
      log
    })

    telemetry.meter
      .createObservableGauge('mqtt_links', { description: 'Controllers that keep a link open' })
      .addCallback((result) => result.observe(mqtt.linkCount()))

    access.onEnded((tokenId) => {
      streams?.end(tokenId)
      mqtt.drop(tokenId)
      for (const controllerId of board.controllersWith(tokenId)) opened.revokeCredentials(controllerId)
    })
    access.endChangedFixedTokens(() => {
      for (const controllerId of board.controllersWith(null)) opened.revokeCredentials(controllerId)
    })
    const upkeep = new Upkeep({
      log,
      tasks: [
        // What the others let go of is removed without this: it is for what was to be kept until now.
        { name: 'objects nobody needs', run: () => removals.enqueue() },
        { name: 'old events', run: (signal) => outbox.trim({ signal }) },
        { name: 'answers kept for a day', run: (signal) => idempotency.sweep(signal) },
        { name: 'expired sessions', run: () => access.forgetExpiredSessions() },
        ...features.flatMap((feature) => feature.upkeep ?? [])
      ]
    })
    let accessTimer: NodeJS.Timeout | undefined

    const busyWatch = new BusyWatch({
      isBusy: () => opened.inFlightBodies() > 0 || runner.runningCount() > 0,
      clock
    })
    let isReady = false
    let stopping: Promise<void> | undefined

    async function start(): Promise<ReadyInfo> {
      try {
        const s3Url = await opened.listen()
        fieldAddress = await field.listen()
        const mqttAddress = await listenForLinks()
        adminUrl = urlOf(await admin.listen())
        upkeep.start()
        board.start()
        runner.start()
        previewPace.start()
        ingest.reconciler.start()
        for (const feature of features) feature.start?.()
        accessTimer = setInterval(() => access.tick(), ACCESS_CHECK_MS).unref()
        const ready: ReadyInfo = {
          event: 'ready',
          pid: process.pid,
          admin: { url: adminUrl, token: adminToken },
          field: { url: urlOf(fieldAddress) },
          s3: { url: s3Url, bucket: config.store.bucket, region: config.store.region },
          ...(mqttAddress ? { mqtt: { url: urlOf(mqttAddress, 'mqtt') } } : {})
        }
        isReady = true
        log.info({ version, admin: ready.admin.url, field: ready.field.url, s3: s3Url }, 'ready')
        return ready
      } catch (error) {
        await stop()
        throw error
      }
    }

    /** Uploads work without the link, so a taken default port costs the link and not the start. */
    async function listenForLinks(): Promise<ListenAddress | null> {
      try {
        return await mqtt.listen()
      } catch (error) {
        if (config.mqtt.isRequired) throw error
        log.warn({ reason: messageOf(error) }, 'controllers can upload, but not keep a link open')
        return null
      }
    }

    function stop(): Promise<void> {
      stopping ??= stopInPhases()
      return stopping
    }

    async function stopInPhases(): Promise<void> {
      // A start that failed has one thing to say, and not this.
      const level = isReady ? 'info' : 'debug'
      log[level]('stopping: no new uploads')
      busyWatch.stop()
      clearInterval(accessTimer)
      await Promise.all([ingest.reconciler.stop(), mqtt.close(), opened.stopListening(STOP_UPLOADS_MS)])
      log[level]('stopping: jobs')
      previewPace.stop()
      await upkeep.stop()
      await runner.stop(STOP_JOBS_MS)
      await Promise.all(features.map((feature) => feature.stop?.()))
      // Until here controllers were told that the base is shutting down.
      await field.close(STOP_UPLOADS_MS)
      log[level]('stopping: screens')
      board.stop()
      streams?.end()
      await Promise.all([admin.close(STOP_SCREENS_MS), recorder?.flush()])
      await closeAll()
      log[level]('stopped')
    }

    return {
      start,
      stop,
      idle: () => runner.idle(),
      onBusyChange: (listener) => busyWatch.onChange(listener)
    }
  }
}

function s3Urls(config: Config, address: ListenAddress | null): string[] {
  if (config.store.publicEndpoint !== null) return [config.store.publicEndpoint]
  if (config.store.mode === 'external') return [config.store.endpoint]
  return address === null ? [] : reachableUrls(address)
}

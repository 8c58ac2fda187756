import { rm } from 'node:fs/promises'
import type { LookupFunction } from 'node:net'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { AuditLog } from './audit/audit-log.ts'
import { assertNoBackup } from './backup/backup-mark.ts'
import { BusyWatch } from './busy-watch.ts'
import { type Clock, systemClock } from './clock.ts'
import { Closers } from './closers.ts'
import type { Config } from './config/schema.ts'
import { lockDataDir } from './db/data-dir-lock.ts'
import { dataDirProblem } from './db/data-dir-problem.ts'
import { openDatabase } from './db/database.ts'
import { migrations } from './db/migrations/all.ts'
import { releaseBallastIfFull } from './embedded-store/engine/ballast.ts'
import { eventSource } from './events/cloud-event.ts'
import { LiveFeed } from './events/live-feed.ts'
import { Outbox } from './events/outbox.ts'
import type { Feature } from './feature.ts'
import { createAccess } from './features/access/create-access.ts'
import { AssetsRepository } from './features/assets/assets.repository.ts'
import { createAssets } from './features/assets/create-assets.ts'
import { createAudit } from './features/audit/create-audit.ts'
import { createDeletions } from './features/deletions/create-deletions.ts'
import { createDelivery } from './features/delivery/create-delivery.ts'
import { createDoctor } from './features/doctor/create-doctor.ts'
import { createEvents } from './features/events/create-events.ts'
import { createField } from './features/field/create-field.ts'
import { createIngest } from './features/ingest/create-ingest.ts'
import { checkBytesJob } from './features/ingest/ingest.jobs.ts'
import { createJobs } from './features/jobs/create-jobs.ts'
import { createLifecycle } from './features/lifecycle/create-lifecycle.ts'
import { createLive } from './features/live/create-live.ts'
import { createMetadata } from './features/metadata/create-metadata.ts'
import { createModeration } from './features/moderation/create-moderation.ts'
import { createMqttBroker } from './features/mqtt/mqtt-broker.ts'
import { createPilot } from './features/pilot/create-pilot.ts'
import { createRecordings } from './features/recordings/create-recordings.ts'
import { createRemote } from './features/remote/create-remote.ts'
import { createRenditions } from './features/renditions/create-renditions.ts'
import { createSettings } from './features/settings/create-settings.ts'
import { createSimilar } from './features/similar/create-similar.ts'
import { createSinks } from './features/sinks/create-sinks.ts'
import { createStorage } from './features/storage/create-storage.ts'
import { createSystem } from './features/system/create-system.ts'
import { StoreMonitor } from './features/system/system.service.ts'
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
import { openObjectKeys } from './object-keys.ts'
import { watchBattery } from './on-battery.ts'
import { openStore } from './open-store.ts'
import { packageRoot, resourcesDir, version } from './package-info.ts'
import { ownPageOrigins } from './page-origins.ts'
import { inPhases, type Phases } from './phases.ts'
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
  /** Between looks at a media server that somebody else runs. */
  livenessMs?: number
  /** Whether the computer runs on battery; what Linux says, unless given. */
  isOnBattery?: () => boolean
  /** Resolves the names of servers that files are fetched from. */
  lookup?: LookupFunction
  /** Check every answer against the contract. */
  checkResponses?: boolean
}

export interface Daemon extends Pick<Phases, 'start' | 'stop'> {
  /** Resolves when no job runs and none is due. */
  idle(): Promise<void>
  /** Tells at once and then at every change whether uploads or jobs are in flight. */
  onBusyChange(listener: (busy: boolean) => void): void
}

/**
 * The whole program, wired: the one place that knows every part. Opens the data folder (migrating it) and builds
 * everything in order of dependency; `start` opens the doors. Throws `StartupError` when the folder cannot be used.
 */
export async function createDaemon(config: Config, overrides: DaemonOverrides = {}): Promise<Daemon> {
  const clock = overrides.clock ?? systemClock
  const log = overrides.log ?? createLogger(config.logLevel)
  const closers = new Closers(log)
  try {
    return await build()
  } catch (error) {
    await closers.closeAll()
    throw dataDirProblem(config.dataDir, error)
  }

  async function build(): Promise<Daemon> {
    for (const name of config.unknownVariables) log.warn({ name }, 'this environment variable means nothing here')
    await releaseBallastIfFull(join(config.dataDir, 'store'))
    closers.add('data folder', lockDataDir(config.dataDir))
    assertNoBackup(config.dataDir)
    const db = openDatabase(join(config.dataDir, 'flightcase.db'), migrations, (error) =>
      log.error({ err: error }, 'what follows a commit failed')
    )
    closers.add('catalogue', () => db.close())
    const audit = new AuditLog({ db, clock })
    const outbox = new Outbox({ db, clock })
    const queue = new JobQueue({ db, clock, outbox })
    const storeKind = config.store.mode === 'embedded' ? 'local' : 's3'
    const removals = new ObjectRemovals({ db, queue, clock, log, storeKind })
    const telemetry = await openTelemetry({ version, otlpEndpoint: config.otlpEndpoint })
    closers.add('telemetry', () => telemetry.close())
    observeMedia(telemetry, { db, outbox, removals })
    const isOnBattery = overrides.isOnBattery ?? watchBattery()
    const opened = await openStore({
      config: config.store,
      dataDir: config.dataDir,
      db,
      log,
      pageOrigins: () => {
        const { publicUrl, corsOrigins } = config.delivery
        const ports = [adminListener, fieldListener].map((listener) => listener.address().port)
        return [...ownPageOrigins(ports, publicUrl), ...corsOrigins]
      },
      onUploadProgress: (event) => field.board.transfer(event),
      onAnswered: observeStore(telemetry),
      isNew: db.prepare('SELECT 1 FROM blob LIMIT 1').get() === undefined,
      mayScrub: () => !isOnBattery(),
      onObjectDamaged: (key) => queue.enqueue(checkBytesJob, { key })
    })
    closers.add('object store', () => opened.close())
    const store = tracedStore(opened.store, telemetry.tracer)
    const keys = openObjectKeys(db, config.store.rootPrefix)
    /** What most features stand on. */
    const floor = { db, clock, log, audit, outbox, queue, removals, store, keys }
    const adminUrl = () => urlOf(adminListener.address())
    const isStopping = () => phases.isStopping()

    const access = createAccess({
      ...floor,
      adminToken: config.adminToken,
      pilotToken: config.pilot.staticToken,
      jwt: config.jwt,
      failedSignInsPerMinute: config.limits.failedSignInsPerMinute
    })
    const { authenticate, belongings } = access
    const liveFeed = new LiveFeed()
    const field = createField({ ...floor, liveFeed })
    const events = createEvents({
      ...floor,
      liveFeed,
      isInScope: (scope, event) => belongings.isEventInScope(scope, event)
    })
    const { workspaceMode: mode } = config.pilot
    const workspaces = createWorkspaces({ ...floor, mode, quotaBytes: config.uploads.quotaBytes })
    const { accepts: acceptsWorkspace, assertAccepted: assertWorkspace } = workspaces

    const ffmpegPath = findFfmpeg(config.ffmpegPath === null ? {} : { configured: config.ffmpegPath })
    const scratchDir = join(config.dataDir, 'scratch')
    await rm(scratchDir, { recursive: true, force: true })
    const media = { ...floor, scratchDir, ffmpegPath: () => ffmpegPath }
    const previewPace = new PreviewPace({ inFlightBodies: () => opened.inFlightBodies(), onMore: () => runner.wake() })
    const delivery = createDelivery({
      ...floor,
      config: config.delivery,
      findThumbnail: (assetId, sizePx) => renditions.findPicture(assetId, sizePx),
      authenticate
    })
    const assets = new AssetsRepository(db)
    const getSummary = (assetId: string) => assets.getSummary(assetId)
    const similar = createSimilar({ db, getSummary })
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
    const tiering = createTiering({ ...floor, rules: config.tiering, storeKind })
    const onNewAsset = (assetId: string): void => {
      tiering.review(assetId)
      metadata.enqueue(assetId)
      renditions.enqueue(assetId)
      moderation.enqueue(assetId)
    }
    const ingest = createIngest({
      ...floor,
      onNewAsset,
      // A prefix says that there are others.
      isBucketShared: config.store.mode !== 'embedded' && config.store.rootPrefix !== null,
      acceptsWorkspace,
      reviewPlace: tiering.review,
      belongsAt: tiering.belongsAt,
      onAdopted: (upload) => field.board.adopted(upload),
      ...(overrides.settleMs === undefined ? {} : { settleMs: overrides.settleMs })
    })
    const pilot = createPilot({
      ...floor,
      dataDir: config.dataDir,
      config: config.pilot,
      ingest: ingest.service,
      board: field.board,
      acceptsWorkspace,
      publicStore: () => opened.publicStore(),
      authenticate: (secret, request) => access.authenticateController(secret, clientAddress(request)),
      observe: observeRequests(telemetry, 'field'),
      isStopping
    })
    const lifecycle = createLifecycle({
      ...floor,
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
    const deletions = createDeletions({ ...floor, config: config.deletions, letGo: lifecycle.letGo })
    const uploads = createUploads({
      ...floor,
      blobs: ingest.keeper,
      config: config.uploads,
      tailsDir: join(config.dataDir, 'upload-tails'),
      quota: workspaces.quota,
      assertWorkspace,
      getSummary,
      assertNotQuarantined: delivery.assertDigest,
      listReferences: lifecycle.listReferences,
      createReference: lifecycle.createReference,
      onNewAsset
    })
    const remote = createRemote({
      ...floor,
      config: config.remote,
      version,
      lookup: overrides.lookup,
      assertWorkspace,
      assertNotQuarantined: delivery.assertDigest
    })
    const catalogue = createAssets({
      ...floor,
      repository: assets,
      ...lifecycle,
      onJudged: (assetId, verdict) => moderation.noteVerdict(assetId, verdict)
    })
    const moderation = createModeration({
      ...floor,
      config: config.moderation,
      signUrl: (assetId, expiresInSeconds) => delivery.signUrl(assetId, expiresInSeconds, adminUrl()),
      judge: catalogue.judge,
      quarantine: delivery.quarantineAsset
    })
    const live = createLive({
      ...floor,
      config: config.live,
      dataDir: config.dataDir,
      fieldHost: config.field.host,
      resourcesDir,
      livenessMs: overrides.livenessMs,
      ffmpegPath: () => ffmpegPath,
      assertWorkspace,
      storeOwn: uploads.storeOwn,
      note: catalogue.update,
      getDetail: catalogue.getDetail,
      isRecorded: (sourceId, availableTime) => recorded.isRecorded(sourceId, availableTime),
      mayRecord: () => recorded.mayRecord(),
      onDeleting: (source) => recorded.onDeleting(source),
      onDeleted: (source, recordings) => recorded.onDeleted(source, recordings)
    })
    const recorded = createRecordings({
      ...media,
      server: live.server,
      config: config.live.recordings,
      sources: {
        find: (sourceId) => live.repository.find(sourceId),
        listRecorded: () => live.repository.listRecorded(),
        setRecording: (sourceId, on) => live.service.setRecording(sourceId, on)
      },
      sourceOfAsset: (assetId, scope) => live.assets.sourceOf(assetId, scope),
      applyRecording: live.reconcile,
      tokens: live.tokens,
      pictureOf: live.pictureOf,
      storeOwn: uploads.storeOwn,
      note: catalogue.update,
      authenticate,
      publicUrl: config.delivery.publicUrl
    })
    const storeMonitor = new StoreMonitor(store, keys, config.store.mode)
    const storage = createStorage({
      ...floor,
      config: config.store,
      storeKind,
      dataDir: config.dataDir,
      storeMonitor,
      maintenance: opened.maintenance,
      deniedActions: () => opened.deniedActions()
    })
    const outgoing = { ...floor, source: eventSource(db) }
    const features: Feature[] = [
      access,
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
      live,
      recorded,
      pilot,
      field,
      events,
      createJobs(queue),
      createAudit({ ...floor, dataDir: config.dataDir }),
      createWebhooks({ ...outgoing, version, ...config.webhooks }),
      createSinks({
        ...outgoing,
        config: config.sinks,
        mediaUrl: (assetId) => `${config.delivery.publicUrl ?? adminUrl()}/media/${assetId}`,
        acceptInbound: (event) => void deletions.accept(event)
      }),
      storage,
      createSettings({ config, audit, kept: () => storage.kept() }),
      createSystem({
        ...floor,
        version,
        root: packageRoot,
        dataDir: config.dataDir,
        storeMonitor,
        storeConfig: config.store,
        retention: config.retention,
        ffmpegPath,
        controllersCanPair: () => access.service.controllersCanPair(),
        addresses: () => ({ field: fieldListener.address(), s3: opened.address() }),
        scrape: () => telemetry.scrape(),
        isStopping
      }),
      createDoctor({
        ...floor,
        config,
        storeMonitor,
        mediaServer: live.server,
        isRecordingDiskThere: () => recorded.isDiskThere(),
        mayRecord: () => recorded.mayRecord(),
        resourcesDir,
        ffmpegPath,
        addresses: () => ({
          field: fieldListener.address(),
          admin: adminListener.address(),
          s3: opened.address(),
          mqtt: mqtt.address()
        })
      })
    ]
    const idempotency = new Idempotency({ db, clock })
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
        for (const feature of features) feature.bind?.(binder)
      }
    })
    const adminListener = createListener({
      name: 'admin',
      address: config.admin,
      handler: adminApp,
      // An upload takes as long as it takes; each kind of body has a limit of its own.
      requestTimeoutMs: 0,
      log
    })
    const fieldListener = createListener({
      name: 'field',
      address: config.field,
      handler: pilot.app,
      requestTimeoutMs: 60_000,
      log
    })

    const mqtt = await createMqttBroker({
      address: config.mqtt.address,
      authenticate: (secret, address) => {
        const found = access.authenticateController(secret, peerKey(address))
        return found === 'too_many' ? undefined : found
      },
      clock,
      log
    })

    telemetry.meter
      .createObservableGauge('mqtt_links', { description: 'Controllers that keep a link open' })
      .addCallback((result) => result.observe(mqtt.linkCount()))

    access.service.onEnded((tokenId) => {
      events.endStreams(tokenId)
      mqtt.drop(tokenId)
      for (const controllerId of field.board.controllersWith(tokenId)) opened.revokeCredentials(controllerId)
    })
    access.service.endChangedFixedTokens(() => {
      for (const controllerId of field.board.controllersWith(null)) opened.revokeCredentials(controllerId)
    })
    const upkeep = new Upkeep({
      log,
      tasks: [
        // What the others let go of is removed without this: it is for what was to be kept until now.
        { name: 'objects nobody needs', run: () => removals.enqueue() },
        { name: 'old events', run: (signal) => outbox.trim({ signal }) },
        { name: 'answers kept for a day', run: (signal) => idempotency.sweep(signal) },
        ...features.flatMap((feature) => feature.upkeep ?? [])
      ]
    })

    const busyWatch = new BusyWatch({ clock, isBusy: () => opened.inFlightBodies() > 0 || runner.runningCount() > 0 })
    const phases = inPhases({
      config,
      log,
      adminToken: access.adminToken,
      opened,
      fieldListener,
      adminListener,
      mqtt,
      upkeep,
      runner,
      previewPace,
      reconciler: ingest.reconciler,
      features,
      events,
      busyWatch,
      closers
    })
    return {
      ...phases,
      idle: () => runner.idle(),
      onBusyChange: (listener) => busyWatch.onChange(listener)
    }
  }
}

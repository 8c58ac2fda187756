import type { Logger } from 'pino'
import type { ReadyInfo } from '../shared/ready.ts'
import type { BusyWatch } from './busy-watch.ts'
import type { Closers } from './closers.ts'
import type { Config } from './config/schema.ts'
import type { ListenAddress } from './config/settings/listeners.ts'
import { messageOf } from './errors.ts'
import type { Feature } from './feature.ts'
import type { EventsFeature } from './features/events/create-events.ts'
import type { Reconciler } from './features/ingest/reconciler.ts'
import type { MqttBroker } from './features/mqtt/mqtt-broker.ts'
import { type Listener, urlOf } from './http/listener.ts'
import type { JobRunner } from './jobs/job-runner.ts'
import type { PreviewPace } from './jobs/preview-pace.ts'
import type { OpenStore } from './open-store.ts'
import { version } from './package-info.ts'
import type { Upkeep } from './upkeep.ts'

/** Everything that runs by itself or listens. */
export interface MovingParts {
  config: Config
  log: Logger
  adminToken: string
  opened: OpenStore
  fieldListener: Listener
  adminListener: Listener
  mqtt: MqttBroker
  upkeep: Upkeep
  runner: JobRunner
  previewPace: PreviewPace
  reconciler: Reconciler
  features: readonly Feature[]
  events: EventsFeature
  busyWatch: BusyWatch
  /** Comes last: what the parts stand on. */
  closers: Closers
}

export interface Phases {
  /** Opens the listeners and begins work; tells where everything is. Throws `StartupError`; nothing stays open then. */
  start(): Promise<ReadyInfo>
  /** Ends everything in phases, each with a time limit. Calling it again waits for the same end. */
  stop(): Promise<void>
  isStopping(): boolean
}

/** How long each phase of stopping may take. */
const STOP_UPLOADS_MS = 10_000
const STOP_JOBS_MS = 10_000
const STOP_SCREENS_MS = 2000

/** The order in which the parts of the program begin and end. */
export function inPhases(parts: MovingParts): Phases {
  const { config, log, opened, fieldListener, adminListener, mqtt, upkeep, runner, previewPace, features } = parts
  let isReady = false
  let stopping: Promise<void> | undefined

  async function start(): Promise<ReadyInfo> {
    try {
      const s3Url = await opened.listen()
      const fieldUrl = urlOf(await fieldListener.listen())
      const mqttAddress = await listenForLinks()
      const adminUrl = urlOf(await adminListener.listen())
      upkeep.start()
      runner.start()
      previewPace.start()
      parts.reconciler.start()
      for (const feature of features) feature.start?.()
      isReady = true
      log.info({ version, admin: adminUrl, field: fieldUrl, s3: s3Url }, 'ready')
      return {
        event: 'ready',
        pid: process.pid,
        admin: { url: adminUrl, token: parts.adminToken },
        field: { url: fieldUrl },
        s3: { url: s3Url, bucket: config.store.bucket, region: config.store.region },
        ...(mqttAddress ? { mqtt: { url: urlOf(mqttAddress, 'mqtt') } } : {})
      }
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
    parts.busyWatch.stop()
    await Promise.all([parts.reconciler.stop(), mqtt.close(), opened.stopListening(STOP_UPLOADS_MS)])
    log[level]('stopping: jobs')
    previewPace.stop()
    await upkeep.stop()
    await runner.stop(STOP_JOBS_MS)
    // Until here controllers were told that the base is shutting down.
    await fieldListener.close(STOP_UPLOADS_MS)
    await Promise.all(features.map((feature) => feature.stop?.()))
    log[level]('stopping: screens')
    parts.events.endStreams()
    await adminListener.close(STOP_SCREENS_MS)
    await parts.closers.closeAll()
    log[level]('stopped')
  }

  return { start, stop, isStopping: () => stopping !== undefined }
}

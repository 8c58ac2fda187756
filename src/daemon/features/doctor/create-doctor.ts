import { join } from 'node:path'
import { getDoctor } from '../../../shared/api/doctor.ts'
import { type Clock, isoFromMs } from '../../clock.ts'
import type { Config } from '../../config/schema.ts'
import type { ListenAddress } from '../../config/settings/listeners.ts'
import type { Database } from '../../db/database.ts'
import type { Feature } from '../../feature.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import type { MediaServer } from '../../mediamtx/media-server.ts'
import type { StoreMonitor } from '../system/system.service.ts'
import * as base from './base-checks.ts'
import * as machine from './machine-checks.ts'
import { type Checks, runChecks } from './run-checks.ts'

export interface DoctorDeps {
  config: Config
  clock: Clock
  db: Database
  queue: JobQueue
  storeMonitor: StoreMonitor
  mediaServer: MediaServer
  /** Whether the disk of the recordings is the one that they were written to; nothing is changed by asking. */
  isRecordingDiskThere: () => Promise<boolean>
  /** Whether there is room for recordings now. */
  mayRecord: () => boolean
  /** Of the desktop app; null elsewhere. */
  resourcesDir: string | null
  ffmpegPath: string | null
  /** Where the listeners are now; null: not open. */
  addresses: () => { field: ListenAddress; admin: ListenAddress; s3: ListenAddress | null; mqtt: ListenAddress | null }
}

/** Looks at everything the running base stands on, whenever somebody asks. */
export function createDoctor(deps: DoctorDeps): Feature {
  const { config, clock, db, queue, mediaServer } = deps
  const { dataDir } = config
  let starts = 0
  mediaServer.onReady(() => {
    starts++
  })
  const checks: Checks = {
    data_folder: () => machine.dataFolder(dataDir),
    data_room: () => machine.roomIn(dataDir),
    recordings_room: () =>
      base.recordingsRoom({
        folder: config.live.isEnabled ? mediaServer.recordRoot : null,
        isThere: deps.isRecordingDiskThere,
        isShort: !deps.mayRecord()
      }),
    // To read all of it would keep everybody else waiting: the command does that.
    database: () => {
      db.prepare('SELECT count(*) FROM sqlite_schema').get()
      return base.database(join(dataDir, 'flightcase.db'), 'answers')
    },
    // Whoever mended something and looks again wants to know how it is now.
    store: async () => base.store(config.store, dataDir, await deps.storeMonitor.look(clock.nowMs(), 0)),
    listeners: () => base.openListeners(deps.addresses(), config.mqtt.address),
    network: () => base.network(deps.addresses().field),
    clock: () => machine.clock(clock.nowMs(), newestMs(db)),
    ffmpeg: () => machine.ffmpeg(deps.ffmpegPath),
    thumbnails: machine.thumbnails,
    media_server: () =>
      base.mediaServer({
        config: config.live,
        dataDir,
        resourcesDir: deps.resourcesDir,
        state: mediaServer.state(),
        returns: Math.max(0, starts - 1)
      }),
    jobs: () => base.jobs(queue.counts(), queue.oldestDueMs(), clock.nowMs())
  }
  const run = async () => ({ checkedAt: isoFromMs(clock.nowMs()), checks: await runChecks(checks) })
  let running: ReturnType<typeof run> | undefined
  return {
    bind(binder) {
      // Whoever asks meanwhile gets the same answer.
      binder.bind(getDoctor, () => {
        running ??= run().finally(() => {
          running = undefined
        })
        return running
      })
    }
  }
}

function newestMs(db: Database): number | null {
  const row = db.prepare<[], { at: number }>('SELECT created_at_ms AS at FROM event ORDER BY seq DESC LIMIT 1').get()
  return row?.at ?? null
}

import { join } from 'node:path'
import type { RefusedAction, Scrub, Storage } from '../../../shared/api/storage.ts'
import { type Clock, isoFromMs } from '../../clock.ts'
import type { StoreConfig } from '../../config/settings/store.ts'
import { AppError } from '../../errors.ts'
import { sizeOfDisk } from '../../files.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { troubleIn } from '../../object-store/store-trouble.ts'
import type { OpenStore } from '../../open-store.ts'
import type { StoreMonitor } from '../system/system.service.ts'
import { roomFor } from './room.ts'
import type { AssetsElsewhere, StorageRepository } from './storage.repository.ts'

const FLIGHTS_LOOKED_AT = 20
const DAMAGED_LOOKED_AT = 1000

type Maintenance = NonNullable<OpenStore['maintenance']>

export interface StorageDeps {
  repository: StorageRepository
  clock: Clock
  /** What the catalogue calls the connected store. */
  storeKind: ObjectStore['kind']
  config: StoreConfig
  dataDir: string
  storeMonitor: StoreMonitor
  /** Null for an external store. */
  maintenance: OpenStore['maintenance']
  deniedActions: OpenStore['deniedActions']
}

/** Puts together what the store, its disk and the catalogue know. */
export class StorageService {
  readonly #deps: StorageDeps

  constructor(deps: StorageDeps) {
    this.#deps = deps
  }

  async read(): Promise<Storage> {
    const { repository, clock, config, storeMonitor } = this.#deps
    const nowMs = clock.nowMs()
    const look = await storeMonitor.look(nowMs)
    const health = 'health' in look ? look.health : null
    const found = troubleIn(look)
    // What is unplugged answers nothing.
    const maintenance = found?.trouble === 'unplugged' ? null : this.#deps.maintenance
    const disk = await this.#disk(health)
    return {
      mode: config.mode,
      place: config.mode === 'embedded' ? this.#folder() : config.endpoint,
      bucket: config.bucket,
      trouble: found?.trouble ?? null,
      reported: found?.reported ?? null,
      credentialsRefused: found === null ? await storeMonitor.credentialsRefused(nowMs) : null,
      latencyMs: health?.latencyMs ?? null,
      clockDifferenceMs: health?.clockSkewMs ?? null,
      disk,
      ...repository.kept(),
      usage: maintenance ? await usageOf(maintenance) : null,
      room: disk && roomFor(repository.listFlightSizes(FLIGHTS_LOOKED_AT), disk.availableBytes, nowMs),
      scrub: maintenance && scrubOf(maintenance),
      index: maintenance && { problem: health?.indexProblem ?? null, copiedAt: copiedAt(maintenance) },
      damagedAssets: repository.countDamaged(),
      damagedOthers: maintenance ? await this.#countDamagedOthers(maintenance) : 0,
      notConnected: repository.listNotConnected(this.#deps.storeKind).map((elsewhere) => this.#elsewhere(elsewhere)),
      refused: this.#deps.deniedActions().map((action) => this.#refused(action))
    }
  }

  /** Throws `scrub_not_available` for an external store. */
  startScrub(): Scrub {
    const { maintenance } = this.#deps
    if (maintenance === null) throw new AppError('scrub_not_available')
    maintenance.scrubNow()
    return scrubOf(maintenance)
  }

  #elsewhere({ name, endpoint, bucket, assetTotal, assetBytes }: AssetsElsewhere): Storage['notConnected'][number] {
    return { place: name === 'local' ? this.#folder() : endpoint, bucket, assetTotal, assetBytes }
  }

  #folder(): string {
    return join(this.#deps.dataDir, 'store')
  }

  async #disk(health: { freeBytes: number | null; availableBytes: number | null } | null): Promise<Storage['disk']> {
    if (health === null || health.freeBytes === null || health.availableBytes === null) return null
    const { freeBytes, availableBytes } = health
    return { totalBytes: await sizeOfDisk(this.#folder()), freeBytes, availableBytes }
  }

  async #countDamagedOthers(maintenance: Maintenance): Promise<number> {
    if (maintenance.scrubState().damagedBlobs === 0) return 0
    const damaged = await maintenance.damagedObjects({ limit: DAMAGED_LOOKED_AT })
    return this.#deps.repository.countForeign(damaged.map(({ key }) => key))
  }

  #refused({
    sessionDeviceId,
    userName,
    operation,
    resource,
    peer,
    count,
    lastAtMs
  }: ReturnType<OpenStore['deniedActions']>[number]): RefusedAction {
    const controller = sessionDeviceId === null ? undefined : this.#deps.repository.controllerName(sessionDeviceId)
    return {
      who: controller ?? userName,
      isController: sessionDeviceId !== null,
      operation,
      resource,
      remoteAddress: peer,
      count,
      lastAt: isoFromMs(lastAtMs)
    }
  }
}

async function usageOf(maintenance: Maintenance): Promise<Storage['usage']> {
  const { objects, blobBytes: storedBytes, unfinishedUploads, unfinishedBytes, idleUploads } = await maintenance.usage()
  return { objects, storedBytes, unfinishedUploads, unfinishedBytes, idleUploads }
}

function copiedAt(maintenance: Maintenance): string | null {
  const copy = maintenance.lastIndexBackup()
  return copy && isoFromMs(copy.atMs)
}

function scrubOf(maintenance: Maintenance): Scrub {
  const { state, roundFinishedAtMs, roundBytes, roundCheckedBytes } = maintenance.scrubState()
  return {
    state,
    finishedAt: roundFinishedAtMs === null ? null : isoFromMs(roundFinishedAtMs),
    roundBytes,
    checkedBytes: roundCheckedBytes
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type {
  fastUploadSchema,
  groupCallbackSchema,
  StsReply,
  tinyFingerprintsSchema,
  UploadCallback
} from '../../../shared/api/pilot.ts'
import { type Clock, localDay } from '../../clock.ts'
import type { PilotConfig } from '../../config/settings/pilot.ts'
import { messageOf } from '../../errors.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import type { PublicStore } from '../../object-store/public-store.ts'
import type { FieldBoard } from '../field/field-board.ts'
import type { IngestService } from '../ingest/ingest.service.ts'
import type { UploadReport } from '../ingest/upload-report.ts'
import { isAcceptableKey, uploadPrefix } from './object-key.ts'
import type { KnownFile, PilotRepository } from './pilot.repository.ts'
import { PilotRefusal } from './pilot-refusal.ts'
import { chooseEndpoint, type RequestAddress, stsReply } from './sts-reply.ts'

/** Who calls and for which workspace; both are checked already. */
export interface PilotCall {
  workspaceId: string
  controllerId: string
}

export interface PilotServiceDeps {
  store: ObjectStore
  repository: PilotRepository
  ingest: IngestService
  board: FieldBoard
  config: PilotConfig
  acceptsWorkspace: (workspaceId: string) => boolean
  /** How controllers reach the store; asked at each call because the port is known only once it listens. */
  publicStore: () => PublicStore
  clock: Clock
  log: Logger
  /** Pilot waits for an answer, so a store slower than this counts as one that does not answer. */
  headDeadlineMs?: number
}

const DEFAULT_HEAD_DEADLINE_MS = 5000
const PARALLEL_HEADS = 16
const TINY_CHUNK = 500
/** So many chunks are looked up before others get their turn. */
const CHUNKS_PER_TURN = 8

type Presence = 'present' | 'gone' | 'changed' | 'unknown'

/** The decisions behind the five calls of Pilot's media module. */
export class PilotService {
  readonly #deps: PilotServiceDeps

  constructor(deps: PilotServiceDeps) {
    this.#deps = deps
  }

  /**
   * The key of the file with this fingerprint when it is stored, else null. Null is also the answer while the store cannot
   * tell: a needless upload does no harm, a wrong "stored" loses the file. Throws `missingFingerprintOrName`.
   */
  async fastUpload(call: PilotCall, body: z.output<typeof fastUploadSchema>): Promise<string | null> {
    const { fingerprint, name, ext } = body
    if (!fingerprint || !name) throw new PilotRefusal('missingFingerprintOrName')
    const file = this.#deps.repository.findByFingerprint(call.workspaceId, fingerprint)
    const isStored = file !== undefined && (await this.#withDeadline((expired) => this.#isStored(file, expired)))
    this.#deps.board.asked(call.controllerId, {
      fingerprint,
      tinyFingerprint: ext?.tinny_fingerprint ?? ext?.tiny_fingerprint ?? null,
      name,
      assetId: isStored ? file.assetId : null
    })
    return isStored ? file.objectKey : null
  }

  /** Those of the given tiny fingerprints whose files are stored, in the order asked. */
  async tinyFingerprints(call: PilotCall, body: z.output<typeof tinyFingerprintsSchema>): Promise<string[]> {
    const asked = (body.tiny_fingerprints ?? []).filter(
      (entry): entry is string => typeof entry === 'string' && entry !== ''
    )
    const files = await this.#findByTinyFingerprints(call.workspaceId, [...new Set(asked)])
    const stored = new Map<string, KnownFile>()
    await this.#withDeadline((expired) =>
      forEachParallel(PARALLEL_HEADS, files, async (file) => {
        if (file.tinyFingerprint !== null && (await this.#isStored(file, expired)))
          stored.set(file.tinyFingerprint, file)
      })
    )
    this.#deps.board.askedTiny(call.controllerId, asked, stored)
    return asked.filter((entry) => stored.has(entry))
  }

  /** Temporary credentials for the workspace's folder of today. Throws `stsFailed`. */
  async issueCredentials(call: PilotCall, address: RequestAddress): Promise<StsReply> {
    const { store, config, clock } = this.#deps
    const publicStore = this.#deps.publicStore()
    const nowMs = clock.nowMs()
    const prefix = uploadPrefix(call.workspaceId, nowMs, this.#hasOwnFolder(call, nowMs) ? shortId(call) : null)
    try {
      return stsReply({
        endpoint: chooseEndpoint(address, {
          ...publicStore,
          trustForwardedHeaders: config.trustForwardedHeaders
        }),
        bucket: store.bucket,
        region: publicStore.region,
        provider: publicStore.provider,
        prefix,
        credentials: await store.issueCredentials({
          workspaceId: call.workspaceId,
          prefixes: [`${prefix}/`],
          durationSeconds: config.credentialDurationS,
          deviceId: call.controllerId
        }),
        nowMs,
        compatibilityFields: config.stsCompatibilityFields
      })
    } catch (cause) {
      throw new PilotRefusal('stsFailed', { cause })
    }
  }

  /**
   * Takes the report of one upload into the catalogue and gives the reported key back. Throws `missingObjectKey`,
   * `invalidObjectKey`, `objectNotFound`, `objectCheckFailed`; nothing is changed then.
   */
  async reportUpload(call: PilotCall, body: UploadCallback, rawJson: string): Promise<string> {
    const { board, ingest, config, log, store } = this.#deps
    const report = reportFrom(call, body, rawJson)
    if ((body.result ?? 0) !== 0) {
      log.warn({ ...call, name: body.name, fingerprint: body.fingerprint, result: body.result }, 'upload failed')
      ingest.noteFailedUpload(report, body.result ?? 0)
      board.failed(call.controllerId, report, 'upload_failed')
      return body.object_key ?? ''
    }
    if (!body.object_key) throw new PilotRefusal('missingObjectKey')
    if (!isAcceptableKey(body.object_key, call.workspaceId, config.legacyKeyRoots))
      throw new PilotRefusal('invalidObjectKey')
    const outcome = await ingest
      .recordUpload(report, config.legacyKeyRoots ? [`${store.bucket}/${body.object_key}`] : [])
      .catch((error: unknown) => {
        if (!(error instanceof ObjectStoreError)) throw error
        board.failed(call.controllerId, report, 'object_check_failed')
        throw new PilotRefusal('objectCheckFailed', { cause: error })
      })
    if (outcome === 'object_missing') {
      board.failed(call.controllerId, report, 'object_not_found')
      throw new PilotRefusal('objectNotFound')
    }
    board.uploaded(call.controllerId, { ...report, ...outcome })
    return body.object_key
  }

  /** Notes how far a mission's upload is. Without an id there is nothing to note. Throws `invalidCounters`. */
  reportGroup(call: PilotCall, body: z.output<typeof groupCallbackSchema>): void {
    const { file_group_id: groupId, file_count: expected, file_uploaded_count: uploaded } = body
    if (!groupId) return
    const isCount = (value: number | null | undefined): value is number =>
      typeof value === 'number' && value >= 0 && value < 2 ** 31
    if (!isCount(expected) || !isCount(uploaded)) throw new PilotRefusal('invalidCounters')
    this.#deps.ingest.recordGroup(call.workspaceId, groupId, { expected, uploaded })
  }

  /** Throws `workspaceNotFound` when only known workspaces may be used and this is none. */
  assertWorkspace(workspaceId: string): void {
    if (!this.#deps.acceptsWorkspace(workspaceId)) throw new PilotRefusal('workspaceNotFound')
  }

  /**
   * By default a controller has a folder of its own when another one uses the day's folder already; in an external store
   * always, because nothing protects an object there from the next one of the same name.
   */
  #hasOwnFolder(call: PilotCall, nowMs: number): boolean {
    const { config, store, repository } = this.#deps
    if (config.prefixPerDevice !== 'auto') return config.prefixPerDevice === 'on'
    return store.kind === 's3' || !repository.claimDayFolder(call.workspaceId, localDay(nowMs), call.controllerId)
  }

  /** Hands `work` a promise that settles when the store has had its time. */
  async #withDeadline<T>(work: (expired: Promise<'unknown'>) => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const expired = new Promise<'unknown'>((resolve) => {
      timer = setTimeout(resolve, this.#deps.headDeadlineMs ?? DEFAULT_HEAD_DEADLINE_MS, 'unknown')
    })
    try {
      return await work(expired)
    } finally {
      clearTimeout(timer)
    }
  }

  async #findByTinyFingerprints(workspaceId: string, asked: string[]): Promise<KnownFile[]> {
    const files: KnownFile[] = []
    for (let first = 0; first < asked.length; first += TINY_CHUNK) {
      if (first > 0 && (first / TINY_CHUNK) % CHUNKS_PER_TURN === 0) await nextTurn()
      const chunk = asked.slice(first, first + TINY_CHUNK)
      for (const file of this.#deps.repository.findByTinyFingerprints(workspaceId, chunk)) files.push(file)
    }
    return files
  }

  /**
   * Asks the store. A file whose object is definitely gone is forgotten, one whose object is another version is looked into;
   * anything less certain changes nothing.
   */
  async #isStored(file: KnownFile, expired: Promise<'unknown'>): Promise<boolean> {
    if (file.isLost) return false
    const presence = await Promise.race([this.#presenceOf(file), expired])
    if (presence === 'gone') this.#deps.ingest.forgetGoneObject(file)
    if (presence === 'changed') this.#deps.ingest.doubtBytes(file.headKey)
    return presence === 'present'
  }

  async #presenceOf(file: KnownFile): Promise<Presence> {
    try {
      const stat = await this.#deps.store.head(file.headKey)
      if (!stat) return 'gone'
      return file.etag === null || stat.etag === file.etag ? 'present' : 'changed'
    } catch (error) {
      this.#deps.log.warn({ key: file.headKey, reason: messageOf(error) }, 'the store could not say if a file is there')
      return 'unknown'
    }
  }
}

/** Enough of the id to tell the controllers of a day apart. */
function shortId(call: PilotCall): string {
  return call.controllerId.slice(-6)
}

async function forEachParallel<T>(parallel: number, items: T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker))
}

/** The report in our words. `tinny` is how the vendor spells it; older builds sent it outside `ext`. */
function reportFrom(call: PilotCall, body: UploadCallback, rawJson: string): UploadReport {
  const { ext, metadata } = body
  return {
    workspaceId: call.workspaceId,
    objectKey: body.object_key ?? '',
    fingerprint: body.fingerprint ?? null,
    tinyFingerprint:
      ext?.tinny_fingerprint ?? ext?.tiny_fingerprint ?? body.tinny_fingerprint ?? body.tiny_fingerprint ?? null,
    name: body.name || (body.object_key?.split('/').at(-1) ?? ''),
    path: body.path ?? '',
    subFileType: body.sub_file_type ?? null,
    isOriginal: ext?.is_original ?? null,
    groupId: ext?.file_group_id || null,
    droneModelKey: ext?.drone_model_key || null,
    payloadModelKey: ext?.payload_model_key || null,
    droneSerial: ext?.sn || null,
    createdTime: metadata?.created_time ?? null,
    absoluteAltitudeM: metadata?.absolute_altitude ?? null,
    relativeAltitudeM: metadata?.relative_altitude ?? null,
    gimbalYawDeg: metadata?.gimbal_yaw_degree ?? null,
    latitude: metadata?.shoot_position?.lat ?? null,
    longitude: metadata?.shoot_position?.lng ?? null,
    rawJson
  }
}

import type { Logger } from 'pino'
import type { Lane as LaneView, RefusedSignIn } from '../../../shared/api/field.ts'
import { type Clock, localDay } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { LiveFeed } from '../../events/live-feed.ts'
import type { Outbox } from '../../events/outbox.ts'
import { newId } from '../../ids.ts'
import type { ControllerRecord, FieldRepository } from './field.repository.ts'
import { type FileIdentity, Lane, type Transfer } from './lane.ts'
import { RefusedSignIns } from './refused-sign-ins.ts'

/** Who makes a request on the field listener. */
export interface FieldClient {
  /** Null for the fixed token of the configuration. */
  tokenId: string | null
  tokenName: string
  /** What the controller calls itself; its own claim. */
  deviceId: string | null
  remoteAddress: string
}

/** Stands for the fixed token where a controller's key names one. */
const FIXED_TOKEN = 'fixed'
const PUBLISH_MS = 250
/** Losing the last moments in a crash is harmless, so the disk is asked rarely. */
const SAVE_EVERY_PUBLISH = 4
const KEPT_DAYS = 7
/** Device ids are free text: beyond this many lanes a new one does not make a lane of its own. */
const MAX_LANES = 500
const MAX_DEVICE_ID = 64
const EVENTS_AT_ONCE = 500

export interface FieldBoardDeps {
  repository: FieldRepository
  outbox: Outbox
  liveFeed: LiveFeed
  clock: Clock
  log: Logger
}

/**
 * The tether board: a lane for each controller with what it did today. Everything is noted in memory, because it happens
 * inside the calls that must be fast; a timer writes it down and shows it.
 */
export class FieldBoard {
  readonly #repository: FieldRepository
  readonly #outbox: Outbox
  readonly #liveFeed: LiveFeed
  readonly #clock: Clock
  readonly #log: Logger
  readonly #byClient = new Map<string, Lane>()
  readonly #byId = new Map<string, Lane>()
  readonly #changed = new Set<Lane>()
  readonly #unsaved = new Set<Lane>()
  /** What was shown last of what can end without anything happening. */
  readonly #shown = new Map<Lane, { isOnline: boolean; isReceiving: boolean }>()
  /** Assets whose damage is to be asked for. */
  readonly #unjudged = new Set<string>()
  /** The last event that was looked at for assets that changed. */
  #seenSeq: number
  readonly #refused = new RefusedSignIns()
  #refusedChanged = false
  #timer: NodeJS.Timeout | undefined
  #ticks = 0

  constructor(deps: FieldBoardDeps) {
    this.#repository = deps.repository
    this.#outbox = deps.outbox
    this.#seenSeq = deps.outbox.range().last
    this.#liveFeed = deps.liveFeed
    this.#clock = deps.clock
    this.#log = deps.log
    const nowMs = this.#clock.nowMs()
    for (const record of this.#repository.listControllers()) this.#add(new Lane(record, nowMs))
    for (const file of this.#repository.listFiles(localDay(nowMs))) this.#byId.get(file.controllerId)?.restore(file)
  }

  start(): void {
    this.#repository.dropFilesBefore(localDay(this.#clock.nowMs() - KEPT_DAYS * 86_400_000))
    this.#timer ??= setInterval(() => this.#tick(), PUBLISH_MS).unref()
  }

  /** Writes down what is still in memory. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#save()
  }

  /** The id of the controller that makes this request; a new one gets a lane. */
  arrive(client: FieldClient): string {
    const nowMs = this.#clock.nowMs()
    const deviceId = client.deviceId?.slice(0, MAX_DEVICE_ID) || null
    const token = client.tokenId ?? FIXED_TOKEN
    let lane = this.#byClient.get(`${token} ${deviceId ?? client.remoteAddress}`)
    if (!lane && this.#byId.size >= MAX_LANES) lane = this.#byClient.get(`${token} ${client.remoteAddress}`)
    lane ??= this.#open(client, token, deviceId, nowMs)
    lane.record.lastSeenAtMs = nowMs
    lane.record.remoteAddress = plainAddress(client.remoteAddress)
    if (this.#refused.forget(lane.record.remoteAddress)) this.#refusedChanged = true
    this.#touch(lane)
    return lane.record.id
  }

  /** Somebody at this address came with a token that opens nothing. */
  signInRefused(remoteAddress: string): void {
    if (this.#refused.note(plainAddress(remoteAddress), this.#clock.nowMs())) this.#refusedChanged = true
  }

  /** The ids of the controllers that used this token; null: the fixed one. */
  controllersWith(tokenId: string | null): string[] {
    return [...this.#byId.values()]
      .filter(({ record }) => record.clientKey.startsWith(`${tokenId ?? FIXED_TOKEN} `))
      .map(({ record }) => record.id)
  }

  /** A controller asked about one file; `assetId` is set when it is stored. */
  asked(controllerId: string, file: FileIdentity & { assetId: string | null }): void {
    this.#change(controllerId, (lane, nowMs) => lane.asked(file, file.assetId, nowMs))
  }

  askedTiny(
    controllerId: string,
    tinyFingerprints: readonly string[],
    stored: ReadonlyMap<string, { name: string; assetId: string }>
  ): void {
    this.#change(controllerId, (lane, nowMs) => {
      for (const tiny of tinyFingerprints) lane.askedTiny(tiny, stored.get(tiny), nowMs)
    })
  }

  uploaded(controllerId: string, file: FileIdentity & { objectKey: string; sizeBytes: number; assetId: string }): void {
    this.#change(controllerId, (lane, nowMs) => lane.uploaded(file, nowMs))
  }

  /** An upload nobody reported is in the catalogue after all. */
  adopted(upload: { objectKey: string; sizeBytes: number; assetId: string }): void {
    const nowMs = this.#clock.nowMs()
    for (const lane of this.#byId.values()) if (lane.adopted(upload, nowMs)) this.#touch(lane)
  }

  /** A file did not arrive; `code` says why. */
  failed(controllerId: string, file: FileIdentity & { objectKey: string }, code: string): void {
    this.#change(controllerId, (lane, nowMs) => lane.failed(file, code, nowMs))
  }

  /** A call of a controller failed for a reason that is no single file's. */
  refused(controllerId: string, code: string): void {
    this.#change(controllerId, (lane, nowMs) => lane.refused(code, nowMs))
  }

  /** What the embedded store sees of an upload. `sessionDeviceId` is the controller its credentials were issued to. */
  transfer(event: Transfer & { sessionDeviceId: string | null }): void {
    if (event.sessionDeviceId === null) return
    this.#change(event.sessionDeviceId, (lane, nowMs) => {
      lane.record.lastSeenAtMs = nowMs
      lane.transfer({ ...event, errorCode: laneErrorCode(event.errorCode) }, nowMs)
    })
  }

  /** Every controller, the one seen last first. */
  listLanes(): LaneView[] {
    this.#learnDamage()
    const nowMs = this.#clock.nowMs()
    return [...this.#byId.values()]
      .sort((a, b) => b.record.lastSeenAtMs - a.record.lastSeenAtMs)
      .map((lane) => lane.view(nowMs))
  }

  /** Addresses that were turned away for a wrong token in the last hours and have not signed in since, the latest first. */
  listRefusedSignIns(): RefusedSignIn[] {
    this.#refused.expire(this.#clock.nowMs())
    return this.#refused.list()
  }

  #open(client: FieldClient, token: string, deviceId: string | null, nowMs: number): Lane {
    const isCrowded = this.#byId.size >= MAX_LANES
    const remoteAddress = plainAddress(client.remoteAddress)
    const record: ControllerRecord = {
      id: newId(nowMs),
      clientKey: `${token} ${isCrowded ? client.remoteAddress : (deviceId ?? client.remoteAddress)}`,
      name: client.tokenId === null ? (deviceId ?? remoteAddress) : client.tokenName,
      remoteAddress,
      firstSeenAtMs: nowMs,
      lastSeenAtMs: nowMs,
      lastError: null
    }
    // At once: credentials are issued to this id.
    this.#repository.saveController(record)
    return this.#add(new Lane(record, nowMs))
  }

  #add(lane: Lane): Lane {
    this.#byClient.set(lane.record.clientKey, lane)
    this.#byId.set(lane.record.id, lane)
    return lane
  }

  #change(controllerId: string, change: (lane: Lane, nowMs: number) => void): void {
    const lane = this.#byId.get(controllerId)
    if (!lane) return
    change(lane, this.#clock.nowMs())
    this.#touch(lane)
  }

  #touch(lane: Lane): void {
    this.#changed.add(lane)
    this.#unsaved.add(lane)
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs()
    try {
      this.#learnDamage()
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'the tether board could not look for damaged files')
    }
    for (const [lane, shown] of this.#shown)
      if (shown.isOnline !== lane.isOnline(nowMs) || (shown.isReceiving && lane.bytesPerSecond(nowMs) === 0))
        this.#changed.add(lane)
    for (const lane of this.#changed) {
      const view = lane.view(nowMs)
      this.#shown.set(lane, { isOnline: view.online, isReceiving: view.bytesPerSecond > 0 })
      this.#liveFeed.publish({ type: 'lane', lane: view })
    }
    this.#changed.clear()
    if (this.#refused.expire(nowMs) || this.#refusedChanged)
      this.#liveFeed.publish({ type: 'refused-sign-ins', refusedSignIns: this.#refused.list() })
    this.#refusedChanged = false
    if (++this.#ticks % SAVE_EVERY_PUBLISH === 0) this.#save()
  }

  /** Asks for the damage of assets that are new to a lane, and of those that something happened to. */
  #learnDamage(): void {
    const lanes = [...this.#byId.values()]
    for (const lane of lanes) for (const assetId of lane.takeUnjudged()) this.#unjudged.add(assetId)
    for (;;) {
      const events = this.#outbox.readAfter(this.#seenSeq, EVENTS_AT_ONCE)
      for (const { type, subject } of events)
        if (type.startsWith('asset.') && lanes.some((lane) => lane.hasAsset(subject))) this.#unjudged.add(subject)
      this.#seenSeq = events.at(-1)?.seq ?? this.#seenSeq
      if (events.length < EVENTS_AT_ONCE) break
    }
    if (this.#unjudged.size === 0) return
    const damage = this.#repository.listDamage([...this.#unjudged])
    for (const lane of lanes)
      for (const assetId of this.#unjudged)
        if (lane.setDamage(assetId, damage.get(assetId) ?? null)) this.#changed.add(lane)
    this.#unjudged.clear()
  }

  #save(): void {
    if (this.#unsaved.size === 0) return
    const lanes = [...this.#unsaved]
    this.#unsaved.clear()
    try {
      this.#repository.save(
        lanes.map((lane) => lane.record),
        lanes.flatMap((lane) => lane.takeUnsaved())
      )
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'the tether board could not be written down')
    }
  }
}

/** IPv4 as people write it, also when the socket shows it as IPv6. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}

/** Errors of the embedded store in the words of the board: by what a person can do about them. Others keep their S3 name. */
function laneErrorCode(errorCode: string | undefined): string | undefined {
  switch (errorCode) {
    case undefined:
    case 'ClientGone':
    case 'IncompleteBody':
    case 'RequestTimeout':
      return 'connection_lost'
    case 'InsufficientStorage':
      return 'store_full'
    case 'BadDigest':
    case 'InvalidDigest':
    case 'MalformedTrailerError':
    case 'SignatureDoesNotMatch':
    case 'XAmzContentSHA256Mismatch':
      return 'garbled'
    case 'EntityTooLarge':
      return 'payload_too_large'
    case 'ServiceUnavailable':
    case 'SlowDown':
      return 'store_busy'
    case 'InternalError':
      return 'internal_error'
    default:
      return errorCode
  }
}

import type { MediaProblem } from '../../../shared/api/assets.ts'
import type { Lane as LaneView } from '../../../shared/api/field.ts'
import { isoFromMs, localDay } from '../../clock.ts'
import type { ControllerFileRecord, ControllerRecord, LaneError, LaneFileState } from './field.repository.ts'
import { fileView, isDamaged, isHere, type RunningTransfer, transferView } from './lane-file.ts'
import { SpeedMeter } from './speed-meter.ts'

/** What the object store tells of a body that comes in: a whole object, or a part of one whose size nobody knows yet. */
export interface Transfer {
  key: string
  /** Left out for a whole object. */
  part?: { uploadId: string; number: number } | null
  receivedBytes: number
  totalBytes: number | null
  state: 'started' | 'receiving' | 'stored' | 'failed'
  errorCode?: string | undefined
}

/** How a file is named in the calls that can be about it. */
export interface FileIdentity {
  tinyFingerprint: string | null
  fingerprint: string | null
  name: string
}

const ONLINE_MS = 120_000
const TRANSFER_SILENCE_MS = 60_000
/** Multipart uploads that pause may go on; so many are remembered. */
const MAX_TRANSFERS = 100
const SHOWN_FILES = 20
const SHOWN_TROUBLED = 200
/** A card has thousands of files, not more. */
const MAX_FILES = 100_000
/** So often in five minutes Pilot may ask about files it asked about before, without uploading anything. */
const LOOP_REPEATS = 20
const LOOP_WINDOW_MS = 300_000
/** Errors that are over as soon as bytes come in. */
const OVER_WITH_PROGRESS: ReadonlySet<string> = new Set(['fast_upload_loop', 'sts_failed'])

/** One controller today, in memory. It counts each file once, by what happened to it last. */
export class Lane {
  readonly record: ControllerRecord
  readonly #speed = new SpeedMeter()
  readonly #transfers = new Map<string, RunningTransfer>()
  #day: string
  #files = new Map<string, ControllerFileRecord>()
  /** The latest changed ones with a name, newest first. */
  #recent: ControllerFileRecord[] = []
  /** Those that failed or are damaged; the one that got so last is last. */
  #troubled = new Set<ControllerFileRecord>()
  #damaged = 0
  #byAsset = new Map<string, ControllerFileRecord[]>()
  #unjudged = new Set<string>()
  /** Other names of a file: its full fingerprint, its file name, its object key. */
  #aliases = new Map<string, string>()
  #counts: Record<LaneFileState, number> = { waiting: 0, uploading: 0, uploaded: 0, skipped: 0, failed: 0 }
  #unsaved = new Set<ControllerFileRecord>()
  #asks = { sinceMs: 0, keys: new Set<string>(), repeats: 0 }

  constructor(record: ControllerRecord, nowMs: number) {
    this.record = record
    this.#day = localDay(nowMs)
  }

  /** Takes a file noted before a restart. What was coming in then is not coming in any more. */
  restore(noted: ControllerFileRecord): void {
    if (noted.day !== this.#day) return
    const file: ControllerFileRecord = noted.state === 'uploading' ? { ...noted, state: 'waiting' } : noted
    this.#files.set(file.fileKey, file)
    this.#enter(file)
    if (file.name !== '') this.#aliases.set(nameAlias(file.name), file.fileKey)
    this.#noteRecent(file)
  }

  /** The controller asked whether a file is stored; `assetId` tells that it is. */
  asked(file: FileIdentity, assetId: string | null, nowMs: number): void {
    const key = this.#keyOf(file, null)
    const state = this.#files.get(key)?.state
    if (assetId !== null) {
      // It came from here today: that is worth more than that it is here.
      if (state !== 'uploaded') this.#set(key, { name: file.name, state: 'skipped', assetId, error: null }, nowMs)
      return
    }
    if (state !== 'uploading') this.#set(key, { name: file.name, state: 'waiting', error: null }, nowMs)
    this.#watchForLoop(key, file.name, nowMs)
  }

  /** As `asked`, from a list of tiny fingerprints, where only the files that are stored have names. */
  askedTiny(tinyFingerprint: string, stored: { name: string; assetId: string } | undefined, nowMs: number): void {
    const known = this.#files.get(tinyFingerprint)
    if (stored) {
      if (known?.state !== 'uploaded' && known?.state !== 'skipped')
        this.#set(tinyFingerprint, { ...stored, state: 'skipped', error: null }, nowMs)
    } else if (!known) this.#set(tinyFingerprint, { name: '', state: 'waiting' }, nowMs)
  }

  uploaded(file: FileIdentity & { objectKey: string; sizeBytes: number; assetId: string }, nowMs: number): void {
    const key = this.#keyOf(file, file.objectKey)
    this.#transfers.delete(file.objectKey)
    this.#progressMade()
    const { name, sizeBytes, assetId } = file
    this.#set(key, { name, state: 'uploaded', sizeBytes, assetId, error: null }, nowMs)
  }

  /** An upload was taken in without a report. False when it did not come from here. */
  adopted(upload: { objectKey: string; sizeBytes: number; assetId: string }, nowMs: number): boolean {
    const key = this.#aliases.get(upload.objectKey) ?? upload.objectKey
    const file = this.#files.get(key)
    if (!file) return false
    this.#transfers.delete(upload.objectKey)
    this.#set(
      key,
      { name: file.name, state: 'uploaded', sizeBytes: upload.sizeBytes, assetId: upload.assetId, error: null },
      nowMs
    )
    return true
  }

  failed(file: FileIdentity & { objectKey: string }, code: string, nowMs: number): void {
    const key = this.#keyOf(file, file.objectKey)
    this.#transfers.delete(file.objectKey)
    this.#fail(key, file.name, code, nowMs)
  }

  /** Something other than a file went wrong. */
  refused(code: string, nowMs: number): void {
    this.record.lastError = { atMs: nowMs, code, name: null }
  }

  transfer(event: Transfer, nowMs: number): void {
    const name = event.key.split('/').at(-1) ?? event.key
    const file = this.#keyOf({ tinyFingerprint: null, fingerprint: null, name }, event.key)
    if (file !== event.key) this.#aliases.set(event.key, file)
    const running = this.#runningTransfer(event, name)
    const part = event.part?.number ?? 0
    const receivedBytes = event.state === 'failed' ? 0 : event.receivedBytes
    const newBytes = receivedBytes - (running.parts.get(part) ?? 0)
    running.parts.set(part, receivedBytes)
    running.receivedBytes += newBytes
    running.updatedAtMs = nowMs
    this.#speed.add(Math.max(newBytes, 0), nowMs)
    if (event.state === 'failed') {
      // The other parts are kept by the store, so an upload that goes on goes on from there.
      if (part === 0) this.#transfers.delete(event.key)
      else running.updatedAtMs = Number.NEGATIVE_INFINITY
      this.#fail(file, name, event.errorCode ?? 'connection_lost', nowMs)
      return
    }
    if (event.state !== 'started') return
    this.#progressMade()
    this.#set(file, { name, state: 'uploading', sizeBytes: running.totalBytes, error: null }, nowMs)
  }

  hasAsset(assetId: string): boolean {
    return this.#byAsset.has(assetId)
  }

  /** The assets that became known since the last call, whose damage is not known yet. */
  takeUnjudged(): string[] {
    const unjudged = [...this.#unjudged]
    this.#unjudged.clear()
    return unjudged
  }

  /** Takes what the catalogue says of an asset. True when that is news to this lane. */
  setDamage(assetId: string, damage: MediaProblem | null): boolean {
    const files = (this.#byAsset.get(assetId) ?? []).filter((file) => file.damage !== damage)
    for (const file of files) {
      this.#leave(file)
      file.damage = damage
      this.#enter(file)
    }
    return files.length > 0
  }

  /** What changed since the last call. */
  takeUnsaved(): ControllerFileRecord[] {
    const unsaved = [...this.#unsaved]
    this.#unsaved.clear()
    return unsaved
  }

  isOnline(nowMs: number): boolean {
    return nowMs - this.record.lastSeenAtMs < ONLINE_MS || this.#currentTransfer(nowMs) !== undefined
  }

  bytesPerSecond(nowMs: number): number {
    return this.#speed.bytesPerSecond(nowMs)
  }

  view(nowMs: number): LaneView {
    this.#turnDay(nowMs)
    const { record } = this
    const { waiting, uploading, uploaded, skipped, failed } = this.#counts
    const current = this.#currentTransfer(nowMs)
    return {
      id: record.id,
      name: record.name,
      remoteAddress: record.remoteAddress,
      online: this.isOnline(nowMs),
      lastSeenAt: isoFromMs(record.lastSeenAtMs),
      seen: waiting + uploading + uploaded + skipped + failed,
      uploaded,
      skipped,
      failed,
      damaged: this.#damaged,
      current: current ? transferView(current) : null,
      bytesPerSecond: this.bytesPerSecond(nowMs),
      lastError: record.lastError && {
        at: isoFromMs(record.lastError.atMs),
        code: record.lastError.code,
        name: record.lastError.name
      },
      troubled: this.#listTroubled().map(fileView),
      recent: this.#recent.filter((file) => !this.#troubled.has(file)).map(fileView)
    }
  }

  #listTroubled(): ControllerFileRecord[] {
    const newestFirst = [...this.#troubled].reverse()
    const failed = newestFirst.filter(({ state }) => state === 'failed')
    return [...failed, ...newestFirst.filter(({ state }) => state !== 'failed')].slice(0, SHOWN_TROUBLED)
  }

  #runningTransfer({ key, part, state, totalBytes }: Transfer, name: string): RunningTransfer {
    const known = this.#transfers.get(key)
    const uploadId = part?.uploadId ?? null
    const isAnew = uploadId === null && state === 'started'
    if (known?.uploadId === uploadId && !isAnew) return known
    if (this.#transfers.size >= MAX_TRANSFERS) this.#transfers.delete(this.#transfers.keys().next().value ?? '')
    const fresh = { name, uploadId, parts: new Map(), receivedBytes: 0, totalBytes, updatedAtMs: 0 }
    this.#transfers.set(key, fresh)
    return fresh
  }

  #currentTransfer(nowMs: number): RunningTransfer | undefined {
    let latest: RunningTransfer | undefined
    for (const transfer of this.#transfers.values()) {
      const isSilent = nowMs - transfer.updatedAtMs > TRANSFER_SILENCE_MS
      if (!isSilent && (!latest || transfer.updatedAtMs >= latest.updatedAtMs)) latest = transfer
    }
    return latest
  }

  /** One file may be asked about by either fingerprint and arrive under a key: all lead to one entry. */
  #keyOf(file: FileIdentity, objectKey: string | null): string {
    const names = [file.tinyFingerprint, file.fingerprint].filter((name) => name !== null)
    const byName = names.length === 0 ? this.#aliases.get(nameAlias(file.name)) : undefined
    const key =
      names.find((name) => this.#files.has(name)) ??
      names.map((name) => this.#aliases.get(name)).find((alias) => alias !== undefined) ??
      byName ??
      names[0] ??
      objectKey ??
      nameAlias(file.name)
    for (const name of names) if (name !== key) this.#aliases.set(name, key)
    if (file.name !== '') this.#aliases.set(nameAlias(file.name), key)
    // Seen at the store before the controller told what it is.
    if (objectKey !== null && objectKey !== key) this.#remove(objectKey)
    return key
  }

  #set(
    fileKey: string,
    change: Pick<ControllerFileRecord, 'name' | 'state'> & Partial<ControllerFileRecord>,
    nowMs: number
  ): void {
    this.#turnDay(nowMs)
    let file = this.#files.get(fileKey)
    if (file ? isNothingNew(file, change) : this.#files.size >= MAX_FILES) return
    const assetBefore = file?.assetId ?? null
    if (file) {
      this.#leave(file)
      Object.assign(file, change, { updatedAtMs: nowMs })
    } else {
      const blank = { sizeBytes: null, assetId: null, error: null, damage: null }
      file = { controllerId: this.record.id, day: this.#day, fileKey, ...blank, ...change, updatedAtMs: nowMs }
      this.#files.set(fileKey, file)
    }
    if (file.assetId !== assetBefore) {
      file.damage = null
      if (file.assetId !== null) this.#unjudged.add(file.assetId)
    }
    this.#enter(file)
    this.#unsaved.add(file)
    this.#noteRecent(file)
    if (isHere(file)) this.#settleError(file.name)
  }

  /** Takes a file into the counts and lists that it belongs to as it is now; `#leave` before it changes. */
  #enter(file: ControllerFileRecord): void {
    this.#counts[file.state]++
    if (file.assetId !== null) this.#byAsset.set(file.assetId, [...(this.#byAsset.get(file.assetId) ?? []), file])
    if (isDamaged(file)) this.#damaged++
    if (isDamaged(file) || file.state === 'failed') this.#troubled.add(file)
  }

  #leave(file: ControllerFileRecord): void {
    this.#counts[file.state]--
    if (isDamaged(file)) this.#damaged--
    this.#troubled.delete(file)
    if (file.assetId === null) return
    const others = (this.#byAsset.get(file.assetId) ?? []).filter((other) => other !== file)
    if (others.length > 0) this.#byAsset.set(file.assetId, others)
    else this.#byAsset.delete(file.assetId)
  }

  #noteRecent(file: ControllerFileRecord): void {
    if (file.name === '') return
    if (this.#recent[0] === file) return
    this.#recent = [file, ...this.#recent.filter((other) => other !== file)].slice(0, SHOWN_FILES)
  }

  #remove(fileKey: string): void {
    const file = this.#files.get(fileKey)
    if (!file) return
    this.#leave(file)
    this.#files.delete(fileKey)
    this.#unsaved.delete(file)
    this.#recent = this.#recent.filter((other) => other !== file)
  }

  #fail(fileKey: string, name: string, code: string, nowMs: number): void {
    // A second attempt that fails does not undo the first that succeeded.
    if (this.#files.get(fileKey)?.state === 'uploaded') return
    this.record.lastError = { atMs: nowMs, code, name }
    this.#set(fileKey, { name, state: 'failed', error: code }, nowMs)
  }

  /** A file is here: an error that was about it is over, and one that was about none in particular once nothing is missing. */
  #settleError(name: string): void {
    const error = this.record.lastError
    if (error === null) return
    const { waiting, uploading, failed } = this.#counts
    const isOver = error.name === null ? waiting + uploading + failed === 0 : error.name === name
    if (isOver) this.record.lastError = this.#newestFailure()
  }

  #newestFailure(): LaneError | null {
    const file = [...this.#troubled].findLast(({ state }) => state === 'failed')
    return file ? { atMs: file.updatedAtMs, code: file.error ?? 'upload_failed', name: file.name } : null
  }

  /** Pilot asking for ever and uploading nothing is how it shows that it cannot reach or use the store. */
  #watchForLoop(fileKey: string, name: string, nowMs: number): void {
    const asks = this.#asks
    if (nowMs - asks.sinceMs > LOOP_WINDOW_MS) this.#asks = { sinceMs: nowMs, keys: new Set([fileKey]), repeats: 0 }
    else if (asks.keys.has(fileKey)) asks.repeats++
    else asks.keys.add(fileKey)
    if (this.#asks.repeats > LOOP_REPEATS) this.record.lastError = { atMs: nowMs, code: 'fast_upload_loop', name }
  }

  #progressMade(): void {
    this.#asks = { sinceMs: 0, keys: new Set(), repeats: 0 }
    if (OVER_WITH_PROGRESS.has(this.record.lastError?.code ?? '')) this.record.lastError = this.#newestFailure()
  }

  #turnDay(nowMs: number): void {
    const day = localDay(nowMs)
    if (day === this.#day) return
    this.#day = day
    this.#files = new Map()
    this.#aliases = new Map()
    this.#recent = []
    this.#troubled = new Set()
    this.#damaged = 0
    this.#byAsset = new Map()
    this.#counts = { waiting: 0, uploading: 0, uploaded: 0, skipped: 0, failed: 0 }
  }
}

function isNothingNew(before: ControllerFileRecord, change: Partial<ControllerFileRecord>): boolean {
  for (const [field, value] of Object.entries(change))
    if (before[field as keyof ControllerFileRecord] !== value) return false
  return true
}

function nameAlias(name: string): string {
  return `name:${name}`
}

import { rm } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Clock } from '../../clock.ts'
import type { LiveConfig } from '../../config/settings/live.ts'
import type { Database } from '../../db/database.ts'
import { AppError, messageOf } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { MediaMtxError } from '../../mediamtx/errors.ts'
import { isoFromUs, nameAt, US_PER_MS } from './instants.ts'
import type { RecordingIndex } from './recording-index.ts'
import { ENOUGH_BYTES, type RecordingRoom } from './recording-room.ts'
import type { RecordingServer } from './recording-server.ts'
import type { RemovedSourcesRepository } from './removed-sources.repository.ts'
import { besidePaths } from './segment-repair.ts'
import type { SegmentRow, SegmentsRepository } from './segments.repository.ts'
import { endOf } from './sessions.ts'

export interface RetentionDeps {
  db: Database
  clock: Clock
  log: Logger
  audit: AuditLog
  outbox: Outbox
  server: RecordingServer
  segments: SegmentsRepository
  removed: RemovedSourcesRepository
  index: RecordingIndex
  room: RecordingRoom
  config: LiveConfig['recordings']
}

/** Why a recording was deleted. */
export type DeletionReason = 'asked' | 'source_deleted' | 'too_old' | 'too_much' | 'disk_full'

/** Nobody asked for it, so what somebody wants stays. */
const isByRule = (reason: DeletionReason): boolean => reason !== 'asked' && reason !== 'source_deleted'

/** How much there is, and how much there may be. */
export interface Room {
  /** Before this instant everything is too old; null: nothing is. */
  oldestUs: number | null
  /** How much of the recordings must go; at most 0 when nothing must. */
  tooMuchBytes: number
  /** How much free space is missing; at most 0 when there is enough. */
  missingBytes: number
}

const TAKEN_AT_ONCE = 100
const DAY_MS = 86_400_000
/** In which a clock that went wrong is likely put right. */
const DOUBT_MS = 3600_000

/** Decides how long recordings stay: the media server itself deletes none. */
export class Retention {
  readonly #deps: RetentionDeps
  /** When it was last looked for what is too old. */
  #lastRunMs: number | null = null
  /** Until then the clock is not believed. */
  #doubtUntilMs = 0
  /** With how many bytes, free and recorded ones together, the disk has given back what was deleted last; null when it has. */
  #owed: { spareBytes: number; isTold: boolean } | null = null

  constructor(deps: RetentionDeps) {
    this.#deps = deps
  }

  /** Deletes what is too old, too much, or in the way of new recordings; the oldest first. Nothing while their disk is away. */
  async run(signal: AbortSignal): Promise<void> {
    const { segments, log, config, index, server } = this.#deps
    if (config.keepMs === null && config.maxBytes === null && config.minFreeBytes === null) return
    if (!(await index.isRootThere())) return
    const where = server.recordRoot === null ? 'elsewhere' : 'here'
    const spareBytes = await this.#spareBytes()
    const room = this.#room(spareBytes)
    let freedBytes = 0
    const stuck: string[] = []
    for (let after = { startUs: -1, id: '' }; ; ) {
      const left = {
        ...room,
        tooMuchBytes: room.tooMuchBytes - freedBytes,
        missingBytes: room.missingBytes - freedBytes
      }
      const chosen = chooseToDelete(segments.listOldest(TAKEN_AT_ONCE, where, after), left)
      if (chosen.length === 0) break
      for (const { segment, reason } of chosen) {
        if (signal.aborted) return
        after = segment
        try {
          if (await this.delete(segment, reason)) freedBytes += segment.sizeBytes ?? 0
        } catch (error) {
          // What cannot be deleted keeps nobody from deleting the next.
          stuck.push(`${segment.pathName}: ${messageOf(error)}`)
        }
      }
    }
    if (stuck.length > 0) log.warn({ files: stuck.length, first: stuck[0] }, 'recordings could not be deleted')
    if (freedBytes > 0 && spareBytes !== null) await this.#awaitFreed(spareBytes - freedBytes / 2)
  }

  /**
   * Deletes a file and whatever lies beside it; by a rule only what nobody needs. Gives whether it did. Raises
   * `recording_in_use`, `recording_away` while its disk is away, the file system's errors and `MediaMtxError`.
   */
  async delete({ id, sourceId }: SegmentRow, reason: DeletionReason): Promise<boolean> {
    const { segments, index } = this.#deps
    return index.exclusively(sourceId, async () => {
      const segment = segments.find(id)
      if (!segment || (isByRule(reason) && (segment.isKept || segments.isNeeded(id)))) return false
      // A clip may have been asked for since.
      if (segments.isNeeded(id) || (reason === 'asked' && segment.state === 'open'))
        throw new AppError('recording_in_use', { segmentId: id })
      await index.assertRootThere()
      await this.#remove(segment)
      this.#noteDeleted(segment, reason)
      return true
    })
  }

  async #remove(segment: SegmentRow): Promise<void> {
    const { index, server } = this.#deps
    const filePath = index.filePath(segment)
    if (filePath !== null)
      for (const path of [...Object.values(besidePaths(filePath)), filePath]) await rm(path, { force: true })
    else if (server.recordRoot === null && segment.rawStart !== null)
      await server
        .client()
        .deleteSegment(segment.pathName, segment.rawStart)
        .catch((error: unknown) => {
          if (!(error instanceof MediaMtxError) || error.code !== 'NotFound') throw error
        })
    // Recorded by a media server that is not used any more: what cannot be reached cannot be deleted.
    else throw new AppError('recording_away', { segmentId: segment.id })
  }

  #noteDeleted(segment: SegmentRow, reason: DeletionReason): void {
    const { db, audit, outbox, segments, removed } = this.#deps
    const { id, workspaceId, sourceId, pathName: path, sizeBytes, startUs } = segment
    const [start, end] = [isoFromUs(startUs), isoFromUs(endOf(segment))]
    const facts = {
      name: nameAt({ name: path }, startUs, ''),
      workspaceId,
      sourceId,
      path,
      start,
      end,
      sizeBytes,
      reason
    }
    db.transaction(() => {
      segments.delete(id)
      // Of a stream that is gone nothing is left then.
      if (!segments.findLast(sourceId)) removed.delete(sourceId)
      audit.record('recording.deleted', id, facts)
      outbox.append('recording.deleted', id, facts)
    })
  }

  /** What is free and what is recorded: recording does not change it, nor does deleting once the disk gives back what was deleted. */
  async #spareBytes(): Promise<number | null> {
    const free = await this.#deps.room.freeBytes()
    return free === null ? null : free + this.#deps.segments.totalBytes()
  }

  /** Some disks free late what is deleted, and such with snapshots not at all: until most of it is there no more is deleted for room. */
  async #awaitFreed(spareBytes: number): Promise<void> {
    const nowBytes = await this.#spareBytes()
    this.#owed = nowBytes !== null && nowBytes < spareBytes ? { spareBytes, isTold: this.#owed?.isTold ?? false } : null
  }

  #room(spareBytes: number | null): Room {
    const { clock, config, segments } = this.#deps
    const nowMs = clock.nowMs()
    const isBelieved = this.#isBelieved(nowMs)
    const totalBytes = segments.totalBytes()
    return {
      oldestUs: config.keepMs === null || !isBelieved ? null : (nowMs - config.keepMs) * US_PER_MS,
      tooMuchBytes: config.maxBytes === null || spareBytes === null ? 0 : totalBytes - config.maxBytes,
      missingBytes: spareBytes === null ? 0 : this.#missingBytes(spareBytes, totalBytes)
    }
  }

  #missingBytes(spareBytes: number, totalBytes: number): number {
    const { config, log } = this.#deps
    if (config.minFreeBytes === null) return 0
    if (this.#owed && spareBytes < this.#owed.spareBytes) {
      if (!this.#owed.isTold) log.warn('the disk is no emptier for what was deleted: no more is, for room, until it is')
      this.#owed.isTold = true
      return 0
    }
    this.#owed = null
    // With less nothing would be recorded, although there is what may be deleted.
    return Math.max(config.minFreeBytes, ENOUGH_BYTES) - (spareBytes - totalBytes)
  }

  /** A clock that is a day further on than when something was last known of it was off, or is wrong: nothing is too old at once. */
  #isBelieved(nowMs: number): boolean {
    const newestUs = this.#lastRunMs === null ? this.#deps.segments.findNewestUs() : null
    const knownMs = this.#lastRunMs ?? (newestUs === null ? nowMs : newestUs / US_PER_MS)
    if (nowMs < knownMs) this.#doubtUntilMs = 0
    else if (nowMs - knownMs > DAY_MS) this.#doubtUntilMs = nowMs + DOUBT_MS
    this.#lastRunMs = nowMs
    return nowMs >= this.#doubtUntilMs
  }
}

/** Which of these files, the oldest first, have to go, and why: none after the first that may stay. */
export function chooseToDelete(
  oldest: readonly SegmentRow[],
  room: Room
): { segment: SegmentRow; reason: DeletionReason }[] {
  const chosen: { segment: SegmentRow; reason: DeletionReason }[] = []
  let freedBytes = 0
  for (const segment of oldest) {
    const reason = reasonFor(segment, room, freedBytes)
    if (reason === null) break
    chosen.push({ segment, reason })
    freedBytes += segment.sizeBytes ?? 0
  }
  return chosen
}

function reasonFor(segment: SegmentRow, room: Room, freedBytes: number): DeletionReason | null {
  if (room.oldestUs !== null && endOf(segment) < room.oldestUs) return 'too_old'
  if (room.tooMuchBytes > freedBytes) return 'too_much'
  return room.missingBytes > freedBytes ? 'disk_full' : null
}

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

/** Decides how long recordings stay: the media server itself deletes none. */
export class Retention {
  readonly #deps: RetentionDeps

  constructor(deps: RetentionDeps) {
    this.#deps = deps
  }

  /** Deletes what is too old, too much, or in the way of new recordings; the oldest first. Nothing while their disk is away. */
  async run(signal: AbortSignal): Promise<void> {
    const { segments, log, config } = this.#deps
    if (config.keepMs === null && config.maxBytes === null && config.minFreeBytes === null) return
    if (!(await this.#deps.index.isRootThere())) return
    const stuck: string[] = []
    for (let after = { startUs: -1, id: '' }; ; ) {
      const room = await this.#room()
      const oldest = segments.listOldest(TAKEN_AT_ONCE, after)
      const chosen = chooseToDelete(oldest, room)
      for (const { segment, reason } of chosen) {
        if (signal.aborted) return
        after = segment
        // What cannot be deleted keeps nobody from deleting the next.
        await this.delete(segment, reason).catch((error: unknown) =>
          stuck.push(`${segment.pathName}: ${messageOf(error)}`)
        )
      }
      if (chosen.length < TAKEN_AT_ONCE) break
    }
    if (stuck.length > 0) log.warn({ files: stuck.length, first: stuck[0] }, 'recordings could not be deleted')
  }

  /**
   * Deletes a file and whatever lies beside it; by a rule only what nobody needs. Raises `recording_in_use`, `recording_away` while its
   * disk is away, the file system's errors and `MediaMtxError`.
   */
  async delete({ id, sourceId }: SegmentRow, reason: DeletionReason): Promise<void> {
    const { segments, index } = this.#deps
    await index.exclusively(sourceId, async () => {
      const segment = segments.find(id)
      if (!segment || (isByRule(reason) && (segment.isKept || segments.isNeeded(id)))) return
      // A clip may have been asked for since.
      if (segments.isNeeded(id) || (reason === 'asked' && segment.state === 'open'))
        throw new AppError('recording_in_use', { segmentId: id })
      await index.assertRootThere()
      await this.#remove(segment)
      this.#noteDeleted(segment, reason)
    })
  }

  async #remove(segment: SegmentRow): Promise<void> {
    const { index, server } = this.#deps
    const filePath = index.filePath(segment)
    if (filePath !== null)
      for (const path of [...Object.values(besidePaths(filePath)), filePath]) await rm(path, { force: true })
    else if (segment.rawStart !== null)
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
    const { db, audit, outbox, segments } = this.#deps
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
      audit.record('recording.deleted', id, facts)
      outbox.append('recording.deleted', id, facts)
    })
  }

  async #room(): Promise<Room> {
    const { clock, config, segments, room } = this.#deps
    const free = await room.freeBytes()
    return {
      oldestUs: config.keepMs === null ? null : (clock.nowMs() - config.keepMs) * US_PER_MS,
      tooMuchBytes: config.maxBytes === null ? 0 : segments.totalBytes() - config.maxBytes,
      // With less nothing would be recorded, although there is what may be deleted.
      missingBytes:
        free === null || config.minFreeBytes === null ? 0 : Math.max(config.minFreeBytes, ENOUGH_BYTES) - free
    }
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

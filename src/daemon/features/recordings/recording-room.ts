import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import type { Database } from '../../db/database.ts'
import { messageOf } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { RecordingServer } from './recording-server.ts'
import type { SegmentsRepository } from './segments.repository.ts'

export interface RecordingRoomDeps {
  db: Database
  log: Logger
  outbox: Outbox
  server: Pick<RecordingServer, 'recordRoot'>
  segments: SegmentsRepository
  /** Has the media server follow what `isShort` says by now. */
  applyRecording: () => Promise<unknown>
  /** Free bytes of the disk of a folder; raises the file system's errors. */
  freeBytesOf?: ((folder: string) => Promise<number>) | undefined
}

/** With less nothing is recorded any more: the catalogue, which may lie on the same disk, still has to be written. */
export const SHORT_BYTES = 1_000_000_000
/** From here on recording goes on; recordings that may be deleted are, up to here. */
export const ENOUGH_BYTES = 1_500_000_000

/** The room that is left for recordings, and what follows where there is hardly any: nothing is recorded, and nothing lost. */
export class RecordingRoom {
  readonly #deps: RecordingRoomDeps
  #isShort = false

  constructor(deps: RecordingRoomDeps) {
    this.#deps = deps
  }

  /** There is so little room that nothing is recorded, whatever somebody wants. */
  get isShort(): boolean {
    return this.#isShort
  }

  /** Looks how much room there is, and has recording end or go on. Call it often: recordings of many cameras grow fast. */
  async look(): Promise<void> {
    const free = await this.freeBytes()
    const isShort = free !== null && free < (this.#isShort ? ENOUGH_BYTES : SHORT_BYTES)
    if (isShort === this.#isShort) return
    const { db, log, outbox, applyRecording } = this.#deps
    this.#isShort = isShort
    db.transaction(() => {
      outbox.append(isShort ? 'recording.suspended' : 'recording.resumed', 'recordings', {
        reason: 'disk_full',
        freeBytes: free
      })
    })
    log.warn({ freeBytes: free }, isShort ? 'nothing is recorded: the disk is nearly full' : 'there is room to record')
    await applyRecording().catch((error: unknown) => {
      // The paths are compared again as soon as it answers.
      log.warn({ reason: messageOf(error) }, 'the media server was not told whether it may record')
    })
  }

  /** Of the disk that the recordings are on; null where the media server runs elsewhere: nobody here knows. */
  async freeBytes(): Promise<number | null> {
    const { server, segments, freeBytesOf = freeBytesOfDisk } = this.#deps
    const { recordRoot } = server
    if (recordRoot === null) return null
    // Before the first recording there is no such folder.
    return await freeBytesOf(recordRoot).catch((error: unknown) => {
      if (segments.isEmpty()) return freeBytesOf(dirname(recordRoot))
      throw error
    })
  }
}

/** What can still be written to the disk of a folder. Raises the file system's errors. */
export async function freeBytesOfDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

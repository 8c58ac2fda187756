import type { Logger } from 'pino'
import { isFileError } from '../../files.ts'
import { faultOf } from './blob-check.ts'
import type { BlobFiles } from './blob-files.ts'
import type { BlobRow, BlobRows } from './blob-rows.ts'
import type { Damage } from './damage.ts'
import type { GroupCommit } from './group-commit.ts'
import type { QuietPace } from './quiet-pace.ts'
import type { DueRow, ScrubRows } from './scrub-rows.ts'
import type { ScrubState } from './store-maintenance.ts'

const DAY_MS = 24 * 3_600_000
/** Every file is checked within 30 days; the rest of them is for the round itself, which a laptop's owner interrupts. */
const DUE_AFTER_MS = 21 * DAY_MS
const PAGE = 64
/** Checks that are lost at most when the process dies. */
const UNRECORDED_BYTES = 256 * 1024 ** 2
/** What a small file costs a disk, in bytes read meanwhile. */
const LEAST_COST_BYTES = 256 * 1024

type ScrubberDeps = {
  files: BlobFiles
  blobs: BlobRows
  rows: ScrubRows
  commits: GroupCommit
  damage: Damage
  pace: QuietPace
  log: Logger
  now: () => number
}

/**
 * Reads every payload file again before a month is over and compares it with what was written, since disks forget bits without
 * saying so. How far it is stands in each blob's row, so it goes on after a restart.
 */
export class Scrubber {
  readonly #deps: ScrubberDeps
  #round: { bytes: number; checkedBytes: number } | null = null
  /** Checked, but not recorded yet. */
  #checked: BlobRow[] = []
  /** Files of the last round that could not be checked. */
  #uncheckedBlobs = 0

  constructor(deps: ScrubberDeps) {
    this.#deps = deps
  }

  /** See `StoreMaintenance.scrubState`. */
  state(): ScrubState {
    const { rows, pace } = this.#deps
    const { bytes, checkedBytes } = this.#round ?? { bytes: 0, checkedBytes: 0 }
    return {
      state: this.#round === null ? 'idle' : pace.isWaiting ? 'waiting' : 'running',
      roundFinishedAtMs: rows.rounds().finishedAtMs,
      roundBytes: bytes,
      roundCheckedBytes: checkedBytes,
      uncheckedBlobs: this.#uncheckedBlobs,
      ...rows.totals()
    }
  }

  /** Checks what is due until nothing is, or nothing that can be checked now. Raises `StoreOffline`, and the reason when it is made to stop. */
  async run(): Promise<void> {
    const { rows, commits, now } = this.#deps
    for (;;) {
      const { askedAtMs } = rows.rounds()
      const nowMs = now()
      const beforeMs = Math.max(Math.min(askedAtMs ?? 0, nowMs), nowMs - DUE_AFTER_MS)
      // A clock that was ahead for a while would put off the next check of what was written or checked then, perhaps by years.
      while (rows.latestCheckMs() > nowMs) await commits.run(() => rows.doubtChecksAfter(nowMs, beforeMs - 1, PAGE))
      const due = rows.due(beforeMs)
      if (due.blobs === 0) this.#uncheckedBlobs = 0
      if (due.blobs === 0 && askedAtMs === null) return
      this.#round = { bytes: due.bytes, checkedBytes: 0 }
      try {
        if (!(await this.#checkAll(beforeMs, askedAtMs))) return
      } finally {
        this.#round = null
      }
    }
  }

  /**
   * One round. Ends early when somebody asks for another one. False when some files could not be checked: they stay due, and the
   * round is not done before they were.
   */
  async #checkAll(beforeMs: number, askedAtMs: number | null): Promise<boolean> {
    const { rows, commits, log, now } = this.#deps
    let unchecked: { blobs: number; err?: unknown } = { blobs: 0 }
    let last: DueRow | undefined
    while (rows.rounds().askedAtMs === askedAtMs) {
      const page = rows.page(beforeMs, PAGE, last)
      if (page.length === 0) {
        this.#uncheckedBlobs = unchecked.blobs
        if (unchecked.blobs === 0) await commits.run(() => rows.finish(now(), askedAtMs))
        else log.warn(unchecked, 'payload files cannot be checked now')
        return unchecked.blobs === 0
      }
      last = page.at(-1)
      try {
        for (const { id } of page) {
          try {
            await this.#check(id, beforeMs)
          } catch (error) {
            if (!isFileError(error)) throw error
            unchecked = { blobs: unchecked.blobs + 1, err: error }
          }
        }
      } finally {
        await this.#record(beforeMs)
      }
    }
    return true
  }

  async #check(blobId: string, beforeMs: number): Promise<void> {
    const { files, blobs, damage, pace } = this.#deps
    // Held, so that its file is not removed meanwhile: it could go with its object at any time.
    const release = files.hold([blobId])
    try {
      const blob = blobs.find(blobId)
      if (!blob) return
      const beforeRead = (bytes: number) => pace.step(bytes, () => this.#record(beforeMs))
      await beforeRead(Math.max(0, LEAST_COST_BYTES - blob.sizeBytes))
      if (blob.state === 'damaged') await damage.review(blobId, beforeRead)
      else {
        const suspicion = await faultOf(files.path(blob.id), blob, beforeRead)
        if (suspicion !== null) await damage.confirm(blob.id, suspicion.reason, beforeRead)
      }
      this.#checked.push(blob)
      if (this.#round) this.#round.checkedBytes += blob.sizeBytes
      if (this.#checked.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) > UNRECORDED_BYTES)
        await this.#record(beforeMs)
    } finally {
      release()
    }
  }

  async #record(beforeMs: number): Promise<void> {
    const { commits, blobs, now } = this.#deps
    const checked = this.#checked.splice(0)
    if (checked.length === 0) return
    await commits.run(() => {
      // Never before the round, whatever becomes of the clock, or the round would not end.
      for (const { id } of checked) blobs.setVerified(id, Math.max(now(), beforeMs))
    })
  }
}

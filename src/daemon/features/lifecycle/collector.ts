import { setImmediate as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { CollectionReport, emptyBin } from '../../../shared/api/lifecycle.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Clock } from '../../clock.ts'
import type { RetentionConfig } from '../../config/settings/retention.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { BinService } from './bin.service.ts'
import {
  type AgeCursor,
  BEGINNING,
  type Counted,
  FIRST_BLOB,
  type LifecycleRepository,
  type Measured,
  type Purge,
  type Stretch
} from './lifecycle.repository.ts'
import { archived, type Lifecycle, stateOf } from './lifecycle.ts'
import type { ReferencesRepository } from './references.repository.ts'
import type { ReferencesService } from './references.service.ts'

export interface CollectorDeps {
  db: Database
  clock: Clock
  outbox: Outbox
  audit: AuditLog
  log: Logger
  config: RetentionConfig
  repository: LifecycleRepository
  holders: ReferencesRepository
  references: ReferencesService
  bin: BinService
  /** Has the bytes of an asset moved if they belong elsewhere now; runs inside the archiving transaction. */
  reviewPlace: (assetId: string) => void
  /** Let go of what belongs to an asset; they run inside the deleting transaction, the last one after the asset is gone. */
  releaseParts: (assetId: string) => void
  releaseBlob: (blobId: string) => number
}

type Emptied = z.output<(typeof emptyBin)['response']>

/** Rows looked at together; nobody waits longer than for these. */
const CHUNK = 200
const MEASURED_CHUNK = 1000
/** Assets that one run takes away. */
const MAX_ACTIONS = 10_000

/**
 * Takes away what nobody needs: assets without a reference after the grace period, and assets in the archive and in the bin
 * after their time.
 * Every deletion looks again, in its own transaction, whether it is still due.
 */
export class Collector {
  readonly #deps: CollectorDeps

  constructor(deps: CollectorDeps) {
    this.#deps = deps
  }

  /** One run; `signal` ends it early. */
  run(options: { isDryRun: boolean; signal?: AbortSignal }): Promise<CollectionReport> {
    return options.isDryRun ? this.#estimate(options.signal) : this.#collect(options.signal)
  }

  /** Deletes an asset from the bin for good. Throws `asset_not_found`, `asset_not_binned`. */
  purge(assetId: string): void {
    this.#deps.db.transaction(() => {
      if (!this.#deps.holders.findLife(assetId)) throw new AppError('asset_not_found', { assetId })
      const { isPurged } = this.#purge(assetId, 'asked', ({ binnedAtMs }) => binnedAtMs !== null)
      if (!isPurged) throw new AppError('asset_not_binned', { assetId })
    })
  }

  /** How many assets are in the bin now, and the bytes that would be free without them; `signal` ends it early. */
  async measureBin(signal?: AbortSignal): Promise<{ atMs: number; assetTotal: number; freeableBytes: number }> {
    const bin = { atMs: this.#deps.clock.nowMs(), assetTotal: 0, freeableBytes: 0 }
    const purge = { binnedUntilMs: bin.atMs, orphanedUntilMs: null, nowMs: bin.atMs }
    for await (const { count, freedBytes } of this.#measure('bin', purge)) {
      if (signal?.aborted) break
      bin.assetTotal += count
      bin.freeableBytes += freedBytes
    }
    return bin
  }

  /** Deletes for good what has been in the bin since `untilMs` or longer, up to `limit` assets; `signal` ends it early. */
  async emptyBin(options: { untilMs: number; limit: number; signal?: AbortSignal }): Promise<Emptied> {
    const untilMs = Math.min(options.untilMs, this.#deps.clock.nowMs())
    const emptied: Emptied = { purged: 0, freedBytes: 0, isMore: false }
    let left = options.limit
    for await (const { id } of this.#binnedUntil(untilMs)) {
      if (left === 0 || options.signal?.aborted) return { ...emptied, isMore: true }
      if (this.#count(emptied, this.#purge(id, 'asked', isBinnedUntil(untilMs)))) left--
      await pause()
    }
    return emptied
  }

  #binnedUntil(untilMs: number): AsyncGenerator<AgeCursor> {
    return inChunks((after) => this.#deps.repository.listBinned({ untilMs, after, limit: CHUNK }))
  }

  #orphanedUntil(untilMs: number): AsyncGenerator<AgeCursor> {
    return inChunks((after) => this.#deps.repository.listOrphans({ untilMs, after, limit: CHUNK }))
  }

  #archivedUntil(untilMs: number): AsyncGenerator<AgeCursor> {
    return inChunks((after) => this.#deps.repository.listArchived({ untilMs, after, limit: CHUNK }))
  }

  #measure(from: 'bin' | 'orphans', purge: Purge): AsyncGenerator<Measured> {
    return inStretches(FIRST_BLOB, (after) => this.#deps.repository.measurePurge(from, purge, after, MEASURED_CHUNK))
  }

  async #collect(signal?: AbortSignal): Promise<CollectionReport> {
    const { references, config, clock, log } = this.#deps
    const report = newReport(false)
    for (let expired = CHUNK; expired === CHUNK; await pause()) {
      expired = references.deleteExpired(CHUNK)
      report.expiredReferences += expired
    }
    const { orphanedUntilMs, archivedUntilMs, binnedUntilMs } = this.#bounds(clock.nowMs())
    let left = MAX_ACTIONS
    const each = async (due: AsyncGenerator<AgeCursor>, act: (assetId: string) => boolean) => {
      for await (const { id } of due) {
        if (left === 0 || signal?.aborted) {
          report.isMore = true
          return
        }
        if (act(id)) left--
        await pause()
      }
    }
    await each(this.#binnedUntil(binnedUntilMs), (assetId) =>
      this.#count(report, this.#purge(assetId, 'bin_time_over', isBinnedUntil(binnedUntilMs)))
    )
    await each(this.#orphanedUntil(orphanedUntilMs), (assetId) => {
      if (config.orphanPolicy === 'purge') {
        const isDue = (life: Lifecycle) => this.#isOrphan(assetId, life, orphanedUntilMs)
        return this.#count(report, this.#purge(assetId, 'orphaned', isDue))
      }
      const isArchive = config.orphanPolicy === 'archive'
      const isDone = isArchive
        ? this.#archive(assetId, orphanedUntilMs)
        : this.#bin(assetId, (life) => this.#isOrphan(assetId, life, orphanedUntilMs))
      if (isDone) report[isArchive ? 'archived' : 'binned']++
      return isDone
    })
    await each(this.#archivedUntil(archivedUntilMs), (assetId) => {
      const isBinned = this.#bin(assetId, (life) => this.#isArchivedFor(assetId, life, archivedUntilMs))
      if (isBinned) report.binned++
      return isBinned
    })
    if (report.archived + report.binned + report.purged > 0) log.info({ ...report }, 'what nobody needs was taken away')
    return report
  }

  async #estimate(signal?: AbortSignal): Promise<CollectionReport> {
    const { repository, holders, config, clock } = this.#deps
    const report = newReport(true)
    const nowMs = clock.nowMs()
    const { orphanedUntilMs, archivedUntilMs, binnedUntilMs } = this.#bounds(nowMs)
    const each = async <S>(stretches: AsyncGenerator<S>, add: (stretch: S) => void) => {
      for await (const stretch of stretches) {
        if (signal?.aborted) {
          report.isMore = true
          return
        }
        add(stretch)
      }
    }
    const eachByAge = (
      untilMs: number,
      countNext: (stretch: Stretch) => Counted,
      what: 'expiredReferences' | 'archived' | 'binned'
    ) =>
      each(
        inStretches(BEGINNING, (after) => countNext({ untilMs, after, limit: MEASURED_CHUNK })),
        ({ count }) => {
          report[what] += count
        }
      )
    const addPurged = ({ count, freedBytes }: Measured) => {
      report.purged += count
      report.freedBytes += freedBytes
    }
    await eachByAge(nowMs, (stretch) => holders.countExpired(stretch), 'expiredReferences')
    const isPurge = config.orphanPolicy === 'purge'
    const purge = { binnedUntilMs, orphanedUntilMs: isPurge ? orphanedUntilMs : null, nowMs }
    await each(this.#measure('bin', purge), addPurged)
    if (isPurge) await each(this.#measure('orphans', purge), addPurged)
    else {
      const becomes = config.orphanPolicy === 'archive' ? 'archived' : 'binned'
      await eachByAge(orphanedUntilMs, (stretch) => repository.countOrphans(stretch, nowMs), becomes)
    }
    await eachByAge(archivedUntilMs, (stretch) => repository.countArchived(stretch, nowMs), 'binned')
    return report
  }

  #bounds(nowMs: number): { orphanedUntilMs: number; archivedUntilMs: number; binnedUntilMs: number } {
    const { graceMs, archiveMs, binMs } = this.#deps.config
    return { orphanedUntilMs: nowMs - graceMs, archivedUntilMs: nowMs - archiveMs, binnedUntilMs: nowMs - binMs }
  }

  #count(
    report: Pick<Emptied, 'purged' | 'freedBytes'>,
    { isPurged, freedBytes }: { isPurged: boolean; freedBytes: number }
  ): boolean {
    if (isPurged) report.purged++
    report.freedBytes += freedBytes
    return isPurged
  }

  #isOrphan(assetId: string, life: Lifecycle, untilMs: number): boolean {
    const { holders, clock } = this.#deps
    return (
      life.binnedAtMs === null &&
      life.refCount === 0 &&
      life.pendingSinceMs !== null &&
      life.pendingSinceMs <= untilMs &&
      !holders.isHeldForAWhile(assetId, clock.nowMs())
    )
  }

  #isArchivedFor(assetId: string, life: Lifecycle, untilMs: number): boolean {
    const { holders, clock } = this.#deps
    return (
      stateOf(life) === 'pending_reference' &&
      life.archivedAtMs !== null &&
      life.archivedAtMs <= untilMs &&
      !holders.isHeldForAWhile(assetId, clock.nowMs())
    )
  }

  #archive(assetId: string, untilMs: number): boolean {
    const { db, holders, outbox, clock, reviewPlace } = this.#deps
    return db.transaction(() => {
      const life = holders.findLife(assetId)
      if (!life || !this.#isOrphan(assetId, life, untilMs)) return false
      holders.setLife(assetId, archived(life, clock.nowMs()), clock.nowMs())
      outbox.append('asset.archived', assetId)
      reviewPlace(assetId)
      return true
    })
  }

  #bin(assetId: string, isDue: (life: Lifecycle) => boolean): boolean {
    const { db, holders, bin } = this.#deps
    return db.transaction(() => {
      const life = holders.findLife(assetId)
      if (!life || !isDue(life)) return false
      bin.delete(assetId, { guard: true, caller: null, reason: 'orphaned' })
      return true
    })
  }

  #purge(
    assetId: string,
    reason: 'asked' | 'bin_time_over' | 'orphaned',
    isDue: (life: Lifecycle) => boolean
  ): { isPurged: boolean; freedBytes: number } {
    const { db, repository, holders, outbox, audit, releaseParts, releaseBlob } = this.#deps
    return db.transaction(() => {
      const life = holders.findLife(assetId)
      const lastWords = repository.findLastWords(assetId)
      if (!life || !lastWords || !isDue(life)) return { isPurged: false, freedBytes: 0 }
      releaseParts(assetId)
      repository.deleteAsset(assetId)
      const freedBytes = releaseBlob(lastWords.blobId)
      const { blobId: _, ...told } = lastWords
      outbox.append('asset.purged', assetId, { ...told, reason, freedBytes })
      // All that stays of it.
      audit.record('asset.purged', assetId, { ...told, reason, freedBytes })
      return { isPurged: true, freedBytes }
    })
  }
}

function isBinnedUntil(untilMs: number): (life: Lifecycle) => boolean {
  return ({ binnedAtMs }) => binnedAtMs !== null && binnedAtMs <= untilMs
}

function newReport(isDryRun: boolean): CollectionReport {
  return { isDryRun, expiredReferences: 0, archived: 0, binned: 0, purged: 0, freedBytes: 0, isMore: false }
}

/** Everything a listing by age gives, chunk by chunk; in between others have their turn. */
async function* inChunks(list: (after: AgeCursor) => AgeCursor[]): AsyncGenerator<AgeCursor> {
  for (let after: AgeCursor | undefined = BEGINNING; after; await pause()) {
    const chunk: AgeCursor[] = list(after)
    yield* chunk
    after = chunk.at(-1)
  }
}

/** The same for stretches that are measured as a whole. */
async function* inStretches<Cursor, S extends { last: Cursor | null }>(
  beginning: Cursor,
  measure: (after: Cursor) => S
): AsyncGenerator<S> {
  for (let after: Cursor | null = beginning; after !== null; await pause()) {
    const stretch: S = measure(after)
    yield stretch
    after = stretch.last
  }
}

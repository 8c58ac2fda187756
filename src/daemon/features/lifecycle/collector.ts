import { setImmediate as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { CollectionReport, emptyBin } from '../../../shared/api/lifecycle.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Clock } from '../../clock.ts'
import type { RetentionConfig } from '../../config/schema.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { BinService } from './bin.service.ts'
import type { AgeCursor, DueAsset, LifecycleRepository } from './lifecycle.repository.ts'
import type { Lifecycle } from './lifecycle.ts'
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
  /** Let go of what belongs to an asset; they run inside the deleting transaction, the last one after the asset is gone. */
  releaseParts: (assetId: string) => void
  releaseBlob: (blobId: string) => number
}

type Emptied = z.output<(typeof emptyBin)['response']>

/** Rows looked at together; nobody waits longer than for these. */
const CHUNK = 200
const DRY_CHUNK = 500
/** Assets that one run takes away. */
const MAX_ACTIONS = 10_000
const BEGINNING: AgeCursor = { sinceMs: Number.MIN_SAFE_INTEGER, id: '' }

/**
 * Takes away what nobody needs: assets without a reference after the grace period, and assets in the bin after their time.
 * Every deletion looks again, in its own transaction, whether it is still due.
 */
export class Collector {
  readonly #deps: CollectorDeps
  #running: Promise<unknown> = Promise.resolve()

  constructor(deps: CollectorDeps) {
    this.#deps = deps
  }

  /** One run, after the one that runs already; `signal` ends it early. */
  run(options: { isDryRun: boolean; signal?: AbortSignal }): Promise<CollectionReport> {
    const run = this.#running.then(() =>
      options.isDryRun ? this.#estimate(options.signal) : this.#collect(options.signal)
    )
    this.#running = run.catch(() => undefined)
    return run
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
    for await (const { ownBytes } of this.#binnedUntil(bin.atMs, DRY_CHUNK)) {
      if (signal?.aborted) break
      bin.assetTotal++
      bin.freeableBytes += ownBytes
    }
    return bin
  }

  /** Deletes for good what has been in the bin since `untilMs` or longer, up to `limit` assets; `signal` ends it early. */
  async emptyBin(options: { untilMs: number; limit: number; signal?: AbortSignal }): Promise<Emptied> {
    const untilMs = Math.min(options.untilMs, this.#deps.clock.nowMs())
    const emptied: Emptied = { purged: 0, freedBytes: 0, isMore: false }
    let left = options.limit
    for await (const { id } of this.#binnedUntil(untilMs, CHUNK)) {
      if (left === 0 || options.signal?.aborted) return { ...emptied, isMore: true }
      left--
      this.#count(emptied, this.#purge(id, 'asked', isBinnedUntil(untilMs)))
      await pause()
    }
    return emptied
  }

  #binnedUntil(untilMs: number, chunkSize: number): AsyncGenerator<DueAsset> {
    return inChunks((after, limit) => this.#deps.repository.listBinned(untilMs, after, limit), chunkSize)
  }

  async #collect(signal?: AbortSignal): Promise<CollectionReport> {
    const { repository, references, config, clock, log } = this.#deps
    const report = newReport(false)
    for (let expired = CHUNK; expired === CHUNK; await pause()) {
      expired = references.deleteExpired(CHUNK)
      report.expiredReferences += expired
    }
    const nowMs = clock.nowMs()
    const bound = this.#bounds(nowMs)
    let left = MAX_ACTIONS
    const each = async (due: AsyncGenerator<DueAsset>, act: (assetId: string) => void) => {
      for await (const { id } of due) {
        if (left === 0 || signal?.aborted) {
          report.isMore = true
          return
        }
        left--
        act(id)
        await pause()
      }
    }
    await each(this.#binnedUntil(bound.binnedUntilMs, CHUNK), (assetId) =>
      this.#count(report, this.#purge(assetId, 'bin_time_over', isBinnedUntil(bound.binnedUntilMs)))
    )
    await each(
      inChunks((after, limit) => repository.listOrphans(bound.orphanedUntilMs, nowMs, after, limit), CHUNK),
      (assetId) => {
        if (config.orphanPolicy === 'bin') report.binned += this.#binOrphan(assetId, bound.orphanedUntilMs) ? 1 : 0
        else
          this.#count(
            report,
            this.#purge(assetId, 'orphaned', (life) => this.#isOrphan(assetId, life, bound.orphanedUntilMs))
          )
      }
    )
    if (report.binned + report.purged > 0) log.info({ ...report }, 'what nobody needs was taken away')
    return report
  }

  async #estimate(signal?: AbortSignal): Promise<CollectionReport> {
    const { repository, holders, config, clock } = this.#deps
    const report = newReport(true)
    const nowMs = clock.nowMs()
    const bound = this.#bounds(nowMs)
    report.expiredReferences = holders.countExpired(nowMs)
    for await (const asset of this.#binnedUntil(bound.binnedUntilMs, DRY_CHUNK)) {
      if (signal?.aborted) break
      this.#count(report, { isPurged: true, freedBytes: asset.ownBytes })
    }
    for await (const asset of inChunks(
      (after, limit) => repository.listOrphans(bound.orphanedUntilMs, nowMs, after, limit),
      DRY_CHUNK
    )) {
      if (signal?.aborted) break
      if (config.orphanPolicy === 'bin') report.binned++
      else this.#count(report, { isPurged: true, freedBytes: asset.ownBytes })
    }
    return report
  }

  #bounds(nowMs: number): { orphanedUntilMs: number; binnedUntilMs: number } {
    const { graceMs, binMs } = this.#deps.config
    return { orphanedUntilMs: nowMs - graceMs, binnedUntilMs: nowMs - binMs }
  }

  #count(
    report: Pick<Emptied, 'purged' | 'freedBytes'>,
    { isPurged, freedBytes }: { isPurged: boolean; freedBytes: number }
  ): void {
    if (!isPurged) return
    report.purged++
    report.freedBytes += freedBytes
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

  #binOrphan(assetId: string, untilMs: number): boolean {
    const { db, holders, bin } = this.#deps
    return db.transaction(() => {
      const life = holders.findLife(assetId)
      if (!life || !this.#isOrphan(assetId, life, untilMs)) return false
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
  return { isDryRun, expiredReferences: 0, binned: 0, purged: 0, freedBytes: 0, isMore: false }
}

/** Everything a listing by age gives, chunk by chunk; in between others have their turn. */
async function* inChunks(
  list: (after: AgeCursor, limit: number) => DueAsset[],
  size: number
): AsyncGenerator<DueAsset> {
  let after = BEGINNING
  for (;;) {
    const chunk = list(after, size)
    yield* chunk
    const last = chunk.at(-1)
    if (!last || chunk.length < size) return
    after = { sinceMs: last.sinceMs, id: last.id }
    await pause()
  }
}

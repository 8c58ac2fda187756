import { setImmediate as pause } from 'node:timers/promises'
import type { z } from 'zod'
import type { getTiering } from '../../../shared/api/tiering.ts'
import type { Clock } from '../../clock.ts'
import type { TieringRule } from '../../config/settings/retention.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { type ObjectKeys, type Tier, tierOfKey } from '../../object-keys.ts'
import { moveBlobJob } from '../ingest/ingest.jobs.ts'
import type { BlobCursor, StoredBlob, TieredAsset, TieringRepository } from './tiering.repository.ts'

export interface TieringServiceDeps {
  clock: Clock
  queue: JobQueue
  keys: ObjectKeys
  repository: TieringRepository
  rules: readonly TieringRule[]
}

/** Blobs looked at together; nobody waits longer than for these. */
const CHUNK = 200
/** Blobs that one pass has moved; the next one goes on. */
const MAX_MOVES = 5000
const BEGINNING: BlobCursor = { createdAtMs: Number.MIN_SAFE_INTEGER, id: '' }

/**
 * Decides where bytes belong: in the archive when every asset outside the bin that has them is archived, or old enough by the
 * rules; within reach otherwise. Where they are makes no difference to who reads them.
 */
export class TieringService {
  readonly #deps: TieringServiceDeps
  /** How far the passes of this process came for each rule: what lies before was judged, and is again after the next start. */
  readonly #passed = new Map<TieringRule, BlobCursor>()

  constructor(deps: TieringServiceDeps) {
    this.#deps = deps
  }

  /** Has the bytes of an asset moved if they belong elsewhere. Call it in the transaction that changes the asset's life. */
  review(assetId: string): void {
    const blob = this.#deps.repository.findBlobOf(assetId)
    if (blob) this.#move(blob)
  }

  /** Whether bytes that are kept elsewhere belong at `key`. */
  belongsAt(blob: { id: string; key: string }, key: string): boolean {
    const tier = tierOfKey(key)
    return tierOfKey(blob.key) !== tier && this.#tierOf(blob.id) === tier
  }

  /** Has bytes moved that have become old enough; `signal` ends it early. */
  async run(signal: AbortSignal): Promise<void> {
    let left = MAX_MOVES
    for (const rule of this.#deps.rules)
      for await (const blob of this.#list('hot', rule.afterMs, this.#passed.get(rule) ?? BEGINNING)) {
        if (signal.aborted || left === 0) return
        if (this.#move(blob)) left--
        this.#passed.set(rule, blob)
      }
  }

  /** What the archive has and what belongs there; `signal` ends it early. */
  async report(signal: AbortSignal): Promise<z.output<(typeof getTiering)['response']>> {
    const { rules } = this.#deps
    const cold = { blobTotal: 0, sizeBytes: 0 }
    const due = { blobTotal: 0, sizeBytes: 0 }
    const add = (to: typeof cold, blob: { sizeBytes: number }): void => {
      to.blobTotal++
      to.sizeBytes += blob.sizeBytes
    }
    for await (const blob of this.#list('cold', 0, BEGINNING)) {
      if (signal.aborted) break
      add(cold, blob)
    }
    const afterMs = Math.min(...rules.map((rule) => rule.afterMs))
    for await (const blob of this.#list('hot', afterMs, BEGINNING)) {
      if (signal.aborted) break
      if (this.#tierOf(blob.id) === 'cold') add(due, blob)
    }
    return { rules: rules.map(({ kind, afterMs }) => ({ kind, afterDays: afterMs / 86_400_000 })), cold, due }
  }

  /** Blobs in that tier of that age; none for an infinite one. */
  async *#list(tier: Tier, afterMs: number, from: BlobCursor): AsyncGenerator<StoredBlob> {
    const { repository, clock } = this.#deps
    const untilMs = clock.nowMs() - afterMs
    for (let after: BlobCursor | undefined = from; after; await pause()) {
      const chunk: StoredBlob[] = repository.list(tier, untilMs, after, CHUNK)
      yield* chunk
      after = chunk.at(-1)
    }
  }

  #move(blob: StoredBlob): boolean {
    const { queue, keys } = this.#deps
    const tier = this.#tierOf(blob.id)
    if (tier === null || tier === tierOfKey(blob.key)) return false
    queue.enqueue(moveBlobJob, { blobId: blob.id, key: keys.inTier(tier, blob, blob.createdAtMs) })
    return true
  }

  /** Null where no asset outside the bin says anything. */
  #tierOf(blobId: string): Tier | null {
    const assets = this.#deps.repository.listAssets(blobId)
    if (assets.length === 0) return null
    return assets.every((asset) => asset.isArchived === 1 || this.#isOld(asset)) ? 'cold' : 'hot'
  }

  #isOld({ kind, receivedAtMs }: TieredAsset): boolean {
    const { rules, clock } = this.#deps
    const rule = rules.find((each) => each.kind === kind) ?? rules.find((each) => each.kind === '*')
    return rule !== undefined && receivedAtMs + rule.afterMs <= clock.nowMs()
  }
}

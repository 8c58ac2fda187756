import { pino } from 'pino'
import { AuditLog } from '../../audit/audit-log.ts'
import type { RetentionConfig, TieringRule } from '../../config/settings/retention.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { K, openBench, WS_B } from '../ingest/ingest-bench.ts'
import { BinService } from './bin.service.ts'
import { Collector } from './collector.ts'
import { ExpiryWarnings } from './expiry-warnings.ts'
import { LifecycleRepository } from './lifecycle.repository.ts'
import { ReferencesRepository } from './references.repository.ts'
import { ReferencesService } from './references.service.ts'

export const K_B = `media/${WS_B}/20260407/DJI_0099.JPG`
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** What a run of the collector tells that found nothing to do. */
export const nothing = {
  isDryRun: false,
  expiredReferences: 0,
  archived: 0,
  binned: 0,
  purged: 0,
  freedBytes: 0,
  isMore: false
}

/** For tests: ingest, references, bin and collector beside a store of either kind, on a clock that stands still. */
export async function openCollector(
  kind: 'local' | 's3',
  orphanPolicy: RetentionConfig['orphanPolicy'] = 'bin',
  options: { tieringRules?: TieringRule[] } = {}
) {
  const clock = new ManualClock()
  const bench = await openBench(kind, undefined, { clock, ...options })
  const { db, ingest, queue, outbox, tiering } = bench.base
  const reviewPlace = (assetId: string): void => tiering.review(assetId)
  const audit = new AuditLog({ db, clock })
  const common = {
    db,
    clock,
    outbox,
    audit,
    log: pino({ level: 'silent' }),
    holders: new ReferencesRepository(db),
    reviewPlace
  }
  const references = new ReferencesService(common)
  const bin = new BinService({
    ...common,
    references,
    forgetUploads: (assetId) => ingest.forgetAsset(assetId),
    rememberUploads: (assetId) => ingest.rememberAsset(assetId)
  })
  const repository = new LifecycleRepository(db)
  const config = { graceMs: DAY_MS, warnMs: 6 * HOUR_MS, binMs: 30 * DAY_MS, archiveMs: 100 * DAY_MS, orphanPolicy }
  const warnings = new ExpiryWarnings({ ...common, repository, config })
  const collector = new Collector({
    ...common,
    repository,
    references,
    bin,
    config,
    releaseParts: (assetId) => {
      ingest.releaseUploads(assetId)
      queue.forgetAsset(assetId)
    },
    releaseBlob: (blobId) => ingest.releaseBlob(blobId)
  })
  /** Uploads a file; gives its asset. */
  async function take(bytes: string, fingerprint: string, key = K): Promise<string> {
    await bench.put(key, bytes)
    const recorded = await bench.record(fingerprint, key)
    await bench.base.settle()
    if (recorded === 'object_missing') throw new Error('nothing was recorded')
    return recorded.assetId
  }
  /** Takes the reference away that the workspace holds. */
  const orphan = (assetId: string) => references.deleteMany(references.listFirst(assetId).map(({ id }) => id))
  const run = (isDryRun = false) => collector.run({ isDryRun })
  const keys = async () => (await bench.store.list()).objects.map(({ key }) => key)
  const binIt = (assetId: string) => bin.delete(assetId, { guard: false, caller: null })
  return { bench, clock, references, bin, binIt, collector, warnings, take, orphan, run, keys }
}

import type { NewReference, Reference } from '../../../shared/api/references.ts'
import type { Feature } from '../../feature.ts'
import { BinService } from './bin.service.ts'
import { Collector, type CollectorDeps } from './collector.ts'
import { ExpiryWarnings } from './expiry-warnings.ts'
import { GcRunsRepository } from './gc-runs.repository.ts'
import { GcRuns } from './gc-runs.service.ts'
import { LifecycleRepository } from './lifecycle.repository.ts'
import { bindLifecycle } from './lifecycle.routes.ts'
import { ReferencesRepository } from './references.repository.ts'
import { ReferencesService } from './references.service.ts'

export interface LifecycleDeps extends Omit<CollectorDeps, 'repository' | 'holders' | 'references' | 'bin'> {
  /** Makes controllers free to upload the file again; runs inside the binning transaction. */
  forgetUploads: (assetId: string) => void
  /** Takes that back; runs inside the restoring transaction. */
  rememberUploads: (assetId: string) => void
}

/** References, the bin and the collector: everything that decides how long an asset stays. */
export interface LifecycleFeature extends Feature {
  /** The oldest references of an asset, as many as are shown at once. */
  listReferences(assetId: string): Reference[]
  /** See `ReferencesService`. */
  createReference(assetId: string, request: NewReference): Reference
  /** To the bin, unless several strong references hold it; false when it is there already. See `BinService`. */
  binAsset(assetId: string): boolean
  /** Back from the bin; false when it is not there. Throws `asset_not_found`. */
  restoreAsset(assetId: string): boolean
  /** See `Collector`. */
  purgeAsset(assetId: string): void
  /** See `BinService`. */
  letGo: BinService['letGo']
}

export function createLifecycle(deps: LifecycleDeps): LifecycleFeature {
  const { db } = deps
  const holders = new ReferencesRepository(db)
  const references = new ReferencesService({ ...deps, holders })
  const bin = new BinService({ ...deps, holders, references })
  const repository = new LifecycleRepository(db)
  const warnings = new ExpiryWarnings({ ...deps, repository })
  const collector = new Collector({ ...deps, repository, holders, references, bin })
  const gcRunRows = new GcRunsRepository(db)
  const gcRuns = new GcRuns({ ...deps, collector, repository: gcRunRows })
  const isBinned = (assetId: string): boolean => (holders.findLife(assetId)?.binnedAtMs ?? null) !== null
  return {
    bind: (binder) =>
      bindLifecycle(binder, { holders, references, bin, collector, gcRuns, gcRunRows, audit: deps.audit }),
    listReferences: (assetId) => references.listFirst(assetId),
    createReference: (assetId, request) => references.create(assetId, request).reference,
    binAsset: (assetId) => {
      if (isBinned(assetId)) return false
      bin.delete(assetId, { guard: true, caller: null })
      return true
    },
    restoreAsset: (assetId) => {
      if (holders.findLife(assetId) && !isBinned(assetId)) return false
      bin.restore(assetId)
      return true
    },
    purgeAsset: (assetId) => collector.purge(assetId),
    letGo: (assetId, holder) => bin.letGo(assetId, holder),
    upkeep: [
      { name: 'warnings of assets nobody needs', run: (signal) => warnings.run(signal) },
      { name: 'assets nobody needs', run: (signal) => gcRuns.run({ isDryRun: false, signal }) }
    ]
  }
}

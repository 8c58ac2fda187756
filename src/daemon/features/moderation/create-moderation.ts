import type { Verdict } from '../../../shared/api/asset-changes.ts'
import type { Feature } from '../../feature.ts'
import { bindJob } from '../../jobs/define-job.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import { announceAssetJob, quarantineRejectedJob } from './moderation.jobs.ts'
import { ModerationRepository } from './moderation.repository.ts'
import { ModerationService, type ModerationServiceDeps } from './moderation.service.ts'

export interface ModerationFeature extends Feature {
  /** See `ModerationService`. */
  enqueue(assetId: string): void
  noteVerdict(assetId: string, verdict: Verdict): void
}

/** Has an external service judge what arrives. */
export function createModeration(deps: Omit<ModerationServiceDeps, 'repository'>): ModerationFeature {
  const service = new ModerationService({ ...deps, repository: new ModerationRepository(deps.db) })
  return {
    enqueue: (assetId) => service.enqueue(assetId),
    noteVerdict: (assetId, verdict) => service.noteVerdict(assetId, verdict),
    jobs: [
      bindJob(announceAssetJob, ({ assetId }, { signal }) => whenStoreAnswers(() => service.announce(assetId, signal))),
      bindJob(quarantineRejectedJob, ({ assetId }) => whenStoreAnswers(() => service.quarantineRejected(assetId)))
    ]
  }
}

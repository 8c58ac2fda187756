import { z } from 'zod'
import { defineJob } from '../../jobs/define-job.ts'

/** Makes the previews of an asset. */
export const makeRenditionsJob = defineJob({
  name: 'renditions.make',
  payload: z.object({ assetId: z.string() }),
  lane: 'cpu',
  priority: 30,
  maxAttempts: 4,
  // A long video has to come from an external store first.
  timeoutMs: 3600_000,
  dedupeKey: ({ assetId }) => assetId,
  assetId: ({ assetId }) => assetId
})

import { z } from 'zod'
import { defineJob } from '../../jobs/define-job.ts'

/** Reads what a file says about how it was taken. */
export const readMetadataJob = defineJob({
  name: 'metadata.read',
  payload: z.object({ assetId: z.string() }),
  lane: 'io',
  priority: 20,
  maxAttempts: 4,
  // A long video has to come from an external store first.
  timeoutMs: 3600_000,
  dedupeKey: ({ assetId }) => assetId,
  assetId: ({ assetId }) => assetId
})

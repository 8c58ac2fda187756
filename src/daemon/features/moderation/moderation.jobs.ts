import { z } from 'zod'
import { defineJob } from '../../jobs/define-job.ts'

const common = {
  payload: z.object({ assetId: z.string() }),
  lane: 'io' as const,
  dedupeKey: ({ assetId }: { assetId: string }) => assetId,
  assetId: ({ assetId }: { assetId: string }) => assetId
}

/** Tells the moderation service of an asset. */
export const announceAssetJob = defineJob({
  ...common,
  name: 'moderation.announce',
  // A service that takes its time must not keep others waiting.
  maxAtOnce: 1,
  priority: 60,
  // Some two hours.
  maxAttempts: 18,
  timeoutMs: 120_000
})

/** Locks the bytes of a rejected asset. */
export const quarantineRejectedJob = defineJob({
  ...common,
  name: 'moderation.quarantine',
  priority: 10,
  maxAttempts: 18,
  // The digest of a long video may have to be computed.
  timeoutMs: 3600_000
})

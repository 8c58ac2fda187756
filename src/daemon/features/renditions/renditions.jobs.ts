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

/** Makes a picture that is not made ahead. */
export const makePictureJob = defineJob({
  name: 'renditions.picture',
  payload: z.object({ assetId: z.string(), name: z.enum(['2048', 'strip']) }),
  lane: 'cpu',
  // Previews of everything matter more than the extras of one.
  priority: 40,
  maxAttempts: 4,
  timeoutMs: 3600_000,
  dedupeKey: ({ assetId, name }) => `${assetId} ${name}`,
  assetId: ({ assetId }) => assetId
})

/** Makes a film that browsers play. */
export const makeFilmJob = defineJob({
  name: 'renditions.film',
  payload: z.object({ assetId: z.string(), name: z.enum(['proxy', 'hls']) }),
  lane: 'film',
  priority: 70,
  maxAttempts: 3,
  // An hour of 4K takes a small laptop several; an encoder that stands still is noticed long before.
  timeoutMs: 24 * 3600_000,
  dedupeKey: ({ assetId, name }) => `${assetId} ${name}`,
  assetId: ({ assetId }) => assetId
})

import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'

/** What a run did, or (dry) would do now. */
export const collectionReportSchema = z
  .object({
    isDryRun: z.boolean(),
    /** Temporary references whose time was over. */
    expiredReferences: z.int(),
    /** Assets moved to the bin. */
    binned: z.int(),
    purged: z.int(),
    /** Of the purged assets, as far as no other one has the same bytes. */
    freedBytes: z.int(),
    /** There was more to do than one run does. */
    isMore: z.boolean()
  })
  .meta({ id: 'CollectionReport' })
export type CollectionReport = z.infer<typeof collectionReportSchema>

export const collectGarbage = defineEndpoint({
  name: 'collectGarbage',
  method: 'POST',
  path: '/api/v1/gc',
  tag: 'Operations',
  summary:
    'Take away what nothing holds after the grace period, and what was in the bin for its time; dryRun only tells',
  role: 'admin',
  body: z.strictObject({ dryRun: z.boolean().default(false) }),
  response: collectionReportSchema,
  errors: ['invalid_request']
})

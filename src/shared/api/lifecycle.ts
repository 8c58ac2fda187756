import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { auditActorSchema } from './audit.ts'
import { idSchema, instantSchema, pageOf, pageQuery } from './common.ts'

/** What a run did, or (dry) would do now. */
export const collectionReportSchema = z
  .object({
    isDryRun: z.boolean(),
    /** Temporary references whose time was over. */
    expiredReferences: z.int(),
    /** Assets moved to the archive. */
    archived: z.int(),
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

/** A run and what it did. */
export const gcRunSchema = collectionReportSchema
  .extend({
    id: idSchema,
    startedAt: instantSchema,
    durationMs: z.int(),
    /** Who asked for it; `system:…` when it was time for it. */
    actor: auditActorSchema.pick({ id: true, name: true })
  })
  .meta({ id: 'GcRun' })
export type GcRun = z.infer<typeof gcRunSchema>

export const collectGarbage = defineEndpoint({
  name: 'collectGarbage',
  method: 'POST',
  path: '/api/v1/gc',
  tag: 'Operations',
  summary:
    'Take away what nothing holds after the grace period, and what was in the bin for its time; dryRun only tells',
  role: 'admin',
  body: z.strictObject({ dryRun: z.boolean().default(false) }),
  response: gcRunSchema,
  errors: ['invalid_request']
})

export const listGcRuns = defineEndpoint({
  name: 'listGcRuns',
  method: 'GET',
  path: '/api/v1/gc/reports',
  tag: 'Operations',
  summary: 'What the last runs of the collector did, or would have done; newest first',
  role: 'viewer',
  query: z.object(pageQuery),
  response: pageOf(gcRunSchema),
  errors: ['invalid_request']
})

/** Assets that one call deletes from the bin at most. */
export const MAX_EMPTIED = 1000

export const getBin = defineEndpoint({
  name: 'getBin',
  method: 'GET',
  path: '/api/v1/bin',
  tag: 'Operations',
  summary: 'How much is in the bin, and how many bytes would be free without it',
  role: 'viewer',
  response: z.object({
    /** When this was so; for `emptyBin`. */
    at: instantSchema,
    assetTotal: z.int(),
    /** Of the bytes that no asset outside the bin has. */
    freeableBytes: z.int()
  }),
  errors: []
})

export const emptyBin = defineEndpoint({
  name: 'emptyBin',
  method: 'POST',
  path: '/api/v1/bin/empty',
  tag: 'Operations',
  summary: 'Delete what is in the bin for good, the oldest first; call again while there is more',
  role: 'admin',
  body: z.strictObject({
    /** What came into the bin after this instant stays. */
    before: instantSchema,
    limit: z.int().min(1).max(MAX_EMPTIED).default(MAX_EMPTIED)
  }),
  response: z.object({ purged: z.int(), freedBytes: z.int(), isMore: z.boolean() }),
  errors: ['invalid_request']
})

export const lifecycleContract = [getBin, emptyBin, collectGarbage, listGcRuns]

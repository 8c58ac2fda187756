import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { assetSummarySchema } from './assets.ts'
import { idSchema } from './common.ts'

export const findSimilar = defineEndpoint({
  name: 'findSimilar',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/similar',
  tag: 'Assets',
  summary:
    'Assets that look like this one, the likest first: scaled, recompressed or brightened copies differ in few of 64 bits',
  role: 'viewer',
  forScopedTokens: true,
  params: z.object({ assetId: idSchema }),
  query: z.object({
    maxDistance: z.coerce.number().pipe(z.int().min(0).max(16)).default(10),
    limit: z.coerce.number().pipe(z.int().min(1).max(200)).default(50)
  }),
  response: z.object({
    /** False while it has no preview, and for what shows nothing to compare. */
    isComparable: z.boolean(),
    items: z.array(z.object({ asset: assetSummarySchema, distance: z.int().min(0).max(64) }))
  }),
  errors: ['asset_not_found']
})

export const similarContract = [findSimilar]

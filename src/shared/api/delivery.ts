import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { accessPolicies } from './assets.ts'
import { idSchema } from './common.ts'

const assetParams = z.object({ assetId: idSchema })

export const setAssetAccess = defineEndpoint({
  name: 'setAssetAccess',
  method: 'PUT',
  path: '/api/v1/assets/{assetId}/access',
  tag: 'Delivery',
  summary: 'Decide who may read the bytes, and how long copies of them may be kept. Links that were handed out end',
  role: 'operator',
  forScopedTokens: true,
  params: assetParams,
  body: z.strictObject({
    access: z.enum(accessPolicies),
    /** Null for the default; counts where no token is used. */
    cacheSeconds: z.int().min(0).max(31_536_000).nullable().default(null)
  }),
  response: z.object({ access: z.enum(accessPolicies), cacheSeconds: z.int().nullable() }),
  errors: ['asset_not_found']
})

export const deliveryContract = [setAssetAccess]

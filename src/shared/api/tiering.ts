import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { assetKinds } from './assets.ts'

const amountSchema = z.object({ blobTotal: z.int(), sizeBytes: z.int() })

export const getTiering = defineEndpoint({
  name: 'getTiering',
  method: 'GET',
  path: '/api/v1/tiering',
  tag: 'Operations',
  summary: 'Which bytes the archive takes by their age, what it has, and what waits to be moved there',
  role: 'viewer',
  response: z.object({
    rules: z.array(z.object({ kind: z.enum([...assetKinds, '*']), afterDays: z.number() })),
    /** Kept under `archive/`. */
    cold: amountSchema,
    /** Kept elsewhere although they belong there by now. */
    due: amountSchema
  }),
  errors: []
})

export const tieringContract = [getTiering]

import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { mediaProblems } from './assets.ts'
import { instantSchema } from './common.ts'

/** What one controller did with one file today. */
export const laneFileStates = ['waiting', 'uploading', 'uploaded', 'skipped', 'failed'] as const

export const laneFileSchema = z
  .object({
    name: z.string(),
    state: z.enum(laneFileStates),
    sizeBytes: z.int().nullable(),
    receivedBytes: z.int(),
    assetId: z.string().nullable(),
    error: z.string().nullable(),
    /** What is wrong with the bytes of its asset, as far as they were looked at. */
    damage: z.enum(mediaProblems).nullable(),
    updatedAt: instantSchema
  })
  .meta({ id: 'LaneFile' })

/**
 * One controller on the tether board. Counts are of distinct files since local midnight, `damaged` of those among `uploaded`
 * and `skipped` whose assets are damaged; speed is bytes per second.
 */
export const laneSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    remoteAddress: z.string(),
    online: z.boolean(),
    lastSeenAt: instantSchema,
    seen: z.int(),
    uploaded: z.int(),
    skipped: z.int(),
    failed: z.int(),
    damaged: z.int(),
    current: laneFileSchema.nullable(),
    bytesPerSecond: z.number(),
    lastError: z.object({ at: instantSchema, code: z.string(), name: z.string().nullable() }).nullable(),
    /** Failed files, then damaged ones, each newest first; not more than 200. */
    troubled: z.array(laneFileSchema),
    /** The latest of the others, newest first. */
    recent: z.array(laneFileSchema)
  })
  .meta({ id: 'Lane' })
export type Lane = z.infer<typeof laneSchema>

export const flightSchema = z
  .object({
    id: z.string(),
    workspaceId: z.string(),
    name: z.string(),
    expectedCount: z.int().nullable(),
    uploadedCount: z.int(),
    complete: z.boolean(),
    updatedAt: instantSchema
  })
  .meta({ id: 'Flight' })
export type Flight = z.infer<typeof flightSchema>

/** Somebody at this address tried to sign in as a controller with a token that opens nothing. */
export const refusedSignInSchema = z
  .object({ remoteAddress: z.string(), at: instantSchema })
  .meta({ id: 'RefusedSignIn' })
export type RefusedSignIn = z.infer<typeof refusedSignInSchema>

export const getField = defineEndpoint({
  name: 'getField',
  method: 'GET',
  path: '/api/v1/field',
  tag: 'Field',
  summary: 'The tether board: one lane per controller, the latest flights, and who was refused lately',
  role: 'viewer',
  response: z.object({
    lanes: z.array(laneSchema),
    flights: z.array(flightSchema),
    refusedSignIns: z.array(refusedSignInSchema)
  }),
  errors: []
})

export const fieldContract = [getField]

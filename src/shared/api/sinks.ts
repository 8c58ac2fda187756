import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { instantSchema } from './common.ts'

/** A message broker that is told the events. */
export const sinkSchema = z
  .object({
    name: z.enum(['redis', 'kafka']),
    /** Where it is, without user and password. */
    address: z.string(),
    /** False since the last attempt failed. */
    isUp: z.boolean(),
    /** Sequence number of the last event that it has. */
    positionSeq: z.int(),
    /** How many events come after it. */
    lagEvents: z.int(),
    /** How many events it never gets: the base did not have them any more when it was back. */
    lostEvents: z.int(),
    /** Why the last attempt failed, also where it is up again; null when none failed since the start. */
    lastError: z.string().nullable(),
    lastErrorAt: instantSchema.nullable()
  })
  .meta({ id: 'Sink' })
export type Sink = z.infer<typeof sinkSchema>

export const listSinks = defineEndpoint({
  name: 'listSinks',
  method: 'GET',
  path: '/api/v1/sinks',
  tag: 'Events',
  summary: 'Message brokers that are told the events, and how far each is',
  role: 'operator',
  response: z.object({ items: z.array(sinkSchema) }),
  errors: []
})

export const sinksContract = [listSinks]

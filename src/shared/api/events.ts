import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { laneSchema, refusedSignInSchema } from './field.ts'

/** Facts kept in the outbox. Each is sent with its sequence number as the event id. */
export const eventTypes = [
  'asset.arrived',
  'asset.updated',
  'asset.damaged',
  'asset.expiring',
  'asset.archived',
  'asset.binned',
  'asset.restored',
  'asset.quarantined',
  'asset.released',
  'asset.references',
  'asset.purged',
  'rendition.ready',
  'flight.updated',
  'upload.failed',
  'source.created',
  'source.updated',
  'source.deleted',
  'source.online',
  'source.offline',
  'recording.damaged',
  'recording.repaired',
  'recording.deleted',
  'recording.suspended',
  'recording.resumed',
  'clip.ready',
  'clip.failed',
  'remote.cached',
  'remote.failed',
  'job.dead'
] as const
export type EventType = (typeof eventTypes)[number]

/** `data:` of a stored event on the stream. */
export const storedEventSchema = z.object({
  seq: z.int(),
  type: z.enum(eventTypes),
  subject: z.string(),
  at: z.iso.datetime(),
  data: z.record(z.string(), z.unknown())
})
export type StoredEvent = z.infer<typeof storedEventSchema>

/** Moments that are shown and forgotten: they carry no id and are not replayed. */
export const liveMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('lane'), lane: laneSchema }),
  z.object({ type: z.literal('refused-sign-ins'), refusedSignIns: z.array(refusedSignInSchema) }),
  z.object({ type: z.literal('jobs'), queued: z.int(), running: z.int(), dead: z.int() })
])
export type LiveMessage = z.infer<typeof liveMessageSchema>

/** Types of events, with commas between them. */
const typesSchema = z
  .string()
  .max(1000)
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(eventTypes)))

export const streamEvents = defineEndpoint({
  name: 'streamEvents',
  method: 'GET',
  path: '/api/v1/events',
  tag: 'Events',
  summary:
    'Server-sent events: `stored` (resumable with Last-Event-ID), `live` (not replayed) and `reset` (read lists again)',
  role: 'viewer',
  forScopedTokens: true,
  query: z.object({
    lastEventId: z.coerce.number().int().min(0).optional(),
    /** Only facts of these types, and no moments. */
    types: typesSchema.optional()
  }),
  response: 'event-stream',
  errors: []
})

export const eventsContract = [streamEvents]

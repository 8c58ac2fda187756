import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { idSchema, instantSchema, pageOf, pageQuery } from './common.ts'

const text = z.string().min(1).max(256)

/** Media ids that one event names at most. */
export const MAX_EVENT_MEDIA = 1000

/** What an event says; other fields are left unread. Names are those of the systems that send it. */
const dropSchema = z.object({
  media_ids: z.array(z.string().min(1).max(128)).min(1).max(MAX_EVENT_MEDIA),
  /** With these, only references of this holder go: `drop_id` is their external id. */
  namespace: text.optional(),
  owner: text.optional(),
  drop_id: z.union([text, z.int()]).optional()
})
/** `drop_deleted` and `drop_restored`, also behind a name with dots. */
const typeSchema = z.string().regex(/^(?:[\w-]+\.){0,8}drop_(?:deleted|restored)$/)

/** An event from outside: in a CloudEvents 1.0 envelope, or plain as it is published on the channel of its name. */
export const inboundEventSchema = z.union([
  z.object({ specversion: z.literal('1.0'), id: text, source: text, type: typeSchema, data: dropSchema }),
  dropSchema.extend({ type: typeSchema, id: text.optional() })
])
export type InboundEvent = z.output<typeof inboundEventSchema>

export const deletionStates = ['waiting', 'done', 'cancelled'] as const

/**
 * What became of it: `binned`; `released`: the references of the holder went, something else holds the asset; `kept`: nothing to
 * let go of, and something holds it; `already_binned`; `missing`: there is no such asset.
 */
export const deletionOutcomes = ['binned', 'released', 'kept', 'already_binned', 'missing'] as const
export type DeletionOutcome = (typeof deletionOutcomes)[number]

export const deletionSchema = z
  .object({
    id: idSchema,
    mediaId: z.string(),
    eventId: z.string().nullable(),
    /** Who does not need it any more; null where the event does not say. */
    holder: z
      .object({ namespace: z.string(), owner: z.string().nullable(), externalId: z.string().nullable() })
      .nullable(),
    state: z.enum(deletionStates),
    outcome: z.enum(deletionOutcomes).nullable(),
    runAt: instantSchema,
    createdAt: instantSchema,
    finishedAt: instantSchema.nullable()
  })
  .meta({ id: 'DelayedDeletion' })
export type DelayedDeletion = z.infer<typeof deletionSchema>

export const takeEvent = defineEndpoint({
  name: 'takeEvent',
  method: 'POST',
  path: '/api/v1/events/inbound',
  tag: 'Events',
  summary:
    'Tell that something was deleted elsewhere: `drop_deleted` lets go of its media after a delay, `drop_restored` takes that back. An event with an id counts once',
  role: 'operator',
  body: inboundEventSchema,
  response: z.object({
    /** False: this event was taken before, and nothing was done. */
    isNew: z.boolean(),
    plannedCount: z.int(),
    cancelledCount: z.int()
  }),
  errors: ['invalid_request']
})

export const listDeletions = defineEndpoint({
  name: 'listDeletions',
  method: 'GET',
  path: '/api/v1/deletions',
  tag: 'Operations',
  summary: 'What other systems do not need any more: waiting, done or cancelled, newest first',
  role: 'viewer',
  query: z.object({
    ...pageQuery,
    state: z.enum(deletionStates).optional(),
    mediaId: z.string().min(1).max(128).optional()
  }),
  response: pageOf(deletionSchema),
  errors: ['invalid_request']
})

export const cancelDeletion = defineEndpoint({
  name: 'cancelDeletion',
  method: 'POST',
  path: '/api/v1/deletions/{deletionId}/cancel',
  tag: 'Operations',
  summary: 'Keep what another system does not need any more',
  role: 'operator',
  params: z.object({ deletionId: idSchema }),
  response: deletionSchema,
  errors: ['deletion_not_found', 'deletion_not_waiting']
})

export const deletionsContract = [takeEvent, listDeletions, cancelDeletion]

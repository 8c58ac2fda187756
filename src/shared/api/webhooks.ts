import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { idSchema, instantSchema, pageOf, pageQuery } from './common.ts'
import { eventTypes } from './events.ts'

const urlSchema = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .regex(/^https?:\/\/[^/?#@\\]+([/?][^#]*)?$/i, 'must have no user, no password and no fragment')

/** Which events it is told: all of them, or those of these types. */
const webhookTypesSchema = z.union([z.literal('*'), z.array(z.enum(eventTypes)).min(1).max(eventTypes.length)])

/** `retrying`: the next event was not taken yet; `failing`: since an event was given up, none was taken. */
export const webhookStates = ['ok', 'retrying', 'failing', 'disabled'] as const

export const webhookSchema = z
  .object({
    id: idSchema,
    url: z.string(),
    types: webhookTypesSchema,
    isEnabled: z.boolean(),
    state: z.enum(webhookStates),
    /** Sequence number of the last event that is dealt with. */
    positionSeq: z.int(),
    /** How many events, wanted or not, come after it. */
    lagEvents: z.int(),
    /** Of the next event. */
    failedAttempts: z.int(),
    nextAttemptAt: instantSchema.nullable(),
    /** Why the last attempt failed; null after one that did not. */
    lastError: z.string().nullable(),
    /** Until then deliveries are signed with the former secret too. */
    formerSecretUntil: instantSchema.nullable(),
    createdAt: instantSchema
  })
  .meta({ id: 'Webhook' })
export type Webhook = z.infer<typeof webhookSchema>

const secretSchema = z.string().regex(/^whsec_[A-Za-z0-9+/]+=*$/)

/**
 * `delivered`; `failed`, to be tried again; `given_up` and not tried again; `lost`: the events from `seq` to `untilSeq`
 * were so old that the base did not have them any more.
 */
export const deliveryOutcomes = ['delivered', 'failed', 'given_up', 'lost'] as const

export const webhookDeliverySchema = z
  .object({
    id: z.int(),
    /** By itself, or because a person asked for a test or for an event once more. */
    cause: z.enum(['event', 'replay', 'test']),
    outcome: z.enum(deliveryOutcomes),
    /** What the receiver got as `webhook-id`; null for `lost`. */
    eventId: z.string().nullable(),
    eventType: z.string().nullable(),
    /** Null for a test. */
    seq: z.int().nullable(),
    untilSeq: z.int().nullable(),
    /** 1 the first time. */
    attempt: z.int(),
    /** HTTP status of the answer; null when there was none. */
    status: z.int().nullable(),
    durationMs: z.int(),
    error: z.string().nullable(),
    at: instantSchema
  })
  .meta({ id: 'WebhookDelivery' })
export type WebhookDelivery = z.infer<typeof webhookDeliverySchema>

const webhookParams = z.object({ webhookId: idSchema })
const changes = { url: urlSchema, types: webhookTypesSchema, isEnabled: z.boolean() }

/** How many there can be. */
export const MAX_WEBHOOKS = 100

export const listWebhooks = defineEndpoint({
  name: 'listWebhooks',
  method: 'GET',
  path: '/api/v1/webhooks',
  tag: 'Webhooks',
  summary: 'Addresses that are told what happens, and how far each is',
  role: 'admin',
  response: z.object({ items: z.array(webhookSchema) }),
  errors: []
})

export const createWebhook = defineEndpoint({
  name: 'createWebhook',
  method: 'POST',
  path: '/api/v1/webhooks',
  tag: 'Webhooks',
  summary: 'Tell an address what happens from now on; the answer is the only time its secret is shown',
  role: 'admin',
  body: z.strictObject({ ...changes, types: webhookTypesSchema.default('*'), isEnabled: z.boolean().default(true) }),
  response: webhookSchema.extend({ secret: secretSchema }),
  secretAnswer: true,
  errors: ['invalid_request', 'too_many_webhooks']
})

export const getWebhook = defineEndpoint({
  name: 'getWebhook',
  method: 'GET',
  path: '/api/v1/webhooks/{webhookId}',
  tag: 'Webhooks',
  summary: 'One webhook',
  role: 'admin',
  params: webhookParams,
  response: webhookSchema,
  errors: ['webhook_not_found']
})

export const updateWebhook = defineEndpoint({
  name: 'updateWebhook',
  method: 'PATCH',
  path: '/api/v1/webhooks/{webhookId}',
  tag: 'Webhooks',
  summary: 'Change a webhook; it goes on with the next event at once, also where it waited to try again',
  role: 'admin',
  params: webhookParams,
  body: z.strictObject(changes).partial(),
  response: webhookSchema,
  errors: ['invalid_request', 'webhook_not_found']
})

export const deleteWebhook = defineEndpoint({
  name: 'deleteWebhook',
  method: 'DELETE',
  path: '/api/v1/webhooks/{webhookId}',
  tag: 'Webhooks',
  summary: 'Remove a webhook and its log',
  role: 'admin',
  params: webhookParams,
  response: 'empty',
  errors: ['webhook_not_found']
})

export const rotateWebhookSecret = defineEndpoint({
  name: 'rotateWebhookSecret',
  method: 'POST',
  path: '/api/v1/webhooks/{webhookId}/secret',
  tag: 'Webhooks',
  summary: 'A new secret, shown this once; for a day deliveries are signed with the former one too',
  role: 'admin',
  params: webhookParams,
  response: webhookSchema.extend({ secret: secretSchema }),
  secretAnswer: true,
  errors: ['webhook_not_found']
})

export const testWebhook = defineEndpoint({
  name: 'testWebhook',
  method: 'POST',
  path: '/api/v1/webhooks/{webhookId}/test',
  tag: 'Webhooks',
  summary: 'Send an event of type flightcase.webhook.test now, and tell how that went',
  role: 'admin',
  params: webhookParams,
  response: webhookDeliverySchema,
  errors: ['webhook_not_found']
})

export const listWebhookDeliveries = defineEndpoint({
  name: 'listWebhookDeliveries',
  method: 'GET',
  path: '/api/v1/webhooks/{webhookId}/deliveries',
  tag: 'Webhooks',
  summary: 'What was sent and what came of it, newest first; the newest 1000 of each outcome are kept',
  role: 'admin',
  params: webhookParams,
  query: z.object({ ...pageQuery, outcome: z.enum(deliveryOutcomes).optional() }),
  response: pageOf(webhookDeliverySchema),
  errors: ['invalid_request', 'webhook_not_found']
})

export const replayDelivery = defineEndpoint({
  name: 'replayDelivery',
  method: 'POST',
  path: '/api/v1/webhooks/{webhookId}/deliveries/{deliveryId}/replay',
  tag: 'Webhooks',
  summary: 'Send the event of a delivery once more now, and tell how that went',
  role: 'admin',
  params: webhookParams.extend({ deliveryId: z.coerce.number().int().positive() }),
  response: webhookDeliverySchema,
  errors: ['invalid_request', 'webhook_not_found', 'delivery_not_found', 'event_gone']
})

export const replayWebhook = defineEndpoint({
  name: 'replayWebhook',
  method: 'POST',
  path: '/api/v1/webhooks/{webhookId}/replay',
  tag: 'Webhooks',
  summary: 'Go on from another event: an earlier one to tell all since then again, a later one to leave some out',
  role: 'admin',
  params: webhookParams,
  body: z.union([z.strictObject({ fromSeq: z.int().positive() }), z.strictObject({ from: instantSchema })]),
  response: webhookSchema,
  errors: ['invalid_request', 'webhook_not_found', 'event_gone']
})

export const webhooksContract = [
  listWebhooks,
  createWebhook,
  getWebhook,
  updateWebhook,
  deleteWebhook,
  rotateWebhookSecret,
  testWebhook,
  listWebhookDeliveries,
  replayDelivery,
  replayWebhook
]

import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { idSchema, instantSchema, pageOf, pageQuery } from './common.ts'

export const referenceKinds = ['strong', 'weak', 'temporary'] as const

/** Who uses an asset. Strong ones hold it, temporary ones hold it until `expiresAt`, weak ones are only listed. */
export const referenceSchema = z
  .object({
    id: idSchema,
    assetId: idSchema,
    kind: z.enum(referenceKinds),
    namespace: z.string(),
    owner: z.string().nullable(),
    externalId: z.string().nullable(),
    businessTag: z.string().nullable(),
    createdAt: instantSchema,
    expiresAt: instantSchema.nullable()
  })
  .meta({ id: 'Reference' })
export type Reference = z.infer<typeof referenceSchema>

const text = z.string().min(1).max(256)

/** Which application, and for whom or what in it. */
export const holderShape = { namespace: text, owner: text.optional(), externalId: text.optional() }

export const MAX_TEMPORARY_SECONDS = 366 * 24 * 3600

const EXPIRY_RULE = 'belongs to a temporary reference, which needs it'

const newReferenceShape = {
  kind: z.enum(referenceKinds).default('strong'),
  ...holderShape,
  businessTag: text.optional(),
  expiresInSeconds: z.int().min(1).max(MAX_TEMPORARY_SECONDS).meta({ description: EXPIRY_RULE }).optional()
}
/** For `refine`. */
export const expiryFitsKind = (reference: { kind?: string | undefined; expiresInSeconds?: number | undefined }) =>
  (reference.kind === 'temporary') === (reference.expiresInSeconds !== undefined)
export const expiryProblem = { path: ['expiresInSeconds'], message: EXPIRY_RULE }

export const newReferenceSchema = z.strictObject(newReferenceShape).refine(expiryFitsKind, expiryProblem)
export type NewReference = z.output<typeof newReferenceSchema>

/** What became of an asset by a change to its references. */
export const heldStates = ['active', 'pending_reference', 'binned'] as const

const assetParams = z.object({ assetId: idSchema })

export const listReferences = defineEndpoint({
  name: 'listReferences',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/references',
  tag: 'References',
  summary: 'Who uses an asset, oldest first',
  role: 'viewer',
  forScopedTokens: true,
  params: assetParams,
  query: z.object({ ...pageQuery, kind: z.enum(referenceKinds).optional(), namespace: text.optional() }),
  response: pageOf(referenceSchema),
  errors: ['asset_not_found', 'invalid_request']
})

export const findReferences = defineEndpoint({
  name: 'findReferences',
  method: 'GET',
  path: '/api/v1/references',
  tag: 'References',
  summary: 'What a namespace, an owner in it or one thing of theirs uses',
  role: 'viewer',
  forScopedTokens: true,
  query: z.object({ ...pageQuery, ...holderShape }),
  response: pageOf(referenceSchema),
  errors: ['invalid_request']
})

export const createReference = defineEndpoint({
  name: 'createReference',
  method: 'POST',
  path: '/api/v1/assets/{assetId}/references',
  tag: 'References',
  summary: 'Use an asset. The same holder again changes nothing, but for a later expiry and another business tag',
  role: 'operator',
  forScopedTokens: true,
  params: assetParams,
  body: newReferenceSchema,
  response: z.object({ reference: referenceSchema, isNew: z.boolean(), refCount: z.int() }),
  errors: ['asset_not_found', 'asset_binned', 'invalid_request']
})

export const MAX_BATCH = 10_000

export const createReferences = defineEndpoint({
  name: 'createReferences',
  method: 'POST',
  path: '/api/v1/references/batch',
  tag: 'References',
  summary: 'Many references at once: all of them, or none',
  role: 'operator',
  forScopedTokens: true,
  maxBodyBytes: 8_000_000,
  body: z.strictObject({
    references: z
      .array(z.strictObject({ assetId: idSchema, ...newReferenceShape }).refine(expiryFitsKind, expiryProblem))
      .min(1)
      .max(MAX_BATCH)
  }),
  /** In the order of the request. */
  response: z.object({ createdCount: z.int(), referenceIds: z.array(idSchema) }),
  errors: ['asset_not_found', 'asset_binned', 'invalid_request']
})

export const deleteReference = defineEndpoint({
  name: 'deleteReference',
  method: 'DELETE',
  path: '/api/v1/references/{referenceId}',
  tag: 'References',
  summary: 'Use an asset no longer; one that nothing holds then begins its grace period',
  role: 'operator',
  forScopedTokens: true,
  params: z.object({ referenceId: idSchema }),
  response: z.object({ assetId: idSchema, refCount: z.int(), state: z.enum(heldStates) }),
  errors: ['reference_not_found']
})

export const deleteReferences = defineEndpoint({
  name: 'deleteReferences',
  method: 'POST',
  path: '/api/v1/references/delete',
  tag: 'References',
  summary:
    'Remove the references of one holder, or named ones, as far as they exist; at most 10,000, so repeat while `isMore`',
  role: 'operator',
  forScopedTokens: true,
  body: z.union([
    z.strictObject({ referenceIds: z.array(idSchema).min(1).max(MAX_BATCH) }),
    z.strictObject({ ...holderShape, owner: text })
  ]),
  response: z.object({ deletedCount: z.int(), isMore: z.boolean() }),
  errors: ['invalid_request']
})

export const referencesContract = [
  listReferences,
  createReference,
  findReferences,
  createReferences,
  deleteReferences,
  deleteReference
]

import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { problemCodes } from '../problem.ts'
import { assetDetailSchema, moderationStates, tagSchema } from './assets.ts'
import { idSchema } from './common.ts'

/** Tags of one asset at most. */
export const MAX_TAGS = 100

/** Of an asset's metadata as JSON text, in bytes. */
export const MAX_METADATA_BYTES = 16_384
const MAX_METADATA_DEPTH = 16

const MAX_NAME_BYTES = 255
/** No part of a path, no control characters, no halves of characters, no marks that turn the direction of text. */
const NAME = /^[^/\\\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]+$/u

const fileNameSchema = z
  .string()
  .normalize()
  .trim()
  .regex(NAME, 'must be a file name without folders and control characters')
  .refine((name) => name !== '.' && name !== '..', 'must be the name of a file')
  .refine((name) => utf8Length(name) <= MAX_NAME_BYTES, `must fit into ${MAX_NAME_BYTES} bytes`)

function utf8Length(text: string): number {
  let length = 0
  for (const character of text) length += character <= '\u007f' ? 1 : character <= '\u07ff' ? 2 : character.length + 2
  return length
}

const tagListSchema = z.array(tagSchema).max(MAX_TAGS)

/** Either all tags of an asset, or which ones come and go. */
export const tagChangesSchema = z.union([
  z.strictObject({ replace: tagListSchema }),
  z.strictObject({ add: tagListSchema.default([]), remove: tagListSchema.default([]) })
])
export type TagChanges = z.output<typeof tagChangesSchema>

/** A judgement on an asset's content; it takes the place of the one before. */
export const verdictSchema = z.strictObject({
  status: z.enum(moderationStates),
  /** What was seen, in the words of whoever judged. */
  labels: z.array(z.string().min(1).max(128)).max(64).default([]),
  note: z.string().max(2000).nullable().default(null)
})
export type Verdict = z.output<typeof verdictSchema>

export const assetChangesSchema = z.strictObject({
  /** The `revision` that the caller saw: nothing changes when it is another one by now. */
  ifRevision: z.int().min(0).optional(),
  name: fileNameSchema.optional(),
  tags: tagChangesSchema.optional(),
  moderation: verdictSchema.optional(),
  /** Members take the place of those with the same name; null removes one. The others stay. */
  metadata: z
    .record(z.string().min(1).max(128), z.unknown())
    .refine((metadata) => isFlat(metadata, MAX_METADATA_DEPTH), `must not be nested deeper than ${MAX_METADATA_DEPTH}`)
    .optional()
})
export type AssetChanges = z.output<typeof assetChangesSchema>

function isFlat(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((member) => isFlat(member, depth - 1))
}

const assetParams = z.object({ assetId: idSchema })

export const updateAsset = defineEndpoint({
  name: 'updateAsset',
  method: 'PATCH',
  path: '/api/v1/assets/{assetId}',
  tag: 'Assets',
  summary: "Change an asset's name, tags, moderation or metadata; what is not named stays",
  role: 'operator',
  forScopedTokens: true,
  params: assetParams,
  body: assetChangesSchema,
  response: assetDetailSchema,
  errors: ['asset_not_found', 'asset_changed', 'invalid_request']
})

export const moderateAsset = defineEndpoint({
  name: 'moderateAsset',
  method: 'PUT',
  path: '/api/v1/assets/{assetId}/moderation',
  tag: 'Assets',
  summary: "Judge an asset's content; for the service that assets are announced to",
  role: 'operator',
  forScopedTokens: true,
  params: assetParams,
  body: verdictSchema,
  response: verdictSchema,
  errors: ['asset_not_found', 'invalid_request']
})

/** Assets of one bulk operation at most. */
export const MAX_BULK = 1000

const bulk = { assetIds: z.array(idSchema).min(1).max(MAX_BULK) }

export const bulkActionSchema = z.discriminatedUnion('action', [
  /** To the bin, unless several strong references hold it. */
  z.strictObject({ action: z.literal('delete'), ...bulk }),
  z.strictObject({ action: z.literal('restore'), ...bulk }),
  /** From the bin for good; admins only. */
  z.strictObject({ action: z.literal('purge'), ...bulk }),
  z.strictObject({
    action: z.literal('tag'),
    ...bulk,
    add: tagListSchema.default([]),
    remove: tagListSchema.default([])
  }),
  z.strictObject({ action: z.literal('moderate'), ...bulk, moderation: verdictSchema })
])
export type BulkAction = z.output<typeof bulkActionSchema>

export const bulkResultSchema = z
  .object({
    assetId: idSchema,
    /** `unchanged`: it was so already. */
    outcome: z.enum(['changed', 'unchanged', 'refused']),
    /** Why it was refused. */
    code: z.enum(problemCodes).optional()
  })
  .meta({ id: 'BulkResult' })
export type BulkResult = z.output<typeof bulkResultSchema>

export const changeAssets = defineEndpoint({
  name: 'changeAssets',
  method: 'POST',
  path: '/api/v1/assets/bulk',
  tag: 'Assets',
  summary:
    'Do the same with many assets: delete, restore, purge (admins only), tag or moderate. Each is done or refused by itself, and doing it again is harmless',
  role: 'operator',
  forScopedTokens: true,
  body: bulkActionSchema,
  /** One for each asset, in the order of the request. */
  response: z.object({ results: z.array(bulkResultSchema) }),
  errors: ['forbidden', 'invalid_request']
})

export const assetChangesContract = [updateAsset, moderateAsset, changeAssets]

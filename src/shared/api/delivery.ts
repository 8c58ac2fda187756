import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { accessPolicies, thumbnailSizesPx } from './assets.ts'
import { idSchema, instantSchema, pageOf, pageQuery, sha256Schema } from './common.ts'

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

/** A link is good for a week at most. */
export const MAX_LINK_SECONDS = 7 * 24 * 3600
const expiresInSecondsSchema = z.coerce.number().int().min(1).max(MAX_LINK_SECONDS).optional()

export const getFileUrl = defineEndpoint({
  name: 'getFileUrl',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/url',
  tag: 'Delivery',
  summary: 'An address that opens an asset, or a preview of it, without a token',
  role: 'viewer',
  forScopedTokens: true,
  params: assetParams,
  query: z.object({
    /** Left out: as the configuration says. */
    expiresInSeconds: expiresInSecondsSchema,
    /** Left out: the original. */
    rendition: z.enum(thumbnailSizesPx.map((sizePx) => `thumbnail-${sizePx}` as const)).optional(),
    /** Opens as a download; for originals. */
    download: z.stringbool().default(false)
  }),
  response: z.object({
    url: z.string(),
    /** `presigned`: by the object store; `signed`: by this program; `direct`: public, so without a signature. */
    mode: z.enum(['presigned', 'signed', 'direct']),
    /** Null for an address that does not expire. */
    expiresAt: instantSchema.nullable(),
    /** Where the CDN shows it to those who may read it there; null without a CDN. */
    cdnUrl: z.string().nullable()
  }),
  errors: [
    'asset_not_found',
    'asset_binned',
    'blob_quarantined',
    'rendition_not_available',
    'store_unreachable',
    'store_full'
  ]
})

export const getMediaObject = defineEndpoint({
  name: 'getMediaObject',
  method: 'GET',
  path: '/api/v1/media/{assetId}',
  tag: 'Delivery',
  summary:
    'What an application needs of a file it stored, with a link to the bytes; what is in the bin counts as deleted',
  role: 'viewer',
  forScopedTokens: true,
  params: assetParams,
  query: z.object({ expiresInSeconds: expiresInSecondsSchema }),
  response: z.object({
    id: idSchema,
    /** Who stored it; null for controllers. */
    ownerId: z.string().nullable(),
    name: z.string(),
    mimeType: z.string(),
    sizeBytes: z.int(),
    objectKey: z.string(),
    metadata: z.object({ width: z.int().nullable(), height: z.int().nullable(), durationMs: z.int().nullable() }),
    createdAt: instantSchema,
    status: z.literal('active'),
    signedUrl: z.string(),
    expiresAt: instantSchema
  }),
  errors: ['asset_not_found', 'blob_quarantined', 'store_unreachable']
})

export const replaceLinkKey = defineEndpoint({
  name: 'replaceLinkKey',
  method: 'POST',
  path: '/api/v1/delivery/link-key',
  tag: 'Delivery',
  summary: 'Sign links with a new secret from now on. Earlier links stay good until they expire, or end with endLinks',
  role: 'admin',
  body: z.strictObject({ endLinks: z.boolean().default(false) }),
  response: z.object({ keyId: z.string(), createdAt: instantSchema }),
  errors: []
})

export const quarantineEntrySchema = z
  .object({
    sha256: z.string(),
    reason: z.string(),
    /** See `AuditActor`. */
    createdBy: z.string(),
    createdAt: instantSchema,
    /** Assets that have these bytes now. */
    assetCount: z.int()
  })
  .meta({ id: 'QuarantineEntry' })
export type QuarantineEntry = z.infer<typeof quarantineEntrySchema>

export const quarantineBytes = defineEndpoint({
  name: 'quarantineBytes',
  method: 'POST',
  path: '/api/v1/quarantine',
  tag: 'Delivery',
  summary:
    'Keep everyone from the bytes with this digest, or with those of an asset, wherever they are and come to be. Links by the object store that were handed out before stay good until they expire',
  role: 'operator',
  body: z
    .strictObject({
      sha256: sha256Schema.meta({ description: 'Of the bytes; or an asset that has them' }).optional(),
      assetId: idSchema.meta({ description: 'An asset with the bytes; or their digest' }).optional(),
      reason: z.string().min(1).max(1000)
    })
    .refine((body) => (body.sha256 === undefined) !== (body.assetId === undefined), {
      message: 'name either the digest or an asset'
    }),
  response: quarantineEntrySchema,
  errors: ['asset_not_found', 'asset_bytes_missing', 'store_unreachable']
})

export const listQuarantine = defineEndpoint({
  name: 'listQuarantine',
  method: 'GET',
  path: '/api/v1/quarantine',
  tag: 'Delivery',
  summary: 'What is quarantined and why, by digest',
  role: 'operator',
  query: z.object(pageQuery),
  response: pageOf(quarantineEntrySchema),
  errors: ['invalid_request']
})

export const releaseBytes = defineEndpoint({
  name: 'releaseBytes',
  method: 'DELETE',
  path: '/api/v1/quarantine/{sha256}',
  tag: 'Delivery',
  summary: 'Let these bytes be read again',
  role: 'operator',
  params: z.object({ sha256: sha256Schema }),
  response: 'empty',
  errors: ['quarantine_not_found']
})

export const deliveryContract = [
  setAssetAccess,
  getFileUrl,
  getMediaObject,
  replaceLinkKey,
  quarantineBytes,
  listQuarantine,
  releaseBytes
]

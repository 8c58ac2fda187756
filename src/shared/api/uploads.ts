import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { accessPolicies, assetSummarySchema } from './assets.ts'
import { idSchema, instantSchema, sha256Schema } from './common.ts'
import {
  expiryFitsKind,
  expiryProblem,
  holderShape,
  MAX_TEMPORARY_SECONDS,
  referenceKinds,
  referenceSchema
} from './references.ts'
import { workspaceIdSchema } from './workspaces.ts'

/** Uploads of applications that name no workspace belong to this one. */
export const DEFAULT_WORKSPACE = 'default'

/** What may stand beside the file in a form: its name, its digest, and the reference that shall hold it from the start. */
export const uploadFieldsSchema = z
  .strictObject({
    workspaceId: workspaceIdSchema.default(DEFAULT_WORKSPACE),
    /** Instead of the name that the file comes with. */
    name: z.string().min(1).max(1024).optional(),
    /** SHA-256 (hex) that the bytes must have. */
    sha256: sha256Schema.optional(),
    /** Who may read it. */
    access: z.enum(accessPolicies).default('workspace'),
    ...holderShape,
    namespace: holderShape.namespace.optional(),
    businessTag: z.string().min(1).max(256).optional(),
    kind: z.enum(referenceKinds).optional(),
    expiresInSeconds: z.coerce
      .number()
      .int()
      .min(1)
      .max(MAX_TEMPORARY_SECONDS)
      .meta({ description: expiryProblem.message })
      .optional()
  })
  .refine(
    ({ namespace, owner, externalId, businessTag, kind }) =>
      namespace !== undefined || !(owner ?? externalId ?? businessTag ?? kind),
    { path: ['namespace'], message: 'is needed for a reference' }
  )
  .refine(expiryFitsKind, expiryProblem)
export type UploadFields = z.output<typeof uploadFieldsSchema>

export const uploadedMediaSchema = z
  .object({
    asset: assetSummarySchema,
    sha256: z.string(),
    /** The base had these bytes already; they are kept once. */
    isDuplicate: z.boolean(),
    reference: referenceSchema.nullable()
  })
  .meta({ id: 'UploadedMedia' })

/** How a file can be refused once it is looked at. */
export const fileErrors = [
  'blob_quarantined',
  'digest_mismatch',
  'media_type_not_allowed',
  'payload_too_large',
  'too_many_pixels',
  'quota_exceeded'
] as const

export const uploadMedia = defineEndpoint({
  name: 'uploadMedia',
  method: 'POST',
  path: '/api/v1/media/upload',
  tag: 'Uploads',
  summary: 'Store one file from a form; with a namespace it is referenced at once, otherwise its grace period begins',
  role: 'operator',
  forScopedTokens: true,
  form: { fields: uploadFieldsSchema, file: 'file' },
  response: uploadedMediaSchema,
  errors: ['invalid_request', ...fileErrors, 'workspace_not_found', 'store_full', 'store_unreachable']
})

/** A file that is yet to come. */
const announcedFileSchema = uploadFieldsSchema.safeExtend({
  name: z.string().min(1).max(1024),
  sizeBytes: z.int().min(0)
})

/** Nothing has to come: the workspace has these bytes. */
const storedSchema = z.object({ isStored: z.literal(true), ...uploadedMediaSchema.shape })

const announcingErrors = [
  'blob_quarantined',
  'payload_too_large',
  'media_type_not_allowed',
  'too_many_pixels',
  'quota_exceeded',
  'workspace_not_found',
  'store_unreachable'
] as const

export const presignUpload = defineEndpoint({
  name: 'presignUpload',
  method: 'POST',
  path: '/api/v1/media/presign',
  tag: 'Uploads',
  summary:
    'A link to upload a file of known size to the store; or the asset at once, when the workspace has these bytes already',
  role: 'operator',
  forScopedTokens: true,
  body: announcedFileSchema.safeExtend({ linkSeconds: z.int().min(60).max(86_400).default(3600) }),
  response: z.discriminatedUnion('isStored', [
    storedSchema,
    z.object({
      isStored: z.literal(false),
      /** Also the id of the asset to be. */
      uploadId: idSchema,
      key: z.string(),
      uploadUrl: z.string(),
      /** To be sent exactly as given. */
      headers: z.record(z.string(), z.string()),
      expiresAt: instantSchema,
      /** Where the file can be read once the upload is completed. */
      publicUrl: z.string()
    })
  ]),
  errors: announcingErrors
})

export const beginUpload = defineEndpoint({
  name: 'beginUpload',
  method: 'POST',
  path: '/api/v1/uploads',
  tag: 'Uploads',
  summary:
    'Begin an upload in parts, which can be interrupted and go on; or the asset at once, when the workspace has these bytes already',
  role: 'operator',
  forScopedTokens: true,
  body: announcedFileSchema,
  response: z.discriminatedUnion('isStored', [
    storedSchema,
    z.object({
      isStored: z.literal(false),
      /** Also the id of the asset to be. */
      uploadId: idSchema,
      /** Of every part but the last, which has the rest. */
      partSizeBytes: z.int(),
      partCount: z.int(),
      /** Each part that arrives moves it. */
      expiresAt: instantSchema
    })
  ]),
  errors: announcingErrors
})

const uploadParams = z.object({ uploadId: idSchema })

export const putUploadPart = defineEndpoint({
  name: 'putUploadPart',
  method: 'PUT',
  path: '/api/v1/uploads/{uploadId}/parts/{number}',
  tag: 'Uploads',
  summary: 'The bytes of one part, in any order, several at a time; again replaces it',
  role: 'operator',
  forScopedTokens: true,
  params: z.object({ uploadId: idSchema, number: z.coerce.number().int().min(1).max(10_000) }),
  rawBody: true,
  query: z.object({
    /** SHA-256 (hex) that the part must have. */
    sha256: sha256Schema.optional()
  }),
  response: z.object({ number: z.int(), sha256: z.string() }),
  errors: [
    'upload_not_found',
    'part_not_found',
    'part_size_wrong',
    'upload_taken_over',
    'digest_mismatch',
    'store_full',
    'store_unreachable'
  ]
})

export const completeUpload = defineEndpoint({
  name: 'completeUpload',
  method: 'POST',
  path: '/api/v1/uploads/{uploadId}/complete',
  tag: 'Uploads',
  summary: 'The bytes are there: make an asset of them. Again gives the same asset',
  role: 'operator',
  forScopedTokens: true,
  params: uploadParams,
  response: uploadedMediaSchema,
  errors: [
    'upload_not_found',
    'upload_incomplete',
    ...fileErrors,
    'workspace_not_found',
    'asset_not_found',
    'store_unreachable'
  ]
})

export const getUpload = defineEndpoint({
  name: 'getUpload',
  method: 'GET',
  path: '/api/v1/uploads/{uploadId}',
  tag: 'Uploads',
  summary: 'How far an upload is',
  role: 'viewer',
  forScopedTokens: true,
  params: uploadParams,
  response: z.object({
    uploadId: idSchema,
    state: z.enum(['open', 'done']),
    name: z.string(),
    sizeBytes: z.int(),
    expiresAt: instantSchema,
    /** Null for an upload by link. */
    parts: z
      .object({
        partSizeBytes: z.int(),
        partCount: z.int(),
        received: z.array(z.object({ number: z.int(), sha256: z.string() }))
      })
      .nullable(),
    /** So many bytes from the beginning are safe; null for an upload that is not sent by tus. */
    offsetBytes: z.int().nullable()
  }),
  errors: ['upload_not_found']
})

export const abortUpload = defineEndpoint({
  name: 'abortUpload',
  method: 'DELETE',
  path: '/api/v1/uploads/{uploadId}',
  tag: 'Uploads',
  summary: 'Give an upload up',
  role: 'operator',
  forScopedTokens: true,
  params: uploadParams,
  response: 'empty',
  errors: ['upload_not_found']
})

export const uploadsContract = [
  uploadMedia,
  presignUpload,
  beginUpload,
  putUploadPart,
  getUpload,
  completeUpload,
  abortUpload
]

import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { assetSummarySchema } from './assets.ts'
import { holderShape, referenceKinds, referenceSchema } from './references.ts'

/** Uploads of applications that name no workspace belong to this one. */
export const DEFAULT_WORKSPACE = 'default'

/** What may stand beside the file in a form: its name, its digest, and the reference that shall hold it from the start. */
export const uploadFieldsSchema = z
  .strictObject({
    workspaceId: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)
      .default(DEFAULT_WORKSPACE),
    /** Instead of the name that the file comes with. */
    name: z.string().min(1).max(1024).optional(),
    /** SHA-256 (hex) that the bytes must have. */
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .toLowerCase()
      .optional(),
    ...holderShape,
    namespace: holderShape.namespace.optional(),
    businessTag: z.string().min(1).max(256).optional(),
    kind: z.enum(referenceKinds).optional(),
    expiresInSeconds: z.coerce.number().int().min(1).optional()
  })
  .refine(
    ({ namespace, owner, externalId, businessTag, kind }) =>
      namespace !== undefined || !(owner ?? externalId ?? businessTag ?? kind),
    {
      path: ['namespace'],
      message: 'is needed for a reference'
    }
  )
export type UploadFields = z.output<typeof uploadFieldsSchema>

export const uploadMedia = defineEndpoint({
  name: 'uploadMedia',
  method: 'POST',
  path: '/api/v1/media/upload',
  tag: 'Uploads',
  summary: 'Store one file from a form; with a namespace it is referenced at once, otherwise its grace period begins',
  role: 'operator',
  form: { fields: uploadFieldsSchema, file: 'file' },
  response: z.object({
    asset: assetSummarySchema,
    sha256: z.string(),
    /** The base had these bytes already; they are kept once. */
    isDuplicate: z.boolean(),
    reference: referenceSchema.nullable()
  }),
  errors: ['invalid_request', 'payload_too_large', 'digest_mismatch', 'store_full', 'store_unreachable']
})

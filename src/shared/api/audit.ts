import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { instantSchema, pageOf, pageQuery } from './common.ts'

/** What is written down for good: what takes something away, and what changes who may do what. */
export const auditActions = [
  'asset.access_changed',
  'asset.binned',
  'asset.restored',
  'asset.purged',
  'asset.rejected',
  'bin.emptied',
  'bytes.quarantined',
  'bytes.released',
  'gc.run',
  'link_key.replaced',
  'recording.deleted',
  'references.deleted',
  'settings.changed',
  'source.deleted',
  'source.key_replaced',
  'webhook.created',
  'webhook.changed',
  'webhook.deleted',
  'workspace.quota_changed',
  'token.created',
  'token.revoked',
  'token.replaced'
] as const
export type AuditAction = (typeof auditActions)[number]

/** Who did it. */
export const auditActorSchema = z
  .object({
    /** `token:<id>`, `jwt:<subject>`, `configured:<role>`, `command:<user of this machine>` or `system:<what it was doing>`. */
    id: z.string(),
    name: z.string(),
    /** The browser session through which a token was used. */
    sessionId: z.string().nullable(),
    remoteAddress: z.string().nullable()
  })
  .meta({ id: 'AuditActor' })
export type AuditActor = z.infer<typeof auditActorSchema>

export const auditRecordSchema = z
  .object({
    seq: z.int(),
    at: instantSchema,
    actor: auditActorSchema,
    action: z.enum(auditActions),
    /** The id of what it was done to. */
    subject: z.string(),
    data: z.record(z.string(), z.unknown()),
    prevHash: z.string(),
    hash: z.string()
  })
  .meta({ id: 'AuditRecord' })
export type AuditRecord = z.infer<typeof auditRecordSchema>

export const listAudit = defineEndpoint({
  name: 'listAudit',
  method: 'GET',
  path: '/api/v1/audit',
  tag: 'Audit',
  summary: 'Who deleted, restored or allowed what, newest first',
  role: 'operator',
  forScopedTokens: true,
  query: z.object({
    ...pageQuery,
    subject: z.string().max(256).optional(),
    action: z.enum(auditActions).optional(),
    /** An actor's `id`. */
    actor: z.string().max(512).optional(),
    from: instantSchema.optional(),
    /** Not including this instant. */
    until: instantSchema.optional()
  }),
  response: pageOf(auditRecordSchema),
  errors: ['invalid_request']
})

export const exportAudit = defineEndpoint({
  name: 'exportAudit',
  method: 'GET',
  path: '/api/v1/audit/export',
  tag: 'Audit',
  summary:
    'Every record, oldest first, one a line. The hash of a line is the SHA-256 of that line without `,"hash":"…"`',
  role: 'admin',
  response: 'ndjson',
  errors: []
})

export const auditProblems = ['record_changed', 'record_missing', 'end_missing', 'note_unreadable'] as const

export const verifyAudit = defineEndpoint({
  name: 'verifyAudit',
  method: 'GET',
  path: '/api/v1/audit/verify',
  tag: 'Audit',
  summary: 'Compute every hash again, and compare the end with the one that was noted outside the catalogue',
  role: 'admin',
  response: z.object({
    isIntact: z.boolean(),
    /** Records that were looked at; after the first broken one no more are. */
    recordCount: z.int(),
    firstBrokenSeq: z.int().nullable(),
    problem: z.enum(auditProblems).nullable(),
    /** The last record; note its hash elsewhere to prove later that nothing before it was changed. */
    head: z.object({ seq: z.int(), hash: z.string() }).nullable(),
    /** The head that was noted outside the catalogue, and when; null when none was yet. */
    noted: z.object({ seq: z.int(), hash: z.string(), at: instantSchema }).nullable()
  }),
  errors: []
})

export const auditContract = [listAudit, exportAudit, verifyAudit]

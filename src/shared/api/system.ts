import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { idSchema, instantSchema } from './common.ts'
import { workspaceIdSchema } from './workspaces.ts'

/** Free room below which a single flight can fill the disk. */
export const scarceBytes = 5_000_000_000

/** Where bytes are kept: in a folder of this computer, or in a store of others. */
export const storeModes = ['embedded', 'external', 'gateway'] as const
export type StoreMode = (typeof storeModes)[number]

/** Why nothing can be stored now. */
export const storeTroubles = [
  /** What is left of the disk is for the base itself. */
  'full',
  /** The disk takes no writes. */
  'read_only',
  /** The folder of the store is gone, most likely with its disk. */
  'unplugged',
  'unreachable',
  /** The store does not accept our key. */
  'refused',
  'no_bucket',
  /** It is not the store that has the files of the catalogue, or it was emptied. */
  'other_store',
  /** The store refuses us for the time that our clock shows. */
  'clock_refused',
  'broken'
] as const
export type StoreTrouble = (typeof storeTroubles)[number]

export const roles = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

/** Trades a bearer token for an HttpOnly cookie, so that pictures and event streams need no header. */
export const openSession = defineEndpoint({
  name: 'openSession',
  method: 'POST',
  path: '/api/v1/session',
  tag: 'Session',
  summary: 'Open a browser session from a bearer token',
  role: 'viewer',
  forScopedTokens: true,
  response: z.object({ role: z.enum(roles) }),
  // Its cookie.
  secretAnswer: true,
  errors: []
})

export const closeSession = defineEndpoint({
  name: 'closeSession',
  method: 'DELETE',
  path: '/api/v1/session',
  tag: 'Session',
  summary: 'Close the browser session',
  role: 'viewer',
  forScopedTokens: true,
  response: 'empty',
  errors: []
})

export const getStatus = defineEndpoint({
  name: 'getStatus',
  method: 'GET',
  path: '/api/v1/status',
  tag: 'System',
  summary: 'Version, addresses for controllers, store, tools and how long assets are kept',
  role: 'viewer',
  forScopedTokens: true,
  response: z.object({
    version: z.string(),
    startedAt: instantSchema,
    role: z.enum(roles),
    /** What the caller is limited to; null: all workspaces. */
    workspaceIds: z.array(z.string()).nullable(),
    fieldUrls: z.array(z.string()),
    s3Urls: z.array(z.string()),
    /** True when at least one controller can pair (a static token or a pairing exists). */
    controllersCanPair: z.boolean(),
    /** What to type in a terminal of the base for a controller token. Null for others than admins, and where there is no command. */
    tokenCommand: z.string().nullable(),
    store: z.object({
      mode: z.enum(storeModes),
      reachable: z.boolean(),
      writable: z.boolean(),
      freeBytes: z.number().nullable(),
      trouble: z.enum(storeTroubles).nullable(),
      problem: z.string().nullable()
    }),
    ffmpeg: z.object({ found: z.boolean(), path: z.string().nullable() }),
    /** How long an asset may be without a reference, and how long it then stays in the bin. */
    retention: z.object({ graceHours: z.number(), binDays: z.number() })
  }),
  errors: []
})

export const tokenSchema = z
  .object({
    id: idSchema,
    name: z.string(),
    role: z.enum([...roles, 'controller']),
    /** What it is limited to; null: all workspaces. */
    workspaceIds: z.array(z.string()).nullable(),
    createdAt: instantSchema,
    lastUsedAt: instantSchema.nullable(),
    revokedAt: instantSchema.nullable()
  })
  .meta({ id: 'Token' })

export const listTokens = defineEndpoint({
  name: 'listTokens',
  method: 'GET',
  path: '/api/v1/tokens',
  tag: 'Tokens',
  summary: 'Tokens that were issued; their secrets are not kept',
  role: 'admin',
  response: z.object({ items: z.array(tokenSchema) }),
  errors: []
})

export const createToken = defineEndpoint({
  name: 'createToken',
  method: 'POST',
  path: '/api/v1/tokens',
  tag: 'Tokens',
  summary: 'Issue a token; the answer is the only time its secret is shown',
  role: 'admin',
  body: z.object({
    name: z.string().trim().min(1).max(100),
    role: z.enum([...roles, 'controller']),
    /** Limits it to these. */
    workspaceIds: z.array(workspaceIdSchema).min(1).max(100).optional()
  }),
  response: tokenSchema.extend({ secret: z.string() }),
  secretAnswer: true,
  errors: ['invalid_request']
})

export const revokeToken = defineEndpoint({
  name: 'revokeToken',
  method: 'DELETE',
  path: '/api/v1/tokens/{tokenId}',
  tag: 'Tokens',
  summary: 'Revoke a token at once',
  role: 'admin',
  params: z.object({ tokenId: idSchema }),
  response: tokenSchema,
  errors: ['token_not_found']
})

export const getMetrics = defineEndpoint({
  name: 'getMetrics',
  method: 'GET',
  path: '/metrics',
  tag: 'System',
  summary: 'What happened since the start and what is there now, in the text format of Prometheus',
  role: 'viewer',
  response: 'bytes',
  errors: []
})

export const getLiveness = defineEndpoint({
  name: 'getLiveness',
  method: 'GET',
  path: '/health/live',
  tag: 'System',
  summary: 'The program runs: for whoever restarts it when it does not answer',
  role: 'none',
  response: z.object({ status: z.literal('alive') }),
  errors: []
})

export const getReadiness = defineEndpoint({
  name: 'getReadiness',
  method: 'GET',
  path: '/health/ready',
  tag: 'System',
  summary:
    'Files can be stored and read now: for whoever spreads requests. Refused while the store is away and while stopping',
  role: 'none',
  response: z.object({ status: z.literal('ready') }),
  errors: ['store_unreachable', 'store_full', 'shutting_down']
})

export const systemContract = [
  getMetrics,
  getLiveness,
  getReadiness,
  openSession,
  closeSession,
  getStatus,
  listTokens,
  createToken,
  revokeToken
]

import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { idSchema, instantSchema, pageOf, pageQuery } from './common.ts'
import { DEFAULT_WORKSPACE } from './uploads.ts'
import { workspaceIdSchema } from './workspaces.ts'

/** `pending`: it waits, for its turn or for another attempt. */
export const remoteStatuses = ['pending', 'fetching', 'ready', 'failed'] as const

/**
 * Why a file was not fetched. The address: `url_not_allowed` (scheme, port, a password in it, from https to http),
 * `domain_not_allowed`, `address_not_allowed` (it leads into a network that is not public), `too_many_redirects`. The origin:
 * `origin_unreachable`, `origin_timeout`, `origin_failed` (5xx), `origin_refused` (4xx), `answer_not_usable`. The file:
 * `too_large`, `type_not_allowed`, `too_many_pixels`, `quarantined`. Ours: `remote_disabled`, `interrupted` (the work was cancelled or given up).
 */
export const remoteProblems = [
  'url_not_allowed',
  'domain_not_allowed',
  'address_not_allowed',
  'too_many_redirects',
  'origin_unreachable',
  'origin_timeout',
  'origin_failed',
  'origin_refused',
  'answer_not_usable',
  'too_large',
  'type_not_allowed',
  'too_many_pixels',
  'quarantined',
  'remote_disabled',
  'interrupted'
] as const
export type RemoteProblem = (typeof remoteProblems)[number]

/** A file elsewhere that is kept here for a while. */
export const remoteMediaSchema = z
  .object({
    taskId: idSchema,
    workspaceId: z.string(),
    url: z.string(),
    status: z.enum(remoteStatuses),
    /** Why the last attempt failed; null after one that did not. */
    problem: z.object({ code: z.enum(remoteProblems), message: z.string() }).nullable(),
    /** What is kept, also while it is fetched again and when that failed; null when nothing is. */
    file: z
      .object({
        /** By its content. */
        mimeType: z.string(),
        sizeBytes: z.int(),
        sha256: z.string(),
        /** When the origin last said that this is it, and until when it is not asked again. */
        fetchedAt: instantSchema,
        freshUntil: instantSchema,
        contentPath: z.string()
      })
      .nullable(),
    createdAt: instantSchema,
    /** Asked for or read; to the minute. */
    lastUsedAt: instantSchema
  })
  .meta({ id: 'RemoteMedia' })
export type RemoteMedia = z.infer<typeof remoteMediaSchema>

const taskParams = z.object({ taskId: idSchema })

export const cacheRemoteMedia = defineEndpoint({
  name: 'cacheRemoteMedia',
  method: 'POST',
  path: '/api/v1/remote-media',
  tag: 'Remote media',
  summary:
    'Have a file from elsewhere kept here. The same address is one task in a workspace; while its file is fresh, nothing is fetched',
  role: 'operator',
  forScopedTokens: true,
  body: z.strictObject({
    url: z.string().max(2048),
    workspaceId: workspaceIdSchema.default(DEFAULT_WORKSPACE),
    /** Ask the origin although the file is fresh, or has just failed. */
    refresh: z.boolean().default(false)
  }),
  response: remoteMediaSchema,
  errors: ['invalid_request', 'workspace_not_found', 'remote_disabled', 'remote_url_refused']
})

export const listRemoteMedia = defineEndpoint({
  name: 'listRemoteMedia',
  method: 'GET',
  path: '/api/v1/remote-media',
  tag: 'Remote media',
  summary: 'What was asked for, newest first',
  role: 'viewer',
  forScopedTokens: true,
  query: z.object({ ...pageQuery, workspaceId: workspaceIdSchema.optional() }),
  response: pageOf(remoteMediaSchema),
  errors: ['invalid_request', 'workspace_not_found']
})

export const getRemoteMedia = defineEndpoint({
  name: 'getRemoteMedia',
  method: 'GET',
  path: '/api/v1/remote-media/{taskId}',
  tag: 'Remote media',
  summary: 'How far a task is, and what is kept',
  role: 'viewer',
  forScopedTokens: true,
  params: taskParams,
  response: remoteMediaSchema,
  errors: ['remote_media_not_found']
})

export const getRemoteContent = defineEndpoint({
  name: 'getRemoteContent',
  method: 'GET',
  path: '/api/v1/remote-media/{taskId}/content',
  tag: 'Remote media',
  summary: 'The bytes that are kept: with ranges and conditions, and shown only where they can do no harm',
  role: 'viewer',
  forScopedTokens: true,
  params: taskParams,
  response: 'bytes',
  errors: [
    'remote_media_not_found',
    'remote_media_not_ready',
    'blob_quarantined',
    'range_not_satisfiable',
    'precondition_failed',
    'asset_bytes_missing',
    'asset_damaged',
    'store_unreachable'
  ]
})

export const deleteRemoteMedia = defineEndpoint({
  name: 'deleteRemoteMedia',
  method: 'DELETE',
  path: '/api/v1/remote-media/{taskId}',
  tag: 'Remote media',
  summary: 'Drop a file from the cache, or the wish for it',
  role: 'operator',
  forScopedTokens: true,
  params: taskParams,
  response: 'empty',
  errors: ['remote_media_not_found']
})

export const remoteContract = [cacheRemoteMedia, listRemoteMedia, getRemoteMedia, getRemoteContent, deleteRemoteMedia]

import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { instantSchema, pageOf, pageQuery } from './common.ts'

/** What applications may call a workspace. */
export const workspaceIdSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)

export const workspaceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    createdAt: instantSchema,
    assetTotal: z.int(),
    /** Of all its assets, also those in the bin; each counts with its size, even where equal bytes are kept once. */
    usedBytes: z.int(),
    /** Announced by uploads that are not finished. */
    pendingBytes: z.int(),
    /** What applications may fill; null for no limit. */
    quotaBytes: z.int().nullable()
  })
  .meta({ id: 'Workspace' })
export type Workspace = z.infer<typeof workspaceSchema>

export const listWorkspaces = defineEndpoint({
  name: 'listWorkspaces',
  method: 'GET',
  path: '/api/v1/workspaces',
  tag: 'Operations',
  summary: 'Workspaces with what they keep and may keep, by id',
  role: 'viewer',
  forScopedTokens: true,
  query: z.object(pageQuery),
  response: pageOf(workspaceSchema),
  errors: ['invalid_request']
})

export const setWorkspaceQuota = defineEndpoint({
  name: 'setWorkspaceQuota',
  method: 'PUT',
  path: '/api/v1/workspaces/{workspaceId}/quota',
  tag: 'Operations',
  summary: 'How much applications may keep in a workspace; null for what the configuration says',
  role: 'admin',
  params: z.object({ workspaceId: z.string().min(1).max(128) }),
  body: z.strictObject({ quotaBytes: z.int().min(0).nullable() }),
  response: workspaceSchema,
  errors: ['invalid_request', 'workspace_not_found']
})

export const workspacesContract = [listWorkspaces, setWorkspaceQuota]

import { listWorkspaces, setWorkspaceQuota } from '../../../shared/api/workspaces.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Database } from '../../db/database.ts'
import { pageFrom } from '../../db/page.ts'
import { AppError } from '../../errors.ts'
import type { Feature } from '../../feature.ts'
import { WorkspaceQuota } from './workspace-quota.ts'
import { WorkspacesRepository } from './workspaces.repository.ts'

export interface WorkspacesFeature extends Feature {
  quota: WorkspaceQuota
  /** Whether files of this workspace are taken. */
  accepts(workspaceId: string): boolean
  /** Throws `workspace_not_found` when they are not. */
  assertAccepted(workspaceId: string): void
}

/** Workspaces: which there are, what they keep and how much they may. */
export function createWorkspaces(deps: {
  db: Database
  audit: AuditLog
  /** `open`: a name nobody used before makes a new one. */
  mode: 'open' | 'strict'
  /** Holds where a workspace has no quota of its own; null for no limit. */
  quotaBytes: number | null
}): WorkspacesFeature {
  const { db, audit, mode, quotaBytes } = deps
  const repository = new WorkspacesRepository(db)
  const quota = new WorkspaceQuota({ repository, quotaBytes })
  const accepts = (workspaceId: string): boolean => mode === 'open' || repository.has(workspaceId)
  return {
    quota,
    accepts,
    assertAccepted(workspaceId) {
      if (!accepts(workspaceId)) throw new AppError('workspace_not_found', { workspaceId })
    },
    bind(binder) {
      binder.bind(listWorkspaces, ({ query }, { caller }) => {
        const found = repository.list({ ...query, limit: query.limit + 1 }, caller.workspaceIds)
        const { items, nextCursor } = pageFrom(found, query.limit, ({ id }) => id)
        return { items: items.map((workspace) => quota.withQuota(workspace)), nextCursor }
      })
      binder.bind(setWorkspaceQuota, ({ params: { workspaceId }, body }) =>
        db.transaction(() => {
          repository.setQuota(workspaceId, body.quotaBytes)
          const workspace = repository.find(workspaceId)
          if (!workspace) throw new AppError('workspace_not_found', { workspaceId })
          audit.record('workspace.quota_changed', workspaceId, { workspaceId, ...body })
          return quota.withQuota(workspace)
        })
      )
    }
  }
}

import type { Workspace } from '../../../shared/api/workspaces.ts'
import { isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { scopeCondition, type WorkspaceScope } from '../../workspace-scope.ts'

/** What counts when something is to be kept. */
export type WorkspaceUsage = Pick<Workspace, 'usedBytes' | 'pendingBytes' | 'quotaBytes'>

type WorkspaceRow = Omit<Workspace, 'createdAt'> & { createdAtMs: number }

const pendingBytes = (workspaceId: string): string =>
  `(SELECT coalesce(sum(size_bytes), 0) FROM upload
    WHERE state = 'open' AND json_extract(fields_json, '$.workspaceId') = ${workspaceId}) AS pendingBytes`

const COLUMNS = `id, name, created_at_ms AS createdAtMs, asset_count AS assetTotal, used_bytes AS usedBytes,
  quota_bytes AS quotaBytes, ${pendingBytes('workspace.id')}`

/** Workspaces and what they keep. */
export class WorkspacesRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Those in `scope` by id, after `cursor`. The quota is the workspace's own. */
  list(query: { cursor?: string | undefined; limit: number }, scope: WorkspaceScope): Workspace[] {
    const { sql, values } = scopeCondition(scope, 'id')
    return this.#db
      .prepare<unknown[], WorkspaceRow>(`SELECT ${COLUMNS} FROM workspace WHERE ${sql} AND id > ? ORDER BY id LIMIT ?`)
      .all(...values, query.cursor ?? '', query.limit)
      .map(workspaceFromRow)
  }

  find(workspaceId: string): Workspace | undefined {
    const row = this.#db
      .prepare<unknown[], WorkspaceRow>(`SELECT ${COLUMNS} FROM workspace WHERE id = ?`)
      .get(workspaceId)
    return row && workspaceFromRow(row)
  }

  has(workspaceId: string): boolean {
    return this.#db.prepare('SELECT 1 FROM workspace WHERE id = ?').get(workspaceId) !== undefined
  }

  /** Also of a workspace that nothing was kept in yet. */
  usageOf(workspaceId: string): WorkspaceUsage {
    return this.#db
      .prepare<object, WorkspaceUsage>(
        `SELECT coalesce((SELECT used_bytes FROM workspace WHERE id = :workspaceId), 0) AS usedBytes,
                (SELECT quota_bytes FROM workspace WHERE id = :workspaceId) AS quotaBytes, ${pendingBytes(':workspaceId')}`
      )
      .get({ workspaceId })!
  }

  setQuota(workspaceId: string, quotaBytes: number | null): void {
    this.#db.prepare('UPDATE workspace SET quota_bytes = ? WHERE id = ?').run(quotaBytes, workspaceId)
  }
}

function workspaceFromRow({ createdAtMs, ...row }: WorkspaceRow): Workspace {
  return { ...row, createdAt: isoFromMs(createdAtMs) }
}

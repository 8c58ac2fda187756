import type { StoredEvent } from '../../../shared/api/events.ts'
import type { ProblemCode } from '../../../shared/problem.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import { isInScope, type WorkspaceScope } from '../../workspace-scope.ts'

interface Belonging {
  /** What somebody is told who may not know of it. */
  code: ProblemCode
  /** Gives the workspace; absent: the name itself is one. */
  sql?: string
}

const asset = { code: 'asset_not_found', sql: 'SELECT workspace_id AS id FROM asset WHERE id = ?' } as const
const workspace = { code: 'workspace_not_found' } as const

/** By the names that ids have in requests, wherever they stand. Lists of ids of which each counts by itself are not here. */
const belongings: Record<string, Belonging> = {
  assetId: asset,
  workspaceId: workspace,
  workspaceIds: workspace,
  uploadId: {
    code: 'upload_not_found',
    sql: `SELECT fields_json ->> '$.workspaceId' AS id FROM upload WHERE id = ?`
  },
  referenceId: {
    code: 'reference_not_found',
    sql: 'SELECT workspace_id AS id FROM asset JOIN reference ON asset_id = asset.id WHERE reference.id = ?'
  },
  taskId: {
    code: 'remote_media_not_found',
    sql: 'SELECT workspace_id AS id FROM remote_media WHERE id = ?'
  },
  sourceId: {
    code: 'source_not_found',
    // What was recorded of a source that is gone is still somebody's.
    sql: `SELECT workspace_id AS id FROM
          (SELECT id, workspace_id FROM source UNION ALL SELECT id, workspace_id FROM removed_source) WHERE id = ?`
  },
  jobId: {
    code: 'job_not_found',
    sql: `SELECT coalesce(job.workspace_id, asset.workspace_id) AS id
          FROM job LEFT JOIN asset ON asset_id = asset.id WHERE job.id = ?`
  }
}

/** Which workspace things belong to: the one place that keeps tokens of one workspace from the things of another. */
export class Belongings {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Throws what a caller would be told of a thing that does not exist, when `input` names one that is not in `scope`. */
  assertInScope(scope: WorkspaceScope, input: object): void {
    if (scope === 'all') return
    for (const [name, id] of namedIds(input)) {
      const { code, sql } = belongings[name]!
      if (!isInScope(scope, sql === undefined ? id : this.#workspaceOf(sql, id)))
        throw new AppError(code, { [name.replace(/s$/, '')]: id })
    }
  }

  /** Whether an event may be told to somebody. */
  isEventInScope(scope: WorkspaceScope, { subject, data }: StoredEvent): boolean {
    if (scope === 'all') return true
    const { workspaceId } = data
    if (typeof workspaceId === 'string') return isInScope(scope, workspaceId)
    return isInScope(scope, this.#workspaceOf(asset.sql, subject) ?? this.#workspaceOf(OF_FLIGHT, subject))
  }

  #workspaceOf(sql: string, id: string): string | null | undefined {
    return this.#db.prepare<unknown[], { id: string | null }>(sql).get(id)?.id
  }
}

const OF_FLIGHT = 'SELECT workspace_id AS id FROM flight WHERE id = ?'

/** Every id among the members of `input` with its name, also of what it lists; deeper lies what people write themselves. */
function* namedIds(input: object): Generator<[name: string, id: string]> {
  for (const [name, value] of Object.entries(input)) {
    const values: unknown[] = Array.isArray(value) ? value : [value]
    if (Object.hasOwn(belongings, name)) for (const id of values) yield [name, String(id)]
    else if (Array.isArray(value)) for (const item of value) if (isObject(item)) yield* namedIds(item)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

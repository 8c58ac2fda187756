/** The workspaces whose assets somebody may see and change. */
export type WorkspaceScope = readonly string[] | 'all'

/** Whether what belongs to `workspaceId` lies in `scope`; what belongs to none lies in all of them only. */
export function isInScope(scope: WorkspaceScope, workspaceId: string | null | undefined): boolean {
  return scope === 'all' || (typeof workspaceId === 'string' && scope.includes(workspaceId))
}

/** The same as a condition of SQL on `column`, with its values. */
export function scopeCondition(scope: WorkspaceScope, column: string): { sql: string; values: string[] } {
  if (scope === 'all') return { sql: 'TRUE', values: [] }
  // Equality, so that an index with the column first gives the order of the others.
  if (scope.length === 1) return { sql: `${column} = ?`, values: [...scope] }
  // One statement for any number of them.
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, values: [JSON.stringify(scope)] }
}

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testDatabase } from '../../testing/test-database.ts'

const WORKSPACES = ['a', 'b', 'c']
const workspace = fc.constantFrom(...WORKSPACES)
const size = fc.nat(1_000_000_000_000)
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), workspace, size, count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('remove' as const), index: fc.nat(), workspace: fc.option(workspace) }),
  fc.record({ kind: fc.constant('change' as const), index: fc.nat(), size, workspace: fc.option(workspace) })
)

test('what a workspace keeps is what its assets have, whoever changed them and whatever was undone', () => {
  const db = testDatabase()
  const insertWorkspace = db.prepare('INSERT INTO workspace (id, name, created_at_ms) VALUES (?, ?, 0)')
  for (const id of WORKSPACES) insertWorkspace.run(id, id)
  db.prepare(
    `INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES ('b', 'local', 'k', 1, 'e', 0)`
  ).run()
  const insert = db.prepare(
    `INSERT INTO asset (id, workspace_id, blob_id, object_key, name, kind, mime_type, state, size_bytes, taken_at_ms,
                        taken_day, taken_source, received_at_ms, updated_at_ms)
     VALUES (?, ?, 'b', '', '', 'other', 'a/b', 'active', ?, 0, '', '', 0, 0)`
  )
  let ids: string[] = []
  let next = 0
  const run = (change: typeof step extends fc.Arbitrary<infer T> ? T : never): void => {
    const at = 'index' in change ? ids[change.index % Math.max(ids.length, 1)] : undefined
    if (change.kind === 'add')
      for (let i = 0; i < change.count; i++) {
        const id = `${next++}`
        insert.run(id, change.workspace, change.size)
        ids.push(id)
      }
    else if (change.kind === 'change')
      db.prepare(
        'UPDATE asset SET size_bytes = ?, workspace_id = coalesce(?, workspace_id), name = ? WHERE id = ?'
      ).run(change.size, change.workspace, 'x', at ?? '')
    else if (change.workspace !== null) {
      db.prepare('DELETE FROM asset WHERE workspace_id = ?').run(change.workspace)
      ids = db
        .prepare<unknown[], { id: string }>('SELECT id FROM asset')
        .all()
        .map(({ id }) => id)
    } else if (at !== undefined) {
      db.prepare('DELETE FROM asset WHERE id = ?').run(at)
      ids.splice(ids.indexOf(at), 1)
    }
  }
  const counted = db.prepare('SELECT id, asset_count AS number, used_bytes AS bytes FROM workspace ORDER BY id')
  const summed = db.prepare(
    `SELECT workspace.id, count(asset.id) AS number, coalesce(sum(asset.size_bytes), 0) AS bytes
     FROM workspace LEFT JOIN asset ON asset.workspace_id = workspace.id GROUP BY workspace.id ORDER BY workspace.id`
  )
  fc.assert(
    fc.property(fc.array(fc.record({ steps: fc.array(step, { maxLength: 4 }), isUndone: fc.boolean() })), (changes) => {
      for (const { steps, isUndone } of changes) {
        const before = [...ids]
        try {
          db.transaction(() => {
            for (const change of steps) run(change)
            if (isUndone) throw new Error('undo')
          })
        } catch (error) {
          if (!isUndone) throw error
          ids = before
        }
        expect(counted.all()).toEqual(summed.all())
      }
    }),
    { numRuns: 40 }
  )
  expect(next).toBeGreaterThan(50)
})

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Database, openDatabase } from '../../db/database.ts'
import { migrations } from '../../db/migrations/all.ts'
import { temporaryFolder, testDatabase } from '../../testing/test-database.ts'
import { AssetsRepository } from './assets.repository.ts'
import { ChangesRepository } from './changes.repository.ts'

function insert(db: Database, id: string, workspaceId: string, deviceId: string): void {
  db.sql.exec(`INSERT INTO workspace (id, name, created_at_ms) VALUES ('${workspaceId}', '', 0) ON CONFLICT DO NOTHING;
    INSERT INTO device (id, name, first_seen_at_ms, last_seen_at_ms) VALUES ('${deviceId}', '${deviceId}', 0, 0) ON CONFLICT DO NOTHING;
    INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES ('b', 'local', 'b', 1, 'e', 0)
      ON CONFLICT DO NOTHING;
    INSERT INTO asset (id, workspace_id, blob_id, object_key, name, kind, mime_type, state, size_bytes, taken_at_ms, taken_day,
                       taken_source, received_at_ms, updated_at_ms, device_id)
      VALUES ('${id}', '${workspaceId}', 'b', '', 'x', 'image', 'image/jpeg', 'active', 1, 0, '2026-11-21', 'received', 0, 0,
              '${deviceId}')`)
}

test('facets are those of the workspaces that may be seen', () => {
  const db = testDatabase()
  const changes = new ChangesRepository(db)
  const tagged = (id: string, workspaceId: string, ...tags: string[]) => {
    insert(db, id, workspaceId, `drone of ${workspaceId}`)
    for (const tag of tags) changes.addTag(id, tag)
  }
  tagged('1', 'a', 'roof', 'bridge')
  tagged('2', 'a', 'roof')
  tagged('3', 'b', 'field', 'roof')
  tagged('4', 'c')
  const facets = (...scope: string[]) => {
    const { tags, devices } = new AssetsRepository(db).facets(scope.length === 0 ? 'all' : scope)
    return { tags, devices: devices.map(({ name }) => name) }
  }
  expect(facets()).toEqual({
    tags: ['bridge', 'field', 'roof'],
    devices: ['drone of a', 'drone of b', 'drone of c']
  })
  expect(facets('a')).toEqual({ tags: ['bridge', 'roof'], devices: ['drone of a'] })
  expect(facets('b', 'a')).toEqual({ tags: ['bridge', 'field', 'roof'], devices: ['drone of a', 'drone of b'] })
  expect(facets('c')).toEqual({ tags: [], devices: ['drone of c'] })
  changes.removeTag('1', 'bridge')
  expect(facets('a').tags).toEqual(['roof'])
})

test('tags from before workspaces had facets are still there', () => {
  const path = join(temporaryFolder('facets'), 'flightcase.db')
  const before = openDatabase(
    path,
    migrations.filter(({ version }) => version < 165)
  )
  insert(before, '1', 'a', 'drone')
  before.sql.exec(`INSERT INTO asset_tag (asset_id, tag, taken_at_ms) VALUES ('1', 'roof', 0)`)
  before.close()
  const db = openDatabase(path, migrations)
  expect(new AssetsRepository(db).facets(['a']).tags).toEqual(['roof'])
  db.close()
})

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '../../db/database.ts'
import { migrations } from '../../db/migrations/all.ts'
import { temporaryFolder, testDatabase } from '../../testing/test-database.ts'
import { RemovedSourcesRepository } from './removed-sources.repository.ts'

test('what was recorded of streams that were removed before they kept their names is not lost', () => {
  const folder = temporaryFolder('before')
  const before = openDatabase(
    join(folder, 'flightcase.db'),
    migrations.filter(({ version }) => version < 200)
  )
  before.sql.exec(`
    INSERT OR IGNORE INTO workspace (id, name, created_at_ms) VALUES ('ours', 'ours', 0);
    INSERT INTO source (id, workspace_id, name, path_name, type, protocol, publish_key, created_at_ms, updated_at_ms)
      VALUES ('there', 'ours', 'Roof', 'live/roof', 'push', 'rtmp', 'key', 0, 0);
    INSERT INTO recording_segment (id, source_id, workspace_id, path_name, start_us, day, file_name, state) VALUES
      ('1', 'there', 'ours', 'live/roof', 1, '2026-04-07', '1.mp4', 'whole'),
      ('2', 'gone', 'ours', 'live/gate', 1, '2026-04-07', '1.mp4', 'whole'),
      ('3', 'gone', 'ours', 'live/gate', 2, '2026-04-07', '2.mp4', 'whole');
  `)
  before.close()
  const removed = new RemovedSourcesRepository(testDatabase(folder))
  expect(removed.find('there')).toBeUndefined()
  expect(removed.find('gone')).toEqual({ id: 'gone', workspaceId: 'ours', name: 'live/gate', pathName: 'live/gate' })
})

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../testing/test-database.ts'
import { openIndexDatabase } from './index-database.ts'
import { INDEX_MIGRATIONS } from './index-migrations.ts'

test('what waits for removal is found by its time, without reading all of it', () => {
  const file = join(temporaryFolder('index'), 'index.db')
  const before = openIndexDatabase(file, INDEX_MIGRATIONS.slice(0, 1))
  before.exec(`
    INSERT INTO blob (id, size_bytes, sha256, md5, crc32c, refcount, created_at_ms) VALUES ('b', 1, '', '', '', 0, 0);
    INSERT INTO gc (blob_id, not_before_ms) VALUES ('b', 7);
  `)
  before.close()
  const db = openIndexDatabase(file)
  const due = 'SELECT blob_id FROM gc WHERE not_before_ms <= 10 ORDER BY not_before_ms LIMIT 16'
  expect(db.prepare(due).all()).toEqual([{ blob_id: 'b' }])
  const plan = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${due}`).all()
  expect(plan.map(({ detail }) => detail)).toEqual(['SEARCH gc USING COVERING INDEX gc_due (not_before_ms<?)'])
  db.close()
})

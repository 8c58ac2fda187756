import { expect, test } from 'vitest'
import { listAssets } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'
import { newId } from '../../ids.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { AssetSearch } from './asset-search.ts'
import { tidyNames } from './tidy-names.ts'

const LIVE = 10

/** A base with this many assets, after so many came and went. */
function baseAfter(cameAndWent: number): Database {
  const db = testDatabase()
  db.sql.exec(`INSERT INTO workspace (id, name, created_at_ms) VALUES ('ws', 'ws', 0);
    INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES ('b', 'local', 'b', 1, 'e', 0)`)
  const insert = db.prepare(
    `INSERT INTO asset (id, workspace_id, blob_id, object_key, name, kind, mime_type, state, size_bytes, taken_at_ms, taken_day,
                        taken_source, received_at_ms, updated_at_ms)
     VALUES (?, 'ws', 'b', '', ?, 'image', 'image/jpeg', 'active', 1, ?, '2026-11-21', 'received', 0, 0)`
  )
  const remove = db.prepare('DELETE FROM asset WHERE taken_at_ms = ?')
  for (let index = 0; index < cameAndWent + LIVE; index++) {
    insert.run(newId(), `photo ${index * 7919}.jpg`, index)
    remove.run(index - LIVE)
  }
  return db
}

const indexBytes = (db: Database) =>
  db.prepare<unknown[], number>('SELECT sum(length(block)) FROM asset_name_data').pluck().get()!

test('the index of names is no larger than what is there asks for, however much came and went', async () => {
  const [busy, quiet] = [baseAfter(200), baseAfter(0)]
  await tidyNames(quiet, new AbortController().signal)
  const untidyBytes = indexBytes(busy)
  expect(untidyBytes).toBeGreaterThan(3 * indexBytes(quiet))
  await tidyNames(busy, AbortSignal.abort())
  expect(indexBytes(busy)).toBe(untidyBytes)
  await tidyNames(busy, new AbortController().signal)
  expect(indexBytes(busy)).toBeLessThan(2 * indexBytes(quiet))
  const { items } = await new AssetSearch(busy).list(listAssets.query!.parse({ text: 'photo' }), 'all')
  expect(items).toHaveLength(LIVE)
})

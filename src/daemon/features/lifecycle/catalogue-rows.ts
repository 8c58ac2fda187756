import type { Database } from '../../db/database.ts'
import { newId } from '../../ids.ts'

/** For tests: an asset with bytes of its own (or those of `blobId`) that nothing holds since `nowMs`. Gives its id. */
export function insertAsset(db: Database, nowMs: number, blobId: string = newId()): string {
  const id = newId()
  db.prepare(`INSERT INTO workspace (id, name, created_at_ms) VALUES ('ws', 'ws', 0) ON CONFLICT DO NOTHING`).run()
  db.prepare(
    `INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES (?, 'local', ?, 1, 'e', 0)
     ON CONFLICT (id) DO NOTHING`
  ).run(blobId, `images/${blobId}`)
  db.prepare(
    `INSERT INTO asset (id, workspace_id, blob_id, object_key, name, kind, mime_type, state, size_bytes, taken_at_ms,
                        taken_day, taken_source, received_at_ms, pending_since_ms, updated_at_ms)
     VALUES (?, 'ws', ?, '', 'a.jpg', 'image', 'image/jpeg', 'pending_reference', 1, 0, '2026-11-21', 'received', 0, ?, 0)`
  ).run(id, blobId, nowMs)
  return id
}

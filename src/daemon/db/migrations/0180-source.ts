import { randomBytes } from 'node:crypto'
import type { Migration } from '../migrate.ts'

/** Streams, the assets that are made of them, and the secret that viewers' tokens are signed with. */
export const source: Migration = {
  version: 180,
  name: 'source',
  up(db) {
    db.exec(`
      CREATE TABLE source (
        id TEXT PRIMARY KEY,
        workspace_id TEXT NOT NULL REFERENCES workspace (id),
        name TEXT NOT NULL,
        -- Of the media server; file systems that keep recordings may tell no case apart.
        path_name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        type TEXT NOT NULL CHECK (type IN ('pull', 'push')),
        protocol TEXT NOT NULL,
        -- With its password; null for a stream that is pushed.
        url TEXT,
        rtsp_transport TEXT NOT NULL DEFAULT 'tcp',
        fingerprint TEXT,
        on_demand INTEGER NOT NULL DEFAULT 0,
        enabled INTEGER NOT NULL DEFAULT 1,
        record_enabled INTEGER NOT NULL DEFAULT 0,
        -- What whoever pushes it has to know; null for a stream that is pulled.
        publish_key TEXT,
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL,
        CHECK ((type = 'pull') = (url IS NOT NULL)),
        CHECK ((type = 'push') = (publish_key IS NOT NULL))
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX source_by_name ON source (name COLLATE NOCASE, id);
      CREATE INDEX source_of_workspace ON source (workspace_id, name COLLATE NOCASE, id);

      CREATE TABLE stream_asset (
        asset_id TEXT PRIMARY KEY REFERENCES asset (id) ON DELETE CASCADE,
        source_id TEXT NOT NULL REFERENCES source (id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX stream_asset_of_source ON stream_asset (source_id);

      CREATE TABLE stream_secret (id INTEGER PRIMARY KEY CHECK (id = 1), secret BLOB NOT NULL) STRICT;
    `)
    db.prepare('INSERT INTO stream_secret (id, secret) VALUES (1, ?)').run(randomBytes(32))
  }
}

import type { Migration } from '../migrate.ts'

/** Files of others that are kept for a while. */
export const remoteMedia: Migration = {
  version: 160,
  name: 'remote media',
  up(db) {
    db.exec(`
      CREATE TABLE remote_media (
        id TEXT PRIMARY KEY,
        workspace_id TEXT NOT NULL,
        url TEXT NOT NULL,
        url_sha256 BLOB NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('pending', 'fetching', 'ready', 'failed')),
        -- Why the last attempt failed.
        problem TEXT,
        problem_message TEXT,
        settled_at_ms INTEGER,
        -- The kept bytes; all null when there are none. Every fetch has a key of its own.
        key TEXT,
        store_etag TEXT,
        mime_type TEXT,
        size_bytes INTEGER,
        sha256 BLOB,
        fetched_at_ms INTEGER,
        fresh_until_ms INTEGER,
        -- Where the redirects led, and what the origin called this version of it.
        origin_url TEXT,
        origin_etag TEXT,
        origin_last_modified TEXT,
        created_at_ms INTEGER NOT NULL,
        last_used_at_ms INTEGER NOT NULL,
        CHECK ((problem IS NULL) = (problem_message IS NULL)),
        CHECK ((key IS NULL) = (store_etag IS NULL) AND (key IS NULL) = (mime_type IS NULL)
          AND (key IS NULL) = (size_bytes IS NULL) AND (key IS NULL) = (sha256 IS NULL)
          AND (key IS NULL) = (fetched_at_ms IS NULL) AND (key IS NULL) = (fresh_until_ms IS NULL)
          AND (key IS NULL) = (origin_url IS NULL))
      ) STRICT, WITHOUT ROWID;
      CREATE UNIQUE INDEX remote_media_of_url ON remote_media (workspace_id, url_sha256);
      CREATE INDEX remote_media_of_workspace ON remote_media (workspace_id, id);
      CREATE UNIQUE INDEX remote_media_by_key ON remote_media (key) WHERE key IS NOT NULL;
      -- Least used first, and the sum of all without looking at the rows.
      CREATE INDEX remote_media_by_use ON remote_media (last_used_at_ms, id, size_bytes);
    `)
  }
}

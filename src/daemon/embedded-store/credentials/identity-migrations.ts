import type { Migration } from '../../db/migrate.ts'

/** Tables of `identity.db`: who may use the object store. Times are epoch milliseconds. */
export const identityMigrations: readonly Migration[] = [
  {
    version: 10,
    name: 'initial',
    up(db) {
      db.exec(`
        CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

        -- Secrets are encrypted under a key derived from the root key (generation key_id).
        CREATE TABLE service_user (
          access_key_id TEXT PRIMARY KEY,
          name TEXT NOT NULL UNIQUE,
          owner_id TEXT NOT NULL,
          wrapped_secret BLOB NOT NULL,
          key_id INTEGER NOT NULL,
          policy_json TEXT NOT NULL,
          can_assume INTEGER NOT NULL CHECK (can_assume IN (0, 1)),
          created_at_ms INTEGER NOT NULL,
          disabled_at_ms INTEGER
        ) STRICT, WITHOUT ROWID;

        -- Temporary credentials. Their secrets and tokens are recomputed from the row and the root key.
        CREATE TABLE session (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          access_key_id TEXT NOT NULL UNIQUE,
          parent TEXT NOT NULL REFERENCES service_user (access_key_id) ON DELETE CASCADE,
          session_name TEXT NOT NULL,
          workspace_id TEXT,
          device_id TEXT,
          policy_json TEXT,
          salt BLOB NOT NULL,
          key_id INTEGER NOT NULL,
          created_at_ms INTEGER NOT NULL,
          expires_at_ms INTEGER NOT NULL,
          revoked_at_ms INTEGER
        ) STRICT;
        CREATE INDEX session_by_device ON session (device_id, created_at_ms) WHERE device_id IS NOT NULL;
        CREATE INDEX session_by_workspace ON session (workspace_id) WHERE workspace_id IS NOT NULL;
        CREATE INDEX session_by_expiry ON session (expires_at_ms);
      `)
    }
  }
]

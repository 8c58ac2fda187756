import type { Migration } from '../migrate.ts'

/** What a controller would have here if the asset were not in the bin. */
export const shelvedFile: Migration = {
  version: 30,
  name: 'shelved file',
  up(db) {
    db.exec(`
      -- Rows of pilot_file that do not count now: their asset is in the bin, or another asset took their place meanwhile.
      CREATE TABLE shelved_file (
        asset_id TEXT NOT NULL REFERENCES asset (id),
        workspace_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        tiny_fingerprint TEXT,
        object_key TEXT NOT NULL,
        is_adopted INTEGER NOT NULL,
        name TEXT NOT NULL,
        path TEXT NOT NULL,
        drone_model_key TEXT,
        payload_model_key TEXT,
        raw_json TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL,
        PRIMARY KEY (asset_id, fingerprint)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX shelved_file_by_fingerprint ON shelved_file (workspace_id, fingerprint);
    `)
  }
}

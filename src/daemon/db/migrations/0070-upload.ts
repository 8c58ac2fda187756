import type { Migration } from '../migrate.ts'

/** Uploads of applications that take more than one call. */
export const upload: Migration = {
  version: 70,
  name: 'upload',
  up(db) {
    db.exec(`
      -- The id becomes the asset's. A finished one stays until it expires, so that finishing again gives the same answer.
      CREATE TABLE upload (
        id TEXT PRIMARY KEY,
        state TEXT NOT NULL CHECK (state IN ('open', 'done')),
        -- Where the client writes to.
        key TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        -- UploadFields of the contract.
        fields_json TEXT NOT NULL,
        is_duplicate INTEGER,
        created_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX upload_by_expiry ON upload (expires_at_ms);
    `)
  }
}

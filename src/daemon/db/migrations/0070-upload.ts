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
        -- In parts: the store's id of the upload, and what each part but the last has.
        store_upload_id TEXT,
        part_size_bytes INTEGER,
        is_duplicate INTEGER,
        created_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER NOT NULL,
        CHECK ((store_upload_id IS NULL) = (part_size_bytes IS NULL))
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX upload_by_expiry ON upload (expires_at_ms);

      -- Parts that are durable in the store.
      CREATE TABLE upload_part (
        upload_id TEXT NOT NULL REFERENCES upload (id),
        number INTEGER NOT NULL,
        etag TEXT NOT NULL,
        sha256 BLOB NOT NULL,
        PRIMARY KEY (upload_id, number)
      ) STRICT, WITHOUT ROWID;
    `)
  }
}

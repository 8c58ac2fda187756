import type { Migration } from '../migrate.ts'

/** Which stores the catalogue has objects in, so that those of one are not looked for in another. */
export const objectStore: Migration = {
  version: 210,
  name: 'object store',
  up(db) {
    db.exec(`
      -- name: what blob.store and object_removal.store say. 'local' is the embedded store and 's3' the external one that is connected;
      -- a former external one is called by its id. id: null for 'local', and until an external one is first known.
      CREATE TABLE object_store (
        name TEXT PRIMARY KEY,
        id TEXT UNIQUE,
        endpoint TEXT,
        bucket TEXT,
        root_prefix TEXT
      ) STRICT, WITHOUT ROWID;
      INSERT INTO object_store (name) SELECT DISTINCT store FROM blob;

      CREATE TABLE removal_in_store (
        store TEXT NOT NULL,
        key TEXT NOT NULL,
        etag TEXT NOT NULL,
        due_at_ms INTEGER NOT NULL,
        error_message TEXT,
        PRIMARY KEY (store, key, etag)
      ) STRICT, WITHOUT ROWID;
      -- Those without a store are of the one that is used next.
      INSERT INTO removal_in_store SELECT '', key, etag, due_at_ms, error_message FROM object_removal;
      DROP TABLE object_removal;
      ALTER TABLE removal_in_store RENAME TO object_removal;
      CREATE INDEX object_removal_due ON object_removal (store, due_at_ms);
    `)
  }
}

import type { Migration } from '../migrate.ts'

/** Objects that nothing needs any more, until they are gone. */
export const objectRemoval: Migration = {
  version: 60,
  name: 'object removal',
  up(db) {
    db.exec(`
      -- Written in the transaction that lets go of the object. etag: only this version of it; '' for any.
      CREATE TABLE object_removal (
        key TEXT NOT NULL,
        etag TEXT NOT NULL,
        -- Not before this moment: the last attempt failed.
        due_at_ms INTEGER NOT NULL,
        error_message TEXT,
        PRIMARY KEY (key, etag)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX object_removal_due ON object_removal (due_at_ms);
    `)
  }
}

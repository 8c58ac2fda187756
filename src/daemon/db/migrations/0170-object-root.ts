import type { Migration } from '../migrate.ts'

/** Keys of ours may stand below a prefix, so what is in the archive is no longer one range of keys. */
export const objectRoot: Migration = {
  version: 170,
  name: 'object root',
  up(db) {
    db.exec(`
      -- What keys of ours were ever made below: empty, or with a slash at its end.
      CREATE TABLE object_root (prefix TEXT PRIMARY KEY) STRICT;
      INSERT INTO object_root SELECT '' WHERE EXISTS (SELECT 1 FROM blob);

      -- In the archive is {prefix/}archive/{folder}/{yyyy}/{mm}/{dd}/…; below media/ controllers name the keys.
      ALTER TABLE blob ADD COLUMN tier TEXT NOT NULL GENERATED ALWAYS AS (
        CASE WHEN key NOT GLOB 'media/*' AND '/' || key GLOB '*/archive/*/[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*'
             THEN 'cold' ELSE 'hot' END) VIRTUAL;
      DROP INDEX blob_hot;
      CREATE INDEX blob_by_tier ON blob (store, tier, created_at_ms, id);
    `)
  }
}

import type { Migration } from '../../db/migrate.ts'

/** The schema of the index, step by step. A landed migration is never edited. */
export const INDEX_MIGRATIONS: readonly Migration[] = [
  {
    version: 10,
    name: 'initial',
    up: (db) =>
      db.exec(`
      CREATE TABLE bucket (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        cors_json TEXT
      ) STRICT;

      -- One payload file. refcount counts the extents and parts that point at it; at zero it waits in gc.
      CREATE TABLE blob (
        id TEXT PRIMARY KEY,
        size_bytes INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        md5 TEXT NOT NULL,
        crc32c TEXT NOT NULL,
        refcount INTEGER NOT NULL CHECK (refcount >= 0),
        created_at_ms INTEGER NOT NULL,
        verified_at_ms INTEGER,
        state TEXT NOT NULL DEFAULT 'ok' CHECK (state IN ('ok', 'damaged'))
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE gc (
        blob_id TEXT PRIMARY KEY REFERENCES blob (id) ON DELETE CASCADE,
        not_before_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      -- rev names one version of a key; a replaced object gets a new one.
      CREATE TABLE object (
        bucket_id INTEGER NOT NULL REFERENCES bucket (id),
        key TEXT NOT NULL COLLATE BINARY,
        rev TEXT NOT NULL UNIQUE,
        size_bytes INTEGER NOT NULL,
        etag TEXT NOT NULL,
        last_modified_ms INTEGER NOT NULL,
        sha256 TEXT,
        checksum_algorithm TEXT,
        checksum_type TEXT,
        checksum_value TEXT,
        headers_json TEXT NOT NULL,
        metadata_json TEXT NOT NULL,
        part_count INTEGER,
        PRIMARY KEY (bucket_id, key)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE extent (
        object_rev TEXT NOT NULL REFERENCES object (rev) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        blob_id TEXT NOT NULL REFERENCES blob (id),
        offset_bytes INTEGER NOT NULL,
        length_bytes INTEGER NOT NULL,
        PRIMARY KEY (object_rev, seq)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX extent_blob ON extent (blob_id);

      -- The part sizes of a multipart object, for reads by part number; they outlive compaction of the extents.
      CREATE TABLE object_part (
        object_rev TEXT NOT NULL REFERENCES object (rev) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        checksum TEXT,
        PRIMARY KEY (object_rev, number)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE upload (
        id TEXT PRIMARY KEY,
        bucket_id INTEGER NOT NULL REFERENCES bucket (id),
        key TEXT NOT NULL COLLATE BINARY,
        owner TEXT NOT NULL,
        headers_json TEXT NOT NULL,
        metadata_json TEXT NOT NULL,
        checksum_algorithm TEXT,
        checksum_type TEXT,
        created_at_ms INTEGER NOT NULL,
        touched_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX upload_key ON upload (bucket_id, key, id);
      CREATE INDEX upload_touched ON upload (touched_at_ms);

      CREATE TABLE part (
        upload_id TEXT NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        blob_id TEXT NOT NULL REFERENCES blob (id),
        size_bytes INTEGER NOT NULL,
        etag TEXT NOT NULL,
        checksum TEXT,
        created_at_ms INTEGER NOT NULL,
        PRIMARY KEY (upload_id, number)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX part_blob ON part (blob_id);

      -- What a completed upload answered, so that a repeated completion gets the same answer.
      CREATE TABLE completed_upload (
        upload_id TEXT PRIMARY KEY,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        owner TEXT NOT NULL,
        request_hash TEXT NOT NULL,
        result_json TEXT NOT NULL,
        completed_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX completed_upload_age ON completed_upload (completed_at_ms);
    `)
  },
  {
    version: 20,
    name: 'gc by due time',
    up: (db) => db.exec(`CREATE INDEX gc_due ON gc (not_before_ms)`)
  },
  {
    version: 30,
    name: 'use',
    // The names of the store's last use and of the one that was being begun; see store-root.ts.
    up: (db) =>
      db.exec(`
        CREATE TABLE store_use (
          one INTEGER PRIMARY KEY CHECK (one = 1),
          store_id TEXT NOT NULL,
          current TEXT NOT NULL,
          next TEXT NOT NULL,
          doubted INTEGER NOT NULL CHECK (doubted IN (0, 1))
        ) STRICT
      `)
  }
]

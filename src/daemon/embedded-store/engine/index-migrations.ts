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
  },
  {
    version: 40,
    name: 'integrity',
    up: (db) =>
      db.exec(`
        ALTER TABLE blob ADD COLUMN damaged_at_ms INTEGER;
        ALTER TABLE blob ADD COLUMN damage_reason TEXT;
        -- Its bytes were known to be right when it was written.
        UPDATE blob SET verified_at_ms = created_at_ms WHERE verified_at_ms IS NULL;
        CREATE INDEX blob_verified ON blob (verified_at_ms, size_bytes);
        CREATE INDEX blob_damaged ON blob (id) WHERE state = 'damaged';
        -- Objects of several extents, which are few.
        CREATE INDEX extent_second ON extent (object_rev) WHERE seq = 1;

        -- asked_at_ms: somebody wants all checked that was not checked since; null once that is done.
        CREATE TABLE scrub (
          one INTEGER PRIMARY KEY CHECK (one = 1),
          asked_at_ms INTEGER,
          finished_at_ms INTEGER
        ) STRICT;
        INSERT INTO scrub (one) VALUES (1);

        CREATE TABLE store_usage (
          one INTEGER PRIMARY KEY CHECK (one = 1),
          objects INTEGER NOT NULL,
          object_bytes INTEGER NOT NULL,
          blobs INTEGER NOT NULL,
          blob_bytes INTEGER NOT NULL
        ) STRICT;
        INSERT INTO store_usage
          SELECT 1, (SELECT COUNT(*) FROM object), (SELECT COALESCE(SUM(size_bytes), 0) FROM object),
            COUNT(*), COALESCE(SUM(size_bytes), 0) FROM blob;
        CREATE TRIGGER object_added AFTER INSERT ON object BEGIN
          UPDATE store_usage SET objects = objects + 1, object_bytes = object_bytes + NEW.size_bytes;
        END;
        CREATE TRIGGER object_removed AFTER DELETE ON object BEGIN
          UPDATE store_usage SET objects = objects - 1, object_bytes = object_bytes - OLD.size_bytes;
        END;
        CREATE TRIGGER blob_added AFTER INSERT ON blob BEGIN
          UPDATE store_usage SET blobs = blobs + 1, blob_bytes = blob_bytes + NEW.size_bytes;
        END;
        CREATE TRIGGER blob_removed AFTER DELETE ON blob BEGIN
          UPDATE store_usage SET blobs = blobs - 1, blob_bytes = blob_bytes - OLD.size_bytes;
        END;
      `)
  },
  {
    version: 60,
    name: 'unlogged changes',
    // What the last commit changed: a bucket, or an object. Its line in the recovery log may be missing.
    up: (db) => db.exec(`CREATE TABLE unlogged (bucket TEXT, bucket_id INTEGER, key TEXT) STRICT`)
  },
  {
    version: 61,
    name: 'number of the last commit',
    // The commits first to last, and what they changed: a bucket, an object, or nothing that a log tells. See recovery/last-commit.ts.
    up: (db) =>
      db.exec(`
        CREATE TABLE last_commit (
          first INTEGER NOT NULL,
          last INTEGER NOT NULL,
          bucket TEXT,
          bucket_id INTEGER,
          key TEXT
        ) STRICT;
        INSERT INTO last_commit SELECT 1, 1, bucket, bucket_id, key FROM unlogged;
        DROP TABLE unlogged;
      `)
  }
]

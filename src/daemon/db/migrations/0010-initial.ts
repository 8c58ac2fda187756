import type { Migration } from '../migrate.ts'

/** The catalogue. Times are epoch milliseconds (`_ms`), sizes bytes, booleans 0 or 1. */
export const initial: Migration = {
  version: 10,
  name: 'initial',
  up(db) {
    db.exec(`
      CREATE TABLE setting (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE workspace (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      -- Secrets are stored as SHA-256 only. A session is a browser's copy of a token's rights.
      CREATE TABLE token (
        id TEXT PRIMARY KEY,
        secret_hash BLOB NOT NULL UNIQUE,
        name TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'controller')),
        workspace_id TEXT,
        created_at_ms INTEGER NOT NULL,
        last_used_at_ms INTEGER,
        expires_at_ms INTEGER,
        is_session INTEGER NOT NULL DEFAULT 0,
        parent_id TEXT,
        revoked_at_ms INTEGER
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE device (
        id TEXT PRIMARY KEY,
        serial TEXT UNIQUE,
        model_key TEXT,
        payload_model_key TEXT,
        name TEXT NOT NULL,
        first_seen_at_ms INTEGER NOT NULL,
        last_seen_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      -- A Pilot group: the files of one wayline mission.
      CREATE TABLE flight (
        id TEXT PRIMARY KEY,
        workspace_id TEXT NOT NULL REFERENCES workspace (id),
        group_id TEXT NOT NULL,
        name TEXT NOT NULL,
        expected_count INTEGER,
        uploaded_count INTEGER NOT NULL DEFAULT 0,
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL,
        UNIQUE (workspace_id, group_id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX flight_by_update ON flight (updated_at_ms);

      -- Immutable bytes. One row per SHA-256 once the digest is known.
      CREATE TABLE blob (
        id TEXT PRIMARY KEY,
        store TEXT NOT NULL,
        key TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        etag TEXT NOT NULL,
        sha256 BLOB UNIQUE,
        created_at_ms INTEGER NOT NULL,
        -- In an external store a controller may overwrite its key; then two blobs had it, and the older has lost its bytes.
        UNIQUE (store, key, etag)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE asset (
        id TEXT PRIMARY KEY,
        workspace_id TEXT NOT NULL REFERENCES workspace (id),
        blob_id TEXT NOT NULL REFERENCES blob (id),
        -- The key the bytes were uploaded to; several assets may have had the same one.
        object_key TEXT NOT NULL,
        name TEXT NOT NULL,
        path TEXT NOT NULL DEFAULT '',
        kind TEXT NOT NULL,
        mime_type TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('uploading', 'pending_reference', 'active', 'binned')),
        state_before_bin TEXT,
        binned_at_ms INTEGER,
        size_bytes INTEGER NOT NULL,
        ref_count INTEGER NOT NULL DEFAULT 0,
        device_id TEXT REFERENCES device (id),
        flight_id TEXT REFERENCES flight (id),
        is_original INTEGER,
        sub_file_type INTEGER,
        taken_at_ms INTEGER NOT NULL,
        taken_day TEXT NOT NULL,
        taken_zone_offset_min INTEGER,
        taken_source TEXT NOT NULL,
        received_at_ms INTEGER NOT NULL,
        width INTEGER,
        height INTEGER,
        duration_ms INTEGER,
        preview TEXT NOT NULL DEFAULT 'pending' CHECK (preview IN ('pending', 'ready', 'unavailable')),
        preview_problem TEXT,
        damage TEXT,
        latitude REAL,
        longitude REAL,
        -- CaptureData of the contract as JSON; the columns above are what lists filter and sort by.
        capture_json TEXT NOT NULL DEFAULT '{}',
        updated_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX asset_by_time ON asset (taken_at_ms, id) WHERE binned_at_ms IS NULL;
      CREATE INDEX asset_by_day ON asset (taken_day, taken_at_ms, id) WHERE binned_at_ms IS NULL;
      CREATE INDEX asset_by_device ON asset (device_id, taken_at_ms, id) WHERE binned_at_ms IS NULL;
      CREATE INDEX asset_by_kind ON asset (kind, taken_at_ms, id) WHERE binned_at_ms IS NULL;
      CREATE INDEX asset_by_flight ON asset (flight_id, taken_at_ms, id) WHERE binned_at_ms IS NULL;
      CREATE INDEX asset_in_bin ON asset (binned_at_ms, id) WHERE binned_at_ms IS NOT NULL;
      CREATE INDEX asset_waiting_for_ffmpeg ON asset (id) WHERE preview_problem = 'ffmpeg_missing';
      CREATE INDEX asset_by_blob ON asset (blob_id);
      CREATE INDEX asset_by_object_key ON asset (workspace_id, object_key);

      -- ref_count of the asset always equals its rows that hold: strong ones, and temporary ones not yet expired.
      CREATE TABLE reference (
        id TEXT PRIMARY KEY,
        asset_id TEXT NOT NULL REFERENCES asset (id),
        kind TEXT NOT NULL CHECK (kind IN ('strong', 'weak', 'temporary')),
        namespace TEXT NOT NULL,
        owner TEXT,
        external_id TEXT,
        created_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX reference_by_asset ON reference (asset_id);

      -- What a controller already has here. Written by the upload callback and the reconciler only.
      CREATE TABLE pilot_file (
        id INTEGER PRIMARY KEY,
        workspace_id TEXT NOT NULL REFERENCES workspace (id),
        fingerprint TEXT NOT NULL,
        tiny_fingerprint TEXT,
        object_key TEXT NOT NULL,
        -- Where to look whether the bytes are there, when not at object_key: the object was a duplicate and was removed.
        head_key TEXT,
        asset_id TEXT NOT NULL REFERENCES asset (id),
        -- 1: the reconciler found the object; the fingerprint is the MD5 of the bytes, which the controller's most likely is.
        is_adopted INTEGER NOT NULL DEFAULT 0,
        name TEXT NOT NULL,
        path TEXT NOT NULL,
        drone_model_key TEXT,
        payload_model_key TEXT,
        raw_json TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL,
        UNIQUE (workspace_id, fingerprint)
      ) STRICT;
      CREATE INDEX pilot_file_by_tiny ON pilot_file (workspace_id, tiny_fingerprint);
      CREATE INDEX pilot_file_by_key ON pilot_file (workspace_id, object_key);
      CREATE INDEX pilot_file_by_asset ON pilot_file (asset_id);

      -- Every version of a controller's object that was ingested, and the asset it became. present: it is where the
      -- controller put it; moved: removed as a duplicate, the asset has the bytes elsewhere; forgotten: the asset was
      -- deleted by a person, and the object is being removed.
      CREATE TABLE pilot_object (
        workspace_id TEXT NOT NULL REFERENCES workspace (id),
        object_key TEXT NOT NULL,
        etag TEXT NOT NULL,
        asset_id TEXT NOT NULL REFERENCES asset (id),
        state TEXT NOT NULL DEFAULT 'present' CHECK (state IN ('present', 'moved', 'forgotten')),
        PRIMARY KEY (workspace_id, object_key, etag)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX pilot_object_by_asset ON pilot_object (asset_id);

      -- Which controller uploads into a day's folder itself; others of that day get folders of their own inside it.
      CREATE TABLE upload_folder (
        workspace_id TEXT NOT NULL,
        day TEXT NOT NULL,
        controller_id TEXT NOT NULL,
        PRIMARY KEY (workspace_id, day)
      ) STRICT, WITHOUT ROWID;

      -- A controller as the field sees it: a token used from one place.
      CREATE TABLE controller (
        id TEXT PRIMARY KEY,
        client_key TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        remote_address TEXT NOT NULL,
        first_seen_at_ms INTEGER NOT NULL,
        last_seen_at_ms INTEGER NOT NULL,
        last_error_code TEXT,
        last_error_name TEXT,
        last_error_at_ms INTEGER
      ) STRICT, WITHOUT ROWID;

      -- The tether board's memory: what each controller did with each file on each local day.
      CREATE TABLE controller_file (
        controller_id TEXT NOT NULL REFERENCES controller (id),
        day TEXT NOT NULL,
        file_key TEXT NOT NULL,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        size_bytes INTEGER,
        asset_id TEXT,
        error TEXT,
        updated_at_ms INTEGER NOT NULL,
        PRIMARY KEY (controller_id, day, file_key)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE rendition (
        asset_id TEXT NOT NULL REFERENCES asset (id),
        name TEXT NOT NULL,
        format TEXT NOT NULL,
        key TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        created_at_ms INTEGER NOT NULL,
        PRIMARY KEY (asset_id, name, format)
      ) STRICT, WITHOUT ROWID;

      -- A finished job leaves no row; dead ones wait for a person.
      CREATE TABLE job (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        payload_json TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'dead', 'cancelled')),
        priority INTEGER NOT NULL,
        asset_id TEXT,
        dedupe_key TEXT,
        attempt INTEGER NOT NULL DEFAULT 0,
        max_attempts INTEGER NOT NULL,
        run_at_ms INTEGER NOT NULL,
        lease_until_ms INTEGER,
        progress REAL,
        error_message TEXT,
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX job_due ON job (name, priority, run_at_ms, id) WHERE state = 'queued';
      CREATE INDEX job_by_state ON job (state, id);
      CREATE INDEX job_by_asset ON job (asset_id) WHERE asset_id IS NOT NULL;
      CREATE UNIQUE INDEX job_dedupe ON job (name, dedupe_key) WHERE state = 'queued' AND dedupe_key IS NOT NULL;

      -- The outbox: facts in commit order, read by the event stream (and later by webhooks and sinks).
      CREATE TABLE event (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        type TEXT NOT NULL,
        subject TEXT NOT NULL,
        data_json TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX event_by_subject ON event (subject, seq);
    `)
  }
}

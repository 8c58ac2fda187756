import type { Migration } from '../migrate.ts'

/** What was recorded, file by file, and what was cut from it. Instants within recordings are epoch microseconds (`_us`). */
export const recordings: Migration = {
  version: 190,
  name: 'recordings',
  up(db) {
    db.exec(`
      -- Names its source without needing it: the recordings of a source that was removed may be kept.
      CREATE TABLE recording_segment (
        id TEXT NOT NULL UNIQUE,
        source_id TEXT NOT NULL,
        workspace_id TEXT NOT NULL,
        path_name TEXT NOT NULL,
        start_us INTEGER NOT NULL,
        -- Where it began, by the clock of the base.
        day TEXT NOT NULL,
        -- Either the file is here, or it lies with a media server that knows it by its start as it writes that.
        file_name TEXT,
        raw_start TEXT,
        duration_ms INTEGER,
        size_bytes INTEGER,
        -- Files of one run with numbers in a row continue each other.
        run_id TEXT,
        run_number INTEGER,
        state TEXT NOT NULL CHECK (state IN ('open', 'unchecked', 'whole', 'damaged', 'repaired')),
        problem TEXT,
        is_kept INTEGER NOT NULL DEFAULT 0,
        -- What is asked for lies together.
        PRIMARY KEY (source_id, start_us),
        CHECK ((file_name IS NULL) <> (raw_start IS NULL)),
        CHECK ((run_id IS NULL) = (run_number IS NULL))
      ) STRICT, WITHOUT ROWID;
      -- Days are summed up without looking at the rows.
      CREATE INDEX recording_segment_by_day ON recording_segment (source_id, day, duration_ms, size_bytes);
      CREATE INDEX recording_segment_by_age ON recording_segment (start_us) WHERE is_kept = 0;
      CREATE INDEX recording_segment_open ON recording_segment (id) WHERE state = 'open';

      CREATE TABLE clip (
        id TEXT PRIMARY KEY,
        source_id TEXT NOT NULL,
        workspace_id TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('clip', 'snapshot')),
        name TEXT NOT NULL,
        start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'failed')),
        problem TEXT,
        asset_id TEXT,
        sha256 BLOB,
        -- Where the asset's bytes come from; null before there is one.
        provenance_json TEXT,
        CHECK ((state = 'ready') = (asset_id IS NOT NULL)),
        CHECK ((state = 'failed') = (problem IS NOT NULL)),
        CHECK ((asset_id IS NULL) = (sha256 IS NULL) AND (asset_id IS NULL) = (provenance_json IS NULL))
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX clip_of_source ON clip (source_id, id);
      CREATE INDEX clip_waiting ON clip (source_id, start_us) WHERE state = 'waiting';
    `)
  }
}

import type { Migration } from '../migrate.ts'

/** Streams that are gone while their recordings stay, the workspace of work that is for no asset, and what is written now by stream. */
export const removedSource: Migration = {
  version: 200,
  name: 'removed source',
  up(db) {
    db.exec(`
      CREATE TABLE removed_source (
        id TEXT PRIMARY KEY,
        workspace_id TEXT NOT NULL,
        name TEXT NOT NULL,
        path_name TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      -- What those that were removed before were called is not known any more.
      INSERT INTO removed_source (id, workspace_id, name, path_name)
        SELECT source_id, max(workspace_id), max(path_name), max(path_name) FROM recording_segment
        WHERE source_id NOT IN (SELECT id FROM source) GROUP BY source_id;

      DROP INDEX recording_segment_open;
      CREATE INDEX recording_segment_open ON recording_segment (source_id) WHERE state = 'open';

      ALTER TABLE job ADD COLUMN workspace_id TEXT;
    `)
  }
}

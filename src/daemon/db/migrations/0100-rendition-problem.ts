import type { Migration } from '../migrate.ts'

/** Renditions that were asked for and cannot be had. */
export const renditionProblem: Migration = {
  version: 100,
  name: 'rendition problem',
  up(db) {
    db.exec(`
      CREATE TABLE rendition_problem (
        asset_id TEXT NOT NULL REFERENCES asset (id),
        name TEXT NOT NULL,
        -- RenditionProblem of the contract.
        problem TEXT NOT NULL,
        PRIMARY KEY (asset_id, name)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX rendition_waiting_for_ffmpeg ON rendition_problem (asset_id) WHERE problem = 'ffmpeg_missing';
    `)
  }
}

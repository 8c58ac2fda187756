import type { Migration } from '../migrate.ts'

/** Every token may be limited to workspaces, to more than one; and what lists of one workspace are read by. */
export const tokenScope: Migration = {
  version: 150,
  name: 'token scope',
  up(db) {
    db.exec(`
      -- A JSON array of workspace ids; null: all.
      ALTER TABLE token ADD COLUMN workspaces_json TEXT;
      UPDATE token SET workspaces_json = json_array(workspace_id) WHERE workspace_id IS NOT NULL;
      ALTER TABLE token DROP COLUMN workspace_id;

      CREATE INDEX asset_of_workspace ON asset (workspace_id, taken_at_ms, id) WHERE binned_at_ms IS NULL;
      CREATE INDEX asset_of_workspace_by_kind ON asset (workspace_id, kind, taken_day) WHERE binned_at_ms IS NULL;
    `)
  }
}

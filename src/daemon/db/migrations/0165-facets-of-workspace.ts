import type { Migration } from '../migrate.ts'

/** Lets the facets of one workspace be told without reading its assets, or everybody else's. */
export const facetsOfWorkspace: Migration = {
  version: 165,
  name: 'facets of a workspace',
  up(db) {
    db.exec(`
      CREATE INDEX asset_of_workspace_by_device ON asset (workspace_id, device_id)
        WHERE device_id IS NOT NULL AND binned_at_ms IS NULL;

      -- That of the asset, which stays in its workspace.
      ALTER TABLE asset_tag ADD COLUMN workspace_id TEXT;
      UPDATE asset_tag SET workspace_id = (SELECT workspace_id FROM asset WHERE id = asset_id);
      CREATE INDEX asset_tag_of_workspace ON asset_tag (workspace_id, tag);
    `)
  }
}

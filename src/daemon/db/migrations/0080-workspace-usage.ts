import type { Migration } from '../migrate.ts'

/** How much each workspace keeps: counted by the database itself, so that whoever adds or removes assets cannot forget to. */
export const workspaceUsage: Migration = {
  version: 80,
  name: 'workspace-usage',
  up(db) {
    db.exec(`
      -- What quota_bytes does not say, the setting does.
      ALTER TABLE workspace ADD COLUMN quota_bytes INTEGER;
      ALTER TABLE workspace ADD COLUMN asset_count INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE workspace ADD COLUMN used_bytes INTEGER NOT NULL DEFAULT 0;
      UPDATE workspace SET asset_count = kept.number, used_bytes = kept.bytes
        FROM (SELECT workspace_id, count(*) AS number, sum(size_bytes) AS bytes FROM asset GROUP BY workspace_id) AS kept
        WHERE kept.workspace_id = workspace.id;

      CREATE TRIGGER workspace_usage_insert AFTER INSERT ON asset BEGIN
        UPDATE workspace SET asset_count = asset_count + 1, used_bytes = used_bytes + NEW.size_bytes
          WHERE id = NEW.workspace_id;
      END;
      CREATE TRIGGER workspace_usage_delete AFTER DELETE ON asset BEGIN
        UPDATE workspace SET asset_count = asset_count - 1, used_bytes = used_bytes - OLD.size_bytes
          WHERE id = OLD.workspace_id;
      END;
      CREATE TRIGGER workspace_usage_update AFTER UPDATE OF workspace_id, size_bytes ON asset BEGIN
        UPDATE workspace SET asset_count = asset_count - 1, used_bytes = used_bytes - OLD.size_bytes
          WHERE id = OLD.workspace_id;
        UPDATE workspace SET asset_count = asset_count + 1, used_bytes = used_bytes + NEW.size_bytes
          WHERE id = NEW.workspace_id;
      END;

      -- What is announced and may still arrive.
      CREATE INDEX upload_open ON upload (json_extract(fields_json, '$.workspaceId'), size_bytes) WHERE state = 'open';
    `)
  }
}

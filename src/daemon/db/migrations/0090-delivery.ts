import type { Migration } from '../migrate.ts'

/** Who may read an asset's bytes, by which links, and which bytes nobody may. */
export const delivery: Migration = {
  version: 90,
  name: 'delivery',
  up(db) {
    db.exec(`
      ALTER TABLE asset ADD COLUMN access TEXT NOT NULL DEFAULT 'workspace'
        CHECK (access IN ('private', 'workspace', 'signed', 'public'));
      -- Who uploaded it (see AuditActor); null for controllers.
      ALTER TABLE asset ADD COLUMN created_by TEXT;
      -- How long others may keep a copy; null for the default.
      ALTER TABLE asset ADD COLUMN cache_seconds INTEGER;

      -- By content, so that it holds for every asset with these bytes, also for those to come.
      CREATE TABLE quarantine (
        sha256 BLOB PRIMARY KEY,
        reason TEXT NOT NULL,
        created_by TEXT,
        created_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      -- Secrets that links are signed with: the newest signs, the others still open what they signed.
      CREATE TABLE link_key (
        id TEXT PRIMARY KEY,
        secret BLOB NOT NULL,
        created_at_ms INTEGER NOT NULL,
        retired_at_ms INTEGER
      ) STRICT, WITHOUT ROWID;
    `)
  }
}

import type { Migration } from '../migrate.ts'

/** Who did what that cannot be undone, or who may do what: only ever added to. */
export const audit: Migration = {
  version: 140,
  name: 'audit',
  up(db) {
    db.exec(`
      CREATE TABLE audit (
        -- Without gaps, from 1.
        seq INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        -- AuditActor of the contract.
        actor_json TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        data_json TEXT NOT NULL,
        -- Hex SHA-256; each record holds the hash of the one before and is hashed with it.
        prev_hash TEXT NOT NULL,
        hash TEXT NOT NULL,
        actor TEXT GENERATED ALWAYS AS (actor_json ->> '$.id') VIRTUAL,
        workspace_id TEXT GENERATED ALWAYS AS (data_json ->> '$.workspaceId') VIRTUAL
      ) STRICT;
      CREATE INDEX audit_by_time ON audit (at_ms, seq);
      CREATE INDEX audit_by_subject ON audit (subject, at_ms, seq);
      CREATE INDEX audit_by_actor ON audit (actor, at_ms, seq);
      CREATE INDEX audit_by_action ON audit (action, at_ms, seq);
      CREATE INDEX audit_by_workspace ON audit (workspace_id, at_ms, seq) WHERE workspace_id IS NOT NULL;

      CREATE TRIGGER audit_keeps_every_record BEFORE DELETE ON audit
      BEGIN SELECT raise(ABORT, 'the audit is only added to'); END;
      CREATE TRIGGER audit_changes_no_record BEFORE UPDATE ON audit
      BEGIN SELECT raise(ABORT, 'the audit is only added to'); END;
    `)
  }
}

import type { Migration } from '../migrate.ts'

/** What each run of the collector did. */
export const gcRun: Migration = {
  version: 122,
  name: 'gc run',
  up(db) {
    db.exec(`
      CREATE TABLE gc_run (
        id TEXT PRIMARY KEY,
        started_at_ms INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL,
        -- AuditActor of the contract without what leads back to a person's connection.
        actor_id TEXT NOT NULL,
        actor_name TEXT NOT NULL,
        -- CollectionReport of the contract.
        report_json TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `)
  }
}

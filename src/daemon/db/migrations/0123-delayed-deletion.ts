import type { Migration } from '../migrate.ts'

/** What other systems said is not needed any more, until it is let go of here. */
export const delayedDeletion: Migration = {
  version: 123,
  name: 'delayed deletion',
  up(db) {
    db.exec(`
      CREATE TABLE delayed_deletion (
        id TEXT PRIMARY KEY,
        -- As the other system names it; there need not be such an asset.
        media_id TEXT NOT NULL,
        event_id TEXT,
        -- Who does not need it any more; all null where the event does not say.
        namespace TEXT,
        owner TEXT,
        external_id TEXT,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'cancelled')),
        outcome TEXT,
        run_at_ms INTEGER NOT NULL,
        created_at_ms INTEGER NOT NULL,
        finished_at_ms INTEGER,
        CHECK ((state = 'done') = (outcome IS NOT NULL)),
        CHECK ((state = 'waiting') = (finished_at_ms IS NULL))
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX delayed_deletion_due ON delayed_deletion (run_at_ms, id) WHERE state = 'waiting';
      CREATE INDEX delayed_deletion_of_media ON delayed_deletion (media_id, id);
      CREATE INDEX delayed_deletion_by_state ON delayed_deletion (state, id);
      CREATE INDEX delayed_deletion_finished ON delayed_deletion (finished_at_ms) WHERE finished_at_ms IS NOT NULL;
      -- The same event without an id, told twice, is one deletion.
      CREATE UNIQUE INDEX delayed_deletion_waiting ON delayed_deletion
        (media_id, coalesce(namespace, ''), coalesce(owner, ''), coalesce(external_id, '')) WHERE state = 'waiting';

      -- Events that were taken, so that each of them counts once.
      CREATE TABLE inbound_event (
        id TEXT PRIMARY KEY,
        received_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX inbound_event_by_age ON inbound_event (received_at_ms);
    `)
  }
}

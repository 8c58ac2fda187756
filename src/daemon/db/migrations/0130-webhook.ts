import type { Migration } from '../migrate.ts'

/** Addresses that are told the events. */
export const webhook: Migration = {
  version: 130,
  name: 'webhook',
  up(db) {
    db.exec(`
      CREATE TABLE webhook (
        id TEXT PRIMARY KEY,
        url TEXT NOT NULL,
        -- JSON list; null for all.
        types_json TEXT,
        -- Needed as it is for every signature.
        secret TEXT NOT NULL,
        former_secret TEXT,
        former_secret_until_ms INTEGER,
        is_enabled INTEGER NOT NULL,
        -- Since an event was given up, none was taken.
        is_failing INTEGER NOT NULL DEFAULT 0,
        -- Of the last event that is dealt with.
        position_seq INTEGER NOT NULL,
        -- Of the event after it.
        failed_attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_at_ms INTEGER,
        last_error TEXT,
        created_at_ms INTEGER NOT NULL,
        CHECK ((former_secret IS NULL) = (former_secret_until_ms IS NULL))
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE webhook_delivery (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        webhook_id TEXT NOT NULL REFERENCES webhook (id),
        cause TEXT NOT NULL CHECK (cause IN ('event', 'replay', 'test')),
        outcome TEXT NOT NULL CHECK (outcome IN ('delivered', 'failed', 'given_up', 'lost')),
        event_id TEXT,
        event_type TEXT,
        seq INTEGER,
        until_seq INTEGER,
        attempt INTEGER NOT NULL,
        status INTEGER,
        duration_ms INTEGER NOT NULL,
        error TEXT,
        at_ms INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX webhook_delivery_by_outcome ON webhook_delivery (webhook_id, outcome, id);
      CREATE INDEX webhook_delivery_by_webhook ON webhook_delivery (webhook_id, id);
    `)
  }
}

import type { Migration } from '../migrate.ts'

/** How far each message broker is told the events. */
export const sink: Migration = {
  version: 131,
  name: 'sink',
  up(db) {
    db.exec(`
      CREATE TABLE sink (
        name TEXT PRIMARY KEY,
        -- Of the last event that it has.
        position_seq INTEGER NOT NULL,
        -- Events that were dropped before it could have them.
        lost_events INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
    `)
  }
}

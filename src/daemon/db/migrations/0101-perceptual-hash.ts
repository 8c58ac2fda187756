import type { Migration } from '../migrate.ts'

/** What an asset looks like, for finding others that look alike. */
export const perceptualHash: Migration = {
  version: 101,
  name: 'perceptual hash',
  up(db) {
    db.exec(`
      -- Two halves of 32 bits, unsigned. A number is never used again: who has read up to one reads on from there.
      CREATE TABLE perceptual_hash (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        asset_id TEXT NOT NULL UNIQUE REFERENCES asset (id),
        high INTEGER NOT NULL,
        low INTEGER NOT NULL
      ) STRICT;
    `)
  }
}

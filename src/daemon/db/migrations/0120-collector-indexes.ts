import type { Migration } from '../migrate.ts'

/** Lets the collector count what is due, and what becomes free with it, from indexes alone: it never reads an asset's row. */
export const collectorIndexes: Migration = {
  version: 120,
  name: 'collector indexes',
  up(db) {
    db.exec(`
      DROP INDEX asset_pending;
      CREATE INDEX asset_pending ON asset (pending_since_ms, id, blob_id, size_bytes) WHERE state = 'pending_reference';
      DROP INDEX asset_in_bin;
      CREATE INDEX asset_in_bin ON asset (binned_at_ms, id, blob_id, size_bytes) WHERE binned_at_ms IS NOT NULL;
      DROP INDEX asset_by_blob;
      CREATE INDEX asset_by_blob ON asset (blob_id, binned_at_ms, pending_since_ms);
      CREATE INDEX reference_for_a_while ON reference (asset_id, expires_at_ms) WHERE kind = 'temporary';
    `)
  }
}

import type { Migration } from '../migrate.ts'

/** What may be purged, in the order of blobs: whether others have the same bytes is then read from neighbouring pages. */
export const purgeByBlob: Migration = {
  version: 125,
  name: 'purge by blob',
  up(db) {
    db.exec(`
      DROP INDEX asset_pending;
      CREATE INDEX asset_pending ON asset (pending_since_ms, id) WHERE state = 'pending_reference';
      CREATE INDEX asset_pending_by_blob ON asset (blob_id, id, pending_since_ms, size_bytes)
        WHERE state = 'pending_reference';
      DROP INDEX asset_in_bin;
      CREATE INDEX asset_in_bin ON asset (binned_at_ms, id) WHERE binned_at_ms IS NOT NULL;
      CREATE INDEX asset_in_bin_by_blob ON asset (blob_id, id, binned_at_ms, size_bytes) WHERE binned_at_ms IS NOT NULL;
    `)
  }
}

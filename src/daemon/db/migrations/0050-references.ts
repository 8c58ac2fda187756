import type { Migration } from '../migrate.ts'

/** References that any application can hold, and since when an asset waits for one. */
export const references: Migration = {
  version: 50,
  name: 'references',
  up(db) {
    db.exec(`
      ALTER TABLE reference ADD COLUMN business_tag TEXT;
      -- The same holder holds an asset once in each way; creating it again changes nothing.
      CREATE UNIQUE INDEX reference_by_holder
        ON reference (asset_id, kind, namespace, coalesce(owner, ''), coalesce(external_id, ''));
      DROP INDEX reference_by_asset;
      CREATE INDEX reference_of_asset ON reference (asset_id, id);
      CREATE INDEX reference_by_owner ON reference (namespace, owner, external_id, id);
      CREATE INDEX reference_by_expiry ON reference (expires_at_ms, id) WHERE expires_at_ms IS NOT NULL;

      -- An asset's state follows from its strong references (ref_count) and from being in the bin.
      ALTER TABLE asset DROP COLUMN state_before_bin;
      ALTER TABLE asset ADD COLUMN pending_since_ms INTEGER;
      CREATE INDEX asset_pending ON asset (pending_since_ms, id) WHERE state = 'pending_reference';
    `)
  }
}

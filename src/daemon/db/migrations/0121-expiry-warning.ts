import type { Migration } from '../migrate.ts'

/** Which assets were said to be about to be collected. */
export const expiryWarning: Migration = {
  version: 121,
  name: 'expiry warning',
  up(db) {
    db.exec(`
      -- Null again when the asset begins another grace period.
      ALTER TABLE asset ADD COLUMN expiry_told_at_ms INTEGER;
      CREATE INDEX asset_to_warn_of ON asset (pending_since_ms, id)
        WHERE state = 'pending_reference' AND expiry_told_at_ms IS NULL;
    `)
  }
}

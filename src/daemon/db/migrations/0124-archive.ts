import type { Migration } from '../migrate.ts'

/** Assets that nothing holds and that are kept all the same, and what finds bytes that belong elsewhere. */
export const archive: Migration = {
  version: 124,
  name: 'archive',
  up(db) {
    db.exec(`
      -- Since when it is kept in the archive because nothing holds it; pending_since_ms is null then.
      ALTER TABLE asset ADD COLUMN archived_at_ms INTEGER;
      CREATE INDEX asset_archived ON asset (archived_at_ms, id) WHERE state = 'pending_reference' AND archived_at_ms IS NOT NULL;
      -- Blobs outside the archive, by age.
      CREATE INDEX blob_hot ON blob (created_at_ms, id) WHERE key < 'archive/' OR key >= 'archive0';

      -- What a holder uses is listed in the order of ids, whether or not it names an owner.
      CREATE INDEX reference_by_namespace ON reference (namespace, id);
      CREATE INDEX reference_of_owner ON reference (namespace, owner, id);
    `)
  }
}

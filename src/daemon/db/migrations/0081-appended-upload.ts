import type { Migration } from '../migrate.ts'

/** Uploads that are sent from their beginning to their end in pieces of any size (tus). */
export const appendedUpload: Migration = {
  version: 81,
  name: 'appended-upload',
  up(db) {
    db.exec(`
      -- How many bytes are durable: whole parts in the store, and what is not a part yet in a file. Null for other uploads.
      ALTER TABLE upload ADD COLUMN offset_bytes INTEGER;
      -- What the client said about its file, as it said it.
      ALTER TABLE upload ADD COLUMN metadata_json TEXT;
    `)
  }
}

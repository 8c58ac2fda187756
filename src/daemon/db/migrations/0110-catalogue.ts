import type { Migration } from '../migrate.ts'

/** What people and applications say about an asset, and the indexes that find one among a million by it. */
export const catalogue: Migration = {
  version: 110,
  name: 'catalogue',
  up(db) {
    db.exec(`
      ALTER TABLE asset ADD COLUMN source TEXT NOT NULL DEFAULT 'pilot';
      UPDATE asset SET source = 'upload'
        WHERE NOT EXISTS (SELECT 1 FROM pilot_object WHERE asset_id = asset.id)
          AND NOT EXISTS (SELECT 1 FROM reference WHERE asset_id = asset.id AND namespace = 'pilot');
      -- Null: nobody judged it, and nobody was asked to.
      ALTER TABLE asset ADD COLUMN moderation TEXT;

      -- No row until somebody changes something. revision counts the changes.
      CREATE TABLE asset_note (
        asset_id TEXT PRIMARY KEY REFERENCES asset (id) ON DELETE CASCADE,
        revision INTEGER NOT NULL DEFAULT 0,
        metadata_json TEXT NOT NULL DEFAULT '{}',
        moderation_labels_json TEXT NOT NULL DEFAULT '[]',
        moderation_note TEXT,
        moderated_at_ms INTEGER
      ) STRICT, WITHOUT ROWID;

      -- taken_at_ms is that of the asset, so that what has a tag can be listed in order.
      CREATE TABLE asset_tag (
        asset_id TEXT NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
        tag TEXT NOT NULL,
        taken_at_ms INTEGER NOT NULL,
        PRIMARY KEY (asset_id, tag)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX asset_tag_by_time ON asset_tag (tag, taken_at_ms, asset_id);
      CREATE TRIGGER asset_tag_follows_time AFTER UPDATE OF taken_at_ms ON asset
      WHEN new.taken_at_ms <> old.taken_at_ms BEGIN
        UPDATE asset_tag SET taken_at_ms = new.taken_at_ms WHERE asset_id = new.id;
      END;

      CREATE INDEX asset_by_mime_type ON asset (mime_type, taken_at_ms, id) WHERE binned_at_ms IS NULL;
      CREATE INDEX asset_by_source ON asset (source, taken_at_ms, id) WHERE binned_at_ms IS NULL;
      CREATE INDEX asset_by_moderation ON asset (moderation, taken_at_ms, id)
        WHERE moderation IS NOT NULL AND binned_at_ms IS NULL;
      CREATE INDEX asset_damaged ON asset (taken_at_ms, id) WHERE damage IS NOT NULL AND binned_at_ms IS NULL;

      -- The indexes for text and for places know an asset by a number.
      CREATE TABLE asset_number (
        number INTEGER PRIMARY KEY,
        asset_id TEXT NOT NULL UNIQUE
      ) STRICT;
      -- Every three characters in a row. Two more end each name, so that its last ones begin such a triple, too.
      CREATE VIRTUAL TABLE asset_name USING fts5 (
        name, tokenize = 'trigram', detail = none, content = '', contentless_delete = 1
      );
      -- Else an insert now and then pays for a big merge. What merges remain are small, but for one in 65,000.
      INSERT INTO asset_name (asset_name, rank) VALUES ('automerge', 0);
      CREATE VIRTUAL TABLE asset_name_term USING fts5vocab (asset_name, 'row');
      CREATE VIRTUAL TABLE asset_place USING rtree (number, south, north, west, east);

      INSERT INTO asset_number (asset_id) SELECT id FROM asset ORDER BY id;
      INSERT INTO asset_name (rowid, name)
        SELECT number, name || char(1, 1) FROM asset_number JOIN asset ON id = asset_id;
      INSERT INTO asset_place
        SELECT number, latitude, latitude, longitude, longitude FROM asset_number JOIN asset ON id = asset_id
        WHERE latitude IS NOT NULL AND longitude IS NOT NULL;

      CREATE TRIGGER asset_is_indexed AFTER INSERT ON asset BEGIN
        INSERT INTO asset_number (asset_id) VALUES (new.id);
        INSERT INTO asset_name (rowid, name)
          SELECT number, new.name || char(1, 1) FROM asset_number WHERE asset_id = new.id;
        INSERT INTO asset_place
          SELECT number, new.latitude, new.latitude, new.longitude, new.longitude FROM asset_number
          WHERE asset_id = new.id AND new.latitude IS NOT NULL AND new.longitude IS NOT NULL;
      END;
      CREATE TRIGGER asset_name_changes AFTER UPDATE OF name ON asset WHEN new.name <> old.name BEGIN
        UPDATE asset_name SET name = new.name || char(1, 1)
          WHERE rowid = (SELECT number FROM asset_number WHERE asset_id = new.id);
      END;
      CREATE TRIGGER asset_place_changes AFTER UPDATE OF latitude, longitude ON asset
      WHEN new.latitude IS NOT old.latitude OR new.longitude IS NOT old.longitude BEGIN
        DELETE FROM asset_place WHERE number = (SELECT number FROM asset_number WHERE asset_id = new.id);
        INSERT INTO asset_place
          SELECT number, new.latitude, new.latitude, new.longitude, new.longitude FROM asset_number
          WHERE asset_id = new.id AND new.latitude IS NOT NULL AND new.longitude IS NOT NULL;
      END;
      CREATE TRIGGER asset_leaves_indexes AFTER DELETE ON asset BEGIN
        DELETE FROM asset_name WHERE rowid = (SELECT number FROM asset_number WHERE asset_id = old.id);
        DELETE FROM asset_place WHERE number = (SELECT number FROM asset_number WHERE asset_id = old.id);
        DELETE FROM asset_number WHERE asset_id = old.id;
      END;
    `)
  }
}

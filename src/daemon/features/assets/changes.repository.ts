import type { Verdict } from '../../../shared/api/asset-changes.ts'
import type { AssetSummary } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'

/** What people and applications said about an asset. */
export interface AssetNotes {
  name: string
  /** Ascending. */
  tags: string[]
  metadata: Record<string, unknown>
  moderation: AssetSummary['moderation']
  moderationLabels: string[]
  moderationNote: string | null
  moderatedAtMs: number | null
  revision: number
}

interface NotesRow {
  name: string
  moderation: AssetSummary['moderation']
  revision: number | null
  metadata_json: string | null
  moderation_labels_json: string | null
  moderation_note: string | null
  moderated_at_ms: number | null
}

/** Names, tags, judgements and metadata of assets. Call what writes inside a transaction that ends with `countChange`. */
export class ChangesRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  find(assetId: string): AssetNotes | undefined {
    const row = this.#db
      .prepare<unknown[], NotesRow>(
        `SELECT name, moderation, revision, metadata_json, moderation_labels_json, moderation_note, moderated_at_ms
         FROM asset LEFT JOIN asset_note ON asset_id = id WHERE id = ?`
      )
      .get(assetId)
    if (!row) return undefined
    return {
      name: row.name,
      tags: this.#db
        .prepare<unknown[], { tag: string }>('SELECT tag FROM asset_tag WHERE asset_id = ? ORDER BY tag')
        .all(assetId)
        .map(({ tag }) => tag),
      metadata: JSON.parse(row.metadata_json ?? '{}') as Record<string, unknown>,
      moderation: row.moderation,
      moderationLabels: JSON.parse(row.moderation_labels_json ?? '[]') as string[],
      moderationNote: row.moderation_note,
      moderatedAtMs: row.moderated_at_ms,
      revision: row.revision ?? 0
    }
  }

  rename(assetId: string, name: string): void {
    this.#db.prepare('UPDATE asset SET name = ? WHERE id = ?').run(name, assetId)
  }

  addTag(assetId: string, tag: string): void {
    this.#db
      .prepare(
        `INSERT INTO asset_tag (asset_id, tag, taken_at_ms, workspace_id)
         SELECT id, ?, taken_at_ms, workspace_id FROM asset WHERE id = ?`
      )
      .run(tag, assetId)
  }

  removeTag(assetId: string, tag: string): void {
    this.#db.prepare('DELETE FROM asset_tag WHERE asset_id = ? AND tag = ?').run(assetId, tag)
  }

  judge(assetId: string, { status, labels, note }: Verdict, nowMs: number): void {
    this.#db.prepare('UPDATE asset SET moderation = ? WHERE id = ?').run(status, assetId)
    this.#db
      .prepare(
        `INSERT INTO asset_note (asset_id, moderation_labels_json, moderation_note, moderated_at_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (asset_id) DO UPDATE SET moderation_labels_json = excluded.moderation_labels_json,
           moderation_note = excluded.moderation_note, moderated_at_ms = excluded.moderated_at_ms`
      )
      .run(assetId, JSON.stringify(labels), note, nowMs)
  }

  setMetadata(assetId: string, metadataJson: string): void {
    this.#db
      .prepare(
        `INSERT INTO asset_note (asset_id, metadata_json) VALUES (?, ?)
         ON CONFLICT (asset_id) DO UPDATE SET metadata_json = excluded.metadata_json`
      )
      .run(assetId, metadataJson)
  }

  countChange(assetId: string, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO asset_note (asset_id, revision) VALUES (?, 1)
         ON CONFLICT (asset_id) DO UPDATE SET revision = revision + 1`
      )
      .run(assetId)
    this.#db.prepare('UPDATE asset SET updated_at_ms = ? WHERE id = ?').run(nowMs, assetId)
  }
}

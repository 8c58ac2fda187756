import type { Clip } from '../../../shared/api/recordings.ts'
import type { Database } from '../../db/database.ts'
import { isoFromUs } from './instants.ts'
import { cutClipJob } from './recordings.jobs.ts'

/** A part of a recording, or a picture of it, that becomes an asset. */
export interface ClipRow {
  id: string
  sourceId: string
  workspaceId: string
  kind: Clip['kind']
  name: string
  startUs: number
  /** Of a picture, its start. */
  endUs: number
  state: Clip['state']
  problem: string | null
  assetId: string | null
  /** Hex. */
  sha256: string | null
}

/** Where the bytes of an asset come from. */
export interface Provenance {
  source_id: string
  source_name: string
  path: string
  start: string
  end: string
  /** What of that time was recorded and can be read: nothing else is in it. Durations are seconds. */
  covered: { start: string; duration: number }[]
  /** `exact`: it begins with the picture of that time; `key_frame`: with the last one before it that needs no other. */
  begins: 'exact' | 'key_frame'
}

type NewClip = Pick<ClipRow, 'id' | 'sourceId' | 'workspaceId' | 'kind' | 'name' | 'startUs' | 'endUs'>

const COLUMNS = `id, source_id AS sourceId, workspace_id AS workspaceId, kind, name, start_us AS startUs, end_us AS endUs, state, problem,
  asset_id AS assetId, nullif(lower(hex(sha256)), '') AS sha256`

/** Clips and pictures of recordings. */
export class ClipsRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  insert(clip: NewClip): void {
    this.#db
      .prepare(
        `INSERT INTO clip (id, source_id, workspace_id, kind, name, start_us, end_us, state)
         VALUES (:id, :sourceId, :workspaceId, :kind, :name, :startUs, :endUs, 'waiting')`
      )
      .run(clip)
  }

  setReady(id: string, assetId: string, sha256: string, provenance: Provenance): void {
    this.#db
      .prepare(
        `UPDATE clip SET state = 'ready', problem = NULL, asset_id = ?, sha256 = ?, provenance_json = ? WHERE id = ?`
      )
      .run(assetId, Buffer.from(sha256, 'hex'), JSON.stringify(provenance), id)
  }

  setWaiting(id: string): void {
    this.#db.prepare(`UPDATE clip SET state = 'waiting', problem = NULL WHERE id = ?`).run(id)
  }

  setFailed(id: string, problem: string): void {
    this.#db.prepare(`UPDATE clip SET state = 'failed', problem = ? WHERE id = ?`).run(problem, id)
  }

  find(id: string): ClipRow | undefined {
    return this.#db.prepare<unknown[], ClipRow>(`SELECT ${COLUMNS} FROM clip WHERE id = ?`).get(id)
  }

  /** Newest first; `cursor` is the last id of the page before. */
  list(sourceId: string, query: { cursor?: string | undefined; limit: number }): ClipRow[] {
    return this.#db
      .prepare<unknown[], ClipRow>(
        `SELECT ${COLUMNS} FROM clip WHERE source_id = :sourceId AND (:cursor IS NULL OR id < :cursor)
         ORDER BY id DESC LIMIT :limit`
      )
      .all({ sourceId, cursor: query.cursor ?? null, limit: query.limit })
  }

  /** Those that wait although nobody works on them: their job was cancelled or given up. */
  listAbandoned(): ClipRow[] {
    return this.#db
      .prepare<unknown[], ClipRow>(
        `SELECT ${COLUMNS} FROM clip WHERE state = 'waiting' AND NOT EXISTS (
           SELECT 1 FROM job WHERE name = ? AND dedupe_key = clip.id AND state IN ('queued', 'running'))`
      )
      .all(cutClipJob.name)
  }
}

/** A clip as the API shows it. */
export function clipView(clip: ClipRow): Clip {
  const { id, sourceId, kind, startUs, endUs, state, problem, assetId, sha256 } = clip
  return {
    id,
    source_id: sourceId,
    kind,
    start: isoFromUs(startUs),
    end: isoFromUs(endUs),
    state,
    problem,
    asset_id: assetId,
    sha256
  }
}

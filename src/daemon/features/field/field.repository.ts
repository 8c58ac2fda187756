import type { MediaProblem } from '../../../shared/api/assets.ts'
import type { Flight, laneFileStates } from '../../../shared/api/field.ts'
import { isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'

export type LaneFileState = (typeof laneFileStates)[number]

export interface LaneError {
  atMs: number
  code: string
  name: string | null
}

export interface ControllerRecord {
  id: string
  /** Whose token, from which device or address. */
  clientKey: string
  name: string
  remoteAddress: string
  firstSeenAtMs: number
  lastSeenAtMs: number
  lastError: LaneError | null
}

export interface ControllerFileRecord {
  controllerId: string
  day: string
  fileKey: string
  name: string
  state: LaneFileState
  sizeBytes: number | null
  assetId: string | null
  error: string | null
  /** What the catalogue says of the asset; never written down with the file. */
  damage: MediaProblem | null
  updatedAtMs: number
}

const SHOWN_FLIGHTS = 50

/** What the tether board remembers over a restart. */
export class FieldRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  listControllers(): ControllerRecord[] {
    return this.#db
      .prepare<unknown[], ControllerRow>('SELECT * FROM controller ORDER BY first_seen_at_ms, id')
      .all()
      .map((row) => ({
        id: row.id,
        clientKey: row.client_key,
        name: row.name,
        remoteAddress: row.remote_address,
        firstSeenAtMs: row.first_seen_at_ms,
        lastSeenAtMs: row.last_seen_at_ms,
        lastError:
          row.last_error_code === null || row.last_error_at_ms === null
            ? null
            : { code: row.last_error_code, name: row.last_error_name, atMs: row.last_error_at_ms }
      }))
  }

  listFiles(day: string): ControllerFileRecord[] {
    return this.#db
      .prepare<unknown[], ControllerFileRecord>(
        `SELECT controller_id AS controllerId, day, file_key AS fileKey, file.name, file.state, file.size_bytes AS sizeBytes,
                asset_id AS assetId, error, asset.damage, file.updated_at_ms AS updatedAtMs
         FROM controller_file AS file LEFT JOIN asset ON asset.id = asset_id WHERE day = ? ORDER BY file.updated_at_ms`
      )
      .all(day)
  }

  /** The damage of those of the given assets that have any. */
  listDamage(assetIds: readonly string[]): Map<string, MediaProblem> {
    const rows = this.#db
      .prepare<unknown[], { id: string; damage: MediaProblem }>(
        'SELECT id, damage FROM asset WHERE damage IS NOT NULL AND id IN (SELECT value FROM json_each(?))'
      )
      .all(JSON.stringify(assetIds))
    return new Map(rows.map(({ id, damage }) => [id, damage]))
  }

  /** Writes what changed, in one transaction. */
  save(controllers: readonly ControllerRecord[], files: readonly ControllerFileRecord[]): void {
    this.#db.transaction(() => {
      for (const controller of controllers) this.saveController(controller)
      const save = this.#db.prepare(
        `INSERT INTO controller_file (controller_id, day, file_key, name, state, size_bytes, asset_id, error, updated_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET name = excluded.name, state = excluded.state, size_bytes = excluded.size_bytes,
           asset_id = excluded.asset_id, error = excluded.error, updated_at_ms = excluded.updated_at_ms`
      )
      for (const file of files)
        save.run(
          file.controllerId,
          file.day,
          file.fileKey,
          file.name,
          file.state,
          file.sizeBytes,
          file.assetId,
          file.error,
          file.updatedAtMs
        )
    })
  }

  saveController(controller: ControllerRecord): void {
    this.#db
      .prepare(
        `INSERT INTO controller (id, client_key, name, remote_address, first_seen_at_ms, last_seen_at_ms, last_error_code,
                                 last_error_name, last_error_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, remote_address = excluded.remote_address,
           last_seen_at_ms = excluded.last_seen_at_ms, last_error_code = excluded.last_error_code,
           last_error_name = excluded.last_error_name, last_error_at_ms = excluded.last_error_at_ms`
      )
      .run(
        controller.id,
        controller.clientKey,
        controller.name,
        controller.remoteAddress,
        controller.firstSeenAtMs,
        controller.lastSeenAtMs,
        controller.lastError?.code ?? null,
        controller.lastError?.name ?? null,
        controller.lastError?.atMs ?? null
      )
  }

  /** Drops what was remembered of days before `day`. */
  dropFilesBefore(day: string): void {
    this.#db.prepare('DELETE FROM controller_file WHERE day < ?').run(day)
  }

  listFlights(): Flight[] {
    return this.#db
      .prepare<unknown[], FlightRow>(
        `SELECT id, workspace_id, name, expected_count, uploaded_count, updated_at_ms
         FROM flight ORDER BY updated_at_ms DESC, id DESC LIMIT ?`
      )
      .all(SHOWN_FLIGHTS)
      .map((row) => ({
        id: row.id,
        workspaceId: row.workspace_id,
        name: row.name,
        expectedCount: row.expected_count,
        uploadedCount: row.uploaded_count,
        complete: row.expected_count !== null && row.expected_count > 0 && row.uploaded_count >= row.expected_count,
        updatedAt: isoFromMs(row.updated_at_ms)
      }))
  }
}

interface ControllerRow {
  id: string
  client_key: string
  name: string
  remote_address: string
  first_seen_at_ms: number
  last_seen_at_ms: number
  last_error_code: string | null
  last_error_name: string | null
  last_error_at_ms: number | null
}

interface FlightRow {
  id: string
  workspace_id: string
  name: string
  expected_count: number | null
  uploaded_count: number
  updated_at_ms: number
}

import type { DamagedAsset } from '../../../shared/api/storage.ts'
import { isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'

/** A flight as far as its files are here. */
export interface FlightSize {
  /** When something of it arrived last. */
  updatedAtMs: number
  /** How many files the controller said there are; null: it did not. */
  expectedCount: number | null
  files: number
  bytes: number
}

/** What is in a store that is not connected. */
export interface AssetsElsewhere {
  name: string
  endpoint: string | null
  bucket: string | null
  assetTotal: number
  assetBytes: number
}

/** What the catalogue knows about the store. */
export class StorageRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** All assets, also those in the bin. */
  kept(): { assetTotal: number; assetBytes: number } {
    return this.#db
      .prepare<[], { assetTotal: number; assetBytes: number }>(
        'SELECT coalesce(sum(asset_count), 0) AS assetTotal, coalesce(sum(used_bytes), 0) AS assetBytes FROM workspace'
      )
      .get()!
  }

  /** Those of the `limit` latest flights that have files here. */
  listFlightSizes(limit: number): FlightSize[] {
    return this.#db
      .prepare<[number], FlightSize>(
        `SELECT latest.updated_at_ms AS updatedAtMs, expected_count AS expectedCount, count(*) AS files,
                sum(size_bytes) AS bytes
         FROM (SELECT * FROM flight ORDER BY updated_at_ms DESC, id DESC LIMIT ?) AS latest
         JOIN asset ON flight_id = latest.id AND binned_at_ms IS NULL
         GROUP BY latest.id`
      )
      .all(limit)
  }

  /** Assets outside the bin that lost their bytes. */
  countDamaged(): number {
    return this.#db
      .prepare<[], number>(
        `SELECT count(*) FROM asset WHERE damage IS NOT NULL AND binned_at_ms IS NULL AND damage IN ${LOST}`
      )
      .pluck()
      .get()!
  }

  /** The same one by one, by time of the picture, after the one named. */
  listDamaged(after: { takenAtMs: number; id: string }, limit: number): (DamagedAsset & { takenAtMs: number })[] {
    return this.#db
      .prepare<[number, string, number], DamagedRow>(
        `SELECT asset.id, asset.workspace_id, asset.name, size_bytes, taken_at_ms, damage, flight.name AS flight_name,
                device.name AS device_name, EXISTS (SELECT 1 FROM pilot_file WHERE asset_id = asset.id) AS is_controllers
         FROM asset LEFT JOIN flight ON flight.id = flight_id LEFT JOIN device ON device.id = device_id
         WHERE damage IS NOT NULL AND binned_at_ms IS NULL AND damage IN ${LOST} AND (taken_at_ms, asset.id) > (?, ?)
         ORDER BY taken_at_ms, asset.id LIMIT ?`
      )
      .all(after.takenAtMs, after.id, limit)
      .map((row) => ({
        id: row.id,
        workspaceId: row.workspace_id,
        name: row.name,
        sizeBytes: row.size_bytes,
        takenAtMs: row.taken_at_ms,
        takenAt: isoFromMs(row.taken_at_ms),
        damage: row.damage,
        flightName: row.flight_name,
        deviceName: row.device_name,
        remedy: row.is_controllers === 1 ? 'send_again' : 'upload_again'
      }))
  }

  /** How many of these keys are neither where an asset's bytes are nor where a controller put them. */
  countForeign(keys: readonly string[]): number {
    return this.#db
      .prepare<[string], number>(
        `SELECT count(*) FROM json_each(?) AS wanted
         WHERE NOT EXISTS (SELECT 1 FROM blob WHERE store = 'local' AND key = wanted.value)
           AND NOT EXISTS (SELECT 1 FROM workspace JOIN pilot_object ON workspace_id = workspace.id
                           WHERE object_key = wanted.value)`
      )
      .pluck()
      .get(JSON.stringify(keys))!
  }

  /** The stores that hold assets, other than the connected one (`storeKind`); the embedded one has no `endpoint`. */
  listNotConnected(storeKind: string): AssetsElsewhere[] {
    return this.#db
      .prepare<[string], AssetsElsewhere>(
        `SELECT object_store.name, endpoint, bucket, count(*) AS assetTotal, sum(asset.size_bytes) AS assetBytes
         FROM object_store JOIN blob ON blob.store = object_store.name
         JOIN asset ON asset.blob_id = blob.id
         WHERE object_store.name <> ? GROUP BY object_store.name ORDER BY assetTotal DESC`
      )
      .all(storeKind)
  }

  controllerName(controllerId: string): string | undefined {
    return this.#db.prepare<[string], string>('SELECT name FROM controller WHERE id = ?').pluck().get(controllerId)
  }
}

const LOST = `('bytes_missing', 'bytes_changed')`

interface DamagedRow {
  id: string
  workspace_id: string
  name: string
  size_bytes: number
  taken_at_ms: number
  damage: DamagedAsset['damage']
  flight_name: string | null
  device_name: string | null
  is_controllers: number
}

import type { Database } from '../../db/database.ts'
import type { PerceptualHash } from '../../media/perceptual-hash.ts'

export interface NumberedHash extends PerceptualHash {
  number: number
}

export class HashesRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  exists(assetId: string): boolean {
    return this.#db.prepare('SELECT 1 FROM asset WHERE id = ?').get(assetId) !== undefined
  }

  find(assetId: string): PerceptualHash | undefined {
    return this.#db
      .prepare<unknown[], PerceptualHash>('SELECT high, low FROM perceptual_hash WHERE asset_id = ?')
      .get(assetId)
  }

  /** Replaces what was known; a changed one gets a new number. */
  put(assetId: string, hash: PerceptualHash): void {
    const { high, low } = this.find(assetId) ?? {}
    if (high === hash.high && low === hash.low) return
    this.delete(assetId)
    this.#db
      .prepare('INSERT INTO perceptual_hash (asset_id, high, low) VALUES (?, ?, ?)')
      .run(assetId, hash.high, hash.low)
  }

  delete(assetId: string): void {
    this.#db.prepare('DELETE FROM perceptual_hash WHERE asset_id = ?').run(assetId)
  }

  /** In order of their numbers. */
  listAfter(number: number, limit: number): NumberedHash[] {
    return this.#db
      .prepare<unknown[], NumberedHash>(
        'SELECT number, high, low FROM perceptual_hash WHERE number > ? ORDER BY number LIMIT ?'
      )
      .all(number, limit)
  }

  /** Whose hash it is, unless that is gone or its asset is in the bin. */
  findAsset(number: number): { assetId: string; workspaceId: string } | undefined {
    return this.#db
      .prepare<unknown[], { assetId: string; workspaceId: string }>(
        `SELECT asset.id AS assetId, workspace_id AS workspaceId FROM perceptual_hash JOIN asset ON asset.id = asset_id
         WHERE number = ? AND binned_at_ms IS NULL`
      )
      .get(number)
  }
}

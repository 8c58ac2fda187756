import type { QuarantineEntry } from '../../../shared/api/delivery.ts'
import { currentActor } from '../../audit/acting.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { DeliveredAsset } from './delivery.repository.ts'
import type { QuarantineRepository } from './quarantine.repository.ts'

export interface QuarantineServiceDeps {
  db: Database
  store: ObjectStore
  repository: QuarantineRepository
  findAsset: (assetId: string) => DeliveredAsset | undefined
  outbox: Outbox
  audit: AuditLog
  clock: Clock
}

/** Bytes that nobody may read, by their digest: a flag over whatever state their assets are in. */
export class QuarantineService {
  readonly #deps: QuarantineServiceDeps

  constructor(deps: QuarantineServiceDeps) {
    this.#deps = deps
  }

  /** The digest (hex) of an asset's bytes, computed if it is not known yet. Throws `asset_not_found`, `ObjectStoreError`. */
  async digestOf(assetId: string): Promise<string> {
    const asset = this.#deps.findAsset(assetId)
    if (!asset) throw new AppError('asset_not_found', { assetId })
    return asset.sha256 ?? this.#deps.store.sha256Of(asset.key)
  }

  /** From now on nobody can read these bytes. Again changes the reason. */
  add(sha256: string, reason: string): QuarantineEntry {
    const { db, repository, outbox, audit, clock } = this.#deps
    return db.transaction(() => {
      const isNew = repository.find(sha256) === undefined
      repository.put(sha256, reason, currentActor().id, clock.nowMs())
      audit.record('bytes.quarantined', sha256, { reason })
      if (isNew)
        for (const assetId of repository.listAssetIds(sha256))
          outbox.append('asset.quarantined', assetId, { sha256, reason })
      return repository.find(sha256)!
    })
  }

  /** Takes that back. Throws `quarantine_not_found`. */
  release(sha256: string): void {
    const { db, repository, outbox, audit } = this.#deps
    db.transaction(() => {
      if (!repository.delete(sha256)) throw new AppError('quarantine_not_found', { sha256 })
      audit.record('bytes.released', sha256)
      for (const assetId of repository.listAssetIds(sha256)) outbox.append('asset.released', assetId, { sha256 })
    })
  }

  /** Throws `blob_quarantined`. */
  assertDigest(sha256: string): void {
    if (this.#deps.repository.has(sha256)) throw new AppError('blob_quarantined', { sha256 })
  }

  /**
   * Throws `blob_quarantined`. Where the digest is not known yet and something is quarantined, it is computed first. Raises
   * `ObjectStoreError`.
   */
  async assertReadable(asset: DeliveredAsset): Promise<void> {
    if (asset.isQuarantined) throw new AppError('blob_quarantined', { assetId: asset.id })
    if (asset.sha256 === null && this.#deps.repository.isAny())
      this.assertDigest(await this.#deps.store.sha256Of(asset.key))
  }
}

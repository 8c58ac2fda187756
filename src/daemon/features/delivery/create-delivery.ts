import type { Request } from 'express'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Clock } from '../../clock.ts'
import type { DeliveryConfig } from '../../config/settings/delivery.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { Feature } from '../../feature.ts'
import type { Caller } from '../../http/bind-endpoint.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { AssetPolicies } from './asset-policies.ts'
import { DeliveryRepository } from './delivery.repository.ts'
import { bindDelivery } from './delivery.routes.ts'
import { DeliveryGate } from './delivery-gate.ts'
import { FileUrls, type FileUrlsDeps, type SignedUrl } from './file-urls.ts'
import { LinkSigner } from './link-signer.ts'
import { QuarantineRepository } from './quarantine.repository.ts'
import { QuarantineService } from './quarantine.service.ts'

export interface DeliveryDeps extends Pick<FileUrlsDeps, 'findThumbnail'> {
  db: Database
  store: ObjectStore
  outbox: Outbox
  audit: AuditLog
  clock: Clock
  config: DeliveryConfig
  /** Who calls; throws `unauthenticated`. */
  authenticate: (request: Request) => Caller | Promise<Caller>
}

/** Handing out bytes: who may have them, by which address, and how browsers and CDNs are to treat them. */
export interface DeliveryFeature extends Feature {
  /** What every other route that hands out bytes of assets asks first. */
  gate: DeliveryGate
  /** Throws `blob_quarantined` for the digest (hex) of bytes that nobody may read. */
  assertDigest(sha256: string): void
  /**
   * An address that opens the original without a token for so long; `ownUrl` as in `FileUrlRequest`. Throws `asset_not_found`,
   * `ObjectStoreError`.
   */
  signUrl(assetId: string, expiresInSeconds: number, ownUrl: string): Promise<SignedUrl>
  /** From now on nobody can read the bytes of this asset. Throws `asset_not_found`, `ObjectStoreError`. */
  quarantineAsset(assetId: string, reason: string): Promise<void>
}

export function createDelivery(deps: DeliveryDeps): DeliveryFeature {
  const repository = new DeliveryRepository(deps.db)
  const signer = new LinkSigner(deps)
  const quarantined = new QuarantineRepository(deps.db)
  const quarantine = new QuarantineService({
    ...deps,
    repository: quarantined,
    findAsset: (assetId) => repository.find(assetId)
  })
  const gate = new DeliveryGate({ ...deps, repository, signer, quarantine, refererRule: deps.config.refererRule })
  const urls = new FileUrls({ ...deps, signer })
  const policies = new AssetPolicies({ ...deps, repository })
  return {
    gate,
    assertDigest: (sha256) => quarantine.assertDigest(sha256),
    signUrl: async (assetId, expiresInSeconds, ownUrl) => {
      const asset = repository.find(assetId)
      if (!asset) throw new AppError('asset_not_found', { assetId })
      return urls.sign(asset, { thumbnailPx: null, download: false, expiresInSeconds, ownUrl })
    },
    quarantineAsset: async (assetId, reason) => void quarantine.add(await quarantine.digestOf(assetId), reason),
    bind: (binder) => bindDelivery(binder, { ...deps, gate, policies, urls, signer, quarantine, quarantined }),
    upkeep: [{ name: 'old link keys', run: () => signer.forgetOldKeys() }]
  }
}

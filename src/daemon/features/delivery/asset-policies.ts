import type { AccessPolicy } from '../../../shared/api/assets.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { Caller } from '../../http/bind-endpoint.ts'
import type { DeliveryRepository } from './delivery.repository.ts'
import { assertReadable } from './delivery-gate.ts'

export interface Policy {
  access: AccessPolicy
  /** Null for the default. */
  cacheSeconds: number | null
}

export interface AssetPoliciesDeps {
  db: Database
  repository: DeliveryRepository
  outbox: Outbox
  audit: AuditLog
  clock: Clock
}

/** Who may read which asset. */
export class AssetPolicies {
  readonly #deps: AssetPoliciesDeps

  constructor(deps: AssetPoliciesDeps) {
    this.#deps = deps
  }

  /** Only who may read an asset may open it to others. Throws `asset_not_found`, `forbidden`. */
  set(assetId: string, policy: Policy, caller: Caller): Policy {
    const { db, repository, outbox, audit, clock } = this.#deps
    return db.transaction(() => {
      const { access, cacheSeconds, workspaceId, name } = assertReadable(assetId, repository.find(assetId), caller)
      if (access === policy.access && cacheSeconds === policy.cacheSeconds) return policy
      repository.setAccess(assetId, policy.access, policy.cacheSeconds, clock.nowMs())
      outbox.append('asset.updated', assetId, { ...policy })
      if (access !== policy.access)
        audit.record('asset.access_changed', assetId, { workspaceId, name, from: access, to: policy.access })
      return policy
    })
  }
}

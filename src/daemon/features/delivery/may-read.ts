import type { AccessPolicy } from '../../../shared/api/assets.ts'
import type { Caller } from '../../http/bind-endpoint.ts'

/** What decides who may read an asset. */
export interface Readable {
  access: AccessPolicy
  workspaceId: string
  /** Who stored it, see `AuditActor`. */
  ownerId: string | null
}

/** Whether this caller may read the bytes of an asset, and hand out links to them: the one rule for originals and renditions. */
export function mayRead(asset: Readable, caller: Caller): boolean {
  switch (asset.access) {
    case 'public':
    case 'workspace':
      return true
    case 'signed':
      return caller.role !== 'viewer'
    case 'private':
      return caller.role === 'admin' || caller.actorId === asset.ownerId
  }
}

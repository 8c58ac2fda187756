import type { StoreTrouble } from '../../shared/api/system.ts'
import { StorageError, type StorageErrorCode } from '../embedded-store/engine/storage-engine.ts'
import { messageOf } from '../errors.ts'
import { ObjectStoreError, type ObjectStoreErrorCode, type StoreHealth } from './object-store.ts'
import { isMissingBucket } from './s3-errors.ts'

/** What trying out the store gave. */
export type StoreLook = { health: StoreHealth } | { error: unknown }

const OF_FOLDER: Partial<Record<StorageErrorCode, StoreTrouble>> = { ReadOnly: 'read_only', StoreOffline: 'unplugged' }
const OF_STORE: Partial<Record<ObjectStoreErrorCode, StoreTrouble>> = {
  AccessDenied: 'refused',
  CredentialsExpired: 'refused',
  ClockSkew: 'clock_refused',
  StorageFull: 'full',
  Unreachable: 'unreachable',
  OtherStore: 'other_store',
  Throttled: 'unreachable'
}

/** Why nothing can be stored, with what was said about it; null: it can. */
export function troubleIn(look: StoreLook): { trouble: StoreTrouble; reported: string | null } | null {
  if ('error' in look) return { trouble: troubleOf(look.error), reported: messageOf(look.error) }
  const { writable, availableBytes } = look.health
  if (writable) return null
  return { trouble: availableBytes !== null && availableBytes > 0 ? 'read_only' : 'full', reported: null }
}

function troubleOf(error: unknown): StoreTrouble {
  if (!(error instanceof ObjectStoreError)) return 'broken'
  if (isMissingBucket(error.cause)) return 'no_bucket'
  const ofFolder = error.cause instanceof StorageError ? OF_FOLDER[error.cause.code] : undefined
  return ofFolder ?? OF_STORE[error.code] ?? 'broken'
}

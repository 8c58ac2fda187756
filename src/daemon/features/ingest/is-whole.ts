import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'

/** A version of an object. */
interface Version {
  key: string
  etag: string
  /** The store that has it, where that may be another one. */
  store?: string
}

/**
 * Whether this version of an object is there, in this store, with all its bytes. Damage is a certain no; an outage raises
 * `ObjectStoreError`.
 */
export async function isWhole(store: ObjectStore, version: Version): Promise<boolean> {
  if (version.store !== undefined && version.store !== store.kind) return false
  return (await findLoss(store, version)) === null
}

/** What happened to this version of an object: null while it is whole. An outage raises `ObjectStoreError`. */
export async function findLoss(
  store: ObjectStore,
  { key, etag }: Version
): Promise<'bytes_missing' | 'bytes_changed' | null> {
  try {
    const stat = await store.head(key)
    if (!stat) return 'bytes_missing'
    return stat.etag === etag ? null : 'bytes_changed'
  } catch (error) {
    if (isDamaged(error)) return 'bytes_missing'
    throw error
  }
}

/** Raises `OtherStore` when the bytes are in a store that is not connected: nothing can be said about them then. */
export function assertHere(store: ObjectStore, blob: { key: string; store: string }): void {
  if (blob.store !== store.kind)
    throw new ObjectStoreError('OtherStore', `${blob.key} is in a store that is not connected now.`)
}

/** The store has the object but not its bytes: it answers, and trying again cannot help. */
export function isDamaged(error: unknown): boolean {
  return error instanceof ObjectStoreError && error.code === 'Damaged'
}

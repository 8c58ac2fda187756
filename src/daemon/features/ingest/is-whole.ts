import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'

/** Whether this version of an object is there with all its bytes. Damage is a certain no; an outage raises `ObjectStoreError`. */
export async function isWhole(store: ObjectStore, { key, etag }: { key: string; etag: string }): Promise<boolean> {
  try {
    return (await store.head(key))?.etag === etag
  } catch (error) {
    if (isDamaged(error)) return false
    throw error
  }
}

/** The store has the object but not its bytes: it answers, and trying again cannot help. */
export function isDamaged(error: unknown): boolean {
  return error instanceof ObjectStoreError && error.code === 'Damaged'
}

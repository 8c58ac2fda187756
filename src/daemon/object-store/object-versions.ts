import { type ObjectStore, ObjectStoreError } from './object-store.ts'

/** Removes this version of an object; another one stays. Raises `ObjectStoreError`. */
export async function removeVersion(store: ObjectStore, key: string, etag: string): Promise<void> {
  // Not every store honours the condition, so look first.
  if ((await store.head(key))?.etag !== etag) return
  await unlessReplaced(() => store.delete(key, { ifMatch: etag }))
}

/** Null when the object is no longer the version that was meant: then there is nothing to do for it. */
export async function unlessReplaced<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ObjectStoreError && (error.code === 'PreconditionFailed' || error.code === 'NotFound'))
      return null
    throw error
  }
}

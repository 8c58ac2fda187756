import {
  type ListOptions,
  type ListResult,
  type ObjectStat,
  type ObjectStore,
  ObjectStoreError,
  type PartUploads,
  type StoreHealth
} from '../object-store/object-store.ts'
import type { StoreBook } from './store-book.ts'
import type { StoreIdentity } from './store-identity.ts'

/**
 * A store that says that something is absent only when it is the one that has it: everything raises `OtherStore` while the store is
 * not the one of the catalogue, and what is recorded in a store that is not connected is never told as missing here.
 */
export class IdentifiedStore implements ObjectStore {
  readonly kind: ObjectStore['kind']
  readonly bucket: string
  readonly parts: PartUploads
  readonly #store: ObjectStore
  readonly #book: StoreBook
  readonly #identity: StoreIdentity | null

  /** `identity`: of a store of others; the embedded one is known by its folder. */
  constructor(store: ObjectStore, book: StoreBook, identity: StoreIdentity | null) {
    this.kind = store.kind
    this.bucket = store.bucket
    this.#store = store
    this.#book = book
    this.#identity = identity
    const { parts } = store
    this.parts = {
      begin: (key, options) => this.#asKnown(key, () => parts.begin(key, options)),
      put: (upload, number, body, options) => this.#asKnown(upload.key, () => parts.put(upload, number, body, options)),
      complete: (upload, chosen) => this.#asKnown(upload.key, () => parts.complete(upload, chosen)),
      abort: async (upload) => {
        await this.#identity?.assertKnownNow()
        await parts.abort(upload)
      }
    }
  }

  put(...given: Parameters<ObjectStore['put']>): ReturnType<ObjectStore['put']> {
    return this.#asKnown(given[0], () => this.#store.put(...given))
  }

  uploadStream(...given: Parameters<ObjectStore['uploadStream']>): ReturnType<ObjectStore['uploadStream']> {
    return this.#asKnown(given[0], () => this.#store.uploadStream(...given))
  }

  async head(key: string): Promise<ObjectStat | null> {
    const stat = await this.#asKnown(key, () => this.#store.head(key))
    if (stat === null) await this.#assertAbsent(key)
    return stat
  }

  getStream(...given: Parameters<ObjectStore['getStream']>): ReturnType<ObjectStore['getStream']> {
    return this.#asKnown(given[0], () => this.#store.getStream(...given))
  }

  open(...given: Parameters<ObjectStore['open']>): ReturnType<ObjectStore['open']> {
    return this.#asKnown(given[0], () => this.#store.open(...given))
  }

  localPath(key: string): ReturnType<ObjectStore['localPath']> {
    return this.#asKnown(key, () => this.#store.localPath(key))
  }

  sha256Of(...given: Parameters<ObjectStore['sha256Of']>): Promise<string> {
    return this.#asKnown(given[0], () => this.#store.sha256Of(...given))
  }

  /** What is not listed is absent. */
  async list(options?: ListOptions): Promise<ListResult> {
    const result = await this.#watched(() => this.#store.list(options))
    await this.#identity?.assertKnownNow()
    return result
  }

  /** A missing key is success, so it is the right store from which it is missing. */
  async delete(...given: Parameters<ObjectStore['delete']>): Promise<void> {
    await this.#identity?.assertKnownNow()
    await this.#watched(() => this.#store.delete(...given))
  }

  async deleteMany(keys: string[]): ReturnType<ObjectStore['deleteMany']> {
    await this.#identity?.assertKnownNow()
    return this.#watched(() => this.#store.deleteMany(keys))
  }

  copy(...given: Parameters<ObjectStore['copy']>): ReturnType<ObjectStore['copy']> {
    return this.#asKnown(given[0], () => this.#store.copy(...given))
  }

  /** A link is made without asking the store, so also while that is away. */
  async presignGet(...given: Parameters<ObjectStore['presignGet']>): ReturnType<ObjectStore['presignGet']> {
    this.#identity?.assertNotOther()
    this.#assertNotElsewhere(given[0])
    return this.#store.presignGet(...given)
  }

  presignPut(...given: Parameters<ObjectStore['presignPut']>): ReturnType<ObjectStore['presignPut']> {
    return this.#store.presignPut(...given)
  }

  async issueCredentials(
    ...given: Parameters<ObjectStore['issueCredentials']>
  ): ReturnType<ObjectStore['issueCredentials']> {
    await this.#identity?.assertKnown()
    return this.#watched(() => Promise.resolve(this.#store.issueCredentials(...given)))
  }

  async health(key: string): Promise<StoreHealth> {
    await this.#identity?.assertKnownNow()
    return this.#watched(() => this.#store.health(key))
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  /** Runs `work` in the store of the catalogue. */
  async #asKnown<T>(key: string, work: () => Promise<T>): Promise<T> {
    await this.#identity?.assertKnown()
    try {
      return await this.#watched(work)
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'NotFound') await this.#assertAbsent(key)
      throw error
    }
  }

  async #watched<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof ObjectStoreError && (error.code === 'Unreachable' || error.code === 'Protocol'))
        this.#identity?.doubt()
      throw error
    }
  }

  /** Raises `OtherStore` unless what was not found is missing indeed. */
  async #assertAbsent(key: string): Promise<void> {
    this.#assertNotElsewhere(key)
    await this.#identity?.assertKnownNow()
  }

  #assertNotElsewhere(key: string): void {
    if (this.#book.isElsewhere(key, this.kind))
      throw new ObjectStoreError('OtherStore', `${key} is in a store that is not connected now.`)
  }
}

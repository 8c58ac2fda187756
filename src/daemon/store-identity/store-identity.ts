import { text } from 'node:stream/consumers'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { newId } from '../ids.ts'
import { storeIdKey } from '../object-keys.ts'
import { type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'
import type { StoreBook, StorePlace } from './store-book.ts'

/** How long the store is taken for the one that it was. */
const TRUSTED_MS = 10_000

export interface StoreIdentityDeps {
  store: Pick<ObjectStore, 'head' | 'getStream' | 'put'>
  book: StoreBook
  place: StorePlace
  log: Logger
}

/**
 * Whether a store of others is the one that the catalogue means: it holds an object with an id. Another bucket, or one that was
 * emptied, must not be asked what is missing from it.
 */
export class StoreIdentity {
  readonly #deps: StoreIdentityDeps
  readonly #root: string
  /** When the last look began that found the right store. */
  #knownMs = Number.NEGATIVE_INFINITY
  /** What the last look found wrong; null: nothing. */
  #problem: unknown = null
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(deps: StoreIdentityDeps) {
    this.#deps = deps
    this.#root = deps.place.rootPrefix === null ? '' : `${deps.place.rootPrefix}/`
  }

  /** Raises `OtherStore` when it is not that store, and what the store raises. It was looked at a moment ago at most. */
  async assertKnown(): Promise<void> {
    if (performance.now() - this.#knownMs > TRUSTED_MS) await (this.#running ?? this.#look())
  }

  /** The same, by a look that begins now. */
  async assertKnownNow(): Promise<void> {
    if (!this.#running) return this.#look()
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.#running ?? this.#look()
      })
    return this.#next
  }

  /** Raises `OtherStore` if that is what was found last; asks nobody. */
  assertNotOther(): void {
    if (this.#problem instanceof ObjectStoreError && this.#problem.code === 'OtherStore') throw this.#problem
  }

  /** It was away, so another one may come back. */
  doubt(): void {
    this.#knownMs = Number.NEGATIVE_INFINITY
  }

  #look(): Promise<void> {
    const beganMs = performance.now()
    this.#running = this.#identify()
      .then(() => {
        this.#knownMs = beganMs
        this.#problem = null
      })
      .catch((error: unknown) => {
        this.doubt()
        this.#problem = error
        throw error
      })
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  async #identify(): Promise<void> {
    const { book, place } = this.#deps
    const connected = book.connected()
    const found = await this.#readId()
    if (found !== null && found === connected?.id) return this.#keep(found)
    // An id that is not the one of the catalogue says enough; without one, or before there were any, the objects tell.
    const holds = found !== null && connected?.id ? 'no' : await this.#holds(book.sample())
    // Where the configuration names another place, another store is meant.
    const isMeant = connected !== undefined && connected.place !== null && !isDeepStrictEqual(connected.place, place)
    if (holds === 'yes' || (holds === 'nothing_to_hold' && !isMeant)) {
      const id = found ?? connected?.id ?? newId()
      try {
        if (found === null) await this.#writeId(id)
      } catch (error) {
        // It is the right one, also where nothing can be written now.
        if (holds === 'yes') return
        throw error
      }
      return this.#keep(id)
    }
    if (!isMeant) {
      book.noteRefused(place)
      throw otherStore(place)
    }
    const former = await this.#findUnidentified()
    const id = found ?? newId()
    if (found === null) await this.#writeId(id)
    book.switchTo(id, place, former)
    this.#deps.log.warn({ ...place, id }, 'another object store is connected: what is in the former one waits')
  }

  #keep(id: string): void {
    const { book, place, log } = this.#deps
    if (isDeepStrictEqual(book.connected(), { id, place })) return
    book.keep(id, place)
    log.info({ ...place, id }, 'the object store is known')
  }

  /** The former store without an id that this one is. */
  async #findUnidentified(): Promise<string | undefined> {
    const { book } = this.#deps
    for (const name of book.unidentified()) if ((await this.#holds(book.sample(name))) === 'yes') return name
    return undefined
  }

  /** Below the present prefix, or below a former one. */
  #readId(): Promise<string | null> {
    const { store, book } = this.#deps
    return readStoreId(store, [this.#root, ...book.formerRoots(this.#root)])
  }

  async #writeId(id: string): Promise<void> {
    const body = Buffer.from(`${id}\n`)
    try {
      await this.#deps.store.put(storeIdKey(this.#root), body, { contentType: 'text/plain', ifNoneMatch: '*' })
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'PreconditionFailed') throw error
      throw new ObjectStoreError('Conflict', 'Another base names this object store just now.', { cause: error })
    }
  }

  /** Whether most of these objects are there. */
  async #holds(sample: { key: string; etag: string }[]): Promise<'yes' | 'no' | 'nothing_to_hold'> {
    if (sample.length === 0) return 'nothing_to_hold'
    const stats = await Promise.all(sample.map(({ key }) => this.#deps.store.head(key)))
    const there = stats.filter((stat, index) => stat?.etag === sample[index]!.etag).length
    return there * 2 > sample.length ? 'yes' : 'no'
  }
}

/** The id of a store of others, below the first of these prefixes that has one; null: none. Raises `ObjectStoreError`. */
export async function readStoreId(
  store: Pick<ObjectStore, 'getStream'>,
  roots: readonly string[]
): Promise<string | null> {
  for (const root of roots) {
    const id = await readText(store, storeIdKey(root))
    if (id !== null) return id
  }
  return null
}

export const otherStore = ({ endpoint, bucket }: Pick<StorePlace, 'endpoint' | 'bucket'>): ObjectStoreError =>
  new ObjectStoreError(
    'OtherStore',
    `The bucket ${bucket} at ${endpoint} is not the store of this base, or it was emptied.`
  )

async function readText(store: Pick<ObjectStore, 'getStream'>, key: string): Promise<string | null> {
  try {
    return (await text((await store.getStream(key)).stream)).trim()
  } catch (error) {
    if (error instanceof ObjectStoreError) {
      if (error.code === 'NotFound') return null
      throw error
    }
    throw new ObjectStoreError('Unreachable', 'The object store stopped in the middle of an answer.', { cause: error })
  }
}

import type { ObjectStore } from './object-store.ts'

/** A store that the contract is run against. */
export type StoreUnderTest = {
  store: ObjectStore
  dispose: () => Promise<void>
  /** False when presigned URLs lead nowhere because nothing listens. */
  servesUrls: boolean
  /** False when the server has no AssumeRole. */
  issuesCredentials: boolean
  /** False when the server keeps keys as paths, so that `a//b`, or `a` beside `a/b`, cannot be. */
  keysAreData: boolean
  /** A client of the same bucket with temporary credentials, when the store has an endpoint. */
  withCredentials?: (credentials: Awaited<ReturnType<ObjectStore['issueCredentials']>>) => ObjectStore
}

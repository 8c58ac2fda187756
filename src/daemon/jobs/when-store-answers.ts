import { ObjectStoreError, type ObjectStoreErrorCode } from '../object-store/object-store.ts'
import { JobDeferred } from './define-job.ts'

const RETRY_PAUSE_MS = 30_000
/** Until somebody connects the store that is meant. */
const OTHER_STORE_PAUSE_MS = 300_000
/** The store, not the object, is what is wrong; waiting costs no attempt. */
const STORE_TROUBLE: ReadonlySet<ObjectStoreErrorCode> = new Set([
  'Unreachable',
  'OtherStore',
  'Throttled',
  'AccessDenied',
  'CredentialsExpired',
  'ClockSkew',
  'StorageFull'
])

/** Runs a job's work and defers the job while the store is away. */
export async function whenStoreAnswers(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isStoreTrouble(error)) throw error
    const pauseMs = error.code === 'OtherStore' ? OTHER_STORE_PAUSE_MS : RETRY_PAUSE_MS
    throw new JobDeferred(pauseMs, `the object store does not answer: ${error.message}`, { cause: error })
  }
}

/** Whether the store, and not the object, is what is wrong. */
export function isStoreTrouble(error: unknown): error is ObjectStoreError {
  return error instanceof ObjectStoreError && STORE_TROUBLE.has(error.code)
}

import { ObjectStoreError, type ObjectStoreErrorCode } from '../object-store/object-store.ts'
import { JobDeferred } from './define-job.ts'

const RETRY_PAUSE_MS = 30_000
/** The store, not the object, is what is wrong; waiting costs no attempt. */
const STORE_TROUBLE: ReadonlySet<ObjectStoreErrorCode> = new Set([
  'Unreachable',
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
    if (isStoreTrouble(error))
      throw new JobDeferred(RETRY_PAUSE_MS, `the object store does not answer: ${error.message}`, { cause: error })
    throw error
  }
}

/** Whether the store, and not the object, is what is wrong. */
export function isStoreTrouble(error: unknown): error is ObjectStoreError {
  return error instanceof ObjectStoreError && STORE_TROUBLE.has(error.code)
}

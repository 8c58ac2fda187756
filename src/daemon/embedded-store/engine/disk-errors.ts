import { isMissingFile } from '../../files.ts'
import { StorageError } from './storage-engine.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE'])
const REFUSED = new Set(['EROFS', 'EIO'])

/**
 * The refusal behind a failed write to disk or index: `StorageFull` when space ran out, `ReadOnly` when the disk no longer takes
 * writes, `StoreOffline` when the folder to write to is gone. Anything else is returned as it came.
 */
export function asStorageError(error: unknown): unknown {
  if (error instanceof StorageError || !(error instanceof Error) || !('code' in error)) return error
  const code = String(error.code)
  if (FULL.has(code))
    return new StorageError('StorageFull', 'The volume of the object store is full.', {}, { cause: error })
  if (REFUSED.has(code) || code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_READONLY'))
    return new StorageError(
      'ReadOnly',
      'The disk of the object store refuses writes.',
      { reason: code },
      { cause: error }
    )
  if (isMissingFile(error))
    return new StorageError('StoreOffline', 'The folder of the object store is not there.', {}, { cause: error })
  return error
}

/** Whether a write to disk or index failed because space ran out. */
export function isDiskFull(error: unknown): boolean {
  const known = asStorageError(error)
  return known instanceof StorageError && known.code === 'StorageFull'
}

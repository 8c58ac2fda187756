import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { newId } from '../ids.ts'
import type { ObjectStore } from './object-store.ts'

/**
 * Gives `work` an object as a file on this machine: the store's own when it has one, else a copy in `scratchDir` that
 * goes away afterwards. Raises the store's errors, `PreconditionFailed` when a copy would be of another version than
 * `etag`, and the signal's reason.
 */
export async function withLocalFile<T>(
  store: ObjectStore,
  object: { key: string; etag: string },
  options: { scratchDir: string; signal: AbortSignal },
  work: (filePath: string) => Promise<T>
): Promise<T> {
  options.signal.throwIfAborted()
  const local = await store.localPath(object.key)
  if (local) {
    try {
      return await work(local.path)
    } finally {
      local.release()
    }
  }
  await mkdir(options.scratchDir, { recursive: true })
  const filePath = join(options.scratchDir, newId())
  try {
    const { stream } = await store.getStream(object.key, { ifMatch: object.etag })
    await pipeline(stream, createWriteStream(filePath), { signal: options.signal })
    return await work(filePath)
  } finally {
    await rm(filePath, { force: true })
  }
}

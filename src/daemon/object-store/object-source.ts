import { buffer } from 'node:stream/consumers'
import { type ByteSource, inWindows, withFileSource } from '../media/byte-source.ts'
import type { ObjectStore } from './object-store.ts'

const WINDOW_BYTES = 256 * 1024

/**
 * Gives `work` an object to read parts of: its file when the store has one, else ranges of the object, so that little
 * crosses the network. Raises the store's errors, `PreconditionFailed` when the object is another version than `etag`.
 */
export async function withObjectSource<T>(
  store: ObjectStore,
  object: { key: string; etag: string; sizeBytes: number },
  work: (source: ByteSource) => Promise<T>
): Promise<T> {
  const local = await store.localPath(object.key)
  if (local) {
    try {
      return await withFileSource(local.path, work)
    } finally {
      local.release()
    }
  }
  const { key, etag, sizeBytes } = object
  const remote: ByteSource = {
    sizeBytes,
    async read(position, length) {
      const end = Math.min(position + length, sizeBytes) - 1
      if (end < position) return Buffer.alloc(0)
      return buffer((await store.getStream(key, { range: { start: position, end }, ifMatch: etag })).stream)
    }
  }
  return work(inWindows(remote, WINDOW_BYTES))
}

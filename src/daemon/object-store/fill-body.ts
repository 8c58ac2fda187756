import { UsedChunks } from '../chunk-memory.ts'
import type { BodyDigests, BodyWriter } from '../embedded-store/engine/storage-engine.ts'
import { ObjectStoreError } from './object-store.ts'

/** Writes and finishes a body; discards it when the source fails or the digest (hex) is another one: `ChecksumMismatch`. */
export async function fillBody(
  body: BodyWriter,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  sha256: string | undefined
): Promise<BodyDigests> {
  try {
    const used = new UsedChunks()
    for await (const chunk of chunks) {
      const pause = body.write(chunk)
      if (pause !== undefined) await pause
      used.add(chunk)
    }
    const digests = await body.finish()
    if (sha256 !== undefined && sha256 !== digests.sha256)
      throw new ObjectStoreError('ChecksumMismatch', 'The bytes have another sha256 than announced.')
    return digests
  } catch (error) {
    await body.discard()
    throw error
  }
}

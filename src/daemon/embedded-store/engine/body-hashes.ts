import { createHash } from 'node:crypto'
import { type RunningChecksum, startChecksum } from './checksums.ts'
import type { Md5Workers } from './md5-workers.ts'
import type { BodyDigests, ChecksumAlgorithm } from './storage-engine.ts'

/** The hashes of one body, fed in order. */
export type BodyHashes = {
  /** Returns a promise when the bytes must stay unchanged until it resolves. */
  update(bytes: Uint8Array): Promise<void> | undefined
  digest(): Promise<Omit<BodyDigests, 'sizeBytes'>>
  /** Gives up without a digest. */
  discard(): void
}

/**
 * Starts sha256, md5 and crc32c, and the algorithms asked for. With `workers` md5 is computed on another thread; the bytes must then
 * lie in shared memory.
 */
export async function startBodyHashes(
  requested: readonly ChecksumAlgorithm[],
  { workers, withoutMd5 = false }: { workers?: Md5Workers | undefined; withoutMd5?: boolean | undefined } = {}
): Promise<BodyHashes> {
  const sha256 = createHash('sha256')
  const others = new Map<ChecksumAlgorithm, RunningChecksum>()
  for (const algorithm of new Set<ChecksumAlgorithm>(['CRC32C', ...requested]))
    if (algorithm !== 'SHA256') others.set(algorithm, await startChecksum(algorithm))
  const md5 = withoutMd5 ? noMd5 : workers ? workers.start() : inlineMd5()
  return {
    update: (bytes) => {
      const done = md5.update(bytes)
      sha256.update(bytes)
      for (const checksum of others.values()) checksum.update(bytes)
      return done
    },
    digest: async () => {
      const sha = sha256.digest()
      const checksums: BodyDigests['checksums'] = { SHA256: sha.toString('base64') }
      for (const [algorithm, checksum] of others) checksums[algorithm] = checksum.digest().toString('base64')
      const md5Hex = await md5.digest()
      // The mark of a multipart object, whose ETag no client takes for an md5.
      const etag = md5Hex ?? `${sha.toString('hex', 0, 16)}-1`
      return { sha256: sha.toString('hex'), md5: md5Hex, etag, checksums }
    },
    discard: () => md5.discard()
  }
}

const noMd5 = { update: () => undefined, digest: async () => null, discard: () => {} }

function inlineMd5() {
  const hash = createHash('md5')
  return {
    update: (bytes: Uint8Array) => void hash.update(bytes),
    digest: async () => hash.digest('hex'),
    discard: () => {}
  }
}

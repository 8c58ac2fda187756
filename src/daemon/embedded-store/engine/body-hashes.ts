import { createHash } from 'node:crypto'
import { type RunningChecksum, startChecksum } from './checksums.ts'
import type { HashWorkers } from './hash-workers.ts'
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
 * Starts sha256, md5 and crc32c, and the algorithms asked for. With `workers` the first two are computed on another thread; the
 * bytes must then lie in shared memory.
 */
export async function startBodyHashes(
  requested: readonly ChecksumAlgorithm[],
  workers?: HashWorkers
): Promise<BodyHashes> {
  const others = new Map<ChecksumAlgorithm, RunningChecksum>()
  for (const algorithm of new Set<ChecksumAlgorithm>(['CRC32C', ...requested]))
    if (algorithm !== 'SHA256') others.set(algorithm, await startChecksum(algorithm))
  const digests = workers ? workers.start() : inlineDigests()
  return {
    update: (bytes) => {
      const done = digests.update(bytes)
      for (const checksum of others.values()) checksum.update(bytes)
      return done
    },
    digest: async () => {
      const { sha256, md5 } = await digests.digest()
      const checksums: BodyDigests['checksums'] = { SHA256: Buffer.from(sha256, 'hex').toString('base64') }
      for (const [algorithm, checksum] of others) checksums[algorithm] = checksum.digest().toString('base64')
      return { sha256, md5, checksums }
    },
    discard: () => digests.discard()
  }
}

function inlineDigests() {
  const sha256 = createHash('sha256')
  const md5 = createHash('md5')
  return {
    update: (bytes: Uint8Array) => {
      sha256.update(bytes)
      md5.update(bytes)
      return undefined
    },
    digest: async () => ({ sha256: sha256.digest('hex'), md5: md5.digest('hex') }),
    discard: () => {}
  }
}

import { createHash } from 'node:crypto'
import { type RunningChecksum, startChecksum } from './checksums.ts'
import type { HashWorkers, RunningHash, ThreadedAlgorithm } from './hash-workers.ts'
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
 * Starts sha256, md5 (unless nobody needs it) and crc32c, and the algorithms asked for. With `workers` the slowest of them is
 * computed on another thread; the bytes must then lie in shared memory.
 */
export async function startBodyHashes(
  requested: readonly ChecksumAlgorithm[],
  { workers, withoutMd5 = false }: { workers?: HashWorkers | undefined; withoutMd5?: boolean | undefined } = {}
): Promise<BodyHashes> {
  const others = new Map<ChecksumAlgorithm, RunningChecksum>()
  for (const algorithm of new Set<ChecksumAlgorithm>(['CRC32C', ...requested]))
    if (algorithm !== 'SHA256') others.set(algorithm, await startChecksum(algorithm))
  const slowest = withoutMd5 ? 'sha256' : 'md5'
  const start = (algorithm: ThreadedAlgorithm): Running =>
    workers && algorithm === slowest ? workers.start(algorithm) : inline(algorithm)
  const sha256 = start('sha256')
  const md5 = withoutMd5 ? null : start('md5')
  return {
    update: (bytes) => {
      // First what another thread does meanwhile.
      const done = (md5 ?? sha256).update(bytes)
      if (md5) sha256.update(bytes)
      for (const checksum of others.values()) checksum.update(bytes)
      return done
    },
    digest: async () => {
      const sha = Buffer.from(await sha256.digest(), 'hex')
      const checksums: BodyDigests['checksums'] = { SHA256: sha.toString('base64') }
      for (const [algorithm, checksum] of others) checksums[algorithm] = checksum.digest().toString('base64')
      const md5Hex = md5 && (await md5.digest())
      // The mark of a multipart object, whose ETag no client takes for an md5.
      const etag = md5Hex ?? `${sha.toString('hex', 0, 16)}-1`
      return { sha256: sha.toString('hex'), md5: md5Hex, etag, checksums }
    },
    discard() {
      sha256.discard()
      md5?.discard()
    }
  }
}

type Running = Omit<RunningHash, 'update'> & { update(bytes: Uint8Array): Promise<void> | undefined }

function inline(algorithm: ThreadedAlgorithm): Running {
  const hash = createHash(algorithm)
  return {
    update: (bytes) => void hash.update(bytes),
    digest: async () => hash.digest('hex'),
    discard: () => {}
  }
}

import { createHash } from 'node:crypto'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { crc32c } from '@node-rs/crc32'
import { createCRC64 } from 'hash-wasm'
import type { ChecksumAlgorithm } from './storage-engine.ts'

/** CRC-64/NVME, reflected polynomial, as the S3 checksum CRC64NVME uses it. */
const CRC64NVME_POLYNOMIAL = '9a6c9329ac4bc9b5'

/** A digest fed piece by piece. `digest` gives the big-endian bytes and ends it. */
export type RunningChecksum = { update(bytes: Uint8Array): void; digest(): Buffer }

/** Starts a checksum of one of the S3 algorithms. */
export async function startChecksum(algorithm: ChecksumAlgorithm): Promise<RunningChecksum> {
  switch (algorithm) {
    case 'CRC32':
      return runningCrc32((bytes, state) => zlibCrc32(bytes, state))
    case 'CRC32C':
      return runningCrc32((bytes, state) => crc32c(bytes, state))
    case 'CRC64NVME': {
      const crc = await createCRC64(CRC64NVME_POLYNOMIAL)
      crc.init()
      return { update: (bytes) => void crc.update(bytes), digest: () => Buffer.from(crc.digest('binary')) }
    }
    case 'SHA1':
      return runningHash('sha1')
    case 'SHA256':
      return runningHash('sha256')
  }
}

/** Digest of one piece. */
export async function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Promise<Buffer> {
  const running = await startChecksum(algorithm)
  running.update(bytes)
  return running.digest()
}

function runningHash(name: string): RunningChecksum {
  const hash = createHash(name)
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() }
}

function runningCrc32(step: (bytes: Uint8Array, state: number) => number): RunningChecksum {
  let state = 0
  return {
    update: (bytes) => {
      state = step(bytes, state)
    },
    digest: () => {
      const out = Buffer.alloc(4)
      out.writeUInt32BE(state >>> 0)
      return out
    }
  }
}

import { createHash } from 'node:crypto'
import { checksumOf } from './checksums.ts'
import { combineCrcs } from './crc-combine.ts'
import { unquoteEtag } from './etags.ts'
import {
  type CompleteUploadRequest,
  type ObjectChecksum,
  type PartInfo,
  StorageError,
  type UploadInfo
} from './storage-engine.ts'

/** What a completion makes of its parts. */
export type CompletionPlan<Part extends PartInfo> = {
  /** Parts in order, zero-length ones included. */
  parts: Part[]
  sizeBytes: number
  etag: string
  checksum: ObjectChecksum | null
}

/**
 * Judges the listed parts against the stored ones (S3 CompleteMultipartUpload). Raises `InvalidPartOrder`, `InvalidPart`,
 * `EntityTooSmall`, `InvalidSize`, `BadDigest`.
 */
export async function planCompletion<Part extends PartInfo>(
  request: CompleteUploadRequest,
  declared: UploadInfo['checksum'],
  stored: readonly Part[],
  minPartBytes: number
): Promise<CompletionPlan<Part>> {
  const parts = chooseParts(request.parts, stored, minPartBytes)
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0)
  if (request.expectedSizeBytes !== undefined && request.expectedSizeBytes !== sizeBytes)
    throw new StorageError('InvalidSize', 'The parts add up to another size than the request says.', {
      expectedBytes: request.expectedSizeBytes,
      sizeBytes
    })
  const checksum = declared && (await objectChecksum(declared, parts))
  if (checksum && request.expectedChecksum !== undefined && !isSameChecksum(request.expectedChecksum, checksum))
    throw new StorageError('BadDigest', 'The checksum of the whole object is another one.', {
      algorithm: checksum.algorithm
    })
  return { parts, sizeBytes, etag: compositeEtag(parts), checksum }
}

/** minio-go claims a composite checksum without the number of parts, and MinIO takes both. */
function isSameChecksum(claimed: string, { type, value }: ObjectChecksum): boolean {
  return claimed === value || (type === 'COMPOSITE' && claimed === value.replace(/-\d+$/, ''))
}

/** Identifies a completion request, so that a repeat can be told from a different one. */
export function hashOfRequest(parts: CompleteUploadRequest['parts']): string {
  const canonical = parts.map(({ number, etag }) => `${number}:${unquoteEtag(etag)}`).join(',')
  return createHash('sha256').update(canonical).digest('hex')
}

function chooseParts<Part extends PartInfo>(
  listed: CompleteUploadRequest['parts'],
  stored: readonly Part[],
  minPartBytes: number
): Part[] {
  if (listed.length === 0) throw new StorageError('InvalidPart', 'The request lists no part.')
  if (listed.some((part, at) => at > 0 && part.number <= (listed[at - 1]?.number ?? 0)))
    throw new StorageError('InvalidPartOrder', 'The parts are not in ascending order.')
  const byNumber = new Map(stored.map((part) => [part.number, part]))
  const chosen = listed.map(({ number, etag, checksum }) => {
    const part = byNumber.get(number)
    if (!part || part.etag !== unquoteEtag(etag) || (checksum != null && checksum !== part.checksum))
      throw new StorageError('InvalidPart', 'A listed part was not found, or its ETag or checksum is another one.', {
        partNumber: number,
        etag: unquoteEtag(etag)
      })
    return part
  })
  const small = chosen.slice(0, -1).find((part) => part.sizeBytes < minPartBytes)
  if (small)
    throw new StorageError('EntityTooSmall', 'A part other than the last is too small.', {
      partNumber: small.number,
      etag: small.etag,
      sizeBytes: small.sizeBytes,
      minSizeBytes: minPartBytes
    })
  return chosen
}

/** Md5 of the parts' md5s, then the number of parts: what S3 clients expect and recompute. */
export function compositeEtag(parts: readonly { etag: string }[]): string {
  const md5s = createHash('md5')
  for (const part of parts) md5s.update(Buffer.from(part.etag, 'hex'))
  return `${md5s.digest('hex')}-${parts.length}`
}

async function objectChecksum(
  { algorithm, type }: NonNullable<UploadInfo['checksum']>,
  parts: readonly PartInfo[]
): Promise<ObjectChecksum> {
  const digests = parts.map((part) => ({ crc: part.checksum ?? '', sizeBytes: part.sizeBytes }))
  if (type === 'FULL_OBJECT') {
    if (algorithm === 'SHA1' || algorithm === 'SHA256') throw new Error(`${algorithm} has no full-object form.`)
    return { algorithm, type, value: combineCrcs(algorithm, digests) }
  }
  const over = await checksumOf(algorithm, Buffer.concat(digests.map(({ crc }) => Buffer.from(crc, 'base64'))))
  return { algorithm, type, value: `${over.toString('base64')}-${parts.length}` }
}

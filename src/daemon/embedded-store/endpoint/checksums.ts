import type { BodyDigests, ChecksumAlgorithm, ChecksumType, ObjectChecksum } from '../engine/storage-engine.ts'
import type { Headers } from './headers.ts'
import { S3Error } from './s3-error.ts'

/** Digest length in bytes of every algorithm the endpoint supports. */
const DIGEST_BYTES: Record<ChecksumAlgorithm, number> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 }
export const CHECKSUM_ALGORITHMS = Object.keys(DIGEST_BYTES) as ChecksumAlgorithm[]

const HEADER_PREFIX = 'x-amz-checksum-'
/** Headers with the same prefix that carry no value of a body checksum. */
const NOT_VALUES = new Set(['x-amz-checksum-mode', 'x-amz-checksum-algorithm', 'x-amz-checksum-type'])

/** `x-amz-checksum-crc32` and so on. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return HEADER_PREFIX + algorithm.toLowerCase()
}

/** The element that carries a checksum in XML: `ChecksumCRC32` and so on. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`
}

/** @throws S3Error InvalidRequest, so that an algorithm from a newer SDK is never silently ignored */
export function parseChecksumAlgorithm(name: string): ChecksumAlgorithm {
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === name.toUpperCase())
  if (algorithm === undefined)
    throw new S3Error('InvalidRequest', { message: `The checksum algorithm ${name.slice(0, 32)} is not supported.` })
  return algorithm
}

/** What a request promises about its body; checked by {@link assertDigests} once the bytes are there. */
export interface DeclaredDigests {
  /** Hex, from `x-amz-content-sha256`. */
  payloadSha256: string | undefined
  /** Hex, from `Content-MD5`. */
  md5: string | undefined
  /** The checksum header or trailer. `value` is undefined until the trailer has arrived. */
  checksum: { algorithm: ChecksumAlgorithm; value: string | undefined } | undefined
}

/**
 * Reads the digests a request declares in its headers.
 * @param trailerNames names announced in `x-amz-trailer`, lower-case
 * @throws S3Error InvalidDigest (Content-MD5), InvalidRequest (unsupported, several, or contradicting names), BadDigest
 *   (a value that cannot be a digest)
 */
export function parseDeclaredDigests(
  headers: Headers,
  payloadHash: string,
  trailerNames: readonly string[] = []
): DeclaredDigests {
  const named = [...headers.keys()].filter((name) => name.startsWith(HEADER_PREFIX) && !NOT_VALUES.has(name))
  const foreign = trailerNames.find((name) => !name.startsWith(HEADER_PREFIX))
  if (foreign !== undefined)
    throw new S3Error('InvalidRequest', { message: `The trailer ${foreign.slice(0, 64)} is not supported.` })
  const names = [...named, ...trailerNames]
  if (names.length > 1)
    throw new S3Error('InvalidRequest', { message: 'Expecting a single x-amz-checksum- header or trailer.' })
  const [name] = names
  const algorithm = name === undefined ? undefined : parseChecksumAlgorithm(name.slice(HEADER_PREFIX.length))
  const announced = headers.get('x-amz-sdk-checksum-algorithm')
  const announcedAlgorithm = announced === undefined ? algorithm : parseChecksumAlgorithm(announced)
  if (algorithm !== undefined && announcedAlgorithm !== algorithm)
    throw new S3Error('InvalidRequest', {
      message: 'The value of x-amz-sdk-checksum-algorithm does not fit the checksum sent.'
    })
  const value = named[0] === undefined ? undefined : headers.get(named[0])
  if (value !== undefined && algorithm !== undefined) assertChecksumValue(algorithm, value)
  return {
    payloadSha256: /^[0-9a-f]{64}$/.test(payloadHash) ? payloadHash : undefined,
    md5: parseContentMd5(headers.get('content-md5')),
    checksum: algorithm === undefined ? undefined : { algorithm, value }
  }
}

function parseContentMd5(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length !== 16 || bytes.toString('base64') !== value) throw new S3Error('InvalidDigest')
  return bytes.toString('hex')
}

/** @throws S3Error BadDigest unless the value is canonical base64 of the algorithm's digest length */
export function assertChecksumValue(algorithm: ChecksumAlgorithm, value: string): void {
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length !== DIGEST_BYTES[algorithm] || bytes.toString('base64') !== value)
    throw new S3Error('BadDigest', { message: `The value of ${checksumHeader(algorithm)} is not a valid checksum.` })
}

/**
 * Compares a finished body with everything its request declared.
 * @throws S3Error XAmzContentSHA256Mismatch, BadDigest
 */
export function assertDigests(declared: DeclaredDigests, actual: BodyDigests): void {
  if (declared.payloadSha256 !== undefined && declared.payloadSha256 !== actual.sha256)
    throw new S3Error('XAmzContentSHA256Mismatch', {
      fields: { ClientComputedContentSHA256: declared.payloadSha256, S3ComputedContentSHA256: actual.sha256 }
    })
  if (declared.md5 !== undefined && declared.md5 !== actual.md5)
    throw new S3Error('BadDigest', { message: 'The Content-MD5 you specified did not match what was received.' })
  const { checksum } = declared
  if (checksum === undefined || actual.checksums[checksum.algorithm] === checksum.value) return
  throw new S3Error('BadDigest', {
    message:
      checksum.algorithm === 'CRC32' && checksum.value === 'AAAAAA=='
        ? 'The CRC32 sent is that of an empty body: the URL was presigned by a client that adds checksums by default. Sign it with requestChecksumCalculation set to WHEN_REQUIRED.'
        : `The ${checksum.algorithm} you specified did not match what was received.`
  })
}

/** The headers that show an object's checksum to a client. */
export function checksumResponseHeaders(checksum: ObjectChecksum | null): Record<string, string> {
  if (checksum === null) return {}
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type }
}

/**
 * Reads the checksum declaration of CreateMultipartUpload and applies the algorithm × type matrix of S3.
 * @throws S3Error InvalidRequest
 */
export function parseUploadChecksum(
  headers: Headers
): { algorithm: ChecksumAlgorithm; type: ChecksumType } | undefined {
  const name = headers.get('x-amz-checksum-algorithm')
  const type = headers.get('x-amz-checksum-type')
  if (name === undefined) {
    if (type === undefined) return undefined
    throw new S3Error('InvalidRequest', { message: 'x-amz-checksum-type needs x-amz-checksum-algorithm.' })
  }
  const algorithm = parseChecksumAlgorithm(name)
  const allowed = allowedTypes(algorithm)
  const chosen = type === undefined ? allowed[0] : allowed.find((candidate) => candidate === type.toUpperCase())
  if (chosen === undefined)
    throw new S3Error('InvalidRequest', {
      message: `The checksum type ${type?.slice(0, 32)} cannot be used with ${algorithm}.`
    })
  return { algorithm, type: chosen }
}

/** The first one is the default. */
function allowedTypes(algorithm: ChecksumAlgorithm): readonly [ChecksumType, ...ChecksumType[]] {
  if (algorithm === 'CRC64NVME') return ['FULL_OBJECT']
  return algorithm.startsWith('CRC') ? ['COMPOSITE', 'FULL_OBJECT'] : ['COMPOSITE']
}

import { StorageError } from './storage-engine.ts'

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/
// Control characters and the two non-characters cannot be written in XML 1.0, so such a key could never be listed.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNLISTABLE = /[\u0000-\u001f\u007f\ufffe\uffff]/
const MAX_KEY_BYTES = 1024

/** Checks a bucket name against the S3 bucket naming rules. Raises `InvalidBucketName`. */
export function assertBucketName(name: string): void {
  const ok =
    BUCKET.test(name) &&
    !/\.\.|\.-|-\./.test(name) &&
    !IPV4.test(name) &&
    !/^(xn--|sthree-)/.test(name) &&
    !/(-s3alias|--ol-s3)$/.test(name)
  if (!ok) throw new StorageError('InvalidBucketName', 'The specified bucket name is not valid.', { bucket: name })
}

/**
 * Checks an object key: 1–1024 UTF-8 bytes, well-formed text that XML can carry, no `.` or `..` segment. Everything else (slashes,
 * colons, spaces, any normalisation form) is data. Raises `KeyTooLong`, `InvalidKey`.
 */
export function assertObjectKey(key: string): void {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw new StorageError('KeyTooLong', 'The key is longer than 1024 bytes.', { maxBytes: MAX_KEY_BYTES })
  const ok =
    key !== '' &&
    key.isWellFormed() &&
    !UNLISTABLE.test(key) &&
    !key.split('/').some((segment) => segment === '.' || segment === '..')
  if (!ok)
    throw new StorageError(
      'InvalidKey',
      'The key holds a "." or ".." segment or a character that cannot be listed.',
      {}
    )
}

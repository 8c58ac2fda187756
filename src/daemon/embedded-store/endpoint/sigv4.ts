import { type KeyObject, timingSafeEqual } from 'node:crypto'
import {
  type CanonicalParts,
  type CredentialScope,
  canonicalPath,
  canonicalRequest,
  deriveSigningKey,
  hmac,
  stringToSign
} from './canonical-request.ts'
import { S3Error, type S3ErrorCode } from './s3-error.ts'

/** Widest difference between the clocks of client and server that SigV4 tolerates. */
export const MAX_CLOCK_SKEW_MS = 15 * 60_000

/** What a request says about who signed it, parsed but not verified. Both transports of SigV4 yield this. */
export interface SignatureClaim {
  transport: 'header' | 'query'
  accessKeyId: string
  scope: CredentialScope
  signedHeaders: readonly string[]
  signature: string
  /** Basic ISO form, as it enters the string to sign. */
  timestamp: string
  timeMs: number
  /** Last line of the canonical request. */
  payloadHash: string
  sessionToken: string | undefined
  /** When a presigned request stops being valid. */
  expiresAtMs: number | undefined
}

/** Everything the streaming payload modes need to continue the chain of signatures. */
export interface SigningContext {
  signingKey: KeyObject
  timestamp: string
  scope: CredentialScope
  seedSignature: string
}

/**
 * Parses `key/yyyymmdd/region/service/aws4_request` from the right, since the key itself may hold slashes.
 * @throws S3Error with the given code when a part is missing or malformed
 */
export function parseCredential(text: string, code: S3ErrorCode): { accessKeyId: string; scope: CredentialScope } {
  const parts = text.split('/')
  const [date, region, service, terminator] = parts.slice(-4)
  const accessKeyId = parts.slice(0, -4).join('/')
  if (parts.length < 5 || accessKeyId === '' || terminator !== 'aws4_request' || !/^\d{8}$/.test(date ?? ''))
    throw new S3Error(code, {
      message: 'The credential must have the form <access key id>/<yyyymmdd>/<region>/<service>/aws4_request.'
    })
  return { accessKeyId, scope: { date: date as string, region: region as string, service: service as string } }
}

/** Parses a list such as `host;x-amz-date`. */
export function parseSignedHeaders(text: string, code: S3ErrorCode): string[] {
  const names = text.toLowerCase().split(';')
  if (names.some((name) => !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) || new Set(names).size !== names.length)
    throw new S3Error(code, { message: 'SignedHeaders must be a list of unique header names separated by ";".' })
  if (!names.includes('host'))
    throw new S3Error('AccessDenied', { message: 'The host header must be among the signed headers.' })
  return names
}

/** Milliseconds of a basic ISO timestamp such as `20260131T235959Z`, or undefined when it is not one. */
export function parseBasicIsoTime(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [number, ...number[]]
  const timeMs = Date.UTC(year, (month as number) - 1, day, hour, minute, second)
  return formatBasicIsoTime(timeMs) === text ? timeMs : undefined
}

/** `20260131T235959Z` */
export function formatBasicIsoTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}

const KEY_CACHE_SIZE = 256

/** Derived signing keys, least recently used first. An entry is only used while the secret it came from is unchanged. */
export class SigningKeyCache {
  readonly #keys = new Map<string, { secret: string; key: KeyObject }>()

  /** The signing key of `secret` within `scope`. */
  get(accessKeyId: string, secret: string, scope: CredentialScope): KeyObject {
    const id = `${accessKeyId}/${scope.date}/${scope.region}/${scope.service}`
    const known = this.#keys.get(id)
    this.#keys.delete(id)
    const key = known !== undefined && known.secret === secret ? known.key : deriveSigningKey(secret, scope)
    this.#keys.set(id, { secret, key })
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= KEY_CACHE_SIZE) break
      this.#keys.delete(oldest)
    }
    return key
  }
}

/** Compares hex signatures in constant time. Anything but 64 lower-case hex digits never matches. */
export function signaturesEqual(expected: string, given: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(given)) return false
  return timingSafeEqual(Buffer.from(expected, 'hex'), Buffer.from(given, 'hex'))
}

/**
 * Whether the claim's signature fits the request. The path is tried in canonical form and, because some clients sign
 * what they send, verbatim. How many forms there are is known from the path alone, and all are computed, so time tells nothing.
 */
export function verifySignature(claim: SignatureClaim, request: SignedParts, signingKey: KeyObject): boolean {
  const forms = new Set([canonicalPath(request.rawPath), request.rawPath])
  const matches = [...forms].map((path) => {
    const expected = hmac(signingKey, signedTexts(claim, request, path).stringToSign).toString('hex')
    return signaturesEqual(expected, claim.signature)
  })
  return matches.includes(true)
}

/** What a claim binds of a request, apart from what the claim itself says. */
type SignedParts = Omit<CanonicalParts, 'path' | 'signedHeaders' | 'payloadHash'> & { rawPath: string }

function signedTexts(
  { signedHeaders, payloadHash, timestamp, scope }: SignatureClaim,
  request: SignedParts,
  path: string
) {
  const canonical = canonicalRequest({ ...request, path, signedHeaders, payloadHash })
  return { canonical, stringToSign: stringToSign(timestamp, scope, canonical) }
}

/** For people who write a client: what its signature is compared with. It repeats the request and tells nothing of the secret. */
export function explainSignature(
  claim: SignatureClaim,
  request: SignedParts
): { StringToSign: string; CanonicalRequest: string } {
  const texts = signedTexts(claim, request, canonicalPath(request.rawPath))
  return { StringToSign: texts.stringToSign, CanonicalRequest: texts.canonical.toString('latin1') }
}

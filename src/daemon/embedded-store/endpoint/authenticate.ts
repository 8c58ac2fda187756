import { AttemptLimiter } from '../../attempt-limiter.ts'
import type { Credential, IdentityService } from '../credentials/identity-service.ts'
import type { Headers } from './headers.ts'
import type { RequestTarget } from './request-target.ts'
import { S3Error } from './s3-error.ts'
import {
  explainSignature,
  MAX_CLOCK_SKEW_MS,
  type SignatureClaim,
  type SigningContext,
  SigningKeyCache,
  verifySignature
} from './sigv4.ts'
import { parseHeaderClaim } from './sigv4-header.ts'
import { parseQueryClaim, withHoistedHeaders } from './sigv4-query.ts'

/** A request whose signature has been verified. Nothing that reads a body exists without one. */
export interface Authenticated {
  credential: Credential
  claim: SignatureClaim
  /** Headers of the request together with those hoisted into a presigned query. */
  headers: Headers
  signing: SigningContext
}

export interface AuthenticationRequest {
  method: string
  target: RequestTarget
  headers: Headers
  /** Address of the socket's peer. */
  peer: string
  service: 's3' | 'sts'
  /** Gives the hash of a body that was read already; it replaces whatever the client declares. */
  payloadHashOf?: (() => string) | undefined
  /** Whether a scope of another region is tolerated (the operations by which clients learn the region). */
  acceptsAnyRegion: boolean
}

/** Signs in the place of an unknown key, so that the answer takes the same work. No key id is empty. */
const NOBODY = { accessKeyId: '', secretAccessKey: 'no such access key, but the same work' }

/** The one place that decides who sent a request, for every method, payload mode and transport. */
export class Authenticator {
  readonly #identity: IdentityService
  readonly #region: string
  readonly #clock: () => number
  readonly #keys = new SigningKeyCache()
  readonly #explains: boolean
  readonly #limiter = new AttemptLimiter({ maxFailures: 20, windowMs: 10_000 })

  constructor(options: { identity: IdentityService; region: string; clock: () => number; explainSignatures: boolean }) {
    this.#identity = options.identity
    this.#region = options.region
    this.#clock = options.clock
    this.#explains = options.explainSignatures
  }

  /**
   * Verifies the signature, then judges the session token, so that a caller without the secret learns nothing about a session.
   * @throws S3Error with every code of SigV4 authentication; SlowDown for a peer that failed too often
   */
  authenticate(request: AuthenticationRequest): Authenticated {
    const nowMs = this.#clock()
    if (this.#limiter.isBlocked(request.peer, nowMs)) throw new S3Error('SlowDown')
    const claim = readClaim(request)
    this.#assertScope(claim, request)
    assertTime(claim, nowMs)

    const credential = this.#identity.findCredential(claim.accessKeyId)
    const { accessKeyId, secretAccessKey } = credential ?? NOBODY
    const signingKey = this.#keys.get(accessKeyId, secretAccessKey, claim.scope)
    const { method, headers } = request
    const { rawPath, query } = request.target
    const signed = { method, rawPath, query, headers }
    const verified = verifySignature(claim, signed, signingKey)
    if (credential === undefined || !verified) {
      this.#limiter.recordFailure(request.peer, nowMs)
      const known = { AWSAccessKeyId: claim.accessKeyId }
      if (credential === undefined) throw new S3Error('InvalidAccessKeyId', { fields: known })
      const explanation = this.#explains ? explainSignature(claim, signed) : {}
      throw new S3Error('SignatureDoesNotMatch', { fields: { ...known, ...explanation } })
    }
    const verdict = this.#identity.judgeToken(credential, claim.sessionToken)
    if (verdict !== 'valid') throw new S3Error(verdict === 'expired' ? 'ExpiredToken' : 'InvalidToken')
    return {
      credential,
      claim,
      headers: claim.transport === 'query' ? withHoistedHeaders(query, headers) : headers,
      signing: { signingKey, timestamp: claim.timestamp, scope: claim.scope, seedSignature: claim.signature }
    }
  }

  #assertScope({ scope, transport }: SignatureClaim, { service, acceptsAnyRegion }: AuthenticationRequest): void {
    const code = transport === 'header' ? 'AuthorizationHeaderMalformed' : 'AuthorizationQueryParametersError'
    if (scope.service !== service)
      throw new S3Error(code, { message: `The service of the credential scope must be "${service}".` })
    if (acceptsAnyRegion || scope.region === this.#region || scope.region === 'us-east-1') return
    // minio-go asks for credentials without a region unless it is told one.
    if (service === 'sts' && scope.region === '') return
    throw new S3Error(code, {
      message: `The region of the credential scope must be "${this.#region}".`,
      fields: { Region: this.#region }
    })
  }
}

function readClaim({ target: { query }, headers, payloadHashOf }: AuthenticationRequest): SignatureClaim {
  const forms = [
    headers.has('authorization'),
    ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature'].some((name) => query.has(name)),
    query.has('AWSAccessKeyId') || (query.has('Signature') && query.has('Expires'))
  ]
  const [byHeader, byQuery, byVersion2] = forms
  if (forms.filter(Boolean).length > 1)
    throw new S3Error('InvalidArgument', { message: 'Only one authentication mechanism is allowed per request.' })
  if (byVersion2)
    throw new S3Error('InvalidRequest', {
      message: 'Signature version 2 is not supported. Please use AWS4-HMAC-SHA256.'
    })
  if (byHeader) return parseHeaderClaim(headers, payloadHashOf)
  if (byQuery) return parseQueryClaim(query, headers)
  throw new S3Error('AccessDenied')
}

function assertTime(claim: SignatureClaim, nowMs: number): void {
  if (claim.expiresAtMs === undefined) {
    if (Math.abs(nowMs - claim.timeMs) <= MAX_CLOCK_SKEW_MS) return
    throw new S3Error('RequestTimeTooSkewed', {
      fields: {
        RequestTime: claim.timestamp,
        ServerTime: isoSeconds(nowMs),
        MaxAllowedSkewMilliseconds: String(MAX_CLOCK_SKEW_MS)
      }
    })
  }
  if (claim.timeMs > nowMs + MAX_CLOCK_SKEW_MS)
    throw new S3Error('AccessDenied', { message: 'Request is not valid yet.' })
  if (nowMs >= claim.expiresAtMs)
    throw new S3Error('AccessDenied', {
      message: 'Request has expired.',
      fields: { Expires: isoSeconds(claim.expiresAtMs), ServerTime: isoSeconds(nowMs) }
    })
}

function isoSeconds(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`
}

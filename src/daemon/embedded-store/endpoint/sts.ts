import {
  type Credential,
  DEFAULT_SESSION_SECONDS,
  IdentityError,
  type IdentityService
} from '../credentials/identity-service.ts'
import type { Authenticator } from './authenticate.ts'
import { sha256Hex } from './canonical-request.ts'
import type { Headers } from './headers.ts'
import type { S3Response } from './operations/operation.ts'
import type { ReplayCache } from './replay-cache.ts'
import type { RequestBody } from './request-body.ts'
import type { RequestTarget } from './request-target.ts'
import { S3Error } from './s3-error.ts'
import { STS_NAMESPACE, type XmlNode, xmlDocument } from './xml-writer.ts'

const MAX_FORM_BYTES = 64 * 1024
const API_VERSION = '2011-06-15'

/** Whether a request speaks STS: a form posted to the root. */
export function isStsRequest(method: string, rawPath: string, headers: Headers): boolean {
  const mediaType = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  return method === 'POST' && rawPath === '/' && mediaType === 'application/x-www-form-urlencoded'
}

export interface StsOptions {
  identity: IdentityService
  authenticator: Authenticator
  replays: ReplayCache
  clock: () => number
}

export interface StsRequest {
  target: RequestTarget
  headers: Headers
  body: RequestBody
  peer: string
  requestId: string
}

/** The STS actions of the endpoint. They share the identity service with the daemon's own issuing. */
export class StsActions {
  readonly #options: StsOptions

  constructor(options: StsOptions) {
    this.#options = options
  }

  /**
   * Verifies and answers one request.
   * @throws S3Error, also for everything the identity service refuses
   */
  async handle(request: StsRequest): Promise<S3Response> {
    const { target, headers, body, peer } = request
    if (target.query.size > 0)
      throw new S3Error('InvalidRequest', { message: 'Send the STS parameters in the form body, not in the query.' })
    // The signature covers a hash that STS clients need not declare, so the (small) body comes first.
    const form = await body.collect(
      MAX_FORM_BYTES,
      () => new S3Error('InvalidRequest', { message: `An STS request is limited to ${MAX_FORM_BYTES} bytes.` })
    )
    const { credential, claim } = this.#options.authenticator.authenticate({
      method: 'POST',
      target,
      headers,
      peer,
      service: 'sts',
      payloadHashOf: () => sha256Hex(form),
      acceptsAnyRegion: false
    })
    const parameters = new URLSearchParams(form.toString('utf8'))
    const action = parameters.get('Action')
    if (parameters.get('Version') !== API_VERSION)
      throw new S3Error('MissingParameter', { message: `The parameter Version must be ${API_VERSION}.` })
    if (action === 'GetCallerIdentity') return callerIdentity(credential, request.requestId)
    if (action !== 'AssumeRole')
      throw new S3Error('InvalidAction', { message: 'Supported: AssumeRole, GetCallerIdentity.' })
    if (this.#options.replays.isReplay(claim.signature, this.#options.clock()))
      throw new S3Error('AccessDenied', { message: 'This request was already used.' })
    return this.#assumeRole(credential, parameters, request.requestId)
  }

  #assumeRole(credential: Credential, parameters: URLSearchParams, requestId: string): S3Response {
    if (credential.session !== null)
      throw new S3Error('AccessDenied', { message: 'Temporary credentials cannot issue others.' })
    const duration = parameters.get('DurationSeconds') ?? String(DEFAULT_SESSION_SECONDS)
    if (!/^\d{1,9}$/.test(duration))
      throw new S3Error('ValidationError', { message: 'DurationSeconds must be a whole number.' })
    const sessionName = parameters.get('RoleSessionName')
    const session = translateErrors(() =>
      this.#options.identity.issueSession({
        parent: credential.accessKeyId,
        policy: parameters.get('Policy') ?? undefined,
        durationSeconds: Number(duration),
        sessionName: sessionName !== null && /^[\w+=,.@-]{1,64}$/.test(sessionName) ? sessionName : undefined
      })
    )
    const name = sessionName ?? 'session'
    return answer('AssumeRole', requestId, [
      [
        'Credentials',
        [
          ['AccessKeyId', session.accessKeyId],
          ['SecretAccessKey', session.secretAccessKey],
          ['SessionToken', session.sessionToken],
          ['Expiration', `${new Date(session.expiresAtMs).toISOString().slice(0, 19)}Z`]
        ]
      ],
      [
        'AssumedRoleUser',
        [
          ['Arn', `arn:aws:sts::000000000000:assumed-role/${credential.user.name}/${name}`],
          ['AssumedRoleId', `${session.accessKeyId}:${name}`]
        ]
      ]
    ])
  }
}

function callerIdentity({ user, session, accessKeyId }: Credential, requestId: string): S3Response {
  const arn =
    session === null
      ? `arn:aws:iam::000000000000:user/${user.name}`
      : `arn:aws:sts::000000000000:assumed-role/${user.name}/${session.sessionName}`
  return answer('GetCallerIdentity', requestId, [
    ['Arn', arn],
    ['UserId', accessKeyId],
    ['Account', '000000000000']
  ])
}

function answer(action: string, requestId: string, result: readonly XmlNode[]): S3Response {
  return {
    status: 200,
    headers: { 'content-type': 'text/xml', 'cache-control': 'no-store' },
    body: xmlDocument([
      `${action}Response`,
      [
        [`${action}Result`, result],
        ['ResponseMetadata', [['RequestId', requestId]]]
      ],
      { xmlns: STS_NAMESPACE }
    ])
  }
}

function translateErrors<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof IdentityError) throw new S3Error(error.code, { message: error.message, cause: error })
    throw error
  }
}

/** STS has its own names for two refusals of authentication. */
export function toStsError(error: S3Error): S3Error {
  if (error.code === 'InvalidAccessKeyId') return new S3Error('InvalidClientTokenId')
  if (error.code === 'InvalidToken') return new S3Error('AccessDenied')
  return error
}

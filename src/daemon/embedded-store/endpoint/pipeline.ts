import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { IdentityService } from '../credentials/identity-service.ts'
import { startBodyHashes } from '../engine/body-hashes.ts'
import { StorageError } from '../engine/storage-engine.ts'
import { policiesAllow } from '../policy/policy.ts'
import { type Authenticated, Authenticator } from './authenticate.ts'
import type { BodySlots } from './body-slots.ts'
import { assertDigests, parseDeclaredDigests } from './checksums.ts'
import { actualHeaders, type CorsRule, defaultRules, parseStoredRules, preflightHeaders } from './cors.ts'
import type { DeniedEvent } from './denied-actions.ts'
import { collectHeaders, type Headers } from './headers.ts'
import type { Arrival } from './listener.ts'
import { receiveObjectBody } from './object-body.ts'
import type { Operation, OperationContext, RequiredAccess, S3Request, S3Response } from './operations/operation.ts'
import { findOperation } from './operations/operation-table.ts'
import { parsePayloadMode } from './payload-mode.ts'
import { ReplayCache } from './replay-cache.ts'
import { ClientGone, RequestBody } from './request-body.ts'
import { parseRequestTarget, parseResourceName, percentDecode, type RequestTarget } from './request-target.ts'
import { Responder } from './responder.ts'
import { S3Error } from './s3-error.ts'
import type { ServedStorage } from './served-storage.ts'
import { MAX_CLOCK_SKEW_MS } from './sigv4.ts'
import { toS3Error } from './storage-errors.ts'
import { isStsRequest, StsActions, toStsError } from './sts.ts'
import { UploadProgress, type UploadProgressEvent } from './upload-progress.ts'
import { MAX_XML_BYTES, parseXml } from './xml-reader.ts'

/** A request that was answered, or whose client went away. */
export interface AnsweredEvent {
  /** Undefined when the request was refused before it was clear what it asks for. */
  operation: string | undefined
  outcome: 'ok' | 'gone' | 'refused' | 'failed'
  durationMs: number
}

export interface PipelineOptions {
  engine: ServedStorage
  identity: IdentityService
  region: string
  log: Logger
  clock: () => number
  slots: BodySlots
  corsOrigins: () => readonly string[]
  idleTimeoutMs: number
  maxObjectBytes: number
  explainSignatures: boolean
  onUploadProgress: (event: UploadProgressEvent) => void
  onDenied: (event: DeniedEvent) => void
  onAnswered: (event: AnsweredEvent) => void
}

/** A request on its way through the pipeline. */
interface Exchange {
  method: string
  target: RequestTarget
  headers: Headers
  body: RequestBody
  responder: Responder
  peer: string
  /** For the log: set once known. */
  operation: string | undefined
  accessKeyId: string | undefined
  /** Set when the operation failed after its answer may have begun. */
  failure: unknown
}

/**
 * What happens to every request, always in this order: target, headers, CORS preflight, authentication, operation, authorisation,
 * header validation and early preconditions, body, commit, answer. Nothing later runs when something earlier refuses.
 */
export class Pipeline {
  readonly #options: PipelineOptions
  readonly #authenticator: Authenticator
  readonly #replays = new ReplayCache()
  readonly #sts: StsActions

  constructor(options: PipelineOptions) {
    this.#options = options
    this.#authenticator = new Authenticator(options)
    this.#sts = new StsActions({ ...options, authenticator: this.#authenticator, replays: this.#replays })
  }

  /** Answers one request. Never rejects. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    { expectsContinue, isCrowded }: Arrival
  ): Promise<void> {
    const startedAtMs = this.#options.clock()
    const responder = new Responder(request, response)
    let exchange: Exchange | undefined
    let body: RequestBody | undefined
    try {
      const headers = collectHeaders(request.rawHeaders)
      const { idleTimeoutMs } = this.#options
      body = new RequestBody({ request, response, headers, expectsContinue, idleTimeoutMs })
      exchange = {
        method: request.method ?? '',
        target: parseRequestTarget(request.url ?? ''),
        headers,
        body,
        responder,
        peer: request.socket.remoteAddress ?? '',
        operation: undefined,
        accessKeyId: undefined,
        failure: undefined
      }
      if (isCrowded) throw new S3Error('SlowDown')
      await this.#answer(exchange)
      this.#logOutcome(exchange, responder, startedAtMs, exchange.failure)
    } catch (error) {
      this.#logOutcome(exchange, responder, startedAtMs, error)
      if (error instanceof ClientGone) return responder.abandon()
      const isSts = exchange !== undefined && isStsRequest(exchange.method, exchange.target.rawPath, exchange.headers)
      const refusal = toS3Error(error)
      const resource = exchange?.target.rawPath ?? '/'
      await responder
        .send(
          isSts ? responder.stsErrorResponse(toStsError(refusal)) : responder.errorResponse(refusal, resource),
          body
        )
        .catch(() => responder.abandon())
    }
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { method, target, headers, body, responder } = exchange
    const corsRules = headers.has('origin') ? await this.#corsRules(target.rawPath) : []
    if (method === 'OPTIONS') {
      return responder.send({ status: 200, headers: preflightHeaders(corsRules, headers) }, body)
    }
    responder.addHeaders(actualHeaders(corsRules, method, headers))
    if (isStsRequest(method, target.rawPath, headers)) {
      exchange.operation = 'STS'
      const { requestId } = responder
      return responder.send(await this.#sts.handle({ ...exchange, requestId }), body)
    }
    const authenticated = this.#authenticator.authenticate({
      ...exchange,
      service: 's3',
      acceptsAnyRegion: method === 'GET' && (target.rawPath === '/' || target.query.has('location'))
    })
    exchange.accessKeyId = authenticated.credential.accessKeyId
    const resource = parseResourceName(target.rawPath)
    const operation = findOperation(method, resource, target.query, authenticated.headers)
    exchange.operation = operation.name
    const request: S3Request = {
      bucket: resource.level === 'service' ? '' : resource.bucket,
      key: resource.level === 'object' ? resource.key : '',
      query: target.query,
      headers: authenticated.headers,
      caller: authenticated.credential
    }
    this.#assertAllowed(exchange, operation, request)
    this.#assertFresh(operation, authenticated)
    // First of all that is told, and only to those who may do what they ask: everybody else gets 403 for whatever name.
    if (!operation.makesBucket && !operation.judgesEntries) await this.#assertBucket(request)
    await this.#run(exchange, operation, request, authenticated)
  }

  async #run(
    exchange: Exchange,
    operation: Operation,
    request: S3Request,
    authenticated: Authenticated
  ): Promise<void> {
    const { body, responder, peer } = exchange
    const document = operation.body === 'object' ? undefined : await readDocument(operation, authenticated, body)
    const { engine, region, slots, maxObjectBytes, clock, onUploadProgress } = this.#options
    const { caller, bucket, key } = request
    const { accessKeyId } = caller
    const sessionDeviceId = caller.session?.deviceId ?? null
    const progress = new UploadProgress({ accessKeyId, sessionDeviceId, bucket, key }, onUploadProgress, clock)
    const context: OperationContext = {
      ...request,
      engine,
      region,
      payloadHash: authenticated.claim.payloadHash,
      hasBody: document !== undefined && document.length > 0,
      xmlBody: (root) => parseXml(document ?? Buffer.alloc(0), root),
      allows: (access) => this.#allows(exchange, operation, request, access),
      mayPossibly: (access) => policiesAllow(caller.policies, this.#accessRequest(access, request, peer)),
      assertBucket: () => this.#assertBucket(request),
      receiveObject: (options) =>
        receiveObjectBody({ ...options, authenticated, body, engine, slots, progress, maxSizeBytes: maxObjectBytes })
    }
    const work = operation.handle(context)
    if (operation.mayTakeLong) {
      const failure = (error: unknown) => {
        exchange.failure = error
        return responder.errorResponse(toS3Error(error), exchange.target.rawPath)
      }
      return responder.sendWhenDone(work, failure)
    }
    let result: S3Response
    try {
      result = await work
      progress.ended('stored')
    } catch (error) {
      progress.ended('failed', error instanceof ClientGone ? error.name : toS3Error(error).code)
      throw error
    }
    if (authenticated.claim.transport === 'query' && operation.method === 'GET')
      responder.addHeaders({ 'content-security-policy': 'sandbox' })
    await responder.send(result, body)
  }

  #assertAllowed(exchange: Exchange, operation: Operation, request: S3Request): void {
    for (const access of operation.access(request))
      if (!this.#allows(exchange, operation, request, access)) throw new S3Error('AccessDenied')
  }

  #allows(exchange: Exchange, operation: Operation, request: S3Request, access: RequiredAccess): boolean {
    const { caller } = request
    if (policiesAllow(caller.policies, this.#accessRequest(access, request, exchange.peer))) return true
    this.#options.onDenied({
      accessKeyId: caller.accessKeyId,
      userName: caller.user.name,
      sessionDeviceId: caller.session?.deviceId ?? null,
      workspaceId: caller.session?.workspaceId ?? null,
      operation: operation.name,
      action: access.action,
      resource: access.resource,
      peer: exchange.peer
    })
    return false
  }

  #accessRequest({ action, resource, context }: RequiredAccess, { headers, caller }: S3Request, peer: string) {
    return {
      action,
      resource,
      context: {
        ...context,
        's3:x-amz-acl': headers.get('x-amz-acl'),
        'aws:sourceip': peer,
        'aws:securetransport': 'false',
        'aws:currenttime': new Date(this.#options.clock()).toISOString(),
        'aws:username': caller.user.name
      }
    }
  }

  /** A link could be repeated for days, longer than signatures are remembered. So such calls are good for as long as signed headers. */
  #assertFresh(operation: Operation, { claim }: Authenticated): void {
    if (!operation.refusesReplay) return
    const nowMs = this.#options.clock()
    if (nowMs - claim.timeMs > MAX_CLOCK_SKEW_MS)
      throw new S3Error('AccessDenied', {
        message: 'Request has expired: links to this operation are good for 15 minutes.'
      })
    if (this.#replays.isReplay(claim.signature, nowMs))
      throw new S3Error('AccessDenied', { message: 'This request was already used.' })
  }

  async #assertBucket({ headers, bucket }: S3Request): Promise<void> {
    const { owner } = await this.#options.engine.headBucket(bucket)
    if ((headers.get('x-amz-expected-bucket-owner') ?? owner) !== owner) throw new S3Error('AccessDenied')
  }

  /** The rules that apply to a path. They are needed even for answers to strangers, so nothing here tells what exists. */
  async #corsRules(rawPath: string): Promise<CorsRule[]> {
    const defaults = defaultRules(this.#options.corsOrigins())
    try {
      const { corsJson } = await this.#options.engine.headBucket(percentDecode(rawPath.split('/')[1] ?? ''))
      return corsJson === null ? defaults : parseStoredRules(corsJson)
    } catch (error) {
      if (error instanceof StorageError || error instanceof S3Error) return defaults
      throw error
    }
  }

  /** One line per request. The query is left out: it may hold a signature or a token. */
  #logOutcome(exchange: Exchange | undefined, responder: Responder, startedAtMs: number, error: unknown): void {
    const { log, clock, onAnswered } = this.#options
    const facts = {
      requestId: responder.requestId,
      method: exchange?.method,
      path: exchange?.target.rawPath,
      operation: exchange?.operation,
      accessKeyId: exchange?.accessKeyId,
      peer: exchange?.peer,
      durationMs: clock() - startedAtMs
    }
    const { operation, durationMs } = facts
    if (error === undefined || error instanceof ClientGone) {
      onAnswered({ operation, outcome: error === undefined ? 'ok' : 'gone', durationMs })
      log.debug(facts, error === undefined ? 's3 request' : 's3 client went away')
      return
    }
    const refusal = toS3Error(error)
    const isOurs = refusal.status >= 500 && refusal.status !== 503 && refusal.status !== 501
    onAnswered({ operation, outcome: isOurs ? 'failed' : 'refused', durationMs })
    if (isOurs) log.error({ ...facts, code: refusal.code, err: error }, 's3 request failed')
    else
      log.info({ ...facts, code: refusal.code, status: refusal.status, reason: reasonOf(error) }, 's3 request refused')
  }
}

/** Why the storage refused, in the words of the store behind where there is one; undefined for what the endpoint refused itself. */
function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof StorageError)) return undefined
  const { cause, message } = error
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : message
}

/** Reads the XML body of an operation, or the stray body of one that has none, and checks it against its declared digests. */
async function readDocument(
  operation: Operation,
  { claim, headers }: Authenticated,
  body: RequestBody
): Promise<Buffer> {
  if (parsePayloadMode(claim.payloadHash).framing !== 'plain')
    throw new S3Error('InvalidRequest', { message: 'Streaming payload modes are for object and part uploads only.' })
  const document = await body.collect(
    MAX_XML_BYTES,
    () => new S3Error('MalformedXML', { message: 'The XML document is too large.' })
  )
  const checksumsOfDocument = operation.body === 'xml' && !operation.checksumsOfObject
  const declared = parseDeclaredDigests(checksumsOfDocument ? headers : withoutChecksums(headers), claim.payloadHash)
  const hashes = await startBodyHashes(declared.checksum === undefined ? [] : [declared.checksum.algorithm])
  await hashes.update(document)
  assertDigests(declared, { sizeBytes: document.length, ...(await hashes.digest()) })
  return document
}

function withoutChecksums(headers: Headers): Headers {
  return new Map([...headers].filter(([name]) => !/^x-amz-(sdk-)?checksum-/.test(name)))
}

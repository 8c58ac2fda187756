import express, { type Request, type RequestHandler, type Response, type Router } from 'express'
import type { z } from 'zod'
import type { AuditActor } from '../../shared/api/audit.ts'
import type { Role } from '../../shared/api/system.ts'
import type { Endpoint, EndpointRequest, EndpointResult, RequiredRole } from '../../shared/endpoint.ts'
import { actingAs } from '../audit/acting.ts'
import { AppError } from '../errors.ts'
import { nameOperation } from '../telemetry/observe-requests.ts'
import type { WorkspaceScope } from '../workspace-scope.ts'
import { hasBody } from './body-stream.ts'
import { IDEMPOTENCY_HEADER, type Idempotency, idempotencyKeySchema } from './idempotency.ts'
import { parsePart } from './parse-part.ts'
import type { RateLimits } from './rate-limits.ts'

/** Who is calling. */
export interface Caller {
  /** Stays the same however they came in: see `AuditActor`. */
  actorId: string
  name: string
  role: Role
  workspaceIds: WorkspaceScope
  tokenId: string | null
  /** When they have to prove again who they are; null: never. */
  expiresAtMs: number | null
  /** True for a browser session, which must prove it comes from our own pages. */
  viaCookie: boolean
}

export interface CallContext {
  caller: Caller
  request: Request
  response: Response
  /** Throws when a body that the handler read itself names a thing the caller may not know of. */
  assertInScope(input: object): void
  /**
   * Does `work` once for all requests with the same `Idempotency-Key` and `content`; the later ones get its answer. For bodies that
   * the handler reads itself: what `bind` gives a JSON body to is done once already.
   */
  once<T>(content: unknown, work: () => T | Promise<T>): Promise<T>
}

/** Binds contract operations to one router: authentication, role, validation, then the handler. */
export interface EndpointBinder {
  /** An operation that answers JSON (or nothing). What the handler returns is the body. */
  bind<E extends Endpoint>(
    endpoint: E,
    handler: (request: EndpointRequest<E>, context: CallContext) => EndpointResult<E> | Promise<EndpointResult<E>>
  ): void
  /** An operation that writes its own body: bytes or an event stream. */
  bindStream<E extends Endpoint>(
    endpoint: E,
    handler: (request: EndpointRequest<E>, context: CallContext) => void | Promise<void>
  ): void
  /** Names bound so far. */
  boundNames(): Set<string>
}

export interface BinderOptions {
  router: Router
  /** Returns who calls, or throws `unauthenticated`. */
  authenticate(request: Request): Caller | Promise<Caller>
  /** Throws when a part of a request names a thing outside of `scope`. */
  assertInScope(scope: WorkspaceScope, input: object): void
  idempotency: Idempotency
  limits: RateLimits
  /** Also checks every answer against the contract (tests and development): a mismatch is a defect of ours. */
  checkResponses: boolean
}

/** JSON by its name, and what is written in it (RFC 6839 §3.1), as an event by the CloudEvents HTTP binding. */
const JSON_TYPES = ['application/json', 'application/*+json']
const MAX_BODY_BYTES = 1_000_000
const MAX_BODY_DEPTH = 100
const BODY_DEADLINE_MS = 60_000

const rank: Record<RequiredRole, number> = { none: 0, viewer: 1, operator: 2, admin: 3 }

/** These change nothing; browsers name no origin where they ask their own with them. */
const READING: ReadonlySet<Endpoint['method']> = new Set(['GET', 'HEAD', 'OPTIONS'])

export function createEndpointBinder(options: BinderOptions): EndpointBinder {
  const bound = new Set<string>()

  function register(endpoint: Endpoint, run: (context: CallContext) => Promise<void>): void {
    if (bound.has(endpoint.name)) throw new Error(`${endpoint.name} is bound twice`)
    bound.add(endpoint.name)
    const handlers: RequestHandler[] = [
      (_, response, next) => {
        nameOperation(response, endpoint.name)
        next()
      },
      ...(endpoint.form || endpoint.rawBody ? [] : [inTime]),
      async (request, response, next) => {
        response.locals['caller'] = await authorize(endpoint, request, options)
        next()
      },
      endpoint.response === 'bytes' ? options.limits.media : options.limits.operations
    ]
    if (endpoint.body)
      handlers.push(inJson, express.json({ type: JSON_TYPES, limit: endpoint.maxBodyBytes ?? MAX_BODY_BYTES }), shallow)
    handlers.push((request, response) => {
      const caller = response.locals['caller'] as Caller
      const assertInScope = (input: object): void => options.assertInScope(caller.workspaceIds, input)
      const once: CallContext['once'] = (content, work) =>
        runOnce({ endpoint, caller, request, response, content }, options.idempotency, work)
      return actingAs(actorOf(caller, request), () => run({ caller, request, response, assertInScope, once }))
    })
    const method = endpoint.method.toLowerCase() as Lowercase<Endpoint['method']>
    options.router[method](endpoint.path.replace(/\{(\w+)\}/g, ':$1'), ...handlers)
  }

  return {
    boundNames: () => bound,
    bind(endpoint, handler) {
      register(endpoint, async (context) => {
        const work = () => handler(validate(endpoint, context), context)
        const result = endpoint.form || endpoint.rawBody ? await work() : await context.once(context.request.body, work)
        if (typeof endpoint.response === 'string') {
          context.response.status(204).end()
          return
        }
        if (options.checkResponses) (endpoint.response as z.ZodType).parse(result)
        context.response.setHeader('cache-control', 'no-store')
        context.response.json(result)
      })
    },
    bindStream(endpoint, handler) {
      register(endpoint, async (context) => handler(validate(endpoint, context), context))
    }
  }
}

/** Without a key, or where nothing is changed, simply does the work. Throws `invalid_request` for a key that is none. */
async function runOnce<T>(
  call: { endpoint: Endpoint; caller: Caller; request: Request; response: Response; content: unknown },
  idempotency: Idempotency,
  work: () => T | Promise<T>
): Promise<T> {
  const { endpoint, caller, request, response, content } = call
  const header = request.get(IDEMPOTENCY_HEADER)
  if (header === undefined || READING.has(endpoint.method)) return work()
  const key = parsePart('headers', idempotencyKeySchema, header)
  const outcome = await idempotency.run(
    {
      callerId: caller.actorId,
      operation: endpoint.name,
      key,
      content: [request.originalUrl, content, caller.role, caller.workspaceIds],
      isSecret: endpoint.secretAnswer === true
    },
    work
  )
  if ('answer' in outcome) return outcome.answer
  response.setHeader('idempotency-replayed', 'true')
  return outcome.replayed as T
}

function actorOf({ actorId, name, tokenId, viaCookie }: Caller, request: Request): AuditActor {
  const remoteAddress = request.socket.remoteAddress ?? null
  return { id: actorId, name, sessionId: viaCookie ? tokenId : null, remoteAddress }
}

/** Other bodies are small; who takes minutes for one only holds a connection. */
const inTime: RequestHandler = (request, _, next) => {
  if (hasBody(request)) {
    const deadline = setTimeout(() => request.destroy(), BODY_DEADLINE_MS)
    const end = (): void => clearTimeout(deadline)
    request.once('end', end).once('close', end)
  }
  next()
}

/** What comes as something else stays unread: taken for no body, a dry run would become a run. */
const inJson: RequestHandler = (request, _, next) => {
  if (hasBody(request) && !request.is(JSON_TYPES)) throw new AppError('content_type_not_json')
  next()
}

/** What is nested deeper can be parsed, but not written again: that takes a stack. */
const shallow: RequestHandler = (request, _, next) => {
  let level: unknown[] = [request.body]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_BODY_DEPTH)
      throw new AppError('invalid_request', {
        in: 'body',
        issues: [{ path: '', message: `must not be nested deeper than ${MAX_BODY_DEPTH}` }]
      })
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
  }
  next()
}

/** Whoever calls what needs no token. */
const anonymous: Caller = {
  actorId: 'anonymous',
  name: 'anonymous',
  role: 'viewer',
  workspaceIds: 'all',
  tokenId: null,
  expiresAtMs: null,
  viaCookie: false
}

async function authorize(endpoint: Endpoint, request: Request, options: BinderOptions): Promise<Caller> {
  if (endpoint.role === 'none') return anonymous
  const caller = await options.authenticate(request)
  if (rank[caller.role] < rank[endpoint.role]) throw new AppError('forbidden', { needs: endpoint.role })
  if (caller.workspaceIds !== 'all' && !endpoint.forScopedTokens)
    throw new AppError('forbidden', { needs: 'all workspaces' })
  if (caller.viaCookie && !READING.has(endpoint.method)) refuseForeignOrigin(request)
  return caller
}

/** A cookie travels with requests that other sites make; those carry a foreign Origin (Fetch standard). */
function refuseForeignOrigin(request: Request): void {
  const origin = request.headers.origin
  if (
    origin === undefined
      ? request.headers['sec-fetch-site'] === 'same-origin'
      : originHost(origin) === request.headers.host
  )
    return
  throw new AppError('foreign_origin')
}

function originHost(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null
}

function validate<E extends Endpoint>(endpoint: E, { request, assertInScope }: CallContext): EndpointRequest<E> {
  const result: Record<string, unknown> = {}
  for (const part of ['params', 'query', 'body'] as const) {
    const schema = endpoint[part]
    if (!schema) continue
    const value: unknown = parsePart(part, schema, request[part] ?? {})
    result[part] = value
    if (typeof value === 'object' && value !== null) assertInScope(value)
  }
  return result as EndpointRequest<E>
}

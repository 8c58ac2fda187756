import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response
} from 'express'
import type { Logger } from 'pino'
import {
  fastUploadSchema,
  groupCallbackSchema,
  tinyFingerprintsSchema,
  uploadCallbackSchema
} from '../../../shared/api/pilot.ts'
import type { PilotConfig } from '../../config/settings/pilot.ts'
import { nameOperation } from '../../telemetry/observe-requests.ts'
import { isInScope, type WorkspaceScope } from '../../workspace-scope.ts'
import type { FieldBoard } from '../field/field-board.ts'
import { isWorkspaceId } from './object-key.ts'
import type { PilotCall, PilotService } from './pilot.service.ts'
import { PilotRefusal, type RefusalReason, refusals } from './pilot-refusal.ts'
import type { ProtocolRecorder } from './protocol-recorder.ts'
import { readJsonObject } from './request-body.ts'

export interface PilotAppDeps {
  service: PilotService
  board: FieldBoard
  config: PilotConfig
  /** Whom an `X-Auth-Token` belongs to; undefined when it opens nothing, `too_many` when its sender tried too many. */
  authenticate: (
    secret: string,
    request: Request
  ) => { tokenId: string | null; name: string; workspaceIds: WorkspaceScope } | undefined | 'too_many'
  /** Null: nothing is recorded. */
  recorder: ProtocolRecorder | null
  log: Logger
  /** Sees every request first. */
  observe?: RequestHandler
  /** Whether the program is on its way out: then nothing is taken any more. */
  isStopping: () => boolean
}

interface Answer {
  status: number
  code: number
  message: string
  data: unknown
}

const success = (data: unknown): Answer => ({ status: 200, code: 0, message: 'success', data })

/** For an IP address page or any other tool of ours that probes the listener from a browser. */
const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'access-control-allow-origin': '*',
  'cache-control': 'no-store'
}
const PREFLIGHT_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers': 'Content-Type, x-auth-token',
  'access-control-max-age': '600'
}

/** A daemon that is only restarted is back by then. */
const RETRY_AFTER_S = 10

/**
 * The application of the field listener: what Pilot 2 calls, and nothing else. It answers every request it gets. Checks go in
 * a fixed order: route, token, workspace, body. 401 is for the token alone, because Pilot logs out on it.
 */
export function createPilotApp(deps: PilotAppDeps): Express {
  const { service, config } = deps
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.set('query parser', false)
  const mediaPath = '/media/api/v1/workspaces/:workspaceId'

  if (deps.observe) app.use(deps.observe)
  app.use(refuseWhileStopping(deps), joinSlashes)

  const post = (path: string, handle: (call: PilotCall, request: Request, heard: Heard) => Promise<Answer>): void => {
    app.post(path, async (request: Request, response: Response) => {
      nameOperation(response, `pilot.${path.split('/').at(-1)}`)
      const heard: Heard = { body: '' }
      response.locals['heard'] = heard
      const call = admit(request, deps)
      response.locals['call'] = call
      send(deps, request, response, await handle(call, request, heard))
    })
  }

  post(`${mediaPath}/fast-upload`, async (call, request, heard) => {
    const body = fastUploadSchema.parse(await readBody(request, heard))
    const objectKey = await service.fastUpload(call, body)
    if (objectKey !== null) return success({ object_key: objectKey })
    return { status: 200, code: -1, message: `${body.fingerprint} don't exist.`, data: '' }
  })

  post(`${mediaPath}/files/tiny-fingerprints`, async (call, request, heard) => {
    const body = tinyFingerprintsSchema.safeParse(await readBody(request, heard))
    if (!body.success) throw new PilotRefusal('invalidTinyFingerprints')
    return success({ tiny_fingerprints: await service.tinyFingerprints(call, body.data) })
  })

  post(`${mediaPath}/upload-callback`, async (call, request, heard) => {
    const body = uploadCallbackSchema.parse(await readBody(request, heard))
    const objectKey = await service.reportUpload(call, body, heard.body)
    return success(config.callbackDataObject ? { object_key: objectKey } : objectKey)
  })

  post(`${mediaPath}/group-upload-callback`, async (call, request, heard) => {
    service.reportGroup(call, groupCallbackSchema.parse(await readBody(request, heard)))
    return success({})
  })

  // No body is defined for this call, so whatever comes is left unread.
  post('/storage/api/v1/workspaces/:workspaceId/sts', async (call, request) =>
    success(
      await service.issueCredentials(call, {
        host: request.headers.host,
        forwardedHost: headerText(request, 'x-forwarded-host'),
        forwardedProto: headerText(request, 'x-forwarded-proto'),
        localAddress: request.socket.localAddress
      })
    )
  )

  app.get('/health', (request, response) => {
    send(deps, request, response, { ...success({}), message: 'ok' })
  })
  app.options('/{*path}', (_request, response) => {
    response.writeHead(204, PREFLIGHT_HEADERS).end()
  })
  app.use(notFound)
  app.use(errorRenderer(deps))
  return app
}

/** Comes first: whatever else is wrong with a request does not matter now. */
function refuseWhileStopping(deps: PilotAppDeps): RequestHandler {
  const [status, message] = refusals.shuttingDown
  return (request, response, next) => {
    if (!deps.isStopping()) return next()
    response.setHeader('retry-after', RETRY_AFTER_S)
    response.setHeader('connection', 'close')
    send(deps, request, response, { status, code: status, message, data: {} })
  }
}

/** The host given to Pilot may end in a slash, and Pilot adds another one. */
const joinSlashes: RequestHandler = (request, _response, next) => {
  if (request.url.includes('//')) request.url = request.url.replace(/^[^?]*/, (path) => path.replace(/\/{2,}/g, '/'))
  next()
}

/** What a call was found to say, for the recorder. */
interface Heard {
  body: string
}

async function readBody(request: Request, heard: Heard): Promise<object> {
  const { value, text } = await readJsonObject(request)
  heard.body = text
  return value
}

const notFound: RequestHandler = () => {
  throw new PilotRefusal('notFound')
}

/** Token, then workspace. */
function admit(request: Request, deps: PilotAppDeps): PilotCall {
  const secret = headerText(request, 'x-auth-token')
  if (!secret) throw new PilotRefusal('missingToken')
  const identity = deps.authenticate(secret, request)
  if (identity === 'too_many') throw new PilotRefusal('tooManySignIns')
  if (!identity) throw new PilotRefusal('invalidToken')
  const workspaceId = request.params['workspaceId']
  if (typeof workspaceId !== 'string' || !isWorkspaceId(workspaceId)) throw new PilotRefusal('invalidWorkspaceId')
  if (!isInScope(identity.workspaceIds, workspaceId)) throw new PilotRefusal('workspaceForbidden')
  deps.service.assertWorkspace(workspaceId)
  const controllerId = deps.board.arrive({
    tokenId: identity.tokenId,
    tokenName: identity.name,
    deviceId: headerText(request, 'x-device-id') ?? null,
    remoteAddress: request.socket.remoteAddress ?? ''
  })
  return { workspaceId, controllerId }
}

function headerText(request: Request, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Written past Express's own `json()`: nothing here needs entity tags, and these calls come by the thousand. */
function send(deps: PilotAppDeps, request: Request, response: Response, answer: Answer): void {
  const { status, ...envelope } = answer
  const body = JSON.stringify(envelope)
  response.writeHead(status, { ...HEADERS, 'content-length': Buffer.byteLength(body) }).end(body)
  const heard = response.locals['heard'] as Heard | undefined
  deps.recorder?.record(request, heard?.body ?? '', status, envelope)
}

/** Refusals that the person at the tether board should see; those about a single file are noted where they arise. */
const laneErrors: Partial<Record<RefusalReason, string>> = {
  stsFailed: 'sts_failed',
  invalidObjectKey: 'invalid_object_key',
  payloadTooLarge: 'payload_too_large',
  internalError: 'internal_error'
}

function errorRenderer(deps: PilotAppDeps): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    if (request.destroyed && !request.complete) {
      deps.log.info({ method: request.method, path: request.path }, 'controller went away in the middle of a request')
      return
    }
    const refusal = refusalFor(error, request, deps)
    const [status, message] = refusals[refusal.reason]
    const line = {
      method: request.method,
      path: request.path,
      status,
      message,
      requestId: headerText(request, 'x-request-id'),
      deviceId: headerText(request, 'x-device-id'),
      firmware: headerText(request, 'x-firmware-version')
    }
    if (status >= 500) deps.log.error({ ...line, err: refusal.cause ?? refusal }, 'controller request failed')
    else deps.log.info(line, 'controller request refused')
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    if (refusal.reason === 'invalidToken') deps.board.signInRefused(request.socket.remoteAddress ?? '')
    const call = response.locals['call'] as PilotCall | undefined
    const laneError = laneErrors[refusal.reason]
    if (call && laneError) deps.board.refused(call.controllerId, laneError)
    // A body beyond all measure is not read to its end.
    if (refusal.reason === 'payloadTooLarge' && !request.complete) response.setHeader('connection', 'close')
    send(deps, request, response, { status, code: status, message, data: {} })
  }
}

function refusalFor(error: unknown, request: Request, deps: PilotAppDeps): PilotRefusal {
  if (error instanceof PilotRefusal) return error
  if (isUndecodablePath(error)) {
    // The router failed before our own checks, whose order still holds.
    const secret = headerText(request, 'x-auth-token')
    if (!secret) return new PilotRefusal('missingToken')
    const identity = deps.authenticate(secret, request)
    if (identity === 'too_many') return new PilotRefusal('tooManySignIns')
    return new PilotRefusal(identity ? 'invalidWorkspaceId' : 'invalidToken')
  }
  return new PilotRefusal('internalError', { cause: error })
}

/** A `%` in the path that begins no escape, as Express's router reports it. */
function isUndecodablePath(error: unknown): boolean {
  return error instanceof URIError && (error as { status?: unknown }).status === 400
}

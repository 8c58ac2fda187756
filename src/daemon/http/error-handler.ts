import type { ErrorRequestHandler, Request, Response } from 'express'
import type { Logger } from 'pino'
import { type Problem, type ProblemCode, problemCodes } from '../../shared/problem.ts'
import { AppError, messageOf } from '../errors.ts'
import { MediaMtxError, type MediaMtxErrorCode } from '../mediamtx/errors.ts'
import { ObjectStoreError, type ObjectStoreErrorCode } from '../object-store/object-store.ts'
import { hasBody } from './body-stream.ts'

const SIGN_IN_REST_S = 60
const LAST_WORDS_MS = 2000

/** The one place where a code becomes an HTTP status and an English title. */
const problems: Record<ProblemCode, { status: number; title: string }> = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  content_type_not_json: { status: 415, title: 'The body does not come as JSON (Content-Type: application/json)' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  media_type_not_allowed: { status: 415, title: 'Files of this type are not taken' },
  too_many_pixels: { status: 422, title: 'The picture has too many pixels' },
  quota_exceeded: { status: 413, title: 'The workspace has no room for this file' },
  digest_mismatch: { status: 422, title: 'The bytes are not those that were announced' },
  upload_not_found: { status: 404, title: 'There is no such upload' },
  upload_incomplete: { status: 409, title: 'The bytes of this upload are not there yet' },
  upload_taken_over: { status: 409, title: 'Somebody else sends this part by now' },
  upload_offset_wrong: { status: 409, title: 'The upload is at another offset' },
  tus_version_unsupported: { status: 412, title: 'Only version 1.0.0 of the tus protocol is spoken' },
  part_not_found: { status: 404, title: 'The upload has no such part' },
  part_size_wrong: { status: 400, title: 'The part has another size' },
  unauthenticated: { status: 401, title: 'A valid token is needed' },
  identity_provider_unreachable: { status: 503, title: 'The keys of the identity provider cannot be read' },
  too_many_sign_ins: { status: 429, title: 'Too many attempts to sign in came from this address' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  forbidden: { status: 403, title: 'This token may not do that' },
  foreign_origin: { status: 403, title: 'Requests from other sites are refused' },
  route_not_found: { status: 404, title: 'There is nothing at this address' },
  method_not_allowed: { status: 405, title: 'This address does not know the method' },
  asset_not_found: { status: 404, title: 'There is no such asset' },
  asset_in_use: { status: 409, title: 'The asset is still referenced' },
  asset_changed: { status: 409, title: 'Somebody else changed the asset meanwhile' },
  asset_binned: { status: 409, title: 'The asset is in the bin' },
  reference_not_found: { status: 404, title: 'There is no such reference' },
  asset_not_binned: { status: 409, title: 'The asset is not in the bin' },
  deletion_not_found: { status: 404, title: 'There is no such deletion' },
  deletion_not_waiting: { status: 409, title: 'The deletion does not wait any more' },
  asset_damaged: { status: 409, title: 'The stored bytes are damaged' },
  asset_bytes_missing: { status: 410, title: 'The stored bytes are gone' },
  blob_quarantined: { status: 451, title: 'These bytes are quarantined' },
  quarantine_not_found: { status: 404, title: 'These bytes are not quarantined' },
  link_invalid: { status: 403, title: 'The link is not one of ours' },
  link_expired: { status: 403, title: 'The link has expired' },
  referer_refused: { status: 403, title: 'This file may not be shown there' },
  rendition_not_available: { status: 404, title: 'There is no such preview' },
  range_not_satisfiable: { status: 416, title: 'The range lies outside the file' },
  precondition_failed: { status: 412, title: 'The file is not the version asked for' },
  job_not_found: { status: 404, title: 'There is no such job' },
  job_not_retryable: { status: 409, title: 'The job is not in a state that allows this' },
  controller_not_found: { status: 404, title: 'There is no such controller' },
  token_not_found: { status: 404, title: 'There is no such token' },
  workspace_not_found: { status: 404, title: 'There is no such workspace' },
  remote_disabled: { status: 403, title: 'Fetching files from elsewhere is switched off' },
  remote_url_refused: { status: 422, title: 'Files are not fetched from this address' },
  remote_media_not_found: { status: 404, title: 'There is no such remote file' },
  remote_media_not_ready: { status: 409, title: 'The remote file is not here yet' },
  webhook_not_found: { status: 404, title: 'There is no such webhook' },
  too_many_webhooks: { status: 409, title: 'There are as many webhooks as there can be' },
  delivery_not_found: { status: 404, title: 'There is no such delivery' },
  event_gone: { status: 410, title: 'The event is not kept any more' },
  idempotency_key_reused: { status: 422, title: 'This idempotency key came with another request before' },
  idempotency_key_in_use: { status: 409, title: 'The request with this idempotency key is still running' },
  idempotent_answer_not_kept: { status: 409, title: 'It was done; its answer held a secret and is not kept' },
  live_unavailable: { status: 503, title: 'The streaming service is not available' },
  live_misconfigured: { status: 503, title: 'The streaming service does not take our credentials' },
  path_exists: { status: 409, title: 'The path exists already; try again' },
  source_not_found: { status: 404, title: 'There is no such source' },
  source_has_assets: { status: 409, title: 'Assets belong to the source: delete them first' },
  source_disabled: { status: 409, title: 'The source is switched off' },
  source_is_pulled: { status: 409, title: 'The source is fetched: nobody publishes to it' },
  publish_key_unused: { status: 409, title: 'The media server does not ask for keys to publish with' },
  pull_url_refused: { status: 400, title: 'Streams are not fetched from this address' },
  stream_not_available: { status: 404, title: 'Nothing sends this stream now' },
  protocol_not_available: { status: 404, title: 'The media server does not offer this protocol' },
  snapshot_not_available: { status: 404, title: 'There is no picture of this stream' },
  recording_not_found: { status: 404, title: 'Nothing was recorded then' },
  recording_in_use: { status: 409, title: 'The recording is still written, or a clip is being cut from it' },
  recording_not_damaged: { status: 409, title: 'The recording is not damaged' },
  recording_corrupt: { status: 502, title: 'The recording is damaged' },
  recording_away: { status: 503, title: 'The recording is away, with its disk or its media server' },
  clip_not_found: { status: 404, title: 'There is no such clip' },
  asset_not_stream: { status: 404, title: 'The asset is not a stream' },
  scrub_not_available: { status: 409, title: 'The store looks after its files itself' },
  setting_fixed: { status: 409, title: 'Where the program is started, something else is set' },
  settings_incomplete: { status: 422, title: 'The settings are not complete' },
  store_unreachable: { status: 503, title: 'The object store does not answer' },
  store_full: { status: 507, title: 'The disk of the object store is full' },
  disk_full: { status: 507, title: 'The disk of the catalogue is full' },
  store_credentials_refused: { status: 502, title: 'The object store refuses our credentials' },
  shutting_down: { status: 503, title: 'The program is stopping' },
  internal_error: { status: 500, title: 'Something went wrong in the program' }
}

/** The problem body for `code`. */
export function problemBody(code: ProblemCode, requestId: string, details?: Record<string, unknown>): Problem {
  const { status, title } = problems[code]
  return {
    type: `urn:flightcase:problem:${code}`,
    title,
    status,
    code,
    ...(details ? { details } : {}),
    requestId
  }
}

const storeCodes: Partial<Record<ObjectStoreErrorCode, ProblemCode>> = {
  NotFound: 'asset_bytes_missing',
  Damaged: 'asset_damaged',
  PreconditionFailed: 'precondition_failed',
  StorageFull: 'store_full',
  Unreachable: 'store_unreachable',
  OtherStore: 'store_unreachable',
  Throttled: 'store_unreachable',
  AccessDenied: 'store_credentials_refused',
  CredentialsExpired: 'store_credentials_refused'
}

const serverCodes: Record<MediaMtxErrorCode, ProblemCode> = {
  Unavailable: 'live_unavailable',
  Misconfigured: 'live_misconfigured',
  Conflict: 'path_exists',
  Invalid: 'invalid_request',
  NotFound: 'stream_not_available',
  Corrupt: 'recording_corrupt'
}

/** Translates what a handler threw. Errors of unknown origin become `internal_error` without details. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof ObjectStoreError)
    return new AppError(storeCodes[error.code] ?? 'internal_error', undefined, { cause: error })
  if (error instanceof MediaMtxError)
    return new AppError(serverCodes[error.code], { reason: error.message }, { cause: error })
  const bodyParserType = (error as { type?: unknown } | null)?.type
  if (bodyParserType === 'entity.parse.failed') return new AppError('invalid_json', undefined, { cause: error })
  if (bodyParserType === 'entity.too.large') return new AppError('payload_too_large', undefined, { cause: error })
  if (isDiskFull(error)) return new AppError('disk_full', undefined, { cause: error })
  const status = (error as { status?: unknown } | null)?.status
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new AppError('invalid_request', { reason: messageOf(error) }, { cause: error })
  return new AppError('internal_error', undefined, { cause: error })
}

/** Whether a write of SQLite or of the file system failed because there is no room. */
function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT'
}

/** Express's last handler: answers problem details and logs once, expected refusals at info, the rest at error. */
export function errorHandler(log: Logger): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const appError = toAppError(error)
    const requestId = String(response.getHeader('x-request-id') ?? '')
    const body = problemBody(appError.code, requestId, appError.details)
    if (appError.code === 'too_many_sign_ins') response.setHeader('retry-after', SIGN_IN_REST_S)
    const line = { requestId, method: request.method, path: request.path, code: appError.code }
    if (body.status >= 500) log.error({ ...line, err: appError.cause ?? appError }, 'request failed')
    else log.info(line, 'request refused')
    if (response.headersSent) {
      response.destroy()
      return
    }
    for (const header of ['etag', 'last-modified', 'content-disposition', 'accept-ranges'])
      response.removeHeader(header)
    // Caches may keep some refusals (404, 410, 451) unless told otherwise (RFC 9110 §15.1).
    response.setHeader('cache-control', 'no-store')
    if (!request.complete) endAfterAnswer(request, response)
    response.status(body.status).type('application/problem+json').send(JSON.stringify(body))
  }
}

/** Who is refused while still sending gets the answer, and then no more attention. */
function endAfterAnswer(request: Request, response: Response): void {
  if (!hasBody(request)) return
  response.setHeader('connection', 'close')
  response.once('finish', () => setTimeout(() => request.destroy(), LAST_WORDS_MS).unref())
}

/** Status of every code, for the API document. */
export const problemStatuses: Record<ProblemCode, number> = Object.fromEntries(
  problemCodes.map((code) => [code, problems[code].status])
) as Record<ProblemCode, number>

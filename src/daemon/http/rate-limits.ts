import type { RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import type { LimitsConfig } from '../config/settings/access.ts'
import { AppError } from '../errors.ts'
import type { Caller } from './bind-endpoint.ts'
import { clientAddress } from './client-address.ts'

/** What a caller may ask for in a minute, counted in the memory of this process. */
export interface RateLimits {
  /** Operations; for each token or person, without one for each address. */
  operations: RequestHandler
  /** Originals and previews; for each address. */
  media: RequestHandler
}

const WINDOW_MS = 60_000

/** Both refuse with `too_many_requests`. Programs of this machine are not counted. */
export function createRateLimits(config: Pick<LimitsConfig, 'requestsPerMinute' | 'mediaPerMinute'>): RateLimits {
  return {
    operations: limiter('operations', config.requestsPerMinute, (caller, address) =>
      caller.actorId === 'anonymous' ? address : caller.actorId
    ),
    media: limiter('media', config.mediaPerMinute, (_, address) => address)
  }
}

function limiter(
  identifier: string,
  perMinute: number,
  keyOf: (caller: Caller, address: string) => string
): RequestHandler {
  if (perMinute === 0) return (_request, _response, next) => next()
  const limit = rateLimit({
    windowMs: WINDOW_MS,
    limit: perMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier,
    keyGenerator: (request, response) => keyOf(response.locals['caller'] as Caller, clientAddress(request) ?? ''),
    handler: (_request, _response, next) => next(new AppError('too_many_requests', { perMinute }))
  })
  return (request, response, next) => {
    if (clientAddress(request) === null) next()
    else void limit(request, response, next)
  }
}

import type { RequestHandler } from 'express'

const PREFLIGHT_SECONDS = 86_400

/**
 * Lets scripts of pages from these origins (`*`: from all) read answers, without the user's session (Fetch standard, CORS protocol),
 * and answers their preflights.
 */
export function corsFor(origins: readonly string[]): RequestHandler {
  const isForAll = origins.includes('*')
  return (request, response, next) => {
    const { origin } = request.headers
    if (!isForAll && origins.length > 0) response.vary('origin')
    const isAllowed = origin !== undefined && (isForAll || origins.includes(origin))
    if (isAllowed) {
      response.setHeader('access-control-allow-origin', isForAll ? '*' : origin)
      response.setHeader('access-control-expose-headers', 'accept-ranges, content-disposition, content-range, etag')
    }
    if (!isAllowed || request.method !== 'OPTIONS') return next()
    response.setHeader('access-control-allow-methods', 'GET, HEAD')
    response.setHeader('access-control-allow-headers', 'range, if-match, if-none-match, if-modified-since, if-range')
    response.setHeader('access-control-max-age', PREFLIGHT_SECONDS)
    response.status(204).end()
  }
}

import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import express, { type Express, type RequestHandler } from 'express'
import type { Logger } from 'pino'
import { adminContract } from '../../shared/api/contract.ts'
import { AppError } from '../errors.ts'
import { newId } from '../ids.ts'
import { type BinderOptions, createEndpointBinder, type EndpointBinder } from './bind-endpoint.ts'
import { corsFor } from './cors.ts'
import { errorHandler } from './error-handler.ts'
import { openApiDocument } from './openapi.ts'

export interface AdminAppOptions extends Omit<BinderOptions, 'router'> {
  version: string
  log: Logger
  /** Binds every operation of the contract; a missing or surplus one stops the start. */
  bindAll(binder: EndpointBinder): void
  /** Folder of the built renderer. */
  rendererDir: string
  /** Names under which others show this listener, in lower case. */
  publicHosts: readonly string[]
  /** Pages whose scripts may read media; see `corsFor`. */
  corsOrigins: readonly string[]
  /** Sees every request first. */
  observe: RequestHandler
}

const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  // Digests of files to upload are calculated by WebAssembly.
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'"
].join('; ')

/** The application of the admin listener: contract operations, the API document and the renderer. */
export function createAdminApp(options: AdminAppOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.set('query parser', 'simple')
  app.use(options.observe)
  app.use(guard(new Set(options.publicHosts)))
  app.use(['/media', '/thumbnail'], corsFor(options.corsOrigins))

  const binder = createEndpointBinder({ ...options, router: app })
  options.bindAll(binder)
  assertComplete(binder)

  let document: string | undefined
  app.get('/openapi.json', (_, response) => {
    document ??= JSON.stringify(openApiDocument(adminContract, options.version))
    response.type('application/json').send(document)
  })
  app.get('/api-docs', (_, response) => response.redirect('/api-docs.html'))
  app.use(otherMethods)
  app.use(['/api', '/media', '/thumbnail'], () => {
    throw new AppError('route_not_found')
  })
  app.use(renderer(options.rendererDir))
  app.use(() => {
    throw new AppError('route_not_found')
  })
  app.use(errorHandler(options.log))
  return app
}

/** Request id and security headers for every answer; refuses names that a hostile page could have pointed at us. */
function guard(publicHosts: ReadonlySet<string>): RequestHandler {
  return (request, response, next) => {
    response.setHeader('x-request-id', newId())
    response.setHeader('x-content-type-options', 'nosniff')
    response.setHeader('referrer-policy', 'no-referrer')
    response.setHeader('cross-origin-opener-policy', 'same-origin')
    response.setHeader('cross-origin-resource-policy', 'same-origin')
    response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY)
    if (!isOwnHost(request.headers.host, publicHosts)) throw new AppError('foreign_origin')
    next()
  }
}

/**
 * DNS rebinding needs a name the attacker controls; addresses, localhost, this machine's name and those of the configuration are
 * none.
 */
function isOwnHost(host: string | undefined, publicHosts: ReadonlySet<string>): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false
  const name = new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '')
  const own = hostname().toLowerCase()
  return isIP(name) !== 0 || name === 'localhost' || name === own || name === `${own}.local` || publicHosts.has(name)
}

/** Of the contract; those without parameters first: they are meant where both fit (OpenAPI 3.1 §4.8.8.2). */
const addresses = [...new Set(adminContract.map(({ path }) => path))]
  .toSorted((a, b) => Number(a.includes('{')) - Number(b.includes('{')))
  .map((path) => ({
    pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}/?$`),
    allow: adminContract
      .filter((endpoint) => endpoint.path === path)
      .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
      .join(', ')
  }))

/** What no operation took, though the address is one of theirs, came with a wrong method (RFC 9110 §15.5.6). */
const otherMethods: RequestHandler = (request, response, next) => {
  const address = addresses.find(({ pattern }) => pattern.test(request.path))
  if (!address) return next()
  response.setHeader('allow', address.allow)
  throw new AppError('method_not_allowed')
}

function assertComplete(binder: EndpointBinder): void {
  const bound = binder.boundNames()
  const missing = adminContract.filter((endpoint) => !bound.has(endpoint.name)).map((endpoint) => endpoint.name)
  if (missing.length > 0 || bound.size !== adminContract.length)
    throw new Error(`the contract and the bound operations differ: missing ${missing.join(', ') || 'none'}`)
}

function renderer(directory: string): RequestHandler {
  const index = join(directory, 'index.html')
  const files = express.static(directory, {
    index: false,
    setHeaders: (response, path) =>
      response.setHeader(
        'cache-control',
        /[/\\]static[/\\]/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'
      )
  })
  return (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next()
    files(request, response, (error?: unknown) => {
      if (error) return next(error)
      // Any other address is a page of the single-page application, not a missing file.
      if (/\.\w+$/.test(request.path)) return next()
      if (!existsSync(index)) {
        response.status(503).type('text/plain').send('The screen is not built yet. Run: npm run build:web\n')
        return
      }
      response.setHeader('cache-control', 'no-cache')
      response.sendFile(index)
    })
  }
}

import { z } from 'zod'
import type { Headers } from './headers.ts'
import { S3Error } from './s3-error.ts'
import { childrenOf, childText, type XmlElement } from './xml-reader.ts'
import type { XmlNode } from './xml-writer.ts'

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const
const MAX_RULES = 100
const DEFAULT_MAX_AGE_SECONDS = 3000

const ruleSchema = z.object({
  id: z.string().optional(),
  origins: z.array(z.string()),
  methods: z.array(z.enum(METHODS)),
  headers: z.array(z.string()),
  exposeHeaders: z.array(z.string()),
  maxAgeSeconds: z.number().int().optional()
})
const configurationSchema = z.array(ruleSchema)

/** One rule of a bucket's CORS configuration. Origins and headers may hold one `*`. */
export type CorsRule = z.infer<typeof ruleSchema>

/** Response headers a page may read unless its bucket says otherwise. */
const DEFAULT_EXPOSED = [
  'ETag',
  'x-amz-request-id',
  'x-amz-id-2',
  'x-amz-version-id',
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-amz-checksum-type',
  'Content-Range',
  'Accept-Ranges',
  'Content-Length'
]

/** The rules of a bucket without a configuration of its own: the daemon's pages may do everything their signature allows. */
export function defaultRules(origins: readonly string[]): CorsRule[] {
  if (origins.length === 0) return []
  return [
    {
      origins: [...origins],
      methods: [...METHODS],
      headers: ['*'],
      exposeHeaders: DEFAULT_EXPOSED,
      maxAgeSeconds: DEFAULT_MAX_AGE_SECONDS
    }
  ]
}

/**
 * Reads a CORSConfiguration document into the form that is stored with the bucket.
 * @throws S3Error MalformedXML, InvalidRequest
 */
export function parseCorsXml(root: XmlElement): string {
  const rules = childrenOf(root, 'CORSRule').map((rule): CorsRule => {
    const texts = (name: string) => childrenOf(rule, name).map((element) => element.text)
    const origins = texts('AllowedOrigin')
    const methods = texts('AllowedMethod').map(parseMethod)
    const headers = texts('AllowedHeader')
    if (origins.length === 0 || methods.length === 0)
      throw new S3Error('MalformedXML', { message: 'A CORS rule needs an AllowedOrigin and an AllowedMethod.' })
    if ([...origins, ...headers].some((pattern) => pattern.split('*').length > 2))
      throw new S3Error('InvalidRequest', { message: 'An origin or header may hold at most one wildcard.' })
    const exposeHeaders = texts('ExposeHeader')
    if (!exposeHeaders.every((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)))
      throw new S3Error('InvalidRequest', { message: 'An exposed header must be the name of a header.' })
    const id = childText(rule, 'ID')
    const maxAge = childText(rule, 'MaxAgeSeconds')
    if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge)) throw new S3Error('MalformedXML')
    return {
      ...(id === undefined ? {} : { id }),
      origins,
      methods,
      headers,
      exposeHeaders,
      ...(maxAge === undefined ? {} : { maxAgeSeconds: Number(maxAge) })
    }
  })
  if (rules.length === 0 || rules.length > MAX_RULES)
    throw new S3Error('MalformedXML', { message: `Between 1 and ${MAX_RULES} CORS rules must be given.` })
  return JSON.stringify(rules)
}

function parseMethod(text: string): CorsRule['methods'][number] {
  const method = METHODS.find((known) => known === text)
  if (method === undefined)
    throw new S3Error('InvalidRequest', {
      message: `Found unsupported HTTP method in CORS config: ${text.slice(0, 32)}`
    })
  return method
}

/** Reads back what {@link parseCorsXml} gave. */
export function parseStoredRules(corsJson: string): CorsRule[] {
  return configurationSchema.parse(JSON.parse(corsJson))
}

/** The rules as children of a CORSConfiguration element. */
export function corsNodes(rules: readonly CorsRule[]): XmlNode[] {
  return rules.map((rule) => {
    const list = (name: string, values: readonly string[]) => values.map((value): XmlNode => [name, value])
    return [
      'CORSRule',
      [
        ['ID', rule.id],
        ...list('AllowedOrigin', rule.origins),
        ...list('AllowedMethod', rule.methods),
        ...list('AllowedHeader', rule.headers),
        ...list('ExposeHeader', rule.exposeHeaders),
        ['MaxAgeSeconds', rule.maxAgeSeconds]
      ]
    ]
  })
}

/**
 * Answers a preflight from the first rule that allows origin, method and every requested header.
 * @returns the response headers
 * @throws S3Error InvalidRequest when it is no preflight, AccessForbidden when no rule matches
 */
export function preflightHeaders(rules: readonly CorsRule[], headers: Headers): Record<string, string> {
  const origin = headers.get('origin')
  const method = headers.get('access-control-request-method')
  if (origin === undefined || method === undefined)
    throw new S3Error('InvalidRequest', {
      message: 'Insufficient information. Origin and Access-Control-Request-Method headers are needed.'
    })
  const requested = headers.get('access-control-request-headers')
  const names = (requested ?? '').split(',').map((name) => name.trim().toLowerCase())
  const rule = rules.find(
    (candidate) =>
      allowsOrigin(candidate, origin, method) &&
      names.every((name) => name === '' || candidate.headers.some((pattern) => matches(pattern.toLowerCase(), name)))
  )
  if (rule === undefined) throw new S3Error('AccessForbidden')
  return {
    ...originHeaders(rule, origin),
    'access-control-allow-methods': rule.methods.join(', '),
    ...(requested === undefined ? {} : { 'access-control-allow-headers': requested }),
    ...(rule.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(rule.maxAgeSeconds) }),
    ...(headers.get('access-control-request-private-network') === 'true'
      ? { 'access-control-allow-private-network': 'true' }
      : {})
  }
}

/** What lets a page read the answer to an actual request; nothing when no rule allows its origin. */
export function actualHeaders(rules: readonly CorsRule[], method: string, headers: Headers): Record<string, string> {
  const origin = headers.get('origin')
  if (origin === undefined) return {}
  const rule = rules.find((candidate) => allowsOrigin(candidate, origin, method))
  if (rule === undefined) return { vary: VARY }
  return {
    ...originHeaders(rule, origin),
    ...(rule.exposeHeaders.length > 0 ? { 'access-control-expose-headers': rule.exposeHeaders.join(', ') } : {})
  }
}

const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method'

/** A rule for everybody answers `*`, so that no allowed origin is ever a mere echo. */
function originHeaders(rule: CorsRule, origin: string): Record<string, string> {
  return { 'access-control-allow-origin': rule.origins.includes('*') ? '*' : origin, vary: VARY }
}

function allowsOrigin(rule: CorsRule, origin: string, method: string): boolean {
  return rule.methods.some((allowed) => allowed === method) && rule.origins.some((pattern) => matches(pattern, origin))
}

function matches(pattern: string, text: string): boolean {
  const [before = '', after] = pattern.split('*')
  if (after === undefined) return pattern === text
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after)
}

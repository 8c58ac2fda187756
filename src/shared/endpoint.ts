import type { z } from 'zod'
import type { ProblemCode } from './problem.ts'

/** Who may call: `none` needs no token; the others are roles, each including the ones before it. */
export type RequiredRole = 'none' | 'viewer' | 'operator' | 'admin'

/** How an answer's body is sent: JSON by schema, a JSON value a line, raw bytes, a server-sent event stream, or nothing. */
export type ResponseBody = z.ZodType | 'ndjson' | 'bytes' | 'event-stream' | 'empty'

/**
 * One HTTP operation, described once. The daemon validates requests with it, the client is typed by it and the OpenAPI
 * document is generated from it. `path` uses `{name}` for parameters.
 */
export interface Endpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends ResponseBody = ResponseBody
> {
  name: string
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'
  path: `/${string}`
  tag: string
  summary: string
  role: RequiredRole
  /** Keeps to the workspaces of its caller. Any other operation is refused to tokens that are limited to some. */
  forScopedTokens?: true
  params?: Params
  query?: Query
  body?: Body
  /** Instead of a JSON body: a form (`multipart/form-data`) with these fields and a file. The handler reads it itself. */
  form?: { fields: z.ZodType; file: string }
  /** Instead of a JSON body: bytes (of the media type named, or of any), which the handler reads itself. */
  rawBody?: true | `${string}/${string}`
  /** A request without those bytes is one, too. */
  isRawBodyOptional?: true
  /** Of a protocol with headers (and with rules for repetition) of its own: for the document, the handler reads them itself. */
  headers?: z.ZodType
  /** Of the JSON body; 1 MB unless it says otherwise. */
  maxBodyBytes?: number
  response: Response
  /** The answer shows a secret: it is not kept for requests that come again. */
  secretAnswer?: true
  /** Of an answer without a body; 204 unless it says otherwise. */
  emptyStatus?: 200 | 201
  /** Further statuses of an answer of bytes, each with what it says. */
  alsoAnswers?: Readonly<Record<number, string>>
  errors: readonly ProblemCode[]
  /** Set for what controllers call: another listener, with a token header and an error body of its own. */
  listener?: 'field'
}

/** Declares an operation; only fixes the types. */
export function defineEndpoint<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Response extends ResponseBody = ResponseBody
>(endpoint: Endpoint<Params, Query, Body, Response>): Endpoint<Params, Query, Body, Response> {
  return endpoint
}

/** What a caller passes: inputs before defaults and coercion. */
export type EndpointInput<E> =
  E extends Endpoint<infer P, infer Q, infer B, ResponseBody>
    ? (P extends z.ZodUndefined ? object : { params: z.input<P> }) &
        (Q extends z.ZodUndefined ? object : { query?: z.input<Q> }) &
        (B extends z.ZodUndefined ? object : { body: z.input<B> })
    : never

/** What a handler receives: validated values. */
export type EndpointRequest<E> =
  E extends Endpoint<infer P, infer Q, infer B, ResponseBody>
    ? {
        params: P extends z.ZodUndefined ? undefined : z.output<P>
        query: Q extends z.ZodUndefined ? undefined : z.output<Q>
        body: B extends z.ZodUndefined ? undefined : z.output<B>
      }
    : never

/** What a handler returns and a caller gets for a JSON answer. */
export type EndpointResult<E> =
  E extends Endpoint<z.ZodType, z.ZodType, z.ZodType, infer R> ? (R extends z.ZodType ? z.output<R> : undefined) : never

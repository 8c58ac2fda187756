import type { z } from 'zod'
import type { Endpoint, EndpointInput, EndpointResult } from './endpoint.ts'
import { type Problem, problemSchema } from './problem.ts'

/** The few things the client needs from `fetch`; both the browser's and Node's fit. */
export type Transport = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; signal?: unknown }
) => Promise<{ status: number; json(): Promise<unknown> }>

/** An answer that was not 2xx. `problem` is null when something other than the daemon answered. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly problem: Problem | null
  constructor(status: number, problem: Problem | null) {
    super(problem?.detail ?? problem?.title ?? `HTTP ${status}`)
    this.status = status
    this.problem = problem
  }
}

/** The error that an answer stands for which was not 2xx; `body` is its JSON, null when it has none. */
export function refusalFrom(status: number, body: unknown): ApiError {
  return new ApiError(status, problemSchema.safeParse(body).data ?? null)
}

/** {@link refusalFrom} an answer that was not read yet. */
export async function refusalOf(answer: { status: number; json(): Promise<unknown> }): Promise<ApiError> {
  return refusalFrom(answer.status, await answer.json().catch(() => null))
}

export interface ApiClient {
  /** Calls one JSON operation. Throws `ApiError` for a refusal and whatever the transport throws for an outage. */
  call<E extends Endpoint>(endpoint: E, input: EndpointInput<E>, signal?: unknown): Promise<EndpointResult<E>>
}

/** Fills `{name}` in an endpoint's path and appends the query; undefined query members are left out. */
export function endpointUrl(
  path: string,
  input: { params?: Record<string, unknown>; query?: Record<string, unknown> } = {}
): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(input.params?.[name])))
  const query = Object.entries(input.query ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
  return query.length > 0 ? `${filled}?${query.join('&')}` : filled
}

/** A typed client of the contract. `headers` is asked before each call, for example for a bearer token. */
export function createApiClient(options: {
  baseUrl: string
  transport: Transport
  headers?: () => Record<string, string>
}): ApiClient {
  return {
    async call(endpoint, input, signal) {
      const parts = input as { params?: Record<string, unknown>; query?: Record<string, unknown>; body?: unknown }
      const hasBody = parts.body !== undefined
      const answer = await options.transport(options.baseUrl + endpointUrl(endpoint.path, parts), {
        method: endpoint.method,
        headers: {
          accept: 'application/json',
          ...(hasBody ? { 'content-type': 'application/json' } : {}),
          ...options.headers?.()
        },
        ...(hasBody ? { body: JSON.stringify(parts.body) } : {}),
        ...(signal === undefined ? {} : { signal })
      })
      if (answer.status < 200 || answer.status > 299) throw await refusalOf(answer)
      if (typeof endpoint.response === 'string') return undefined as EndpointResult<typeof endpoint>
      return (endpoint.response as z.ZodType).parse(await answer.json()) as EndpointResult<typeof endpoint>
    }
  }
}

import type { z } from 'zod'
import { messageOf } from '../errors.ts'
import { refusalSchema } from './answers.ts'
import { MediaMtxError } from './errors.ts'

/** Sits above the 4 s by which the server delays its refusal of a wrong credential. */
export const CALL_TIMEOUT_MS = 10_000

export interface Credential {
  user: string
  password: string
}

export interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  url: URL
  body?: unknown
  /** Whether sending it twice does what sending it once does: then it is repeated when the connection breaks. */
  isIdempotent?: boolean
  signal?: AbortSignal
  /** What a refusal means where it is not what its status says: null where it is. */
  refusal?: (status: number, text: string) => MediaMtxError | null
}

/** Sends calls to the media server and reads what it refuses. */
export class Transport {
  readonly #fetch: typeof fetch
  readonly #headers: Record<string, string>
  constructor(credential: Credential | null, fetcher: typeof fetch) {
    this.#fetch = fetcher
    this.#headers = credential
      ? { authorization: `Basic ${Buffer.from(`${credential.user}:${credential.password}`).toString('base64')}` }
      : {}
  }

  /** The answer, checked. Raises `MediaMtxError`; `Misconfigured` also for an answer of something else. */
  async json<Schema extends z.ZodType>(
    call: Call,
    schema: Schema,
    timeoutMs: number = CALL_TIMEOUT_MS
  ): Promise<z.output<Schema>> {
    const text = await this.#text(call, timeoutMs)
    const parsed = schema.safeParse(jsonOf(text))
    if (parsed.success) return parsed.data
    throw new MediaMtxError('Misconfigured', `what answers at ${call.url.host} is no MediaMTX: ${parsed.error.message}`)
  }

  /** For calls whose answer says no more than that it was done; older servers answer nothing. Raises `MediaMtxError`. */
  async send(call: Call): Promise<void> {
    await this.#text(call, CALL_TIMEOUT_MS)
  }

  async #text(call: Call, timeoutMs: number): Promise<string> {
    const signal = anyOf(AbortSignal.timeout(Math.ceil(timeoutMs)), call.signal)
    const attempt = async (): Promise<string> => {
      const response = await this.open({ ...call, signal })
      return await response.text().catch((error) => this.#fail(call, error))
    }
    if (call.isIdempotent !== true) return await attempt()
    return await attempt().catch((error) => {
      if (isReset(error)) return attempt()
      throw error
    })
  }

  /** The answer with its body unread, without a time limit of its own. Raises `MediaMtxError`, or the signal's reason. */
  async open(call: Call): Promise<Response> {
    const init: RequestInit = { method: call.method ?? 'GET', headers: this.#headers, redirect: 'error' }
    if (call.body !== undefined) init.body = JSON.stringify(call.body)
    if (call.signal) init.signal = call.signal
    const response = await this.#fetch(call.url, init).catch((error) => this.#fail(call, error))
    if (response.ok) return response
    const text = await response.text().catch((error) => this.#fail(call, error))
    throw refusal(call, response.status, text)
  }

  /** Rethrows what `fetch` did: an abort of the caller as it is, all else as `Unavailable`. */
  #fail(call: Call, error: unknown): never {
    if (call.signal?.aborted && !isTimeout(call.signal.reason)) throw call.signal.reason
    // What `fetch` says itself is "fetch failed".
    const reason = error instanceof Error && error.cause !== undefined ? error.cause : error
    const text = isTimeout(reason) ? 'no answer in time' : messageOf(reason)
    throw new MediaMtxError('Unavailable', `${call.url.host}: ${text}`, { cause: reason })
  }
}

function refusal(call: Call, status: number, body: string): MediaMtxError {
  const parsed = refusalSchema.safeParse(jsonOf(body))
  const text = parsed.success ? parsed.data.error : `${call.url.host} answers ${status} to ${call.url.pathname}`
  if (status === 401) return new MediaMtxError('Misconfigured', text)
  // A server that ends says so with 400.
  if (text === 'terminated') return new MediaMtxError('Unavailable', text)
  const known = parsed.success ? call.refusal?.(status, text) : null
  if (known) return known
  if (status >= 500) return new MediaMtxError('Unavailable', text)
  // MediaMTX answers operations that it does not know without JSON, and so does whatever else listens there.
  if (!parsed.success) return new MediaMtxError('Misconfigured', text)
  return new MediaMtxError(status === 404 ? 'NotFound' : 'Invalid', text)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function anyOf(timeout: AbortSignal, signal: AbortSignal | undefined): AbortSignal {
  return signal ? AbortSignal.any([timeout, signal]) : timeout
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

const RESETS: unknown[] = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']

function isReset(error: unknown): boolean {
  const cause = error instanceof MediaMtxError ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && RESETS.includes(cause.code)
}

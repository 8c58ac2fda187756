import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { finished } from 'node:stream/promises'
import { messageOf } from '../../errors.ts'
import { AddressRefused, guardedLookup, mayConnectTo } from '../../http/public-address.ts'

export interface PostOptions {
  headers: Record<string, string>
  body: string
  /** From the beginning to the last byte of the answer. */
  timeoutMs: number
  /** Refuse addresses that only this network reaches. */
  publicOnly: boolean
  signal: AbortSignal
}

/** What came of it. */
export interface PostResult {
  /** Null when there was no answer. */
  status: number | null
  /** Null when the answer was a 2xx. */
  error: string | null
  /** What the receiver asked for (RFC 9110 §10.2.3); null when it did not. */
  retryAfterMs: number | null
  durationMs: number
}

const EXCERPT_CHARS = 200

/** Posts once, on a connection of its own, and follows no redirect. Every failure is a result. */
export async function postEvent(url: string, options: PostOptions): Promise<PostResult> {
  const startedMs = performance.now()
  const took = (): number => Math.round(performance.now() - startedMs)
  const deadline = AbortSignal.timeout(options.timeoutMs)
  try {
    const answer = await send(new URL(url), options, AbortSignal.any([options.signal, deadline]))
    const status = answer.statusCode ?? 0
    const error = status >= 200 && status < 300 ? null : `the receiver answered ${status}${await beginningOf(answer)}`
    // What else it says is of no interest, but is heard out: one that never ends would leave a connection for every event.
    await finished(answer.resume()).catch(() => {})
    return {
      status,
      error,
      retryAfterMs: retryAfterMs(answer.headers['retry-after']),
      durationMs: took()
    }
  } catch (error) {
    const reason = deadline.aborted ? `no answer within ${options.timeoutMs} ms` : messageOf(error)
    return { status: null, error: reason, retryAfterMs: null, durationMs: took() }
  }
}

function send(url: URL, options: PostOptions, signal: AbortSignal): Promise<IncomingMessage> {
  if (options.publicOnly && !mayConnectTo(url.hostname)) throw new AddressRefused(url.hostname)
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(
      url,
      {
        method: 'POST',
        headers: { ...options.headers, 'content-length': Buffer.byteLength(options.body) },
        agent: false,
        signal,
        ...(options.publicOnly ? { lookup: guardedLookup() } : {})
      },
      resolve
    )
    request.on('error', reject)
    request.end(options.body)
  })
}

/** The beginning of what the answer says, for the log; nothing when it cannot be read. */
async function beginningOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  try {
    for await (const chunk of answer.setEncoding('utf8')) {
      text += chunk
      if (text.length >= EXCERPT_CHARS) break
    }
  } catch {
    // The status is what counts.
  }
  return text.trim() === '' ? '' : `: ${text.slice(0, EXCERPT_CHARS).trim()}`
}

function retryAfterMs(header: string | undefined): number | null {
  if (header === undefined) return null
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const untilMs = Date.parse(header)
  return Number.isNaN(untilMs) ? null : Math.max(0, untilMs - Date.now())
}

import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { AppError } from '../../errors.ts'
import type { CallContext } from '../../http/bind-endpoint.ts'
import { bodyStream, SILENCE_MS } from '../../http/body-stream.ts'
import { redact } from '../../mediamtx/errors.ts'
import type { MediaServer } from '../../mediamtx/media-server.ts'
import type { Source } from './sources.repository.ts'

/** A playlist is answered when its first segment is complete: one or two groups of pictures. */
const HLS_TIMEOUT_MS = 30_000
const WHEP_TIMEOUT_MS = 15_000
/** An offer with many ways to reach somebody has some kilobytes. */
const MAX_SDP_BYTES = 128 * 1024
const MAX_REASON_CHARACTERS = 200
/** What players ask of a playlist (HLS, RFC 8216bis §6.2.5), and the session that the media server opened for them. */
const HLS_PARAMETERS = ['_HLS_msn', '_HLS_part', '_HLS_skip', 'session']
const HLS_HEADERS = ['content-type', 'cache-control']
const WHEP_HEADERS = ['content-type', 'etag', 'link', 'accept-patch']

/**
 * Streams for pages of the base itself: through it, with the caller's own session, so that nothing of the media server has to be open
 * to them.
 */
export class StreamProxy {
  readonly #server: MediaServer

  constructor(server: MediaServer) {
    this.#server = server
  }

  /** Sends one file of a stream's HLS. Throws `source_disabled`, `stream_not_available`, and as the media server does. */
  async sendHls(source: Source, file: string, { request, response }: CallContext): Promise<void> {
    const asked = new URL(request.url, 'http://localhost').searchParams
    const query = new URLSearchParams()
    for (const name of HLS_PARAMETERS) for (const value of asked.getAll(name)) query.append(name, value)
    const url = new URL(`${this.#base(source, 'hls')}/${source.pathName}/${file}`)
    url.search = query.toString()
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(HLS_TIMEOUT_MS)])
    const answer = await this.#ask(url, { signal }).catch((error: unknown) => {
      if (!gone.signal.aborted) throw error
    })
    // Who has left is told nothing.
    if (!answer) return
    if (!answer.ok || !answer.body) throw await refusalOf(answer, source)
    copyHeaders(answer, HLS_HEADERS, response)
    await pipeline(Readable.fromWeb(answer.body), response).catch((error: unknown) => {
      if (!gone.signal.aborted) throw error
    })
  }

  /** Opens a WebRTC session (WHEP). Throws as {@link sendHls}, and `payload_too_large`. */
  async openWhep(source: Source, { request, response }: CallContext): Promise<void> {
    const answer = await this.#sendSdp(`${this.#base(source, 'webrtc')}/${source.pathName}/whep`, 'POST', request)
    const session = answer.headers.get('location')?.split('/').at(-1)
    if (answer.status !== 201 || !session) throw await refusalOf(answer, source)
    copyHeaders(answer, WHEP_HEADERS, response)
    response.status(201).setHeader('location', `/api/v1/sources/${source.id}/whep/${session}`)
    response.setHeader('cache-control', 'no-store')
    response.end(await answer.text())
  }

  /** Adds ways to reach a viewer (RFC 9725 §4.3.1). */
  async trickle(source: Source, session: string, { request }: CallContext): Promise<void> {
    const url = `${this.#base(source, 'webrtc')}/${source.pathName}/whep/${session}`
    const answer = await this.#sendSdp(url, 'PATCH', request, request.get('if-match'))
    if (!answer.ok) throw await refusalOf(answer, source)
    await answer.body?.cancel()
  }

  /** Ends a session; one that is over already is fine. */
  async closeWhep(source: Source, session: string): Promise<void> {
    const url = new URL(`${this.#base(source, 'webrtc')}/${source.pathName}/whep/${session}`)
    const answer = await this.#ask(url, { method: 'DELETE', signal: AbortSignal.timeout(WHEP_TIMEOUT_MS) })
    if (!answer.ok && answer.status !== 404) throw await refusalOf(answer, source)
    await answer.body?.cancel()
  }

  #base(source: Source, protocol: 'hls' | 'webrtc'): string {
    if (!source.enabled) throw new AppError('source_disabled', { sourceId: source.id })
    // Throws where it does not run.
    this.#server.client()
    const base = this.#server.urls()[protocol]
    if (base === null) throw new AppError('protocol_not_available', { protocol })
    return base
  }

  async #sendSdp(
    url: string,
    method: 'POST' | 'PATCH',
    request: CallContext['request'],
    ifMatch?: string
  ): Promise<Response> {
    if (Number(request.headers['content-length'] ?? 0) > MAX_SDP_BYTES) throw new AppError('payload_too_large')
    const body = await buffer(limited(bodyStream(request, SILENCE_MS)))
    const headers: Record<string, string> = { 'content-type': request.get('content-type') ?? 'application/sdp' }
    if (ifMatch !== undefined) headers['if-match'] = ifMatch
    return this.#ask(new URL(url), {
      method,
      headers,
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(WHEP_TIMEOUT_MS)
    })
  }

  async #ask(url: URL, init: RequestInit): Promise<Response> {
    const credential = this.#server.credential
    const headers = new Headers(init.headers)
    if (credential)
      headers.set(
        'authorization',
        `Basic ${Buffer.from(`${credential.user}:${credential.password}`).toString('base64')}`
      )
    try {
      return await fetch(url, { ...init, headers })
    } catch (error) {
      throw new AppError('live_unavailable', undefined, { cause: error })
    }
  }
}

/**
 * What an answer means that is none of a stream. A stream that is not there, or cannot be had as HLS, has some 404, 400 and 500 of its own;
 * a 401 on a list of parts is a session that is over, which a player begins anew.
 */
async function refusalOf(answer: Response, { id: sourceId }: Source): Promise<AppError> {
  const text = redact(await answer.text().catch(() => ''))
  const details = { sourceId, reason: text.slice(0, MAX_REASON_CHARACTERS) }
  if (answer.status === 401) return new AppError('stream_not_available', details)
  if (/terminated/.test(text)) return new AppError('live_unavailable', details)
  if (answer.status >= 500 && !/no stream|not configured|timed out|muxer/.test(text))
    return new AppError('live_unavailable', details)
  if (answer.status === 406 || /SDP|offer|Content-Type/i.test(text)) return new AppError('invalid_request', details)
  return new AppError('stream_not_available', details)
}

async function* limited(body: Readable): AsyncGenerator<Buffer> {
  let sizeBytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > MAX_SDP_BYTES) throw new AppError('payload_too_large')
    yield chunk
  }
}

function copyHeaders(answer: Response, names: readonly string[], response: CallContext['response']): void {
  for (const name of names) {
    const value = answer.headers.get(name)
    if (value !== null) response.setHeader(name, value)
  }
}

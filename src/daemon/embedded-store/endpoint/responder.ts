import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { sendOpened } from '../../http/send-opened.ts'
import type { ObjectPart, S3Response } from './operations/operation.ts'
import type { RequestBody } from './request-body.ts'
import { newRequestIds } from './request-ids.ts'
import type { S3Error } from './s3-error.ts'
import { STS_NAMESPACE, XML_DECLARATION, type XmlNode, xmlDocument } from './xml-writer.ts'

/** How much of an unread body is swallowed so that the client sees the answer before the connection closes. */
const LINGER_BYTES = 8 * 1024 * 1024
const LINGER_MS = 2000

const PADDING_DELAY_MS = 2000
const PADDING_INTERVAL_MS = 5000

const isObjectPart = (body: S3Response['body']): body is ObjectPart =>
  typeof body === 'object' && 'object' in body && 'range' in body

/** Writes the one answer to a request. */
export class Responder {
  readonly requestId: string
  readonly #hostId: string
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #common: Record<string, string>

  constructor(request: IncomingMessage, response: ServerResponse) {
    const { requestId, hostId } = newRequestIds()
    this.requestId = requestId
    this.#hostId = hostId
    this.#request = request
    this.#response = response
    this.#common = {
      'x-amz-request-id': this.requestId,
      'x-amz-id-2': this.#hostId,
      server: 'Flightcase',
      'x-content-type-options': 'nosniff'
    }
  }

  /** Adds headers to whatever the answer turns out to be. */
  addHeaders(headers: Record<string, string>): void {
    Object.assign(this.#common, headers)
  }

  /** Sends a finished answer. Resolves when the last byte is handed over or the client has gone. */
  async send(answer: S3Response, requestBody: RequestBody | undefined): Promise<void> {
    try {
      await this.#send(answer, requestBody)
    } finally {
      // A body that was not sent would hold its files open for ever.
      if (answer.body instanceof Readable) answer.body.destroy()
      else if (isObjectPart(answer.body)) answer.body.object.close()
    }
  }

  async #send({ status, headers = {}, body }: S3Response, requestBody: RequestBody | undefined): Promise<void> {
    if (this.#response.headersSent || this.#response.destroyed) return
    const all: Record<string, string> = { ...this.#common, ...headers }
    if (typeof body === 'string') {
      all['content-type'] ??= 'application/xml'
      all['content-length'] = String(Buffer.byteLength(body))
    } else if (body === undefined && status !== 204 && status !== 304 && this.#request.method !== 'HEAD') {
      all['content-length'] = '0'
    }
    const mustClose = requestBody !== undefined && !requestBody.isConsumed
    if (mustClose) all.connection = 'close'
    this.#response.writeHead(status, all)
    // A failing source or a client that leaves destroys the answer; its length tells the client that it is short.
    if (body instanceof Readable) return pipeline(body, this.#response).catch(() => {})
    if (isObjectPart(body))
      return sendOpened(body.object, body.range, this.#response).catch(() => void this.#response.destroy())
    // As a buffer: Node would join a text body and the headers and send both as UTF-8, but headers are latin-1.
    const whole = typeof body === 'string' ? Buffer.from(body) : body
    const bytes = this.#request.method === 'HEAD' ? undefined : whole
    if (mustClose) {
      this.#response.flushHeaders()
      if (bytes !== undefined) this.#response.write(bytes)
      await requestBody.drain(LINGER_BYTES, LINGER_MS)
      this.#response.end()
    } else {
      this.#response.end(bytes)
    }
  }

  /**
   * Sends the answer of work that may outlast a client's patience: after two seconds the status goes out as 200, followed by a
   * space now and then, so a late failure has to be told inside the document.
   */
  async sendWhenDone(work: Promise<S3Response>, failure: (error: unknown) => S3Response): Promise<void> {
    const begin = () => {
      this.#response.writeHead(200, { ...this.#common, 'content-type': 'application/xml' })
      this.#response.write(XML_DECLARATION)
      padding = setInterval(() => this.#response.write(' '), PADDING_INTERVAL_MS)
    }
    let padding: NodeJS.Timeout | undefined
    const delay = setTimeout(begin, PADDING_DELAY_MS)
    const outcome = await work.catch(failure).finally(() => {
      clearTimeout(delay)
      clearInterval(padding)
    })
    if (!this.#response.headersSent) return this.send(outcome, undefined)
    const text = typeof outcome.body === 'string' ? outcome.body : ''
    this.#response.end(text.startsWith(XML_DECLARATION) ? text.slice(XML_DECLARATION.length) : text)
  }

  /** The answer of S3 to an error. */
  errorResponse(error: S3Error, resource: string): S3Response {
    const fields = Object.entries(error.fields).map(([name, value]): XmlNode => [name, value])
    return {
      status: error.status,
      headers: error.headers,
      body: xmlDocument([
        'Error',
        [
          ['Code', error.code],
          ['Message', error.message],
          ...fields,
          ...('Resource' in error.fields ? [] : [['Resource', resource] as const]),
          ['RequestId', this.requestId],
          ['HostId', this.#hostId]
        ]
      ])
    }
  }

  /** The answer of STS to an error, which has an envelope of its own. */
  stsErrorResponse(error: S3Error): S3Response {
    return {
      status: error.status,
      headers: { ...error.headers, 'content-type': 'text/xml' },
      body: xmlDocument([
        'ErrorResponse',
        [
          [
            'Error',
            [
              ['Type', error.status < 500 ? 'Sender' : 'Receiver'],
              ['Code', error.code],
              ['Message', error.message]
            ]
          ],
          ['RequestId', this.requestId]
        ],
        { xmlns: STS_NAMESPACE }
      ])
    }
  }

  /** Nobody is left to answer. */
  abandon(): void {
    this.#response.destroy()
  }
}

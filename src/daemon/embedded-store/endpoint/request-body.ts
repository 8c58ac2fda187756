import type { IncomingMessage, ServerResponse } from 'node:http'
import { freeChunk } from '../../chunk-memory.ts'
import type { Headers } from './headers.ts'
import { S3Error } from './s3-error.ts'

/** The client went away before its request was complete. There is nobody left to answer. */
export class ClientGone extends Error {
  constructor() {
    super('the client closed the connection before its request was complete')
    this.name = 'ClientGone'
  }
}

/** The body of one request: what was announced, and its bytes once somebody asks for them. */
export class RequestBody {
  /** From Content-Length; null with `Transfer-Encoding: chunked`, undefined when neither was sent. */
  readonly announcedBytes: number | null | undefined
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #expectsContinue: boolean
  readonly #idleTimeoutMs: number
  #started = false

  constructor(options: {
    request: IncomingMessage
    response: ServerResponse
    headers: Headers
    expectsContinue: boolean
    idleTimeoutMs: number
  }) {
    const { headers } = options
    const length = headers.get('content-length')
    if (length !== undefined) this.announcedBytes = Number(length)
    else this.announcedBytes = headers.has('transfer-encoding') ? null : undefined
    this.#request = options.request
    this.#response = options.response
    this.#expectsContinue = options.expectsContinue
    this.#idleTimeoutMs = options.idleTimeoutMs
  }

  /** Whether the client has bytes to send. */
  get isPresent(): boolean {
    return this.announcedBytes === null || (this.announcedBytes ?? 0) > 0
  }

  /** Whether the connection can carry another request: nothing of this body is still to come. */
  get isConsumed(): boolean {
    return !this.isPresent || this.#request.readableEnded
  }

  /** Whether the client holds its body back until it is told to go on. */
  get isHeldBack(): boolean {
    return this.#expectsContinue && !this.#started
  }

  /**
   * Tells the client to go on, if it waits for that, and yields the bytes as they arrive. A chunk is gone when the next one is asked
   * for. Time spent by the consumer does not count as idle.
   * @throws S3Error RequestTimeout when no byte arrives for the idle time; ClientGone
   */
  async *chunks(): AsyncGenerator<Buffer> {
    const request = this.#request
    if (this.isHeldBack && this.isPresent) this.#response.writeContinue()
    this.#started = true
    for (;;) {
      const chunk: unknown = request.read()
      if (chunk instanceof Buffer) {
        yield chunk
        freeChunk(chunk)
      } else if (request.readableEnded) return
      else await this.#nextEvent()
    }
  }

  /**
   * The whole body, for requests that carry a small document.
   * @throws S3Error with `tooLarge` beyond `maxBytes`, and as {@link chunks} does
   */
  async collect(maxBytes: number, tooLarge: () => S3Error): Promise<Buffer> {
    if (!this.isPresent) return Buffer.alloc(0)
    if ((this.announcedBytes ?? 0) > maxBytes) throw tooLarge()
    const chunks: Buffer[] = []
    let sizeBytes = 0
    for await (const chunk of this.chunks()) {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) throw tooLarge()
      chunks.push(Buffer.from(chunk))
    }
    return Buffer.concat(chunks)
  }

  /** Resolves when there is something to read or the body has ended. */
  #nextEvent(): Promise<void> {
    const request = this.#request
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => () => {
        clearTimeout(timer)
        request.off('readable', onEvent).off('end', onEvent).off('close', onGone).off('error', onGone)
        act()
      }
      const onEvent = settle(resolve)
      const onGone = settle(() => reject(new ClientGone()))
      const onIdle = settle(() => reject(new S3Error('RequestTimeout')))
      const timer = setTimeout(onIdle, this.#idleTimeoutMs)
      request.on('readable', onEvent).on('end', onEvent).on('close', onGone).on('error', onGone)
      if (request.destroyed && !request.readableEnded) onGone()
    })
  }

  /**
   * Reads and drops what the client still sends, within limits, so that it gets to see the answer instead of a reset connection.
   * Resolves in every case.
   */
  async drain(maxBytes: number, maxMs: number): Promise<void> {
    const request = this.#request
    if (this.isHeldBack || this.isConsumed || request.destroyed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, maxMs)
      let drainedBytes = 0
      request.on('data', (chunk: Buffer) => {
        drainedBytes += chunk.length
        if (drainedBytes > maxBytes) resolve()
      })
      for (const event of ['end', 'close', 'error']) request.once(event, () => resolve())
      request.once('close', () => clearTimeout(timer))
      request.resume()
    })
  }
}

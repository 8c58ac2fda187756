import type { IncomingMessage } from 'node:http'
import { PassThrough, type Readable } from 'node:stream'
import { markReceived } from '../chunk-memory.ts'
import { AppError } from '../errors.ts'

/** A client that sends nothing for so long is gone. */
export const SILENCE_MS = 60_000
/** A client that hears of a refusal before it has sent everything may miss the reason; so much longer it is listened to. */
const HEAR_OUT_MS = 2000

/**
 * The body of a request as a stream of its own: ending it early leaves the connection open for an answer. Fails with
 * `invalid_request` when the connection breaks, or when the client sends nothing for `silenceMs` though it is waited for.
 */
export function bodyStream(request: IncomingMessage, silenceMs: number): Readable {
  const body = new PassThrough()
  let timer: NodeJS.Timeout | undefined
  const fail = (reason: string): void => void body.destroy(new AppError('invalid_request', { reason }))
  const listen = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => fail('the client fell silent'), silenceMs)
  }
  const onData = (chunk: Buffer): void => {
    // Destroyed, though not closed yet: a pause now would have no end.
    if (body.destroyed) return
    markReceived(chunk)
    if (body.write(chunk)) {
      listen()
      return
    }
    // Now it is us who are slow.
    clearTimeout(timer)
    request.pause()
  }
  const onEnd = (): void => void body.end()
  const onBroken = (): void => {
    if (!request.complete) fail('the connection broke')
  }
  body.on('drain', () => {
    if (body.destroyed) return
    listen()
    request.resume()
  })
  body.once('close', () => {
    clearTimeout(timer)
    request.off('data', onData).off('end', onEnd)
  })
  body.once('finish', () => clearTimeout(timer))
  // Whoever reads it hears of it, too; nobody may.
  body.on('error', () => {})
  request.on('data', onData).once('end', onEnd).once('error', onBroken).once('close', onBroken)
  listen()
  return body
}

/** Whether a request comes with a body (RFC 9112 §6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers
  return length !== '0' || encoding !== undefined
}

/** Lets a client that is to be refused finish its sentence, within reason. */
export async function hearOut(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, HEAR_OUT_MS)
    const end = (): void => {
      clearTimeout(timer)
      resolve()
    }
    request.once('end', end).once('close', end)
    request.resume()
  })
}

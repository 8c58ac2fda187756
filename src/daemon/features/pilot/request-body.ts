import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { PilotRefusal } from './pilot-refusal.ts'

/** A card of 100 000 files names them all in one request of half this size. */
const MAX_BODY_BYTES = 10 * 1024 * 1024
/** So much of a body that is too large is still read, so that its sender gets to see the answer. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024

/**
 * Reads a request's body as a JSON object. Gives the text it was parsed from, too. Throws `invalidJson` for anything but
 * one JSON object in UTF-8, `payloadTooLarge` beyond 10 MiB.
 */
export async function readJsonObject(request: IncomingMessage): Promise<{ value: object; text: string }> {
  const body = await readBody(request)
  if (!isUtf8(body)) throw new PilotRefusal('invalidJson')
  const text = body.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new PilotRefusal('invalidJson', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PilotRefusal('invalidJson')
  return { value, text }
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let sizeBytes = 0
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length
      if (sizeBytes <= MAX_BODY_BYTES) chunks.push(chunk)
      else chunks = []
      if (sizeBytes > MAX_DISCARDED_BYTES) {
        request.pause()
        reject(new PilotRefusal('payloadTooLarge'))
      }
    })
    request.on('end', () => {
      if (sizeBytes > MAX_BODY_BYTES) reject(new PilotRefusal('payloadTooLarge'))
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
    })
    request.on('error', reject)
    request.on('close', () => {
      if (!request.complete) reject(new Error('the connection closed before the body ended'))
    })
  })
}

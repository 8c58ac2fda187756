import { createHash } from 'node:crypto'
import { addAbortSignal, Readable } from 'node:stream'
import { ObjectStoreError } from './object-store.ts'

/** A body on its way to a server, and what went through. */
export type MeteredBody = {
  stream: Readable
  /** Aborts when the source fails or turns out not to be what was announced; the HTTP client would wait for ever otherwise. */
  signal: AbortSignal
  /** Valid once the body went through. */
  result: () => { sizeBytes: number; sha256: string }
  /** Gives up the source. */
  cancel: () => void
}

/**
 * Passes a stream on while counting and hashing it. The end is held back until size and digest (hex) are what was expected, so that
 * a request fails instead of storing something else: `InvalidArgument`, `ChecksumMismatch` (the reason of `signal`).
 */
export function meterBody(
  source: Readable,
  expected: { sizeBytes?: number | undefined; sha256?: string | undefined; signal?: AbortSignal | undefined }
): MeteredBody {
  if (expected.signal) addAbortSignal(expected.signal, source)
  const hash = createHash('sha256')
  const aborter = new AbortController()
  let sizeBytes = 0
  let sha256 = ''
  const meter = async function* () {
    try {
      for await (const chunk of source) {
        sizeBytes += chunk.length
        if (expected.sizeBytes !== undefined && sizeBytes > expected.sizeBytes)
          throw new ObjectStoreError('InvalidArgument', 'The body is longer than announced.')
        hash.update(chunk)
        yield chunk
      }
      sha256 = hash.digest('hex')
      if (expected.sizeBytes !== undefined && sizeBytes !== expected.sizeBytes)
        throw new ObjectStoreError('InvalidArgument', 'The body is shorter than announced.')
      if (expected.sha256 !== undefined && sha256 !== expected.sha256)
        throw new ObjectStoreError('ChecksumMismatch', 'The bytes have another sha256 than announced.')
    } catch (error) {
      aborter.abort(error)
      throw error
    }
  }
  const stream = Readable.from(meter(), { objectMode: false })
  // An aborted request abandons the stream without an error listener of its own.
  stream.on('error', () => {})
  return {
    stream,
    signal: aborter.signal,
    result: () => ({ sizeBytes, sha256 }),
    cancel: () => {
      stream.destroy()
      source.destroy()
    }
  }
}

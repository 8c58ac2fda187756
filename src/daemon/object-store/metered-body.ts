import { createHash } from 'node:crypto'
import { PassThrough, type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ObjectStoreError } from './object-store.ts'

/** A body on its way to a server, and what went through. */
export type MeteredBody = {
  stream: Readable
  /** Aborts when the source fails or turns out not to be what was announced; the HTTP client would wait for ever otherwise. */
  signal: AbortSignal
  /** Valid once the body went through. */
  result: () => { sizeBytes: number; sha256: string }
  /** The failure of the source, if that is why the request ended. */
  failure: () => unknown
}

/**
 * Passes a stream on while counting and hashing it. The end is held back until size and digest (hex) are what was expected, so that
 * a request fails instead of storing something else: `InvalidArgument`, `ChecksumMismatch`.
 */
export function meterBody(
  source: Readable,
  expected: { sizeBytes?: number | undefined; sha256?: string | undefined; signal?: AbortSignal | undefined }
): MeteredBody {
  const hash = createHash('sha256')
  const aborter = new AbortController()
  let sizeBytes = 0
  let sha256 = ''
  let failure: unknown
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length
      hash.update(chunk)
      if (expected.sizeBytes !== undefined && sizeBytes > expected.sizeBytes)
        done(new ObjectStoreError('InvalidArgument', 'The body is longer than announced.'))
      else done(null, chunk)
    },
    flush(done) {
      sha256 = hash.digest('hex')
      if (expected.sizeBytes !== undefined && sizeBytes !== expected.sizeBytes)
        done(new ObjectStoreError('InvalidArgument', 'The body is shorter than announced.'))
      else if (expected.sha256 !== undefined && sha256 !== expected.sha256)
        done(new ObjectStoreError('ChecksumMismatch', 'The bytes have another sha256 than announced.'))
      else done()
    }
  })
  const stream = new PassThrough()
  // An aborted request destroys or abandons the stream without an error listener of its own.
  stream.on('error', () => {})
  pipeline(source, meter, stream, expected.signal ? { signal: expected.signal } : {}).catch((error: unknown) => {
    failure = error
    aborter.abort(error)
  })
  return { stream, signal: aborter.signal, result: () => ({ sizeBytes, sha256 }), failure: () => failure }
}

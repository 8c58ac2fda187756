import { type Readable, Transform } from 'node:stream'
import { AppError } from '../../errors.ts'
import { SNIFF_BYTES } from '../../media/sniff-media.ts'

export interface Measured {
  /** The same bytes; fails with `payload_too_large` beyond the limit, and as the source does. */
  stream: Readable
  /** The first bytes, as soon as there are enough or all of them. */
  head: Promise<Buffer>
  /** Lowers the limit, once it is known what the bytes are. */
  limitTo(maxSizeBytes: number): void
}

/** Watches bytes go by: their beginning, and their number. */
export function measured(source: Readable, limitBytes: number): Measured {
  const begin: Buffer[] = []
  let sizeBytes = 0
  let maxSizeBytes = limitBytes
  let tellHead: (head: Buffer) => void = () => {}
  let failHead: (error: Error) => void = () => {}
  const head = new Promise<Buffer>((resolve, reject) => {
    tellHead = resolve
    failHead = reject
  })
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      const isBeginning = sizeBytes < SNIFF_BYTES
      sizeBytes += chunk.length
      if (sizeBytes > maxSizeBytes) return done(new AppError('payload_too_large', { maxSizeBytes }))
      if (isBeginning) {
        begin.push(Buffer.from(chunk.subarray(0, SNIFF_BYTES)))
        if (sizeBytes >= SNIFF_BYTES) tellHead(Buffer.concat(begin.splice(0)))
      }
      done(null, chunk)
    },
    flush(done) {
      tellHead(Buffer.concat(begin))
      done()
    }
  })
  head.catch(() => {})
  stream.once('error', failHead)
  source.once('error', (error) => stream.destroy(error))
  source.pipe(stream)
  const limitTo = (limit: number): void => {
    maxSizeBytes = limit
    if (sizeBytes > limit) stream.destroy(new AppError('payload_too_large', { maxSizeBytes }))
  }
  return { stream, head, limitTo }
}

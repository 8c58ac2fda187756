import { createHash, createHmac, type Hash } from 'node:crypto'
import { EMPTY_SHA256, scopeText, sha256Hex } from './canonical-request.ts'
import { S3Error } from './s3-error.ts'
import { type SigningContext, signaturesEqual } from './sigv4.ts'

const MAX_LINE_BYTES = 1024
const MAX_EXTENSION_BYTES = 256
const MAX_TRAILER_BYTES = 1024
const MAX_SIGNED_CHUNK_BYTES = 16 * 1024 * 1024
const MAX_UNSIGNED_CHUNK_BYTES = 1024 * 1024 * 1024

const TRAILER_SIGNATURE = 'x-amz-trailer-signature'

export interface ChunkedDecoderOptions {
  /** `x-amz-decoded-content-length`: exactly this many payload bytes must come out. */
  decodedLength: number
  /** Where the chain of chunk signatures starts; undefined in the unsigned mode. */
  signing: SigningContext | undefined
  /** Lower-case names announced in `x-amz-trailer`; undefined in the modes without a trailer. */
  trailerNames: readonly string[] | undefined
}

/**
 * Incremental aws-chunked decoder (SigV4 streaming payloads). Bytes go in as they arrive, payload comes out as slices of
 * them; nothing but the current header line and the trailer is ever held. A chunk's signature is judged at its end, so the
 * payload given out so far is trustworthy only once {@link finish} has returned.
 */
export class ChunkedDecoder {
  readonly #options: ChunkedDecoderOptions
  #state: 'header' | 'data' | 'data-end' | 'trailer' = 'header'
  #line = Buffer.alloc(MAX_LINE_BYTES)
  #lineLength = 0
  #remainingInChunk = 0
  #decodedBytes = 0
  #chunkSignature = ''
  #previousSignature: string
  #chunkHash: Hash | undefined
  #trailer = Buffer.alloc(0)

  constructor(options: ChunkedDecoderOptions) {
    this.#options = options
    this.#previousSignature = options.signing?.seedSignature ?? ''
  }

  /**
   * Takes the next bytes of the body and yields the payload among them.
   * @throws S3Error IncompleteBody for bad framing or more payload than announced, SignatureDoesNotMatch for a chunk
   *   whose signature is wrong, MalformedTrailerError for an oversized trailer
   */
  *push(input: Buffer): Generator<Buffer> {
    let at = 0
    while (at < input.length) {
      if (this.#state === 'data') {
        const slice = input.subarray(at, at + this.#remainingInChunk)
        at += slice.length
        this.#takeData(slice)
        yield slice
      } else if (this.#state === 'trailer') {
        this.#takeTrailer(input.subarray(at))
        at = input.length
      } else {
        at = this.#takeLineBytes(input, at)
      }
    }
  }

  /**
   * Ends the body and returns the trailer fields by name (empty in the modes without one).
   * @throws S3Error IncompleteBody, MalformedTrailerError, SignatureDoesNotMatch (trailer signature)
   */
  finish(): ReadonlyMap<string, string> {
    if (this.#state !== 'trailer' || this.#decodedBytes !== this.#options.decodedLength)
      throw incomplete('The body ended before the announced number of bytes.')
    const text = this.#trailer.toString('latin1')
    if (this.#options.trailerNames !== undefined) return this.#readTrailer(text, this.#options.trailerNames)
    if (text !== '' && text !== '\r\n') throw incomplete('There are bytes after the last chunk.')
    return new Map()
  }

  /** Copies bytes up to the next line feed and acts on the line once it is whole. Returns where to go on. */
  #takeLineBytes(input: Buffer, from: number): number {
    const feed = input.indexOf(0x0a, from)
    const end = feed < 0 ? input.length : feed + 1
    if (this.#lineLength + (end - from) > MAX_LINE_BYTES) throw incomplete('A chunk header is too long.')
    this.#lineLength += input.copy(this.#line, this.#lineLength, from, end)
    if (feed < 0) return end
    const line = this.#line.toString('latin1', 0, this.#lineLength)
    this.#lineLength = 0
    if (!line.endsWith('\r\n')) throw incomplete('A chunk header does not end in CRLF.')
    if (this.#state === 'header') this.#startChunk(line.slice(0, -2))
    else if (line === '\r\n') this.#state = 'header'
    else throw incomplete('A chunk is longer than its header says.')
    return end
  }

  #startChunk(header: string): void {
    const [hexSize = '', ...extensions] = header.split(';')
    if (!/^[0-9a-fA-F]{1,16}$/.test(hexSize)) throw incomplete('A chunk header does not start with a size.')
    const sizeBytes = Number.parseInt(hexSize, 16)
    const { signing, decodedLength } = this.#options
    if (sizeBytes > (signing ? MAX_SIGNED_CHUNK_BYTES : MAX_UNSIGNED_CHUNK_BYTES))
      throw incomplete('A chunk is too large.')
    if (sizeBytes > decodedLength - this.#decodedBytes)
      throw incomplete('The body is longer than x-amz-decoded-content-length.')

    this.#chunkSignature = ''
    for (const extension of extensions) {
      if (extension.startsWith('chunk-signature=')) this.#chunkSignature = extension.slice('chunk-signature='.length)
      else if (extension.length > MAX_EXTENSION_BYTES) throw incomplete('A chunk extension is too long.')
    }
    this.#remainingInChunk = sizeBytes
    if (signing) this.#chunkHash = createHash('sha256')
    if (sizeBytes > 0) {
      this.#state = 'data'
    } else {
      this.#endChunk()
      this.#state = 'trailer'
    }
  }

  #takeData(slice: Buffer): void {
    this.#chunkHash?.update(slice)
    this.#remainingInChunk -= slice.length
    this.#decodedBytes += slice.length
    if (this.#remainingInChunk > 0) return
    this.#endChunk()
    this.#state = 'data-end'
  }

  #endChunk(): void {
    const { signing } = this.#options
    if (signing === undefined || this.#chunkHash === undefined) return
    const expected = sign(signing, 'AWS4-HMAC-SHA256-PAYLOAD', [
      this.#previousSignature,
      EMPTY_SHA256,
      this.#chunkHash.digest('hex')
    ])
    if (!signaturesEqual(expected, this.#chunkSignature))
      throw new S3Error('SignatureDoesNotMatch', { message: 'The signature of a chunk does not match.' })
    this.#previousSignature = expected
  }

  #takeTrailer(bytes: Buffer): void {
    if (this.#trailer.length + bytes.length > MAX_TRAILER_BYTES)
      throw this.#options.trailerNames === undefined
        ? incomplete('There are bytes after the last chunk.')
        : malformed('The trailer is too long.')
    this.#trailer = Buffer.concat([this.#trailer, bytes])
  }

  /**
   * Senders disagree about blank lines: before the trailer, before its signature, after it. Since the fields must be
   * exactly the announced ones, each once, blank lines cannot hide anything and are skipped.
   */
  #readTrailer(text: string, announced: readonly string[]): ReadonlyMap<string, string> {
    const fields = new Map<string, string>()
    for (const rawLine of text.split('\n')) {
      const line = rawLine.endsWith('\r') ? rawLine.slice(0, -1) : rawLine
      if (line === '') continue
      const colon = line.indexOf(':')
      const name = trimBlanks(line.slice(0, Math.max(colon, 0))).toLowerCase()
      if (name === '' || fields.has(name) || fields.has(TRAILER_SIGNATURE))
        throw malformed('The trailer holds an unexpected line.')
      fields.set(name, trimBlanks(line.slice(colon + 1)))
    }
    const signature = fields.get(TRAILER_SIGNATURE)
    fields.delete(TRAILER_SIGNATURE)
    if (fields.size !== announced.length || announced.some((name) => !fields.has(name)))
      throw malformed('The trailer does not hold exactly the fields announced in x-amz-trailer.')
    this.#checkTrailerSignature(fields, signature)
    return fields
  }

  #checkTrailerSignature(fields: ReadonlyMap<string, string>, signature: string | undefined): void {
    const { signing } = this.#options
    if ((signing === undefined) !== (signature === undefined))
      throw malformed(signing ? 'The trailer signature is missing.' : 'An unsigned trailer must not be signed.')
    if (signing === undefined || signature === undefined) return
    const lines = [...fields].map(([name, value]) => `${name}:${value}\n`).join('')
    const expected = sign(signing, 'AWS4-HMAC-SHA256-TRAILER', [this.#previousSignature, sha256Hex(lines)])
    if (!signaturesEqual(expected, signature))
      throw new S3Error('SignatureDoesNotMatch', { message: 'The signature of the trailer does not match.' })
  }
}

function sign(signing: SigningContext, algorithm: string, rest: readonly string[]): string {
  const text = [algorithm, signing.timestamp, scopeText(signing.scope), ...rest].join('\n')
  return createHmac('sha256', signing.signingKey).update(text).digest('hex')
}

function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

function incomplete(message: string): S3Error {
  return new S3Error('IncompleteBody', { message })
}

function malformed(message: string): S3Error {
  return new S3Error('MalformedTrailerError', { message })
}

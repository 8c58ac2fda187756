import type { ServerResponse } from 'node:http'
import type { OpenedObject } from '../object-store/object-store.ts'
import type { ByteRange } from './byte-range.ts'

/** Fresh memory for every piece costs more than reading and sending it; so pieces of this size are used again and again. */
const PIECE_BYTES = 512 * 1024
/** With so many answers at a time the pieces are small: they wait for slow readers. */
const MANY_ANSWERS = 32
const SMALL_PIECE_BYTES = 64 * 1024
const KEPT_PIECES = 16

const kept: Buffer[] = []
let running = 0

/** The reader left before the end. */
export class ReaderGoneError extends Error {
  override readonly name = 'ReaderGoneError'
}

/**
 * Sends a range of an opened object as the body of an answer and ends it. The next piece is read while the one before is on its way.
 * Throws `ReaderGoneError`, and as reading does; the answer is then not ended.
 */
export async function sendOpened(
  object: Pick<OpenedObject, 'readAt'>,
  { start, end }: ByteRange,
  response: ServerResponse
): Promise<void> {
  const pieceBytes = running < MANY_ANSWERS ? PIECE_BYTES : SMALL_PIECE_BYTES
  const pieces: Buffer[] = []
  let sending: Promise<void> | undefined
  let hasLeft = (): void => undefined
  const gone = new Promise<void>((resolve) => {
    hasLeft = resolve
  })
  response.once('close', hasLeft)
  running++
  try {
    for (let position = start, turn = 0; position <= end; turn++) {
      pieces[turn % 2] ??= takePiece(pieceBytes)
      const piece = pieces[turn % 2]!.subarray(0, Math.min(pieceBytes, end + 1 - position))
      const bytesRead = await object.readAt(piece, position)
      position += bytesRead
      await sending
      assertThere(response)
      sending = Promise.race([written(response, piece.subarray(0, bytesRead)), gone])
    }
    await sending
    assertThere(response)
    response.end()
    // After a failure a piece may still be on its way.
    for (const piece of pieces) keepPiece(piece)
  } finally {
    running--
    response.off('close', hasLeft)
  }
}

function assertThere(response: ServerResponse): void {
  if (response.destroyed) throw new ReaderGoneError('the reader left')
}

/** Resolves when the piece is free again; a failure shows in the answer, which is destroyed then. */
function written(response: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise((resolve) => response.write(piece, () => resolve()))
}

function takePiece(sizeBytes: number): Buffer {
  return (sizeBytes === PIECE_BYTES ? kept.pop() : undefined) ?? Buffer.allocUnsafeSlow(sizeBytes)
}

function keepPiece(piece: Buffer): void {
  if (piece.length === PIECE_BYTES && kept.length < KEPT_PIECES) kept.push(piece)
}

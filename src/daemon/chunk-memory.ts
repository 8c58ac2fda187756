/**
 * Frees the memory of a chunk that is its alone and that nobody will read again; leaves memory that it shares with others. The collector
 * would free it too, but much too late for a stream: memory outside its heap makes it search the whole heap 25 times for each gigabyte.
 */
export function freeChunk({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && byteLength >= WORTH_FREEING_BYTES)
    buffer.transfer(0)
}

/** Below this the pool of Node's buffers and the collector do well enough. */
const WORTH_FREEING_BYTES = 16 * 1024

/** Chunks that came from a client, by their memory; what lies between may have cut them up. */
const received = new WeakMap<ArrayBufferLike, Uint8Array>()

/** Says that nobody but the reader of the stream which it goes to will use this chunk. */
export function markReceived(chunk: Uint8Array): void {
  received.set(chunk.buffer, chunk)
}

/** Frees the received chunks among those of one stream as they are used up. */
export class UsedChunks {
  #last: ArrayBufferLike | undefined

  /** `chunk` or slice of a chunk, the next of the stream, is used up. Its memory is free once one with other memory follows. */
  add({ buffer }: Uint8Array): void {
    if (buffer === this.#last) return
    const last = this.#last && received.get(this.#last)
    if (last) {
      received.delete(last.buffer)
      freeChunk(last)
    }
    this.#last = buffer
  }
}

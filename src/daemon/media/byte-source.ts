import { open } from 'node:fs/promises'

/** Bytes that can be read anywhere: a file, or an object far away of which little is needed. */
export interface ByteSource {
  readonly sizeBytes: number
  /** Up to `length` bytes from `position`, fewer only at the end. */
  read(position: number, length: number): Promise<Buffer>
}

/** Gives `work` a file to read from, open as long as it runs. Raises the file system's errors. */
export async function withFileSource<T>(filePath: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  const file = await open(filePath)
  try {
    const { size } = await file.stat()
    return await work({
      sizeBytes: size,
      async read(position, length) {
        const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - position)))
        return buffer.subarray(0, (await file.read(buffer, 0, buffer.length, position)).bytesRead)
      }
    })
  } finally {
    await file.close()
  }
}

/** Reads in windows of at least `windowBytes`, so that many small reads close together cost one. */
export function inWindows(source: ByteSource, windowBytes: number): ByteSource {
  let start = 0
  let window: Buffer = Buffer.alloc(0)
  return {
    sizeBytes: source.sizeBytes,
    async read(position, length) {
      const end = Math.min(position + length, source.sizeBytes)
      if (position < start || end > start + window.length) {
        window = await source.read(position, Math.max(windowBytes, length))
        start = position
      }
      return window.subarray(position - start, position - start + length)
    }
  }
}

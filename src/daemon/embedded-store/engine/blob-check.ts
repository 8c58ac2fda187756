import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { isMissingFile } from '../../files.ts'
import type { BlobRow } from './blob-rows.ts'

const CHUNK_BYTES = 256 * 1024
/** Of this process or system, not of the file. */
const LACKS_MEANS = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'])

/**
 * Reads a payload file through a handle of its own and says what is wrong with it; null when it has the size and the sha256 of
 * its row. `beforeRead` is awaited before each piece; what it raises ends the check. Raises when the process cannot open files.
 */
export async function faultOf(
  path: string,
  blob: Pick<BlobRow, 'sizeBytes' | 'sha256'>,
  beforeRead: (bytes: number) => Promise<void> = async () => {}
): Promise<string | null> {
  try {
    const file = await open(path, 'r')
    try {
      if ((await file.stat()).size !== blob.sizeBytes) return 'The payload file has the wrong size.'
      const sha256 = await digestOf(file, blob.sizeBytes, beforeRead)
      return sha256 === blob.sha256 ? null : 'The payload file holds other bytes than were written.'
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isMissingFile(error)) return 'The payload file is missing.'
    if (isFaultOfFile(error)) return `The payload file cannot be read (${error.code}).`
    throw error
  }
}

/** A small buffer, hashed in place: at the pace of a check in the background another thread would save nothing. */
async function digestOf(
  file: FileHandle,
  sizeBytes: number,
  beforeRead: (bytes: number) => Promise<void>
): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, sizeBytes))
  for (let position = 0; position < sizeBytes; ) {
    const wanted = Math.min(buffer.length, sizeBytes - position)
    await beforeRead(wanted)
    const { bytesRead } = await file.read(buffer, 0, wanted, position)
    if (bytesRead === 0) break
    hash.update(buffer.subarray(0, bytesRead))
    position += bytesRead
  }
  return hash.digest('hex')
}

function isFaultOfFile(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error && !LACKS_MEANS.has(String(error.code))
}

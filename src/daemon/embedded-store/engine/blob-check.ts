import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { isFileError, isMissingFile } from '../../files.ts'
import type { BlobRow } from './blob-rows.ts'

const CHUNK_BYTES = 256 * 1024
/** A bad sector, or something that is no file where one was. Anything else may be a virus scanner, a right or a handle that lacks. */
const TELLS_OF_LOSS = new Set(['EIO', 'EISDIR', 'ELOOP', 'ENOTDIR'])

/** How a payload file shows that its bytes are lost: a name for programs, and words. */
export type Fault = { what: 'missing' | 'wrong_size' | 'wrong_bytes' | 'unreadable'; reason: string }

const MISSING: Fault = { what: 'missing', reason: 'The payload file is missing.' }
const WRONG_SIZE: Fault = { what: 'wrong_size', reason: 'The payload file has the wrong size.' }
export const WRONG_BYTES: Fault = {
  what: 'wrong_bytes',
  reason: 'The payload file holds other bytes than were written.'
}

/** What the size of a payload file says, null where there is none. */
export function faultOfSize(foundBytes: number | null, { sizeBytes }: Pick<BlobRow, 'sizeBytes'>): Fault | null {
  if (foundBytes === null) return MISSING
  return foundBytes === sizeBytes ? null : WRONG_SIZE
}

/**
 * Reads a payload file through a handle of its own and says what is wrong with it; null when it has the size and the sha256 of
 * its row. `beforeRead` is awaited before each piece; what it raises ends the check. Raises the file system's error (`isFileError`)
 * when the file cannot be checked now, which says nothing about its bytes.
 */
export async function faultOf(
  path: string,
  blob: Pick<BlobRow, 'sizeBytes' | 'sha256'>,
  beforeRead: (bytes: number) => Promise<void> = async () => {}
): Promise<Fault | null> {
  try {
    const file = await open(path, 'r')
    try {
      const fault = faultOfSize((await file.stat()).size, blob)
      if (fault !== null) return fault
      return (await digestOf(file, blob.sizeBytes, beforeRead)) === blob.sha256 ? null : WRONG_BYTES
    } finally {
      await file.close()
    }
  } catch (error) {
    const fault = faultOfError(error)
    if (fault === null) throw error
    return fault
  }
}

/** What an error of opening or reading a payload file says about its bytes; null: nothing. */
export function faultOfError(error: unknown): Fault | null {
  if (isMissingFile(error)) return MISSING
  if (!isFileError(error) || !TELLS_OF_LOSS.has(error.code)) return null
  return { what: 'unreadable', reason: `The payload file cannot be read (${error.code}).` }
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

import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Answers a function that appends to `filePath`; beyond `maxBytes` the file becomes `<filePath>.old` and a new one
 * begins. A log that cannot be written (full disk) never stops the application: the chunk goes to `onLost` instead.
 */
export function openLogFile(
  filePath: string,
  maxBytes: number,
  onLost: (chunk: Buffer | string, cause: unknown) => void
): (chunk: Buffer | string) => void {
  mkdirSync(dirname(filePath), { recursive: true })
  let sizeBytes = statSync(filePath, { throwIfNoEntry: false })?.size ?? 0
  return (chunk) => {
    try {
      if (sizeBytes > maxBytes) {
        renameSync(filePath, `${filePath}.old`)
        sizeBytes = 0
      }
      appendFileSync(filePath, chunk, { mode: 0o600 })
      sizeBytes += Buffer.byteLength(chunk)
    } catch (cause) {
      onLost(chunk, cause)
    }
  }
}

/** Inclusive bounds of a part of a file. */
export interface ByteRange {
  start: number
  end: number
}

/**
 * Reads a Range header for a file of `sizeBytes` (RFC 9110 §14). Gives `undefined` when the whole file is to be sent:
 * no header, another unit, several ranges or bad syntax (§14.2 lets a server ignore those); `'unsatisfiable'` when the
 * one range lies outside the file.
 */
export function parseByteRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/.exec(header?.trim() ?? '')
  if (!match) return undefined
  const [, first, last, suffix] = match
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), sizeBytes)
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, end: sizeBytes - 1 }
  }
  const start = Number(first)
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start >= sizeBytes ? 'unsatisfiable' : { start, end }
}

/** `Content-Disposition` for any file name: an ASCII fallback and the real one (RFC 6266, RFC 8187). */
export function contentDisposition(type: 'inline' | 'attachment', name: string): string {
  const oneLine = name.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069/\\]/gu, '_')
  const fallback = oneLine.replace(/[^\x20-\x7e]|["%]/gu, '_')
  const encoded = encodeURIComponent(oneLine.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return `${type}; filename="${fallback}"; filename*=UTF-8''${encoded}`
}

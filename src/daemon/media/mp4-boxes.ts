/** `start` and `end` delimit the content. */
export type Box = { type: string; start: number; end: number }

/**
 * The box (ISO/IEC 14496-12 §4.2) whose header is at `at`; one without a size ends at `limit`. Null when there is none.
 */
export function boxAt(bytes: Buffer, at: number, limit: number): Box | null {
  if (at + 8 > bytes.length) return null
  const type = bytes.toString('latin1', at + 4, at + 8)
  if (!/^[\x20-\x7e\xa9]{4}$/.test(type)) return null
  const short = bytes.readUInt32BE(at)
  if (short === 0) return { type, start: at + 8, end: limit } // up to the end
  if (short !== 1) return short < 8 ? null : { type, start: at + 8, end: at + short }
  const long = at + 16 > bytes.length ? 0 : Number(bytes.readBigUInt64BE(at + 8))
  return long < 16 ? null : { type, start: at + 16, end: at + long }
}

/** The contents of the boxes of a type directly inside `bytes`; one that is cut off ends the list. */
export function children(bytes: Buffer, type: string): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; ; ) {
    const box = boxAt(bytes, at, bytes.length)
    if (!box || box.end > bytes.length) return found
    if (box.type === type) found.push(bytes.subarray(box.start, box.end))
    at = box.end
  }
}

/** The content of the first box along a path; empty when there is none. */
export function inside(bytes: Buffer, ...path: string[]): Buffer {
  return path.reduce((content, type) => children(content, type)[0] ?? Buffer.alloc(0), bytes)
}
